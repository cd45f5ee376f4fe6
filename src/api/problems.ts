/**
 * Errors as problem details (RFC 9457): the one place that turns a code into an HTTP status.
 *
 * Routes throw `AuctionError`; nothing else knows statuses. What is not an `AuctionError` is our own fault: the client gets
 * 500 and an id, the log gets the id and the rest.
 */

import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import * as z from 'zod';
import { AccessError } from '../access/refusal.ts';
import { AuctionError, type ErrorCode, type Problem, VersionError } from '../market/errors.ts';

/** The codes of the market, and those that only HTTP knows; the last two come from a gateway before the house. */
export type ProblemCode =
  | ErrorCode
  | 'method-not-allowed'
  | 'unsupported-media-type'
  | 'internal'
  | 'too-many-requests'
  | 'timeout';

/** A code that is a status and no more has the status's own phrase (RFC 9110) as its title. */
export const problemTypes = {
  'invalid-order': { status: 400, title: 'An order breaks a rule of the market' },
  'invalid-book': { status: 400, title: 'This is not a book that can be cleared' },
  'invalid-result': { status: 400, title: 'This is not a result' },
  'invalid-proof': { status: 400, title: 'This is not a proof' },
  'invalid-checkpoint': { status: 400, title: 'This is not a search that can go on' },
  'invalid-market': { status: 400, title: 'The market has a mistake' },
  'invalid-request': { status: 400, title: 'Bad Request' },
  unauthorized: { status: 401, title: 'Unauthorized' },
  forbidden: { status: 403, title: 'Forbidden' },
  'not-found': { status: 404, title: 'Not Found' },
  conflict: { status: 409, title: 'The id is taken by something else' },
  'key-reused': { status: 422, title: 'The idempotency key stands for another request' },
  'order-cancelled': { status: 409, title: 'The order was cancelled' },
  'order-executed': { status: 409, title: 'The auction of the order has its result' },
  'precondition-failed': { status: 412, title: 'Precondition Failed' },
  'precondition-required': { status: 428, title: 'Precondition Required' },
  'gate-closed': { status: 409, title: 'The auction takes no orders any more' },
  'gate-not-open': { status: 409, title: 'The auction takes no orders yet' },
  'wrong-state': { status: 409, title: 'The state of the auction does not allow this' },
  'too-large': { status: 413, title: 'Content Too Large' },
  unavailable: { status: 503, title: 'Service Unavailable' },
  'incompatible-data': { status: 503, title: 'The data folder cannot be used' },
  'damaged-data': { status: 500, title: 'What the house keeps of this is damaged' },
  'method-not-allowed': { status: 405, title: 'Method Not Allowed' },
  'unsupported-media-type': { status: 415, title: 'Unsupported Media Type' },
  internal: { status: 500, title: 'Internal Server Error' },
  'too-many-requests': { status: 429, title: 'Too Many Requests' },
  timeout: { status: 504, title: 'Gateway Timeout' },
} as const satisfies Record<ProblemCode, { status: number; title: string }>;

const codes = Object.keys(problemTypes) as [ProblemCode, ...ProblemCode[]];

const problem = z.strictObject({
  index: z.int().min(0).optional().meta({ description: "position in the request's list of orders, from 0" }),
  record_id: z.string().optional(),
  field: z.string().optional().meta({ description: 'path of the field, such as `price` or `points.3.power`' }),
  code: z.string().meta({ description: 'machine-readable reason, such as `price-off-tick`' }),
  message: z.string().meta({ description: 'what was seen, and what would have been right' }),
});

export const problemDetails = z
  .strictObject({
    type: z.string().meta({ description: 'where the kind of problem is described, relative to the API' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().optional().meta({ description: 'of an unexpected fault: its id, which the log names too' }),
    code: z.enum(codes),
    problems: z.array(problem).meta({ description: 'everything that is wrong, each with its order and field' }),
    errorMessage: z.string().meta({ description: 'the same text as `detail`' }),
  })
  .meta({ id: 'ProblemDetails', description: 'Problem details, RFC 9457' });
export type ProblemDetails = z.output<typeof problemDetails>;

export type Log = (entry: Record<string, unknown>) => void;

/** An answer with problem details. */
export function answerProblem(
  c: Context,
  code: ProblemCode,
  detail: string,
  more: { problems?: readonly Problem[]; instance?: string; headers?: Record<string, string> } = {},
): Response {
  const { status, title } = problemTypes[code];
  const details: ProblemDetails = {
    type: `/problems/${code}`,
    title,
    status,
    detail,
    ...(more.instance === undefined ? {} : { instance: more.instance }),
    code,
    problems: [...(more.problems ?? [])],
    errorMessage: detail,
  };
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...more.headers };
  return c.body(JSON.stringify(details), status, headers);
}

/** What Hono calls with whatever a route threw. */
export const errorAnswer =
  (log: Log) =>
  (error: Error, c: Context): Response => {
    if (error instanceof AuctionError) {
      if (error.code === 'damaged-data')
        log({ event: 'data-damaged', method: c.req.method, path: c.req.path, found: error.message });
      const headers = {
        ...(error.code === 'unavailable' && { 'retry-after': '5' }),
        ...(error instanceof AccessError && { 'www-authenticate': error.challenge }),
        ...(error instanceof VersionError && { etag: `"${error.version}"` }),
      };
      return answerProblem(c, error.code, error.message, { problems: error.problems, headers });
    }
    if (error instanceof HTTPException && error.status === 415)
      return answerProblem(c, 'unsupported-media-type', error.message, { headers: { accept: 'application/json' } });
    const instance = `urn:uuid:${randomUUID()}`;
    log({ event: 'request-failed', instance, method: c.req.method, path: c.req.path, error: inspect(error) });
    return answerProblem(c, 'internal', `an unexpected fault; the log has it under ${instance}`, { instance });
  };
