/** What the functions behind API Gateway share. */

import type { Hono } from 'hono';
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { cors } from 'hono/cors';
import * as z from 'zod';
import type { Identity } from '../access/identity.ts';
import type { Identify } from '../api/route.ts';
import type { RoutedAppOptions } from '../api/routed-app.ts';
import type { Environment } from './environment.ts';
import { log } from './observed.ts';

/** A function's event has at most 6 MB, and the body is a text in it: each quote in it takes a byte more. */
const bodyLimit = 4_000_000;

/** As the authorizer handed it on (`authorize.ts`): nobody else can write there. Without it nobody is known. */
const identify: Identify = async (c) => {
  const { identity } = c.env.requestContext.authorizer ?? {};
  return identity === undefined ? undefined : (JSON.parse(identity) as Identity);
};

export const appOptions = ({ DASHBOARD_ORIGIN }: Pick<Environment, 'DASHBOARD_ORIGIN'>): RoutedAppOptions => ({
  bodyLimit,
  log,
  identify,
  before: cors({ origin: DASHBOARD_ORIGIN, exposeHeaders: ['etag', 'location', 'retry-after'] }),
});

const request = z.object({ httpMethod: z.string(), path: z.string(), requestContext: z.looseObject({}) });

/** The app as a function. What does not come from the gateway is an error, not a request for the first page. */
export function behindGateway(app: Hono) {
  const answer = handle(app);
  return async (event: unknown, context: object) => {
    request.parse(event);
    return answer(event as LambdaEvent, context as LambdaContext);
  };
}
