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
  const low = left <= size ? -Infinity : firstWith(rises, left - size);
  const high =
    left >= total - size
      ? Infinity
      : -firstWith(
          rises.map(({ from, to, mw }) => ({ from: -to, to: -from, mw })),
          total - left - size,
        );
  return { low: Math.min(low, high), high: Math.max(low, high) };
}

/** The lowest price by which as many MW have risen. */
function firstWith(rises: readonly Rise[], mw: number): number {
  const starts = [...rises].sort((a, b) => a.from - b.from);
  const ends = [...rises].sort((a, b) => a.to - b.to);
  const near = (a: number, b: number) => Math.abs(a - b) <= dust(a, b);
  let [i, j, done, slope] = [0, 0, 0, 0];
  let at = starts[0]!.from;
  for (;;) {
    const next = Math.min(starts[i]?.from ?? Infinity, ends[j]?.to ?? Infinity);
    if (next === Infinity) return at;
    const here = done + slope * (next - at);
    if (here >= mw) return at + (mw - done) / slope;
    [done, at] = [here, next];
    for (; i < starts.length && (starts[i]!.from <= at || near(starts[i]!.from, at)); i++) {
      const { from, to, mw: more } = starts[i]!;
      if (near(from, to)) done += more;
      else slope += more / (to - from);
    }
    for (; j < ends.length && (ends[j]!.to <= at || near(ends[j]!.to, at)); j++) {
      const { from, to, mw: more } = ends[j]!;
      if (!near(from, to)) slope -= more / (to - from);
    }
    if (done >= mw) return at;
  }
}
