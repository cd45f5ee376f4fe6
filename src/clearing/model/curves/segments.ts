/**
 * Orders as segments of curves (market rules, section 2.1).
 *
 * A segment is a run of megawatts of one order on one side, from the price of its first MW (`first`) to that of its last
 * (`last`): equal for a step, apart for a straight line; a sell's prices rise along it, a buy's fall.
 */

import type { PriceLimits } from '../../../market/book.ts';
import type { CurveOrder, LimitOrder } from '../../../market/order.ts';

export interface Segment {
  /** Index of the order in the book. */
  readonly order: number;
  readonly side: 'buy' | 'sell';
  readonly first: number;
  readonly last: number;
  /** MW, above zero. */
  readonly power: number;
}

export const limitSegment = (index: number, order: LimitOrder): Segment => ({
  order: index,
  side: order.side,
  first: order.price,
  last: order.price,
  power: order.power,
});

/**
 * The segments of a net curve, which buys where it is above zero and sells where it is below.
 *
 * Below its first point and above its last the curve goes on flat; what it still buys at the highest price the market
 * allows, or sells at the lowest, is price-taking: a step at that price limit.
 */
export function curveSegments(index: number, order: CurveOrder, limits: PriceLimits): Segment[] {
  const path = pathOf(order, limits);
  const segments: Segment[] = [];
  const add = (side: 'buy' | 'sell', first: number, last: number, power: number) => {
    if (power > 0) segments.push({ order: index, side, first, last, power });
  };
  for (let i = 1; i < path.length; i++) {
    const a = path[i - 1]!;
    const b = path[i]!;
    // Where the piece passes through zero, it splits into a buy that ends there and a sell that begins there.
    const share = a.power > 0 && b.power < 0 ? a.power / (a.power - b.power) : a.power > 0 ? 1 : 0;
    const zero = a.price + share * (b.price - a.price);
    // A buy's first megawatt is the one it pays most for: the end of the piece with the higher price.
    add('buy', share === 1 ? b.price : zero, a.price, Math.max(a.power, 0) - Math.max(b.power, 0));
    add('sell', share === 0 ? a.price : zero, b.price, Math.max(-b.power, 0) - Math.max(-a.power, 0));
  }
  return segments;
}

/** The corners of the curve from the lower price limit to the upper one; it is straight between them. */
function pathOf({ points, shape }: CurveOrder, limits: PriceLimits): { price: number; power: number }[] {
  const begin = points[0]!.power;
  const end = points[points.length - 1]!.power;
  const path = begin < 0 ? [{ price: limits.min, power: 0 }] : [];
  path.push({ price: limits.min, power: begin });
  let held = begin;
  for (const { price, power } of points) {
    if (shape === 'step') path.push({ price, power: held });
    path.push({ price, power });
    held = power;
  }
  if (end > 0) path.push({ price: limits.max, power: end }, { price: limits.max, power: 0 });
  return path;
}

/** Executed share of a segment that is not at the money, 0 to 1. */
export function shareAt({ side, first, last }: Pick<Segment, 'side' | 'first' | 'last'>, price: number): number {
  const gain = side === 'sell' ? price - first : first - price;
  const width = Math.abs(last - first);
  return width === 0 ? (gain > 0 ? 1 : 0) : Math.min(1, Math.max(0, gain / width));
}
