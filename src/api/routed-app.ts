/** An app of routes, however many: with limits, problem details for whatever goes wrong, and a log. */

import { Hono, type MiddlewareHandler } from 'hono';
import type { Limits } from './limits.ts';
import { answerProblem, errorAnswer, type Log } from './problems.ts';
import { type Identify, mount, type Route } from './route.ts';

export interface RoutedAppOptions {
  /** Bytes of a body. */
  readonly bodyLimit?: number;
  /** Where unexpected faults go, and with `accessLog` a line per request. */
  readonly log?: Log;
  readonly accessLog?: boolean;
  /** What every request passes first. */
  readonly before?: MiddlewareHandler;
  /** What is done with answers that are larger than they may be. */
  readonly large?: MiddlewareHandler;
  /** How many requests are taken; without it any number, as behind a gateway that has limits. */
  readonly limits?: Limits;
  /** Who calls. Without it there is no access control: whoever gets through to the house is everybody. */
  readonly identify?: Identify;
}

export function routedApp(routes: readonly Route[], options: RoutedAppOptions = {}): Hono {
  const { bodyLimit = 10_000_000, log = logToStderr, accessLog = false, before, large, limits, identify } = options;
  const app = new Hono();
  if (accessLog) app.use(logRequests(log));
  if (limits) app.use(limits.all);
  if (before) app.use(before);
  if (large) app.use(large);
  mount(app, routes, bodyLimit, { identify, limitCaller: limits?.caller });
  app.notFound((c) => answerProblem(c, 'not-found', `there is nothing at ${c.req.path}; see /docs`));
  app.onError(errorAnswer(log));
  return app;
}

const logToStderr: Log = (entry) => console.error(JSON.stringify(entry));

/** One structured line per request. */
const logRequests =
  (log: Log): MiddlewareHandler =>
  async (c, next) => {
    const before = performance.now();
    await next();
    const ms = Math.round((performance.now() - before) * 10) / 10;
    log({ event: 'request', method: c.req.method, path: c.req.path, status: c.res.status, ms });
  };
