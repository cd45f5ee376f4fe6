/** Entity tags (RFC 9110, 8.8.3) for what never changes once it is there: a client that has it gets 304 and no body. */

import type { Context } from 'hono';

/** How long an answer may be kept: to be asked for again by its tag each time, or by anybody and for ever. */
export type Keeping = 'no-cache' | 'public, max-age=31536000, immutable';

/** Answer JSON under a tag; `make` is called only when the client does not have it. */
export async function answerTagged(
  c: Context,
  tag: string,
  make: () => Promise<object>,
  keeping: Keeping = 'no-cache',
): Promise<Response> {
  const headers = { etag: `"${tag}"`, 'cache-control': keeping };
  const known = c.req.header('if-none-match');
  if (known !== undefined && (known.includes(`"${tag}"`) || known.trim() === '*')) return c.body(null, 304, headers);
  return c.json(await make(), 200, headers);
}
