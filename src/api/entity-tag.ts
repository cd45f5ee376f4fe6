/** Entity tags (RFC 9110, 8.8.3) for what never changes once it is there: a client that has it gets 304 and no body. */

import type { Context } from 'hono';

/** Answer JSON under a tag; `make` is called only when the client does not have it. It is asked again each time, by tag. */
export async function answerTagged(c: Context, tag: string, make: () => Promise<object>): Promise<Response> {
  const headers = { etag: `"${tag}"`, 'cache-control': 'no-cache' };
  const known = c.req.header('if-none-match');
  if (known !== undefined && (known.includes(`"${tag}"`) || known.trim() === '*')) return c.body(null, 304, headers);
  return c.json(await make(), 200, headers);
}
