/** What an auction takes: of its market when it was made, and kept with it. */

import * as z from 'zod';
import { priceLimits } from './book.ts';
import { leastStep, mostPower, mostStep } from './bounds.ts';
import { orderKinds, zoneId } from './order.ts';
import { resolution } from './time.ts';

export const marketId = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, '1 to 32 of a-z 0-9 -, starting with a letter');

export const powerLimits = z
  .strictObject({
    lot: z.number().min(leastStep).max(mostStep).meta({ description: 'MW; powers are multiples of it' }),
    max: z.number().min(leastStep).max(mostPower).meta({
      description: 'MW; the most that one order may ask for in a period',
    }),
  })
  .meta({ id: 'PowerLimits' });
export type PowerLimits = z.output<typeof powerLimits>;

/** Of a market file, and of an auction made from it. */
export const terms = {
  currency: z.string().regex(/^[A-Z]{3}$/, 'an ISO 4217 code such as EUR'),
  zones: z.array(zoneId).min(1).max(1000),
  priceLimits,
  powerLimits,
  orderKinds: z.array(z.enum(orderKinds)).min(1).max(orderKinds.length),
  /** Resolutions of orders besides the market's own; each a multiple of it. */
  orderResolutions: z.array(resolution).max(3).default([]),
};
export const auctionTerms = z.strictObject(terms).meta({ id: 'AuctionTerms' });
export type AuctionTerms = z.output<typeof auctionTerms>;
