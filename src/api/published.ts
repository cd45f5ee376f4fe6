/**
 * Answers with what was published, under a tag since it never changes once it is there: who has it by its tag (RFC 9110, 8.8.3) gets
 * 304 and no body. What is too large for an answer is fetched from the archive (`large-answers.ts`).
 */

import type { Context } from 'hono';
import type { Archive } from '../auction/ports.ts';
import { copyKey, moved } from './large-answers.ts';

/** How long an answer may be kept: to be asked for again by its tag each time, or by anybody and for ever. */
export type Keeping = 'no-cache' | 'public, max-age=31536000, immutable';

export interface Published {
  readonly tag: string;
  readonly keeping?: Keeping;
  /** Where the archive has the very answer. */
  readonly key?: string;
  /** That it may be large, and long to make: so a copy of it is looked for first. */
  readonly mayBeLarge?: boolean;
}

/** Answer JSON; `make` is called only when neither the client nor the archive has it. */
export type AnswerPublished = (c: Context, published: Published, make: () => Promise<object>) => Promise<Response>;

/** @param largest  bytes of an answer; any number unless given, or where nobody but the house reaches its archive */
export const answeringPublished =
  (ports: { readonly archive: Archive }, largest?: number): AnswerPublished =>
  async (c, { tag, keeping = 'no-cache', key, mayBeLarge = false }, make) => {
    const headers = { etag: `"${tag}"`, 'cache-control': keeping };
    const known = c.req.header('if-none-match');
    if (known !== undefined && (known.includes(`"${tag}"`) || known.trim() === '*')) return c.body(null, 304, headers);
    const stored = key ?? (mayBeLarge ? copyKey(tag) : undefined);
    const there = largest !== undefined && stored !== undefined ? await ports.archive.locate?.(stored) : undefined;
    if (there !== undefined && there.bytes > largest!) return moved(there.url, headers.etag);
    return c.json(await make(), 200, headers);
  };
