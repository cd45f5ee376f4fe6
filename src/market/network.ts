/** Zones, lines and flow-based constraints: where power can go. Capacities in MW, tariffs in currency/MWh. */

import * as z from 'zod';
import { recordId, zoneId } from './order.ts';

const perPeriod = z.union([z.number(), z.array(z.number()).min(1)]);

/** A line's available transfer capacity: a number, or one per period. */
export const line = z
  .strictObject({
    id: recordId,
    from: zoneId,
    to: zoneId,
    capacity: perPeriod.meta({ description: 'MW, from -> to' }),
    reverse: perPeriod.meta({ description: 'MW, to -> from' }),
    loss: z.number().min(0).lt(1).default(0).meta({ description: 'share of the flow' }),
    tariff: z.number().min(0).default(0).meta({ description: 'currency/MWh on the sending side' }),
    ramp: z.number().min(0).nullable().default(null).meta({ description: 'MW per period' }),
  })
  .meta({ id: 'Line' });
export type Line = z.output<typeof line>;

/** Flow-based constraint: sum(ptdf[zone] * net position) <= ram. */
export const constraint = z
  .strictObject({ id: recordId, period: z.int().min(1), ptdf: z.record(zoneId, z.number()), ram: z.number() })
  .meta({ id: 'Constraint' });
export type Constraint = z.output<typeof constraint>;

/** The capacity of a line in MTU `index` (0-based). */
export const capacityAt = (capacity: number | readonly number[], index: number): number =>
  typeof capacity === 'number' ? capacity : capacity[index]!;
