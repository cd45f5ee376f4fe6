/**
 * Directions of lines with losses that are shut (market rules, section 3.1).
 *
 * A line with a loss has one direction open in an MTU. Sending power both ways would burn it, and at negative prices that pays; so the
 * direction that carries nothing may have to leave a gain. But only there: where prices exist that keep its test too, it is tested.
 */

import { dust } from '../numbers/tolerances.ts';
import type { Decided } from './decided.ts';
import { directionsOf, isFixed, spreadOf } from './directions.ts';
import { endsWithin, passOn, type Ranges } from './ranges.ts';
import type { Seen } from './seen.ts';

/** Whether a direction of a line (by its place in the book) is shut in an MTU. */
export type IsShut = (t: number, link: number, back: boolean) => boolean;

/** What each zone's orders leave open, and which directions are shut. */
export interface Ranged extends Seen {
  /** What each zone's own orders leave open of its price. */
  readonly ranges: Ranges;
  /** By MTU: what has a say in its prices besides. */
  readonly decided: readonly Decided[];
  /** By MTU: whether rounding may hide that something was not full. */
  readonly uneven: readonly boolean[];
  readonly isShut: IsShut;
}

type Needed = Pick<Ranged, 'book' | 'periods' | 'links' | 'price' | 'uneven' | 'ep' | 'eq'>;

/**
 * @param isTied  MTUs whose prices have more rules than orders of one MTU and lines: whether others exist is not looked for there
 */
export function shutDirections(view: Needed, ranges: Ranges, isTied: (t: number) => boolean): IsShut {
  const shut = new Set<string>();
  const nameOf = (t: number, link: number, back: boolean) => `${t}/${link}/${back}`;
  for (let t = 0; t < view.periods; t++) {
    const left = gainsLeft(view, t);
    if (left.length === 0) continue;
    const isLeft = new Set(left.map(({ link, back }) => nameOf(t, link, back)));
    for (const { link, back } of left) {
      const holds = (way: boolean) => {
        const counts = (i: number, b: boolean) => !isLeft.has(nameOf(t, i, b)) || (i === link && b === way);
        return !isTied(t) && canHold(view, ranges, t, counts);
      };
      // One direction has to hold, but where at the lowest price neither can: it would have to fall further (section 4).
      const both = isLeft.has(nameOf(t, link, !back));
      if (both && !(isAtLowest(view, link, t) && !holds(!back))) continue;
      if (!holds(back)) shut.add(nameOf(t, link, back));
    }
  }
  return (t, link, back) => shut.has(nameOf(t, link, back));
}

function isAtLowest({ links, price, book, ep }: Needed, link: number, t: number): boolean {
  const { from, to } = links[link]!;
  return Math.min(price[from]![t]!, price[to]![t]!) <= book.priceLimits.min + ep;
}

/** Directions that may be shut and leave a gain at the published prices. */
function gainsLeft(view: Needed, t: number): { link: number; back: boolean }[] {
  const { links, price, ep } = view;
  return links.flatMap((link, i) => {
    if (link.tied || link.line.loss === 0) return [];
    // Where no price is negative, burning power does not pay.
    if (Math.min(price[link.from]![t]!, price[link.to]![t]!) >= 0) return [];
    return directionsOf(link, t)
      .filter((way) => way.mayBeShut && !isFixed(way) && spreadOf(view, link, t, way.back) > ep)
      .map(({ back }) => ({ link: i, back }));
  });
}

function canHold(view: Needed, ranges: Ranges, t: number, counts: (link: number, back: boolean) => boolean): boolean {
  // A volume on a straight line is rounded: prices that just meet may be there or not. What rounding filled to its end pins its price.
  const pins = view.price.map((row, z) => {
    const hidden = ranges.hidden[z]![t]!.some(([from, to]) => row[t]! >= from - view.ep && row[t]! <= to + view.ep);
    return view.uneven[t] && hidden ? row[t] : undefined;
  });
  const low = ranges.low.map((row, z) => pins[z] ?? row[t]! + ranges.give[z]![t]!);
  const high = ranges.high.map((row, z) => pins[z] ?? row[t]! - ranges.give[z]![t]!);
  if (low.some((at, z) => at > high[z]! + dust(at))) return false;
  return passOn(view, t, endsWithin(dust(view.eq)), counts, low, high);
}
