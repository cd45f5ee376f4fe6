/** What the functions behind API Gateway share. */

import { cors } from 'hono/cors';
import type { RoutedAppOptions } from '../api/routed-app.ts';
import type { Environment } from './environment.ts';
import { log } from './observed.ts';

/** A function's event has at most 6 MB, and the body is a text in it: each quote in it takes a byte more. */
const bodyLimit = 4_000_000;

export const appOptions = ({ DASHBOARD_ORIGIN }: Pick<Environment, 'DASHBOARD_ORIGIN'>): RoutedAppOptions => ({
  bodyLimit,
  log,
  before: cors({ origin: DASHBOARD_ORIGIN, exposeHeaders: ['etag', 'location', 'retry-after'] }),
});
