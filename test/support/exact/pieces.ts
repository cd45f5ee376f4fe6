/**
 * Limit and curve orders as pieces, each a run of megawatts of one side at one price or along a straight line (market rules, 2.1).
 *
 * Left of a curve's first point its power holds, and right of the last one too (market rules, What was decided): what is bought at the last point is
 * price-taking at the upper limit, what is sold at the first at the lower one.
 */

import type { CurveOrder } from '../../../src/market/order.ts';
import { compare, minus, negated, over, plus, type Rational, rational, sign, times } from './rational.ts';

export interface Piece {
  readonly side: 'buy' | 'sell';
  /** currency/MWh of the first megawatt, and of the last. */
  readonly first: Rational;
  readonly last: Rational;
  /** MW, more than 0. */
  readonly power: Rational;
}

export function curvePieces({ points, shape }: CurveOrder, limits: { min: number; max: number }): Piece[] {
  const path = points.map(({ price, power }) => ({ price: rational(price), power: rational(power) }));
  const pieces: Piece[] = [];
  const add = (side: Piece['side'], first: Rational, last: Rational, power: Rational): void => {
    if (sign(power) > 0) pieces.push({ side, first, last, power });
  };
  const [start, end] = [path[0]!, path.at(-1)!];
  add('buy', rational(limits.max), rational(limits.max), end.power);
  add('sell', rational(limits.min), rational(limits.min), negated(start.power));
  for (let i = 1; i < path.length; i++) {
    const [left, right] = [path[i - 1]!, path[i]!];
    const low = shape === 'step' ? right.price : left.price;
    const bought = positive(left.power, right.power);
    const sold = positive(negated(right.power), negated(left.power));
    // Where a straight line goes through zero, the buying ends and the selling begins.
    const through = compare(left.power, right.power) === 0 ? low : zeroOf({ ...left, price: low }, right);
    const isBuying = sign(right.power) >= 0;
    const isSelling = sign(left.power) <= 0;
    add('buy', isBuying ? right.price : through, low, bought);
    add('sell', isSelling ? low : through, right.price, sold);
  }
  return pieces;
}

/** How much of the way from `from` down to `to` lies above zero. */
function positive(from: Rational, to: Rational): Rational {
  if (sign(from) <= 0) return { n: 0n, d: 1n };
  return sign(to) >= 0 ? minus(from, to) : from;
}

function zeroOf(left: { price: Rational; power: Rational }, right: { price: Rational; power: Rational }): Rational {
  const share = over(left.power, minus(left.power, right.power));
  return plus(left.price, times(share, minus(right.price, left.price)));
}
