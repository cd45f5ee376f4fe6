/**
 * The HTTP API: a function of the ports.
 *
 * Reading order: `route.ts` says what a route is, the files by resource list them, `problems.ts` has every error answer,
 * `openapi.ts` turns the same list into the document. A test needs no server: `createApp(ports).request('/markets')`.
 */

import type { Hono } from 'hono';
import type { Issuer } from '../access/issuer.ts';
import type { Ports } from '../auction/ports.ts';
import type { Finding } from '../auction/views/health.ts';
import type { Webhooks } from '../auction/webhooks.ts';
import { auctionRoutes } from './auctions.ts';
import { docsRoutes } from './docs.ts';
import { type EventsOptions, eventRoutes } from './events.ts';
import { evidenceRoutes } from './evidence.ts';
import { executionRoutes } from './executions.ts';
import { healthRoutes } from './health.ts';
import { usualBatchLimit } from './intake.ts';
import { putElsewhere } from './large-answers.ts';
import { marketRoutes } from './markets.ts';
import { metricRoutes } from './metrics.ts';
import { moneyRoutes } from './money.ts';
import type { TokenSource } from './openapi.ts';
import { orderRoutes } from './orders.ts';
import { resultRoutes } from './results.ts';
import type { Route } from './route.ts';
import { type RoutedAppOptions, routedApp } from './routed-app.ts';
import { tokenRoutes } from './tokens.ts';
import { webhookRoutes } from './webhooks.ts';

export interface AppOptions extends RoutedAppOptions {
  readonly version?: string;
  /** Orders of one request. */
  readonly batchLimit?: number;
  /** Bytes of an answer, where there is a limit: lists are cut there and go on with another page, files are told where they lie. */
  readonly largestAnswer?: number;
  /** The script of the page at `/docs`. */
  readonly docsScript?: () => Promise<string>;
  /** How its pages and its document refer to the API (`docs.ts`). */
  readonly root?: '/' | './';
  /** What `/healthz` answers besides whether the store does. */
  readonly findings?: () => Promise<readonly Finding[]>;
  /** What `/metrics` answers. */
  readonly metrics?: () => Promise<string>;
  /** What `/events` streams. */
  readonly events?: EventsOptions;
  /** Where participants register addresses that are told. */
  readonly webhooks?: Webhooks;
  /** Where clients get their tokens; with `identify`. */
  readonly tokens?: TokenSource;
  /** The house's own issuer, if it has one. */
  readonly issuer?: Issuer;
}

/** All routes; the app and the tests of the document read the same list. */
export function routesOf(ports: Ports, options: AppOptions = {}): Route[] {
  const {
    batchLimit = usualBatchLimit,
    largestAnswer,
    version = '0',
    metrics,
    events,
    webhooks,
    findings,
    issuer,
  } = options;
  const routes = [
    ...orderRoutes(ports, batchLimit, largestAnswer),
    ...auctionRoutes(ports),
    ...evidenceRoutes(ports),
    ...resultRoutes(ports, largestAnswer),
    ...moneyRoutes(ports, largestAnswer),
    ...executionRoutes(ports),
    ...marketRoutes(ports),
    ...healthRoutes(ports, findings),
    ...(metrics === undefined ? [] : metricRoutes(metrics)),
    ...(events === undefined ? [] : eventRoutes(ports, events)),
    ...(webhooks === undefined ? [] : webhookRoutes(webhooks)),
    ...(issuer ? tokenRoutes(issuer) : []),
  ];
  return [...routes, ...docsRoutes(routes, { ...options, version })];
}

export function createApp(ports: Ports, options: AppOptions = {}): Hono {
  const { largestAnswer } = options;
  const large = largestAnswer === undefined ? {} : { large: putElsewhere(ports.archive, largestAnswer) };
  return routedApp(routesOf(ports, options), { ...options, ...large });
}
