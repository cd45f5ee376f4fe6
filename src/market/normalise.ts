/**
 * The numbers of an order as decimals on the tick and the lot.
 *
 * Arithmetic in floating point leaves 22.240000000000002 where 22.24 is meant. What is so near to a multiple of the tick or the lot
 * is taken for it, once, before anything is stored or cleared; what is further off is for the rules to refuse. Powers of a curve are
 * left as they are: between its points a crumb would be a step of its own, so its sender is to see it.
 */

import { type Grid, nearestOn } from './decimal.ts';
import type { BookOrder } from './order.ts';

export interface Grids {
  /** Without one prices are what they are. */
  readonly tick: Grid | undefined;
  readonly lot: Grid;
}

/** Some roundings of a few operations, as a share of the value. */
const rounding = 8 * Number.EPSILON;

export function normalised<O extends BookOrder>(order: O, { tick, lot }: Grids): O {
  const price = (value: number) => (tick === undefined ? value : snapped(tick, value));
  const power = (value: number) => snapped(lot, value);
  return withNumbers(order, { price, power, netPower: (value) => value });
}

/** Powers rounded, for books that name no lot. What would be rounded away altogether stays, for the rules of the book to refuse. */
export const roundedTo = <O extends BookOrder>(order: O, lot: Grid): O =>
  withNumbers(order, {
    price: (value) => value,
    power: (value) => nearestOn(lot, value) || value,
    netPower: (value) => nearestOn(lot, value),
  });

function snapped(grid: Grid, value: number): number {
  const nearest = nearestOn(grid, value);
  return nearest !== value && Math.abs(nearest - value) <= rounding * Math.abs(value) ? nearest : value;
}

interface Changes {
  readonly price: (value: number) => number;
  readonly power: (value: number) => number;
  /** Of the points of a curve. */
  readonly netPower: (value: number) => number;
}

/** The order itself where nothing changes. */
function withNumbers<O extends BookOrder>(given: O, { price, power, netPower }: Changes): O {
  const order: BookOrder = given;
  switch (order.kind) {
    case 'limit': {
      // Most orders are such, and right: no copy is made of those.
      const [p, mw] = [price(order.price), power(order.power)];
      return p === order.price && mw === order.power ? given : { ...given, price: p, power: mw };
    }
    case 'flexible':
      return { ...given, price: price(order.price), power: power(order.power) };
    case 'curve':
      return {
        ...given,
        points: order.points.map((point) => ({ price: price(point.price), power: netPower(point.power) })),
      };
    case 'block':
      return {
        ...given,
        price: price(order.price),
        ...(order.power !== undefined && { power: power(order.power) }),
        ...(order.profile && { profile: order.profile.map((at) => ({ ...at, power: power(at.power) })) }),
      };
    case 'complex':
      return {
        ...given,
        variableTerm: price(order.variableTerm),
        steps: order.steps.map((step) => ({ ...step, price: price(step.price), power: power(step.power) })),
        ...(order.minPower && { minPower: order.minPower.map((at) => ({ ...at, power: power(at.power) })) }),
      };
  }
}
