/** Markets: the configs that auctions are made from. */

import * as z from 'zod';
import type { Ports } from '../auction/ports.ts';
import { AuctionError } from '../market/errors.ts';
import { market } from '../market/market.ts';
import { marketId } from '../market/terms.ts';
import { elsewhere } from './large-answers.ts';
import { type Route, route } from './route.ts';

const markets = z
  .strictObject({
    default: marketId.meta({ description: 'where an order without an auction goes' }),
    markets: z.array(market),
  })
  .meta({ id: 'Markets' });

export const marketRoutes = (ports: Ports): Route[] => [
  route({
    id: 'listMarkets',
    method: 'get',
    path: '/markets',
    tag: 'Markets',
    summary: 'The markets of this house',
    answers: { 200: { description: 'All of them, the default one first', schema: markets }, ...elsewhere },
    handle: (c) => {
      const all = [...ports.markets.values()];
      return c.json({ default: all[0]!.market, markets: all });
    },
  }),
  route({
    id: 'findMarket',
    method: 'get',
    path: '/markets/{id}',
    tag: 'Markets',
    summary: 'One market',
    params: z.strictObject({ id: marketId }),
    answers: {
      200: { description: 'Its zones, lines, limits, order kinds and schedule', schema: market },
      ...elsewhere,
    },
    errors: ['not-found'],
    handle: (c, { params }) => {
      const found = ports.markets.get(params.id);
      if (!found) throw new AuctionError('not-found', `there is no market ${params.id}`);
      return c.json(found);
    },
  }),
];
