/**
 * A route: what it takes, what it answers, and its handler.
 *
 * The app and its OpenAPI document are made from the same list of these, so neither has a route that the other lacks. A
 * handler parses nothing and decides nothing: it gets what the schemas let through, calls a use case and answers.
 */

import type { Context, Hono } from 'hono';
import * as z from 'zod';
import { everybody, type Identity } from '../access/identity.ts';
import { accessOf, permit } from '../access/routes.ts';
import { problemsOf } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import { readJson } from './body.ts';
import type { LimitCaller } from './limits.ts';
import { answerProblem, type ProblemCode } from './problems.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

export interface Answer {
  readonly description: string;
  /** Of a JSON body. */
  readonly schema?: z.ZodType;
  /** What the body is where it is not JSON; beside a schema what it may be too. */
  readonly type?: string;
}

interface Described {
  /** Its operationId in the document: what a generated client calls it. */
  readonly id: string;
  readonly method: Method;
  /** As OpenAPI writes it: `/auctions/{id}`. */
  readonly path: `/${string}`;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly answers: Readonly<Record<number, Answer>>;
  /** What can go wrong besides what every route with such a body or query shares. */
  readonly errors?: readonly ProblemCode[];
  /** Where the documented body says more than the parsed one: intake checks orders itself, with their index. */
  readonly documentedBody?: z.ZodType;
  /** The Authorization header has HTTP Basic client credentials: no bearer authentication, the handler checks them. */
  readonly hasOwnCredentials?: true;
  /** Of a body that is a form; its handler reads it. */
  readonly documentedForm?: z.ZodType;
  /** Of a body that is a stream: its media types; its handler reads it. */
  readonly documentedStream?: readonly string[];
  /** Its answers say themselves how long they may be kept; without it nobody keeps those that do not. */
  readonly saysHowKept?: true;
  /** Bodies that work, by name. */
  readonly examples?: Readonly<Record<string, unknown>>;
}

interface Definition<P extends z.ZodObject, Q extends z.ZodObject, H extends z.ZodObject, B extends z.ZodType>
  extends Described {
  readonly params?: P;
  readonly query?: Q;
  /** By name as it is written in documents. */
  readonly headers?: H;
  readonly body?: B;
  readonly bodyOptional?: boolean;
  handle(
    c: Context,
    input: {
      params: z.output<P>;
      query: z.output<Q>;
      headers: z.output<H>;
      body: z.output<B>;
      identity: Identity;
    },
  ): Response | Promise<Response>;
}

export interface Route extends Described {
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly bodyOptional?: boolean;
  readonly run: (c: Context, bodyLimit: number, identity: Identity) => Promise<Response>;
}

/** Who calls; `undefined` without a token. @throws AccessError for a token that does not hold */
export type Identify = (c: Context) => Promise<Identity | undefined>;

/** Who calls a public route without a token. */
const anybody: Identity = { client: 'anybody', scopes: [] };

/** A JSON answer that nobody keeps, made in one go: headers that are added to a response cost more than the rest of it. */
export const freshJson = (value: unknown, status: number): Response => {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return new Response(JSON.stringify(value), { status, headers });
};

/** `Cache-Control: no-store` unless the route set another: most answers are about one caller, or change. */
function keepNothing(answer: Response): Response {
  if (!answer.headers.has('cache-control')) answer.headers.set('cache-control', 'no-store');
  return answer;
}

const nothing = z.strictObject({});
type Nothing = typeof nothing;

export const route = <
  P extends z.ZodObject = Nothing,
  Q extends z.ZodObject = Nothing,
  H extends z.ZodObject = Nothing,
  B extends z.ZodType = z.ZodVoid,
>(
  definition: Definition<P, Q, H, B>,
): Route => {
  const { params, query = nothing, headers, body, bodyOptional } = definition;
  const readQuery = queryReader(query);
  const readHeaders = headers && headerReader(headers);
  return {
    ...definition,
    run: async (c, bodyLimit, identity) =>
      definition.handle(c, {
        params: (params ? parse(params, c.req.param(), 'address') : {}) as z.output<P>,
        query: readQuery(c) as z.output<Q>,
        headers: (readHeaders ? readHeaders(c) : {}) as z.output<H>,
        body: (body && parse(body, await readJson(c, bodyLimit, bodyOptional), 'body')) as z.output<B>,
        identity,
      }),
  };
};

/** Most addresses have no query, and what that means stays the same. */
function queryReader(schema: z.ZodObject): (c: Context) => unknown {
  let ofNone: unknown;
  return (c) => {
    if (c.req.url.includes('?')) return readQuery(c, schema);
    ofNone ??= Object.freeze(parse(schema, {}, 'query'));
    return ofNone;
  };
}

function readQuery(c: Context, schema: z.ZodObject): unknown {
  const all = Object.entries(c.req.queries());
  const twice = all.find(([, values]) => values.length > 1);
  if (twice) throw new AuctionError('invalid-request', `the query has ${twice[0]} ${twice[1].length} times`);
  return parse(schema, Object.fromEntries(all.map(([name, values]) => [name, values[0]])), 'query');
}

/** Most requests have none of them, and what that means stays the same. */
function headerReader(schema: z.ZodObject): (c: Context) => unknown {
  const names = Object.keys(schema.shape);
  let ofNone: unknown;
  return (c) => {
    const sent: Record<string, string> = {};
    let some = false;
    for (const name of names) {
      const value = c.req.header(name);
      if (value === undefined) continue;
      sent[name] = value;
      some = true;
    }
    if (some) return parse(schema, sent, 'headers');
    ofNone ??= Object.freeze(parse(schema, {}, 'headers'));
    return ofNone;
  };
}

/** @throws AuctionError `invalid-request` with each field that is wrong */
export function parse<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error);
  const said = problems.map((p) => (p.field ? `${p.field}: ${p.message}` : p.message)).join('; ');
  throw new AuctionError('invalid-request', `${where}: ${said}`, problems);
}

/**
 * Put the routes into the app, and an answer to every other method of their addresses.
 *
 * @param identify  without it whoever calls is everybody. A token that is sent has to hold, on public routes too. Who may call is
 *                  decided before anything else of the request is looked at.
 */
export function mount(
  app: Hono,
  routes: readonly Route[],
  bodyLimit: number,
  { identify, limitCaller }: { identify?: Identify | undefined; limitCaller?: LimitCaller | undefined } = {},
): void {
  const allowed = new Map<string, string[]>();
  for (const { method, path, run, hasOwnCredentials, saysHowKept } of routes) {
    const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1');
    const access = accessOf(method, path);
    app.on(method.toUpperCase(), pattern, async (c) => {
      let identity: Identity | undefined;
      try {
        identity = !identify ? everybody : hasOwnCredentials ? undefined : await identify(c);
      } catch (error) {
        // Tokens that do not hold count for their address: trying them is limited too.
        return (await limitCaller?.(c, undefined)) ?? Promise.reject(error);
      }
      const refusal = limitCaller && (await limitCaller(c, identity));
      if (refusal !== undefined) return refusal;
      permit(access, identity);
      const answer = await run(c, bodyLimit, identity ?? anybody);
      return saysHowKept ? answer : keepNothing(answer);
    });
    const methods = allowed.get(pattern) ?? allowed.set(pattern, []).get(pattern)!;
    methods.push(...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  }
  for (const [pattern, methods] of allowed)
    app.all(pattern, (c) => {
      const allow = methods.join(', ');
      const detail = `${c.req.path} knows ${allow}, not ${c.req.method}`;
      return answerProblem(c, 'method-not-allowed', detail, { headers: { allow } });
    });
}
