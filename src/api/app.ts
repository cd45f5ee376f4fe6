/**
 * The HTTP API: a function of the ports.
 *
 * Reading order: `route.ts` says what a route is, the files by resource list them, `problems.ts` has every error answer,
 * `openapi.ts` turns the same list into the document. A test needs no server: `createApp(ports).request('/markets')`.
 */

import { Hono, type MiddlewareHandler } from 'hono';
import type { Ports } from '../auction/ports.ts';
import { auctionRoutes } from './auctions.ts';
import { docsRoutes } from './docs.ts';
import { executionRoutes } from './executions.ts';
import { healthRoutes } from './health.ts';
import { marketRoutes } from './markets.ts';
import { orderRoutes } from './orders.ts';
import { answerProblem, errorAnswer, type Log } from './problems.ts';
import { resultRoutes } from './results.ts';
import { mount, type Route } from './route.ts';

export interface AppOptions {
  readonly version?: string;
  /** Bytes of a body, orders of one request. */
  readonly bodyLimit?: number;
  readonly batchLimit?: number;
  /** Where unexpected faults go, and with `accessLog` a line per request. */
  readonly log?: Log;
  readonly accessLog?: boolean;
  /** The script of the page at `/docs`. */
  readonly docsScript?: () => Promise<string>;
}

/** All routes; the app and the tests of the document read the same list. */
export function routesOf(ports: Ports, options: AppOptions = {}): Route[] {
  const { batchLimit = 20_000, version = '0', docsScript } = options;
  const routes = [
    ...orderRoutes(ports, batchLimit),
    ...auctionRoutes(ports),
    ...resultRoutes(ports),
    ...executionRoutes(ports),
    ...marketRoutes(ports),
    ...healthRoutes(ports),
  ];
  return [...routes, ...docsRoutes(routes, { version, ...(docsScript && { docsScript }) })];
}

export function createApp(ports: Ports, options: AppOptions = {}): Hono {
  const { bodyLimit = 10_000_000, log = logToStderr, accessLog = false } = options;
  const app = new Hono();
  if (accessLog) app.use(logRequests(log));
  mount(app, routesOf(ports, options), bodyLimit);
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
