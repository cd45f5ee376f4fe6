/**
 * Answers with what was published, under a tag since it never changes once it is there: who has it by its tag (RFC 9110, 8.8.3) gets
 * 304 and no body. What is worked out is kept as bytes; documents of the archive are sent as they lie there. What is too large for an
 * answer is fetched from the archive (`large-answers.ts`).
 */

import { hash } from 'node:crypto';
import type { Context } from 'hono';
import { LRUCache } from 'lru-cache';
import type { Archive } from '../auction/ports.ts';
import { readDocument } from '../auction/records/documents.ts';
import type { Document } from '../auction/views/results.ts';
import { AuctionError } from '../market/errors.ts';
import { copyKey, moved } from './large-answers.ts';

/** Answer JSON that may have changed since: whoever asks again with its tag gets 304 as long as it has not. */
export function answerTagged(c: Context, value: object): Response {
  const text = JSON.stringify(value);
  const headers = { etag: `"${hash('sha256', text)}"`, 'cache-control': 'no-cache' };
  if (isKnown(c, headers.etag)) return c.body(null, 304, headers);
  return c.body(text, 200, { ...headers, 'content-type': 'application/json' });
}

function isKnown(c: Context, etag: string): boolean {
  const known = c.req.header('if-none-match');
  return known !== undefined && (known.includes(etag) || known.trim() === '*');
}

/** How long an answer may be kept: to be asked for again by its tag each time, or by anybody and for ever. */
export type Keeping = 'no-cache' | 'public, max-age=31536000, immutable';

export interface Published {
  readonly tag: string;
  readonly keeping?: Keeping;
  /** That it may be large, and long to make: so a copy of it is looked for first. */
  readonly mayBeLarge?: boolean;
}

type Make = () => Promise<object>;

/** Answer JSON: a document of the archive, or what is worked out when neither the client nor the house has it. */
export type AnswerPublished = (c: Context, published: Published, source: Document | Make) => Promise<Response>;

/** Bytes that are kept of what was worked out. */
const mostKept = 64_000_000;

/** @param largest  bytes of an answer; any number unless given, or where nobody but the house reaches its archive */
export function answeringPublished(ports: { readonly archive: Archive }, largest?: number): AnswerPublished {
  const { archive } = ports;
  const made = new LRUCache<string, Uint8Array<ArrayBuffer>, Make>({
    maxSize: mostKept,
    sizeCalculation: ({ byteLength }) => byteLength,
    fetchMethod: async (_tag, _stale, { context: make }) => new TextEncoder().encode(JSON.stringify(await make())),
  });
  return async (c, { tag, keeping = 'no-cache', mayBeLarge = false }, source) => {
    const headers = { etag: `"${tag}"`, 'cache-control': keeping };
    if (isKnown(c, headers.etag)) return c.body(null, 304, headers);
    const isDocument = typeof source === 'object';
    const stored = isDocument ? source.key : mayBeLarge ? copyKey(tag) : undefined;
    const there = largest !== undefined && stored !== undefined ? await archive.locate?.(stored) : undefined;
    if (there !== undefined && there.bytes > largest!) return moved(there.url, headers.etag);
    // Many ask for the same at once: it is worked out once.
    const body = isDocument ? await send(archive, source) : await made.forceFetch(tag, { context: source });
    return c.body(body, 200, { ...headers, 'content-type': 'application/json' });
  };
}

async function send(archive: Archive, document: Document): Promise<string | ReadableStream<Uint8Array>> {
  if (archive.stream === undefined) return readDocument({ archive }, document.key, document.hash);
  const bytes = await archive.stream(document.key, document.hash);
  if (bytes === undefined) throw new AuctionError('damaged-data', `${document.key} is missing from the archive`);
  return bytes;
}
