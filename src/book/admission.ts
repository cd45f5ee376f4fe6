/**
 * The door: what an auction takes, and what is wrong with an order that it does not take.
 *
 * `market/order.ts` says what an order looks like on its own; here it meets the terms of one auction: its zones, periods,
 * price limits, ticks, lots and kinds. Every problem of every order is found, so that a client mends them in one go.
 */

import type { PriceLimits } from '../market/book.ts';
import { problemsOf } from '../market/book.ts';
import type { Problem } from '../market/errors.ts';
import type { Market } from '../market/market.ts';
import {
  type CurveOrder,
  type Order,
  type OrderKind,
  orderKinds,
  orderSubmission,
  plainLimitOrder,
} from '../market/order.ts';
import { type Delivery, type Resolution, resolutionMinutes } from '../market/time.ts';
import { canonical } from './canonical.ts';

/** What an auction accepts. */
export interface Terms {
  readonly delivery: Delivery;
  readonly zones: readonly string[];
  readonly priceLimits: PriceLimits;
  readonly powerLimits: { readonly lot?: number; readonly max: number };
  readonly orderKinds: readonly OrderKind[];
  /** Besides the auction's own. */
  readonly orderResolutions: readonly Resolution[];
}

export const termsOf = (market: Market, delivery: Delivery): Terms => ({ ...market, delivery });

export type Admission = { readonly orders: Order[] } | { readonly problems: Problem[] };

/** Parse and check each submission, filling in zone and period where the auction has only one. */
export function admit(submissions: readonly unknown[], terms: Terms): Admission {
  const check = orderChecker(terms);
  const orders: Order[] = [];
  const problems: Problem[] = [];
  const seen = new Map<string, number>();
  submissions.forEach((submission, index) => {
    const found: Fault[] = [];
    const order = parse(submission, terms, found);
    if (order !== undefined) {
      check(order, found);
      const before = seen.get(order.record_id);
      if (before === undefined) seen.set(order.record_id, index);
      else if (found.length === 0 && canonical(orders[before] ?? null) !== canonical(order)) {
        found.push(
          fault('record_id', 'duplicate', `record_id ${order.record_id} is in this request twice, with two bodies`),
        );
      }
      orders[index] = order;
    }
    const record_id = recordIdOf(submission);
    for (const problem of found)
      problems.push({ index, ...(record_id === undefined ? {} : { record_id }), ...problem });
  });
  return problems.length > 0 ? { problems } : { orders };
}

/** A problem before anybody said whose it is. */
export type Fault = Omit<Problem, 'index' | 'record_id'>;
export const fault = (field: string, code: string, message: string): Fault => ({ field, code, message });

const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 100) ?? 'nothing';

function recordIdOf(submission: unknown): string | undefined {
  if (typeof submission !== 'object' || submission === null || !('record_id' in submission)) return undefined;
  return typeof submission.record_id === 'string' ? submission.record_id.slice(0, 64) : undefined;
}

function parse(submission: unknown, terms: Terms, found: Fault[]): Order | undefined {
  if (typeof submission !== 'object' || submission === null || Array.isArray(submission)) {
    found.push(fault('', 'invalid-type', `an order is an object, this is ${show(submission)}`));
    return undefined;
  }
  const kind = 'kind' in submission && submission.kind !== undefined ? submission.kind : 'limit';
  if (!orderKinds.includes(kind as OrderKind)) {
    found.push(fault('kind', 'unknown-kind', `${show(kind)} is none of the kinds ${terms.orderKinds.join(', ')}`));
    return undefined;
  }
  if (!terms.orderKinds.includes(kind as OrderKind)) {
    found.push(fault('kind', 'kind-not-taken', `this market takes ${terms.orderKinds.join(', ')}, not ${kind}`));
    return undefined;
  }
  const plain = plainLimitOrder(submission);
  if (plain !== undefined) return plain;
  const parsed = orderSubmission.safeParse(submission);
  if (!parsed.success) {
    for (const { field = '', code, message } of problemsOf(parsed.error)) found.push(fault(field, code, message));
    return undefined;
  }
  const order = { ...parsed.data };
  if (order.zone === undefined) {
    if (terms.zones.length === 1) order.zone = terms.zones[0]!;
    else found.push(fault('zone', 'missing', `which zone? one of ${terms.zones.join(', ')}`));
  }
  if ((order.kind === 'limit' || order.kind === 'curve') && order.period === undefined) {
    const { periods } = terms.delivery;
    if (periods === 1 && order.resolution === undefined) order.period = 1;
    else found.push(fault('period', 'missing', `which period? 1 to ${periods}`));
  }
  return found.length > 0 ? undefined : (order as Order);
}

/** Is `value` a multiple of `step`, but for floating point? */
const isMultiple = (value: number, step: number): boolean => {
  const steps = value / step;
  return Math.abs(steps - Math.round(steps)) <= 1e-9 * Math.max(1, Math.abs(steps)) + 1e-7;
};

/** The rules that an order of a known shape is checked by: shared with `check-book.ts`. */
export function orderChecker(terms: Terms): (order: Order, found: Fault[]) => void {
  const zones = new Set(terms.zones);
  const { priceLimits, powerLimits, delivery } = terms;
  const { min, max, tick } = priceLimits;
  const { lot } = powerLimits;

  const checkPrice = (price: number, field: string, found: Fault[]) => {
    if (price < min || price > max) {
      found.push(fault(field, 'price-off-limits', `${price} is not within the price limits ${min} to ${max}`));
    } else if (tick !== undefined && !isMultiple(price, tick)) {
      found.push(fault(field, 'price-off-tick', `${price} is not a multiple of the tick ${tick}`));
    }
  };
  const checkPower = (power: number, field: string, found: Fault[]) => {
    if (Math.abs(power) > powerLimits.max) {
      found.push(fault(field, 'power-over-limit', `${power} MW is over the limit of ${powerLimits.max} MW`));
    } else if (lot !== undefined && !isMultiple(power, lot)) {
      found.push(fault(field, 'power-off-lot', `${power} MW is not a multiple of the lot of ${lot} MW`));
    }
  };

  return (order, found) => {
    if (!zones.has(order.zone)) {
      found.push(fault('zone', 'unknown-zone', `${show(order.zone)} is none of the zones ${terms.zones.join(', ')}`));
    }
    const periods = periodsAt(order.resolution, terms, found);
    const checkPeriod = (period: number, field: string) => {
      if (periods === undefined || period <= periods) return;
      const unit = order.resolution ?? delivery.resolution;
      found.push(fault(field, 'unknown-period', `period ${period}: the auction has ${periods} of ${unit}`));
    };
    switch (order.kind) {
      case 'limit':
        checkPeriod(order.period, 'period');
        checkPrice(order.price, 'price', found);
        checkPower(order.power, 'power', found);
        break;
      case 'curve':
        checkPeriod(order.period, 'period');
        order.points.forEach((point, i) => {
          checkPrice(point.price, `points.${i}.price`, found);
          checkPower(point.power, `points.${i}.power`, found);
        });
        checkMonotone(order, found);
        break;
      case 'block':
        order.profile?.forEach((step, i) => {
          checkPeriod(step.period, `profile.${i}.period`);
          checkPower(step.power, `profile.${i}.power`, found);
        });
        checkPrice(order.price, 'price', found);
        break;
      case 'flexible':
        checkPeriod(order.latest + order.duration - 1, 'latest');
        checkPrice(order.price, 'price', found);
        checkPower(order.power, 'power', found);
        break;
      case 'complex':
        order.steps.forEach((step, i) => {
          checkPeriod(step.period, `steps.${i}.period`);
          checkPrice(step.price, `steps.${i}.price`, found);
          checkPower(step.power, `steps.${i}.power`, found);
        });
    }
  };
}

/** How many periods of an order's own resolution the auction has; undefined when it takes none of that resolution. */
function periodsAt(
  own: Resolution | undefined,
  { delivery, orderResolutions }: Terms,
  found: Fault[],
): number | undefined {
  if (own === undefined || own === delivery.resolution) return delivery.periods;
  const per = resolutionMinutes[own] / resolutionMinutes[delivery.resolution];
  if (!orderResolutions.includes(own) || per < 1 || delivery.periods % per !== 0) {
    const taken = [delivery.resolution, ...orderResolutions].join(', ');
    found.push(fault('resolution', 'resolution-not-taken', `${own} is none of the resolutions ${taken}`));
    return undefined;
  }
  return delivery.periods / per;
}

/** A net position may not grow with the price, and prices may not fall from point to point. */
function checkMonotone({ points, shape }: CurveOrder, found: Fault[]): void {
  for (let i = 1; i < points.length; i++) {
    const before = points[i - 1]!;
    const point = points[i]!;
    if (point.price < before.price) {
      const message = `${point.price} comes after ${before.price}: prices must rise from point to point`;
      found.push(fault(`points.${i}.price`, 'curve-not-monotone', message));
    } else if (point.price === before.price && shape === 'step') {
      const message = `two points at ${point.price}: a step curve has one power from each price on`;
      found.push(fault(`points.${i}.price`, 'curve-not-monotone', message));
    }
    if (point.power > before.power) {
      const message = `${point.power} MW at ${point.price} comes after ${before.power} MW: a net position never grows with the price`;
      found.push(fault(`points.${i}.power`, 'curve-not-monotone', message));
    }
  }
}
