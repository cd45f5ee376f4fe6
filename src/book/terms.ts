/** What an auction accepts, and how one order meets it. */

import type { PriceLimits } from '../market/book.ts';
import { leastPower, leastStep } from '../market/bounds.ts';
import { type Grid, gridOf, isOn, nearestOn } from '../market/decimal.ts';
import { type Fault, fault } from '../market/fault.ts';
import type { Grids } from '../market/normalise.ts';
import type { Order, OrderKind } from '../market/order.ts';
import type { AuctionTerms } from '../market/terms.ts';
import { type Delivery, type Resolution, resolutionMinutes } from '../market/time.ts';

export interface Terms {
  readonly delivery: Delivery;
  readonly zones: readonly string[];
  readonly priceLimits: PriceLimits;
  readonly powerLimits: { readonly lot?: number; readonly max: number };
  readonly orderKinds: readonly OrderKind[];
  /** Besides the auction's own. */
  readonly orderResolutions: readonly Resolution[];
}

/** Of a market without a tick prices are decimals all the same. */
export const termsOf = ({ priceLimits, ...terms }: AuctionTerms, delivery: Delivery): Terms => ({
  ...terms,
  priceLimits: { ...priceLimits, tick: priceLimits.tick ?? leastStep },
  delivery,
});

/** The terms as one order meets them; each check adds to what was found. */
export interface OrderTerms {
  price(price: number, field: string): void;
  /** Above 0. */
  power(power: number, field: string): void;
  /** Of a curve: signed, or 0. */
  netPower(power: number, field: string): void;
  /** MW that the steps of one period add up to. */
  sum(power: number, period: number, field: string): void;
  /** In whole cents. */
  money(amount: number, field: string): void;
  /** MW per hour, to the watt. */
  gradient(change: number, field: string): void;
  /** A price difference: on the tick, whatever the limits. */
  onTick(price: number, field: string): void;
  period(period: number, field: string): void;
  fault(field: string, code: string, message: string): void;
  /** How many periods of the order's resolution the auction has; undefined when it takes none of that resolution. */
  readonly periods: number | undefined;
  /** Length of a market time unit of the auction. */
  readonly resolution: Resolution;
}

const cents = gridOf(0.01);
const watts = gridOf(leastPower);

export function orderTerms({ resolution }: Order, terms: Terms, { tick, lot }: Grids, found: Fault[]): OrderTerms {
  const { delivery, priceLimits, powerLimits } = terms;
  const { min, max } = priceLimits;
  const add: OrderTerms['fault'] = (field, code, message) => found.push(fault(field, code, message));
  const periods = periodsAt(resolution, terms, add);
  const offGrid = (grid: Grid, value: number, field: string, code: string, what: string) => {
    if (isOn(grid, value)) return;
    add(field, code, `${value} is not a multiple of ${what} ${grid.step}; the nearest is ${nearestOn(grid, value)}`);
  };
  const onTick: OrderTerms['onTick'] = (price, field) => {
    if (tick !== undefined) offGrid(tick, price, field, 'price-off-tick', 'the tick');
  };
  const netPower: OrderTerms['netPower'] = (power, field) => {
    if (Math.abs(power) > powerLimits.max)
      add(field, 'power-over-limit', `${power} MW is over the limit of ${powerLimits.max} MW`);
    else offGrid(lot, power, field, 'power-off-lot', 'the lot of');
  };
  return {
    price(price, field) {
      if (price < min || price > max)
        add(field, 'price-off-limits', `${price} is not within the price limits ${min} to ${max}`);
      else onTick(price, field);
    },
    power(power, field) {
      if (power >= lot.step) netPower(power, field);
      else add(field, 'power-off-lot', `${power} is less than the lot of ${lot.step} MW, the least power of an order`);
    },
    netPower,
    sum(power, period, field) {
      const exact = nearestOn(lot, power);
      if (exact <= powerLimits.max) return;
      const message = `the steps of period ${period} add up to ${exact} MW, over the limit of ${powerLimits.max} MW`;
      add(field, 'power-over-limit', message);
    },
    money: (amount, field) => offGrid(cents, amount, field, 'not-in-cents', 'a cent,'),
    gradient: (change, field) => offGrid(watts, change, field, 'too-fine', 'a watt,'),
    onTick,
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
