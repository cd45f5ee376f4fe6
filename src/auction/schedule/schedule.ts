/** Which auctions a market's schedule asks for, as plans. Pure: the same market and instant give the same plans. */

import assert from 'node:assert/strict';
import { addDays, deliveryDay, localDay, localInstant, msOf } from '../../market/calendar.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Market, Schedule } from '../../market/market.ts';
import { type Delivery, resolutionMinutes, utc } from '../../market/time.ts';

/** What of an auction is known before it begins. Instants in UTC. */
export interface Plan {
  readonly id: string;
  readonly market: string;
  readonly delivery: Delivery;
  readonly gateOpening: string;
  readonly gateClosure: string;
}

type Interval = Extract<Schedule, { kind: 'interval' }>;
type Daily = Extract<Schedule, { kind: 'daily' }>;

/** `20250401t1000z`, or with seconds `20250401t100005z`. */
export const compact = (at: string, seconds = false): string =>
  at
    .replaceAll(/[-:]/g, '')
    .slice(0, seconds ? 15 : 13)
    .toLowerCase()
    .concat('z');

/** The first market time unit that starts at an instant or after it. */
export function firstUnit(market: Market, at: number): string {
  const unit = resolutionMinutes[market.resolution] * 60_000;
  return utc(Math.ceil(at / unit) * unit);
}

/** The auction of one slot: gates are durations before it. @param slot milliseconds since the epoch */
export function intervalPlan(market: Market, schedule: Interval, slot: number): Plan {
  const seconds = msOf(schedule.every) % 60_000 !== 0;
  return {
    id: `${market.market}-${compact(utc(slot), seconds)}`,
    market: market.market,
    delivery: { start: firstUnit(market, slot), resolution: market.resolution, periods: schedule.periods },
    gateOpening: utc(slot - msOf(schedule.gateOpening)),
    gateClosure: utc(slot - msOf(schedule.gateClosure)),
  };
}

/** The auction of one local day: gates are local times of day, so they move with the clocks. */
export function dailyPlan(market: Market, schedule: Daily, date: string): Plan {
  const gate = ({ daysBefore, time }: Daily['gateOpening']) => localInstant(date, daysBefore, time, market.timeZone);
  return {
    id: `${market.market}-${date}`,
    market: market.market,
    delivery: deliveryDay(date, market.timeZone, market.resolution),
    gateOpening: gate(schedule.gateOpening),
    gateClosure: gate(schedule.gateClosure),
  };
}

/**
 * The auctions that should be known at an instant: those whose gate should be open, and the next one to open.
 *
 * One whose gate closure has passed is not among them: a house that was down does not invent what it missed.
 */
export function plansAt(market: Market, now: number): Plan[] {
  const plans: Plan[] = [];
  for (const plan of upcoming(market, now)) {
    if (Date.parse(plan.gateClosure) <= now) continue;
    plans.push(plan);
    if (Date.parse(plan.gateOpening) > now) break;
  }
  return plans;
}

/** Plans by gate closure, beginning with one that is not later than the first whose gate has yet to close. */
function* upcoming(market: Market, now: number): Generator<Plan> {
  const { schedule } = market;
  if (schedule.kind === 'interval') {
    const every = msOf(schedule.every);
    assert(every >= 1000, `market ${market.market} wants an auction every ${schedule.every}`);
    const first = Math.floor((now + msOf(schedule.gateClosure)) / every) * every;
    for (let slot = first; ; slot += every) yield intervalPlan(market, schedule, slot);
  }
  if (schedule.kind === 'daily') {
    // No gate closes after its delivery day.
    for (let date = localDay(now, market.timeZone); ; date = addDays(date, 1)) yield dailyPlan(market, schedule, date);
  }
}

/** The plan of one slot or day that somebody asks for by name. */
export function planOf(market: Market, { date, slot }: { date?: string; slot?: string }): Plan | undefined {
  const { schedule } = market;
  const refuse = (field: string, code: string, message: string) => {
    throw new AuctionError('invalid-request', message, [{ field, code, message }]);
  };
  if (date !== undefined) {
    if (schedule.kind === 'daily') return dailyPlan(market, schedule, date);
    refuse('date', 'not-daily', `market ${market.market} holds no daily auctions: its schedule is ${schedule.kind}`);
  }
  if (slot !== undefined) {
    if (schedule.kind !== 'interval') {
      return refuse('slot', 'not-interval', `market ${market.market} has no slots: its schedule is ${schedule.kind}`);
    }
    const at = Date.parse(slot);
    if (at % msOf(schedule.every) !== 0) {
      refuse(
        'slot',
        'off-schedule',
        `${slot} is no slot of market ${market.market}, which has one every ${schedule.every}`,
      );
    }
    return intervalPlan(market, schedule, at);
  }
  return undefined;
}
