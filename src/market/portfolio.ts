/** Portfolios: for which zones, and up to which power, a participant may send orders. */

import * as z from 'zod';
import { mostPower } from './bounds.ts';
import { portfolioName, zoneId } from './order.ts';

const largest = z.number().min(0).max(mostPower);

export const portfolio = z
  .strictObject({
    name: portfolioName,
    zones: z.array(zoneId).min(1).max(1000).meta({ description: 'where its orders may be' }),
    powerLimits: z
      .strictObject({ buy: largest.exactOptional(), sell: largest.exactOptional() })
      .exactOptional()
      .meta({ description: 'MW that one order of it may buy or sell at most; 0 for a side that it does not trade' }),
  })
  .meta({ id: 'Portfolio' });
export type Portfolio = z.output<typeof portfolio>;
