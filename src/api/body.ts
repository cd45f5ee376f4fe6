/** The JSON body of a request: within the limit, of the right type, there at all, and JSON. */

import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { AuctionError } from '../market/errors.ts';

/**
 * @param limit bytes
 * @param optional whether there may be no body; the answer is `undefined` then
 * @throws AuctionError `too-large` past the limit, `invalid-request` without a body or when it is not JSON;
 *         HTTPException 415 when the request declares another type
 */
export async function readJson(c: Context, limit: number, optional = false): Promise<unknown> {
  const text = await readText(c, limit);
  if (optional && text === '') return undefined;
  if (text.trim() === '') throw badBody('empty-body', 'Request body is empty');
  checkType(c);
  try {
    return JSON.parse(text);
  } catch (error) {
    const hint = /\bNaN\b|\bInfinity\b/.test((error as Error).message) ? '; JSON has no NaN and no Infinity' : '';
    throw badBody('broken-json', `Request body is not JSON: ${(error as Error).message}${hint}`);
  }
}

/** The form of a request: what is no form has none of the fields. @param limit bytes @throws as `readJson` */
export const readForm = async (c: Context, limit: number): Promise<URLSearchParams> =>
  new URLSearchParams(await readText(c, limit));

const badBody = (code: string, message: string) => new AuctionError('invalid-request', message, [{ code, message }]);

/** With a declared length one look is enough; a chunked body is counted as it comes. */
async function readText(c: Context, limit: number): Promise<string> {
  const cut = (cause: unknown): never => {
    if (cause instanceof AuctionError) throw cause;
    throw new AuctionError('invalid-request', 'the connection ended before the body did', [], { cause });
  };
  const declared = c.req.header('content-length');
  if (declared === undefined && c.req.header('transfer-encoding') !== undefined)
    return readChunks(c.req.raw.body, limit).catch(cut);
  if (Number(declared) > limit) throw tooLarge(limit);
  const text = await c.req.text().catch(cut);
  if (declared === undefined && Buffer.byteLength(text) > limit) throw tooLarge(limit);
  return text;
}

async function readChunks(body: ReadableStream<Uint8Array> | null, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const tooLarge = (limit: number) =>
  new AuctionError('too-large', `the body is longer than ${limit} bytes; send the orders in several requests`);

function checkType(c: Context): void {
  const type = c.req.header('content-type');
  if (type && !/^application\/(json|[\w.-]+\+json)\s*(;|$)/i.test(type))
    throw new HTTPException(415, { message: `the body is declared as ${type}; send it as application/json` });
  const encoding = c.req.header('content-encoding');
  if (encoding && encoding !== 'identity')
    throw new HTTPException(415, { message: `the body is encoded as ${encoding}; send it plain` });
}
