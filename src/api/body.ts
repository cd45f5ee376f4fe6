/** The JSON body of a request: within the limit, of the right type, there at all, and JSON that every reader reads alike. */

import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { AuctionError } from '../market/errors.ts';
import { readStrictJson, type StrictJson } from '../market/json.ts';

/** Lists and objects within each other; no request has more than a handful. Whatever walks a value any deeper may run out of stack. */
export const deepest = 64;

/**
 * @param limit bytes
 * @param optional whether there may be no body; the answer is `undefined` then
 * @throws AuctionError `too-large` past the limit, `invalid-request` without a body, when it is not JSON, or may be read in more than one way;
 *         HTTPException 415 when the request declares another type
 */
export async function readJson(c: Context, limit: number, optional = false): Promise<unknown> {
  const text = await readText(c, limit);
  if (optional && text === '') return undefined;
  if (text.trim() === '') throw badBody('empty-body', 'Request body is empty');
  checkType(c);
  if (isDeeperThan(text, deepest))
    throw badBody('too-deep', `Request body has more than ${deepest} lists and objects within each other`);
  const { value, problems } = parsed(text);
  if (problems.length > 0)
    throw new AuctionError('invalid-request', 'Request body may be read in more than one way', problems);
  return value;
}

function parsed(text: string): StrictJson {
  try {
    return readStrictJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const hint = /\bNaN\b|\bInfinity\b/.test(error.message) ? '; JSON has no NaN and no Infinity' : '';
    throw badBody('broken-json', `Request body is not JSON: ${error.message}${hint}`);
  }
}

/** Whether JSON is nested deeper than that, found out without parsing it. Brackets in strings do not count. */
export function isDeeperThan(text: string, most: number): boolean {
  if (!hasMore(text, most)) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++)
    switch (text.charCodeAt(at)) {
      case quote:
        at = endOfString(text, at);
        break;
      case openList:
      case openObject:
        if (++depth > most) return true;
        break;
      case closeList:
      case closeObject:
        depth--;
    }
  return false;
}

/** Whether more than that many lists and objects open, strings included: few do in a small body, and this is a search each. */
function hasMore(text: string, most: number): boolean {
  let left = most;
  for (const bracket of '[{')
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) if (--left < 0) return true;
  return false;
}

const [quote, openList, openObject, closeList, closeObject] = [...'"[{]}'].map((each) => each.charCodeAt(0));
const backslash = '\\'.charCodeAt(0);

/** @returns where the string that begins at `from` ends, or the end of the text */
function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
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
