/**
 * Answers that are larger than the house can give at once, where it is a function behind a gateway: they are put into the archive, and
 * whoever asked gets 307 and an address there, which holds for some minutes. On one machine an answer has any size.
 */

import { hash } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { Archive } from '../auction/ports.ts';
import type { Answer } from './route.ts';

/** Of routes whose answers may be large. */
export const elsewhere: Readonly<Record<307, Answer>> = {
  307: { description: 'It is larger than an answer may be: the address where it lies, for some minutes' },
};

/** Where an answer lies that was too large, by its tag or its hash. */
export const copyKey = (name: string, kind: 'json' | 'csv' = 'json'): string =>
  `answers/${name.replaceAll(/[^A-Za-z0-9._-]/g, '-')}.${kind}`;

export const moved = (location: string, etag?: string): Response =>
  new Response(null, { status: 307, headers: { location, 'cache-control': 'no-store', ...(etag && { etag }) } });

/** @param largest  bytes */
export const putElsewhere =
  (archive: Archive, largest: number): MiddlewareHandler =>
  async (c, next) => {
    await next();
    const { status, headers } = c.res;
    const type = headers.get('content-type') ?? '';
    const kind = type.includes('json') ? 'json' : type.startsWith('text/csv') ? 'csv' : undefined;
    if (c.req.method !== 'GET' || status !== 200 || kind === undefined || archive.locate === undefined) return;
    const text = await c.res.text();
    if (Buffer.byteLength(text) <= largest) {
      c.res = new Response(text, { status, headers: { 'content-type': type } });
      return;
    }
    const etag = headers.get('etag') ?? undefined;
    const key = copyKey(etag?.replaceAll('"', '') ?? hash('sha256', text), kind);
    await archive.write(key, text);
    const { url } = (await archive.locate(key))!;
    c.res = moved(url); // with the headers that are there already
    c.res.headers.set('cache-control', 'no-store');
    c.res.headers.delete('content-type');
  };
