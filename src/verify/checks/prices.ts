/** Prices: apart only where the network is full, and in the middle of what the rules allow. */

import { type Check, Findings } from '../check.ts';
import { dust } from '../numbers/tolerances.ts';
import { type Direction, spreadOf } from '../view/directions.ts';
import { type Ends, endsWithin, passOn } from '../view/ranges.ts';
import { groupsOf, type Link, type View } from '../view/view.ts';
import { checkBlocks } from './blocks.ts';
import { checkComplex } from './complex.ts';

export function checkPrices(view: View): Check[] {
  return [checkSeparation(view), checkMiddle(view)];
}

/** INV-22: where prices differ, every way from the cheaper to the dearer zone is full somewhere. */
function checkSeparation(view: View): Check {
  const { periods, links, price, book, ep, eq } = view;
  const found = new Findings('INV-22', 'prices differ only across a full line');
  for (let t = 0; t < periods; t++) {
    const open = price.map((): number[] => []);
    for (const { line, from, to, flow, least, most, tied } of links) {
      if (tied || line.loss > 0 || line.tariff > 0) continue;
      if (flow[t]! < most[t]! - eq) open[from]!.push(to);
      if (flow[t]! > least[t]! + eq) open[to]!.push(from);
    }
    price.forEach((row, cheap) => {
      const steps = distances(open, cheap);
      price.forEach((other, dear) => {
        if (dear === cheap || steps[dear] === undefined) return;
        const gap = other[t]! - row[t]!;
        const where = `${book.zones[cheap]} -> ${book.zones[dear]}/${t + 1}`;
        found.expect(gap <= ep * steps[dear]!, where, () => `${gap} apart with room between them`);
      });
    });
  }
  return found.check;
}

function distances(next: readonly (readonly number[])[], start: number): (number | undefined)[] {
  const steps: (number | undefined)[] = next.map(() => undefined);
  steps[start] = 0;
  const queue = [start];
  for (const node of queue) {
    for (const other of next[node]!) {
      if (steps[other] !== undefined) continue;
      steps[other] = steps[node]! + 1;
      queue.push(other);
    }
  }
  return steps;
}

/**
 * INV-25. The range of a price is what its own orders leave open, narrowed by what the lines pass on from their other end:
 * a line with room ties two prices together, an empty or full one keeps them on one side of each other. All lowest prices
 * support the result together, and so do all highest, so the middle of each range is the rule's answer (section 5.2, E14).
 *
 * Orders over several MTUs tie more together than ranges can say: there each price is only held to its own orders.
 */
function checkMiddle(view: View): Check {
  const { periods, price, book, positions, links, ranges, isShut, decided, uneven, ep, eq } = view;
  const found = new Findings('INV-25', 'prices are the middle of what the rules allow');
  const open: { z: number; t: number; middle: number; slack: number; where: string }[] = [];
  const { low, high, give, hidden } = ranges;
  for (const [first, after] of groupsOf(positions, periods)) {
    for (let t = first; t < after; t++) {
      const tied = after - first > 1;
      // What a rounded volume on a straight line moves, lines pass on, and over a loss a little more of it.
      const slack =
        ep + Math.max(...give.map((row) => row[t]!)) / Math.min(1, ...links.map(({ line }) => 1 - line.loss));
      // Rounding can move the ends of a range past each other.
      const isInside = (at: number, from: number, to: number) =>
        at >= Math.min(from, to) - ep && at <= Math.max(from, to) + ep;
      // And it can fill an order at the money to its end, which hides that it pins the price.
      const pinned = price.map((row, z) => {
        // A lot of a straight line is more of a price than its rounding: past the line's end it is still there.
        const [at, between] = [row[t]!, isInside(row[t]!, low[z]![t]!, high[z]![t]!)];
        return uneven[t]! && hidden[z]![t]!.some(([from, to]) => isInside(at, from, to) && (between || from < to));
      });
      // They can hide whether a line was just full, too: then any reading will do, with the prices as published or whatever they are.
      const near = endsWithin(eq);
      const asPriced = (way: Direction, link: Link): Ends =>
        Math.abs(spreadOf(view, link, t, way.back)) > ep ? near(way) : { empty: false, full: false };
      const isNear = (way: Direction) => near(way).empty || near(way).full;
      const asPublished = endsWithin(dust(eq));
      const guided = (way: Direction, link: Link) => (isNear(way) ? asPriced(way, link) : asPublished(way));
      const ways = [asPublished, near, guided].flatMap((endsOf) =>
        [pinned.map(() => false), pinned].map((pins) => ({ endsOf, pins })),
      );
      const readings = (uneven[t] ? ways : ways.slice(0, 1)).map(({ endsOf, pins }) => {
        const [lows, highs] = [low, high].map((ends) => price.map((row, z) => (pins[z] ? row : ends[z]!)[t]!));
        if (!tied) passOn(view, t, endsOf, (i, back) => !isShut(t, i, back), lows!, highs!);
        return { lows: lows!, highs: highs! };
      });
      price.forEach((row, z) => {
        const at = row[t]!;
        const between = readings.map(({ lows, highs }) => ({ from: lows[z]!, to: highs[z]! }));
        const fits = between.some(({ from, to }) => {
          const inside = isInside(at, from, to);
          if (tied || decided[t]) return inside;
          return Math.abs(at - (from + to) / 2) <= slack || (inside && to - from <= 2 * ep);
        });
        const { from, to } = between[0]!;
        const middle = (from + to) / 2;
        const where = `${book.zones[z]}/${t + 1}`;
        found.expect(fits, where, () => `${at}, the middle of ${from} to ${to} is ${middle}`);
        if (!tied && decided[t] === 'blocks' && !pinned[z] && to - from > 2 * ep)
          open.push({ z, t, middle, slack, where });
      });
    }
  }
  // Where the middles of all these would break no rule of what was decided, they are the prices.
  if (book.lot !== undefined) return found.check;
  const middles = price.map((row) => [...row]);
  for (const { z, t, middle } of open) middles[z]![t] = middle;
  const there = { ...view, price: middles };
  const breaks = [...checkBlocks(there), ...checkComplex(there)].some(({ violations }) => violations.length > 0);
  for (const { z, t, middle, slack, where } of breaks ? [] : open) {
    const at = price[z]![t]!;
    found.expect(
      Math.abs(at - middle) <= slack,
      where,
      () => `${at}, where nothing keeps it from the middle ${middle}`,
    );
  }
  return found.check;
}
