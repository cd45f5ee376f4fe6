/** What an auction accepts, and how one order meets it. */

import type { PriceLimits } from '../market/book.ts';
import type { Market } from '../market/market.ts';
import type { Order, OrderKind } from '../market/order.ts';
import { type Delivery, type Resolution, resolutionMinutes } from '../market/time.ts';
import { type Fault, fault } from './fault.ts';

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

/** The terms as one order meets them; each check adds to what was found. */
export interface OrderTerms {
  price(price: number, field: string): void;
  power(power: number, field: string): void;
  period(period: number, field: string): void;
  fault(field: string, code: string, message: string): void;
  /** How many periods of the order's resolution the auction has; undefined when it takes none of that resolution. */
  readonly periods: number | undefined;
  /** Length of a market time unit of the auction. */
  readonly resolution: Resolution;
}

export function orderTerms({ resolution }: Order, terms: Terms, found: Fault[]): OrderTerms {
  const { delivery, priceLimits, powerLimits } = terms;
  const { min, max, tick } = priceLimits;
  const { lot } = powerLimits;
  const add: OrderTerms['fault'] = (field, code, message) => found.push(fault(field, code, message));
  const periods = periodsAt(resolution, terms, add);
  return {
    price(price, field) {
      if (price < min || price > max)
        add(field, 'price-off-limits', `${price} is not within the price limits ${min} to ${max}`);
      else if (tick !== undefined && !isMultiple(price, tick))
        add(field, 'price-off-tick', `${price} is not a multiple of the tick ${tick}`);
    },
    power(power, field) {
      if (Math.abs(power) > powerLimits.max)
        add(field, 'power-over-limit', `${power} MW is over the limit of ${powerLimits.max} MW`);
      else if (lot !== undefined && !isMultiple(power, lot))
        add(field, 'power-off-lot', `${power} MW is not a multiple of the lot of ${lot} MW`);
    },
    period(period, field) {
      if (periods === undefined || period <= periods) return;
      const unit = resolution ?? delivery.resolution;
      add(field, 'unknown-period', `period ${period}: the auction has ${periods} of ${unit}`);
    },
    fault: add,
    periods,
    resolution: delivery.resolution,
  };
}

function periodsAt(
  own: Resolution | undefined,
  { delivery, orderResolutions }: Terms,
  add: OrderTerms['fault'],
): number | undefined {
  if (own === undefined || own === delivery.resolution) return delivery.periods;
  const per = resolutionMinutes[own] / resolutionMinutes[delivery.resolution];
  if (!orderResolutions.includes(own) || per < 1 || delivery.periods % per !== 0) {
    const taken = [delivery.resolution, ...orderResolutions].join(', ');
    add('resolution', 'resolution-not-taken', `${own} is none of the resolutions ${taken}`);
    return undefined;
  }
  return delivery.periods / per;
}

/** Is `value` a multiple of `step`, but for floating point? */
const isMultiple = (value: number, step: number): boolean => {
  const steps = value / step;
  return Math.abs(steps - Math.round(steps)) <= 1e-9 * Math.max(1, Math.abs(steps)) + 1e-7;
};
