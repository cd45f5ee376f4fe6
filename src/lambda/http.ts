/** What the functions behind API Gateway share. */

import type { Hono, MiddlewareHandler } from 'hono';
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { every } from 'hono/combine';
import { cors } from 'hono/cors';
import * as z from 'zod';
import type { Identify } from '../api/route.ts';
import type { RoutedAppOptions } from '../api/routed-app.ts';
import type { Environment } from './environment.ts';
import { identityIn } from './handed-on.ts';
import { log } from './observed.ts';

/** A function's event has at most 6 MB, and the body is a text in it: each quote in it takes a byte more. */
const bodyLimit = 4_000_000;

/**
 * Bytes of an answer's body. A function's answer has 6 MB at most, and the body is a text in it, like the body of its event: this one
 * has room for a quote or a backslash at every place.
 */
export const largestAnswer = 3_000_000;

const identify: Identify = async (c) => identityIn(c.env.requestContext.authorizer);

export const appOptions = ({ DASHBOARD_ORIGIN }: Pick<Environment, 'DASHBOARD_ORIGIN'>): RoutedAppOptions => ({
  bodyLimit,
  log,
  identify,
  before: every(
    cors({ origin: DASHBOARD_ORIGIN, exposeHeaders: ['etag', 'location', 'retry-after'] }),
    relativeLocation,
  ),
});

/** The app does not know below which path it lies, a stage of the gateway or none: it refers to itself from where it was asked. */
const relativeLocation: MiddlewareHandler = async (c, next) => {
  await next();
  const location = c.res.headers.get('location');
  if (!location?.startsWith('/')) return;
  const folders = c.req.path.split('/').length - 2;
  c.header('location', `${'../'.repeat(folders)}${location.slice(1)}`);
};

const request = z.object({ httpMethod: z.string(), path: z.string(), requestContext: z.looseObject({}) });

/** The app as a function. What does not come from the gateway is an error, not a request for the first page. */
export function behindGateway(app: Hono) {
  const answer = handle(app);
  return async (event: unknown, context: object) => {
    request.parse(event);
    return answer(event as LambdaEvent, context as LambdaContext);
  };
}
