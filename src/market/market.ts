/** A market: the config that auctions are made from. One JSON file each under `markets/`. */

import * as z from 'zod';
import { priceLimits, problemsOf } from './book.ts';
import { AuctionError } from './errors.ts';
import { constraint, line, networkRules } from './network.ts';
import { orderKinds, zoneId } from './order.ts';
import { duration, msOf, resolution, timeZone } from './time.ts';

export const marketId = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, '1 to 32 of a-z 0-9 -, starting with a letter');

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

/**
 * How long clearing may search, and what is good enough to publish before optimality is proven. Without any of it clearing searches
 * in one call until it has a proof.
 *
 * A call that ends without a good enough result leaves a checkpoint, and the workflow asks again at once; each call is one of the
 * attempts of `patience`. When those are used up the auction fails, so a market with calls of limited length says
 * `publishAfterSeconds` too, unless it rather fails than publish what is worse than `publishAtGap`.
 */
const searchLimits = z
  .strictObject({
    branchesPerCall: z.int().min(1).optional().meta({
      description: 'branches of the search that one call may look at; absent: as many as it takes',
    }),
    millisecondsPerCall: z.number().positive().optional().meta({
      description: 'how long one call may search; absent: as long as it takes',
    }),
    publishAtGap: z.number().min(0).max(1).optional().meta({
      description: 'after a call a result with at most this gap is published; absent: only a proven optimum',
    }),
    publishAfterSeconds: z.number().positive().optional().meta({
      description: 'so long after the book is sealed the best result is published, whatever its gap; absent: never',
    }),
  })
  .meta({ id: 'SearchLimits' });

export const market = z
  .strictObject({
    market: marketId,
    description: z.string(),
    currency: z.string().regex(/^[A-Z]{3}$/, 'an ISO 4217 code such as EUR'),
    timeZone,
    resolution,
    zones: z.array(zoneId).min(1),
    lines: z.array(line).default([]),
    constraints: z.array(constraint).default([]),
    ...networkRules,
    priceLimits,
    powerLimits: z.strictObject({
      lot: z.number().positive().meta({ description: 'MW; powers are multiples of it' }),
      max: z.number().positive().meta({ description: 'MW; the most that one order may ask for' }),
    }),
    orderKinds: z.array(z.enum(orderKinds)).min(1),
    /** Resolutions of orders besides the market's own; each a multiple of it. */
    orderResolutions: z.array(resolution).default([]),
    schedule,
    clearing: searchLimits.optional(),
    /** How often the workflow asks clearing for a result, and how it waits in between where the answer is that there is none yet. */
    patience: z.strictObject({
      firstSeconds: z.number().positive(),
      mostSeconds: z.number().positive(),
      attempts: z.int().min(1).max(1000),
    }),
    /** For rehearsals: makes clearing answer `results: false` with this probability, by this seed. */
    rehearsal: z
      .strictObject({ lateResults: z.strictObject({ probability: z.number().min(0).max(1), seed: z.int().min(0) }) })
      .optional(),
  })
  .check((ctx) => {
    const { zones, lines, patience, schedule } = ctx.value;
    const fail = (path: (string | number)[], input: unknown, message: string) =>
      ctx.issues.push({ code: 'custom', path, input, message });
    const noZone = (zone: string) => `${zone} is none of the zones ${zones.join(', ')}`;
    zones.forEach((id, i) => {
      if (zones.indexOf(id) !== i) fail(['zones', i], id, `zone ${id} is there twice`);
    });
    lines.forEach((l, i) => {
      if (!zones.includes(l.from)) fail(['lines', i, 'from'], l.from, noZone(l.from));
      if (!zones.includes(l.to)) fail(['lines', i, 'to'], l.to, noZone(l.to));
      if (l.from === l.to) fail(['lines', i, 'to'], l.to, 'a line joins two different zones');
    });
    ctx.value.rampSets?.forEach((set, i) => {
      set.lines.forEach((id, k) => {
        const path = ['rampSets', i, 'lines', k];
        if (!lines.some((line) => line.id === id)) fail(path, id, `${id} is none of the lines`);
      });
    });
    ctx.value.netPositionRamps?.forEach(({ zone }, i) => {
      if (!zones.includes(zone)) fail(['netPositionRamps', i, 'zone'], zone, noZone(zone));
    });
    ctx.value.constraints.forEach(({ ptdf }, i) => {
      for (const zone of Object.keys(ptdf))
        if (!zones.includes(zone)) fail(['constraints', i, 'ptdf', zone], zone, noZone(zone));
    });
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

/** A market from JSON. `source` is the file's name. @throws AuctionError `invalid-market` naming file, field and value */
export function parseMarket(value: unknown, source: string): Market {
  const parsed = market.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error);
  const seen = parsed.error.issues.map((issue) =>
    issue.input === undefined ? '' : ` (found ${JSON.stringify(issue.input)})`,
  );
  const lines = problems.map((p, i) => `${p.field}: ${p.message}${seen[i]!.slice(0, 200)}`);
  throw new AuctionError('invalid-market', `${source}: ${lines.join('; ')}`, problems);
}
