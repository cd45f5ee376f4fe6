/**
 * Where the net supply of zones that share a price comes to what is asked of it: the prices, and so how much of what is at the money trades, follow
 * from the offers alone.
 */

import { dust } from '../numbers/tolerances.ts';
import type { Offer } from '../view/offers.ts';

/** An offer in a zone whose price is `factor` times the common one, and `more`. */
export interface Placed {
  readonly offer: Offer;
  readonly factor: number;
  readonly more: number;
}

interface Rise {
  readonly from: number;
  readonly to: number;
  readonly mw: number;
}

export interface Span {
  readonly low: number;
  readonly high: number;
}

/**
 * @param need  MW that have to be sold more than bought, weighted by the zones' factors
 * @param lost  MW that sums of that size lose
 * @returns the common prices at which that is so; undefined where there are none
 */
export function pricesOf(placed: readonly Placed[], need: number, lost: number): Span | undefined {
  // As a price rises more is sold, and less bought: both are a rise of the net supply.
  const rises: Rise[] = [];
  let left = need;
  let size = lost;
  for (const { offer, factor, more } of placed) {
    const at = (price: number) => (price - more) / factor;
    const [from, to] = [at(Math.min(offer.first, offer.last)), at(Math.max(offer.first, offer.last))];
    const mw = offer.power * factor;
    if (offer.side === 'buy') left += mw;
    size += dust(mw);
    rises.push({ from, to, mw });
  }
  const total = rises.reduce((sum, { mw }) => sum + mw, 0);
  if (left < -size || left > total + size) return undefined;
  const low = left <= size ? -Infinity : lowestWith(rises, left, size);
  const high = left >= total - size ? Infinity : -lowestWith(rises.map(mirrored), total - left, size);
  return { low: Math.min(low, high), high: Math.max(low, high) };
}

const mirrored = ({ from, to, mw }: Rise): Rise => ({ from: -to, to: -from, mw });

/** MW that have risen by a price, with or without those that rise at it. */
const risen = (rises: readonly Rise[], price: number, withSteps: boolean): number =>
  rises.reduce((sum, { from, to, mw }) => {
    if (price > to || (price === to && (withSteps || from < to))) return sum + mw;
    return price > from ? sum + (mw * (price - from)) / (to - from) : sum;
  }, 0);

/**
 * The lowest price by which as many MW have risen. Where that is what has risen at a corner, but for what sums lose, it is the corner's own: of
 * a straight line with few MW the rest would be far in price.
 */
function lowestWith(rises: readonly Rise[], mw: number, size: number): number {
  const corners = [...new Set(rises.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  let [first, after] = [0, corners.length - 1];
  while (first < after) {
    const middle = (first + after) >> 1;
    if (risen(rises, corners[middle]!, true) >= mw - size) after = middle;
    else first = middle + 1;
  }
  const at = corners[first]!;
  const here = risen(rises, at, false);
  if (first === 0 || here <= mw + size) return at;
  const before = corners[first - 1]!;
  const done = risen(rises, before, true);
  return before + ((mw - done) / (here - done)) * (at - before);
}
