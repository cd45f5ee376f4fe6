/**
 * Between which prices each zone's own orders of one MTU leave the price there (market rules, 5.2), and what lines pass on of that.
 *
 * Each rule bounds one price from one side by one other price, and a higher price there never bounds it lower. So the lowest prices
 * that are allowed are allowed together, and so are the highest: passing bounds on until nothing moves finds both, exactly.
 */

import { dust } from '../numbers/tolerances.ts';
import { type Direction, directionsOf, isFixed } from './directions.ts';
import type { Offer } from './offers.ts';
import type { Link, Seen } from './seen.ts';
import { askedOf, isAloneWithoutMinimum, isBlock } from './units.ts';

/** By zone and MTU, currency/MWh. */
export interface Ranges {
  /** What the orders alone leave open, as if prices had no limits. */
  readonly floor: readonly (readonly number[])[];
  readonly ceiling: readonly (readonly number[])[];
  readonly low: readonly (readonly number[])[];
  readonly high: readonly (readonly number[])[];
  /** By how much a price may be off because a volume on a straight line is rounded. */
  readonly give: readonly (readonly number[])[];
  /** Prices of orders there that rounding may have filled to their ends: a limit, or what of a straight line lies within a lot. */
  readonly hidden: readonly (readonly (readonly (readonly [from: number, to: number])[])[])[];
}

export function rangesOf(view: Pick<Seen, 'book' | 'periods' | 'positions' | 'units' | 'eq'>): Ranges {
  const { book, periods, positions, units, eq } = view;
  const { min, max } = book.priceLimits;
  const each = <T>(value: () => T): T[][] => book.zones.map(() => Array.from({ length: periods }, value));
  const [least, most, give] = [each(() => -Infinity), each(() => Infinity), each(() => 0)];
  const hidden = each((): [number, number][] => []);
  const take = (z: number, t: number, { side, first, last, power }: Offer, done: number) => {
    const at = first + ((last - first) * done) / power;
    const [some, more] = [done > dust(power), done < power - dust(power)];
    // Rounding its volume moves a point on a straight line.
    const room = some && more ? (eq * Math.abs(last - first)) / power : 0;
    give[z]![t] = Math.max(give[z]![t]!, room);
    // A MW less would not be missed below this price, a MW more not be wanted above it; for buys the other way round.
    const floor = side === 'sell' ? some : more;
    const ceiling = side === 'sell' ? more : some;
    if (floor) least[z]![t] = Math.max(least[z]![t]!, at - room);
    if (ceiling) most[z]![t] = Math.min(most[z]![t]!, at + room);
    const priceAt = (mw: number) => first + ((last - first) * Math.min(Math.max(mw, 0), power)) / power;
    const ends = [priceAt(done - eq), priceAt(done + eq)];
    hidden[z]![t]!.push([Math.min(...ends), Math.max(...ends)]);
  };
  for (const { zone, from, span, offers, executed } of positions) {
    if (span > 1) continue;
    offers.forEach((offer, i) => {
      take(zone, from, offer, executed[i]!);
    });
  }
  // In one MTU such a block is a limit order (market rules, What was decided).
  for (const unit of units) {
    if (!isBlock(unit) || !isAloneWithoutMinimum(unit, units)) continue;
    const asked = askedOf(unit, periods);
    if (asked.filter((mw) => mw > 0).length > 1) continue;
    const t = asked.findIndex((mw) => mw > 0);
    const { side, price } = unit.order;
    take(unit.zone, t, { side, first: price, last: price, power: asked[t]! }, unit.power[t]!);
  }
  const low = least.map((row) => row.map((bound) => Math.max(bound, min)));
  const high = most.map((row) => row.map((bound) => Math.min(bound, max)));
  return { floor: least, ceiling: most, low, high, give, hidden };
}

export interface Ends {
  readonly empty: boolean;
  readonly full: boolean;
}

/** @param off  MW that a flow may be off an end of its range and be there */
export const endsWithin =
  (off: number) =>
  ({ sent, least, most }: Direction): Ends => ({ empty: sent <= least + off, full: sent >= most - off });

/** Around lines that lose little, ranges shrink towards zero by little each time. */
const mostRounds = 100_000;

/**
 * Narrow the ranges of one MTU by its lines until nothing moves.
 *
 * @param endsOf  whether a direction carries as little, or as much, as it can
 * @param counts  whether a direction is tested: one that is shut is not
 * @returns whether there are prices that keep all of it
 */
export function passOn(
  { links }: Pick<Seen, 'links'>,
  t: number,
  endsOf: (direction: Direction, link: Link) => Ends,
  counts: (link: number, back: boolean) => boolean,
  low: number[],
  high: number[],
): boolean {
  let fits = true;
  const rules = links.flatMap((link, i) =>
    link.tied
      ? []
      : directionsOf(link, t)
          .filter((direction) => !isFixed(direction) && counts(i, direction.back))
          .map((way) => ({ ...way, ...endsOf(way, link), keep: 1 - link.line.loss, tariff: link.line.tariff })),
  );
  for (let round = 0, moved = true; moved && round < mostRounds; round++) {
    moved = false;
    // Bounds stop at each other: beyond, the rules leave no price.
    const raise = (z: number, to: number) => {
      if (to > high[z]! + dust(to, high[z]!)) fits = false;
      const bound = Math.min(to, high[z]!);
      if (bound <= low[z]! + dust(bound)) return;
      low[z] = bound;
      moved = true;
    };
    const lower = (z: number, to: number) => {
      if (to < low[z]! - dust(to, low[z]!)) fits = false;
      const bound = Math.max(to, low[z]!);
      if (bound >= high[z]! - dust(bound)) return;
      high[z] = bound;
      moved = true;
    };
    for (const { a, b, empty, full, keep, tariff } of rules) {
      if (!empty) {
        // keep * price_b - price_a - tariff >= 0
        raise(b, (low[a]! + tariff) / keep);
        lower(a, keep * high[b]! - tariff);
      }
      if (!full) {
        lower(b, (high[a]! + tariff) / keep);
        raise(a, keep * low[b]! - tariff);
      }
    }
  }
  return fits;
}
