/** A market: the config that auctions are made from. One JSON file each under `markets/`. */

import * as z from 'zod';
import { type PriceLimits, problemsOf } from './book.ts';
import { mostMoneyPerHour, mostSteps } from './bounds.ts';
import { duration, msOf, timeZone } from './calendar.ts';
import { gridOf, isOn, nearestOn } from './decimal.ts';
import { AuctionError } from './errors.ts';
import { type Fault, fault } from './fault.ts';
import { constraint, line, networkRules } from './network.ts';
import { networkFaults } from './network-rules.ts';
import { marketId, type PowerLimits, terms } from './terms.ts';
import { periodsOfDay, resolution } from './time.ts';

const localTime = z.strictObject({
  daysBefore: z.int().min(0).max(366).meta({ description: 'calendar days before the delivery day' }),
  time: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM'),
});

/**
 * When auctions are held. `daily`: one per local day, gates at a local time of day. `interval`: one per slot of `every`
 * counted from the Unix epoch, gates a duration before the slot; delivery starts at the first MTU on or after the slot.
 * `manual`: only on request.
 */
export const schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('daily'), gateOpening: localTime, gateClosure: localTime }),
  z.strictObject({
    kind: z.literal('interval'),
    every: duration,
    gateOpening: duration.meta({ description: 'before the slot' }),
    gateClosure: duration.meta({ description: 'before the slot' }),
    periods: z.int().min(1).max(1000),
  }),
  z.strictObject({ kind: z.literal('manual') }),
]);
export type Schedule = z.output<typeof schedule>;

function opensTooLate(s: Schedule): s is Exclude<Schedule, { kind: 'manual' }> {
  if (s.kind === 'interval') return msOf(s.gateOpening) <= msOf(s.gateClosure);
  if (s.kind === 'manual' || s.gateOpening.daysBefore > s.gateClosure.daysBefore) return false;
  return s.gateOpening.daysBefore < s.gateClosure.daysBefore || s.gateOpening.time >= s.gateClosure.time;
}

const seconds = z.number().min(0.001).max(86_400);

/**
 * How long clearing may search, and what is good enough to publish before optimality is proven. Without any of it clearing searches
 * until it has a proof, in calls of ten minutes at most (`longestSearchMs` of the ports).
 *
 * A call that ends without a good enough result leaves a checkpoint, and the workflow asks again at once; each call is one of the
 * attempts of `patience`. The last of them publishes the best result there is, whatever its gap.
 */
const searchLimits = z
  .strictObject({
    branchesPerCall: z.int().min(1).max(1e9).optional().meta({
      description: 'branches of the search that one call may look at; absent: as many as it takes',
    }),
    millisecondsPerCall: z.number().min(1).max(86_400_000).optional().meta({
      description: 'how long one call may search; absent: 600,000',
    }),
    publishAtGap: z.number().min(0).max(1).optional().meta({
      description: 'after a call a result with at most this gap is published; absent: only a proven optimum',
    }),
    publishAfterSeconds: seconds.optional().meta({
      description: 'so long after the book is sealed the best result is published, whatever its gap; absent: never',
    }),
  })
  .meta({ id: 'SearchLimits' });

export const market = z
  .strictObject({
    market: marketId,
    description: z.string().max(2000),
    ...terms,
    timeZone,
    resolution,
    lines: z.array(line).max(10_000).default([]),
    constraints: z.array(constraint).max(1_000_000).default([]),
    ...networkRules,
    schedule,
    clearing: searchLimits.optional(),
    /** How often the workflow asks clearing for a result, and how it waits in between where the answer is that there is none yet. */
    patience: z.strictObject({
      firstSeconds: seconds,
      mostSeconds: seconds,
      attempts: z.int().min(1).max(1000),
    }),
    /** For rehearsals: makes clearing answer `results: false` with this probability, by this seed. */
    rehearsal: z
      .strictObject({ lateResults: z.strictObject({ probability: z.number().min(0).max(1), seed: z.int().min(0) }) })
      .optional(),
  })
  .check((ctx) => {
    const { patience, schedule, priceLimits, powerLimits } = ctx.value;
    const fail = (path: (string | number)[], input: unknown, message: string) =>
      ctx.issues.push({ code: 'custom', path, input, message });
    const inField = (field: string) => field.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    for (const { field = '', message } of networkFaults({ ...ctx.value, periods: periodsIn(ctx.value) }))
      fail(inField(field), undefined, message);
    for (const { field = '', message } of scaleFaults(priceLimits, powerLimits))
      fail(inField(field), undefined, message);
    if (schedule.kind === 'interval' && (msOf(schedule.every) === 0 || msOf(schedule.every) % 1000 !== 0))
      fail(['schedule', 'every'], schedule.every, 'must be a whole number of seconds, at least one');
    const { branchesPerCall, millisecondsPerCall, publishAtGap } = ctx.value.clearing ?? {};
    if (publishAtGap !== undefined && branchesPerCall === undefined && millisecondsPerCall === undefined)
      fail(
        ['clearing', 'publishAtGap'],
        publishAtGap,
        'is looked at between calls: say branchesPerCall or millisecondsPerCall',
      );
    if (opensTooLate(schedule))
      fail(['schedule', 'gateOpening'], schedule.gateOpening, 'the gate must open before it closes');
    if (patience.mostSeconds < patience.firstSeconds)
      fail(
        ['patience', 'mostSeconds'],
        patience.mostSeconds,
        `must be at least firstSeconds (${patience.firstSeconds})`,
      );
  })
  .meta({ id: 'Market' });
export type Market = z.output<typeof market>;

/** How many market time units the lists of a market are for; where its auctions differ, as many as its first list has. */
function periodsIn({ schedule, resolution, lines, constraints }: Omit<Market, 'clearing' | 'patience'>): number {
  if (schedule.kind === 'daily') return periodsOfDay(resolution);
  if (schedule.kind === 'interval') return schedule.periods;
  const [list] = lines.flatMap(({ capacity, reverse, ramp }) => [capacity, reverse, ramp]).filter(Array.isArray);
  return list?.length ?? constraints.reduce((most, { period }) => Math.max(most, period), 1);
}

/** Prices and powers have to be countable: on their grid, and not so many steps of it that sums lose the last one. */
function scaleFaults({ min, max, tick }: PriceLimits, { lot, max: most }: PowerLimits): Fault[] {
  const faults: Fault[] = [];
  for (const [field, limit] of Object.entries({ min, max })) {
    if (tick === undefined || isOn(gridOf(tick), limit)) continue;
    const message = `${limit} is not a multiple of the tick ${tick}; the nearest is ${nearestOn(gridOf(tick), limit)}`;
    faults.push(fault(`priceLimits.${field}`, 'off-tick', message));
  }
  if (!isOn(gridOf(lot), most)) {
    const message = `${most} is not a multiple of the lot ${lot}; the nearest is ${nearestOn(gridOf(lot), most)}`;
    faults.push(fault('powerLimits.max', 'off-lot', message));
  }
  const ticks = tick === undefined ? 0 : (max - min) / tick;
  if (ticks > mostSteps)
    faults.push(fault('priceLimits', 'too-wide', `from ${min} to ${max} are ${ticks} ticks, more than ${mostSteps}`));
  if (most / lot > mostSteps)
    faults.push(fault('powerLimits', 'too-wide', `${most} MW are ${most / lot} lots, more than ${mostSteps}`));
  const money = most * Math.max(Math.abs(min), Math.abs(max));
  if (money > mostMoneyPerHour) {
    const message = `one order of ${most} MW could be worth ${money} an hour, more than ${mostMoneyPerHour}`;
    faults.push(fault('powerLimits.max', 'too-large', message));
  }
  return faults;
}

/** A market from JSON. `source` is the file's name. @throws AuctionError `invalid-market` naming file, field and value */
export function parseMarket(value: unknown, source: string): Market {
  const parsed = market.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error);
  const lines = problems.map((p) => `${p.field}: ${p.message}`);
  throw new AuctionError('invalid-market', `${source}: ${lines.join('; ')}`, problems);
}
