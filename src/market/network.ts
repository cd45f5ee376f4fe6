/**
 * Zones, lines, ramps and flow-based constraints: where power can go, and how fast that may change. Capacities and ramps in MW,
 * tariffs in currency/MWh. What most networks have not is optional, so that their books keep their bytes and hashes.
 */

import * as z from 'zod';
import { mostFactor, mostFlow, mostPeriods, mostPrice } from './bounds.ts';
import { recordId, zoneId } from './order.ts';

const networkId = recordId.meta({ description: 'its name, once in the network' });
const flow = z.number().min(-mostFlow).max(mostFlow);
const perPeriod = z.union([flow, z.array(flow).min(1).max(mostPeriods)]);
const change = z.number().min(0).max(mostFlow);
const ramp = z
  .union([change, z.array(change).min(1).max(mostPeriods)])
  .meta({ description: 'MW from one period to the next; a list has one per period, for the step into it' });
const before = flow
  .nullable()
  .optional()
  .meta({ description: 'MW in the period before the first; without it the step into the first period is free' });

/** A line's available transfer capacity: a number, or one per period. */
export const line = z
  .strictObject({
    id: networkId,
    from: zoneId,
    to: zoneId,
    capacity: perPeriod.meta({ description: 'MW, from -> to' }),
    reverse: perPeriod.meta({ description: 'MW, to -> from' }),
    loss: z.number().min(0).max(0.9).default(0).meta({ description: 'share of the flow' }),
    tariff: z.number().min(0).max(mostPrice).default(0).meta({ description: 'currency/MWh on the sending side' }),
    ramp: ramp.nullable().default(null).meta({ description: 'most MW by which the net flow may change; null: any' }),
    before: before.meta({ description: 'MW of net flow in the period before the first; without it that step is free' }),
  })
  .meta({ id: 'Line' });
export type Line = z.output<typeof line>;

/** Lines that share a ramp: it bounds the change of the sum of their net flows. */
export const rampSet = z
  .strictObject({ id: networkId, lines: z.array(networkId).min(1).max(10_000), ramp, before })
  .meta({ id: 'RampSet' });
export type RampSet = z.output<typeof rampSet>;

/** A ramp of a zone's net position. */
export const netPositionRamp = z
  .strictObject({ id: networkId, zone: zoneId, ramp, before })
  .meta({ id: 'NetPositionRamp' });
export type NetPositionRamp = z.output<typeof netPositionRamp>;

/**
 * Whether flow-based exchange may run from a dearer zone to a cheaper one where that frees more for others (`plain`), or not
 * (`intuitive`): market rules, section 3.3.
 */
export const flowBased = z.enum(['plain', 'intuitive']);

/**
 * Flow-based constraint of one period: sum(ptdf[zone] * net position) <= ram.
 *
 * The zones of a region exchange freely within the constraints, besides their lines; the net position here is what a zone exports
 * that way, without its lines. A zone that a constraint does not name has the factor 0 in it, and a period without constraints
 * limits nothing. There is one region (`flowBasedRegion`).
 */
export const constraint = z
  .strictObject({
    id: networkId,
    period: z.int().min(1).max(mostPeriods),
    ptdf: z.record(zoneId, z.number().min(-mostFactor).max(mostFactor)).meta({
      description: 'factor of each zone; of one that is not named 0',
    }),
    ram: flow.meta({ description: 'MW' }),
  })
  .meta({ id: 'Constraint' });
export type Constraint = z.output<typeof constraint>;

/** The ramps and the mode of flow-based exchange, as books and markets have them. */
export const networkRules = {
  rampSets: z.array(rampSet).max(10_000).optional(),
  netPositionRamps: z.array(netPositionRamp).max(10_000).optional(),
  flowBased: flowBased.optional().meta({ description: '`plain` unless said' }),
};

/** A whole network as a document: what an auction's record names by its hash. */
export const network = z
  .strictObject({
    lines: z.array(line).max(10_000),
    constraints: z.array(constraint).max(1_000_000),
    ...networkRules,
  })
  .meta({ id: 'Network', description: 'What carries power between the zones of an auction, and what bounds it' });

/**
 * What one auction has otherwise than its market: lists have a value for each market time unit of its delivery. What is not named
 * stays; constraints, where they are given, take the place of all there were.
 */
export const networkChanges = z
  .strictObject({
    lines: z
      .array(
        line
          .omit({ from: true, to: true, loss: true, tariff: true })
          .extend({ ramp: ramp.nullable() })
          .partial({ capacity: true, reverse: true, ramp: true }),
      )
      .max(10_000)
      .exactOptional(),
    rampSets: z
      .array(rampSet.omit({ lines: true }).partial({ ramp: true }))
      .max(10_000)
      .exactOptional(),
    netPositionRamps: z
      .array(netPositionRamp.omit({ zone: true }).partial({ ramp: true }))
      .max(10_000)
      .exactOptional(),
    constraints: z.array(constraint).max(1_000_000).exactOptional(),
  })
  .meta({ id: 'NetworkChanges' });
export type NetworkChanges = z.output<typeof networkChanges>;

/** The capacity (or ramp) of a line in MTU `index` (0-based). */
export const capacityAt = (capacity: number | readonly number[], index: number): number =>
  typeof capacity === 'number' ? capacity : capacity[index]!;

/** A network as a book, a market or a document has it. */
export interface Network {
  readonly lines: readonly Line[];
  readonly constraints: readonly Constraint[];
  readonly rampSets?: readonly RampSet[] | undefined;
  readonly netPositionRamps?: readonly NetPositionRamp[] | undefined;
  readonly flowBased?: z.output<typeof flowBased> | undefined;
}

/**
 * The zones that exchange under flow-based constraints: those that any constraint of any period names, and those without a line, which
 * would be cut off else. Nothing where there are no constraints.
 */
export function flowBasedRegion({
  zones,
  lines,
  constraints,
}: Network & { readonly zones: readonly string[] }): string[] {
  if (constraints.length === 0) return [];
  const named = new Set(constraints.flatMap(({ ptdf }) => Object.keys(ptdf)));
  const joined = new Set(lines.flatMap(({ from, to }) => [from, to]));
  return zones.filter((zone) => named.has(zone) || !joined.has(zone));
}
