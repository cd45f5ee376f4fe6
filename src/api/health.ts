/** Whether the house is there and its store answers. */

import * as z from 'zod';
import type { Ports } from '../auction/ports.ts';
import { instant } from '../market/time.ts';
import { type Route, route } from './route.ts';

const health = z
  .strictObject({ status: z.literal('ok'), time: instant, markets: z.array(z.string()) })
  .meta({ id: 'Health' });

export const healthRoutes = (ports: Ports): Route[] => [
  route({
    id: 'checkHealth',
    method: 'get',
    path: '/healthz',
    tag: 'House',
    summary: 'Whether the house is up and its store answers',
    answers: { 200: { description: 'It is', schema: health } },
    errors: ['unavailable'],
    handle: async (c) => {
      await ports.auctions.list({ limit: 1 });
      return c.json({ status: 'ok', time: ports.clock.now().toISOString(), markets: [...ports.markets.keys()] });
    },
  }),
];
