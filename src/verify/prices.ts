/** Prices: apart only where the network is full, and in the middle of what the rules allow. */

import { Findings } from './check.ts';
import type { Check } from './verify.ts';
import { groupsOf, spreadOf, type View } from './view.ts';

export function checkPrices(view: View): Check[] {
  return [checkSeparation(view), checkMiddle(view)];
}

/** INV-22: where prices differ, every way from the cheaper to the dearer zone is full somewhere. */
function checkSeparation(view: View): Check {
  const { periods, links, price, book, strained, ep, eq } = view;
  const found = new Findings('INV-22', 'prices differ only across a full line');
  for (let t = 0; t < periods; t++) {
    if (strained[t]) continue;
    const open = price.map((): number[] => []);
    for (const { line, from, to, flow, least, most } of links) {
      if (line.loss > 0 || line.tariff > 0) continue;
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
  const { periods, price, book, positions, strained, ep, eq } = view;
  const found = new Findings('INV-25', 'prices are the middle of what the rules allow');
  const { min, max } = book.priceLimits;
  const low = price.map(() => new Array<number>(periods).fill(min));
  const high = price.map(() => new Array<number>(periods).fill(max));
  const slopes = price.map(() => new Array<boolean>(periods).fill(false));
  const limits = price.map(() => Array.from({ length: periods }, (): number[] => []));
  for (const { zone, from, span, offers, executed } of positions) {
    if (span > 1) continue;
    offers.forEach(({ side, first, last, power }, i) => {
      const done = executed[i]!;
      const at = first + ((last - first) * done) / power;
      // Rounding its volume moves a point on a straight line.
      const room = done > 0 && done < power ? (eq * Math.abs(last - first)) / power : 0;
      // A MW less would not be missed below this price, a MW more not be wanted above it; for buys the other way round.
      const floor = side === 'sell' ? done > 0 : done < power;
      const ceiling = side === 'sell' ? done < power : done > 0;
      if (floor) low[zone]![from] = Math.max(low[zone]![from]!, at - room);
      if (ceiling) high[zone]![from] = Math.min(high[zone]![from]!, at + room);
      if (first === last) limits[zone]![from]!.push(first);
      else slopes[zone]![from] = true;
    });
  }
  const isPinned = (z: number, t: number, from: number, to: number) => {
    const at = price[z]![t]!;
    const inside = at >= Math.min(from, to) - ep && at <= Math.max(from, to) + ep;
    return book.lot !== undefined && inside && limits[z]![t]!.some((limit) => Math.abs(limit - at) <= ep);
  };
  for (const [first, after] of groupsOf(positions, periods)) {
    for (let t = first; t < after; t++) {
      if (strained[t]) continue;
      const tied = after - first > 1;
      // Whole lots can hide whether a line was just full: then either reading will do.
      const readings = (book.lot === undefined ? [1e-6] : [1e-6, eq]).flatMap((full) => {
        const [lows, highs] = [low.map((row) => row[t]!), high.map((row) => row[t]!)];
        if (tied) return [{ lows, highs }];
        // And it can fill an order at the money to its end, which hides that it pins the price of its zone, and by lines others'.
        const pinned = { lows: [...lows], highs: [...highs] };
        price.forEach((row, z) => {
          if (!isPinned(z, t, lows[z]!, highs[z]!)) return;
          pinned.lows[z] = row[t]!;
          pinned.highs[z] = row[t]!;
        });
        return [{ lows, highs }, pinned].map((range) => passOn(view, t, full, range));
      });
      price.forEach((row, z) => {
        // A lot more or less on a straight line moves its price by more than can be told from outside.
        if (book.lot !== undefined && slopes.some((each) => each[t])) return;
        const at = row[t]!;
        const off = ({ lows, highs }: (typeof readings)[number]) => Math.abs(at - (lows[z]! + highs[z]!) / 2);
        const { lows, highs } = readings.reduce((best, reading) => (off(reading) < off(best) ? reading : best));
        const [from, to] = [lows[z]!, highs[z]!];
        const middle = (from + to) / 2;
        // Rounding can move the ends of a range past each other.
        const inside = at >= Math.min(from, to) - ep && at <= Math.max(from, to) + ep;
        const fits = tied ? inside : Math.abs(at - middle) <= ep || (inside && to - from <= 2 * ep);
        found.expect(fits, `${book.zones[z]}/${t + 1}`, () => `${at}, the middle of ${from} to ${to} is ${middle}`);
      });
    }
  }
  return found.check;
}

/** Around lines that lose little, ranges shrink towards zero by little each time. */
const mostRounds = 100_000;

interface Range {
  readonly lows: number[];
  readonly highs: number[];
}

/**
 * The ranges of one MTU as its lines narrow them.
 *
 * Around a line with losses no negative prices allow an empty line both ways: power that went in a ring would be burned, and gain.
 * As it may not, one direction is closed then; it is the one that would gain at the published prices (INV-17, INV-18).
 */
function passOn(view: View, t: number, full: number, { lows, highs }: Range): Range {
  const open = { lows: [...lows], highs: [...highs] };
  if (narrow(view, t, full, open, false)) return open;
  narrow(view, t, full, { lows, highs }, true);
  return { lows, highs };
}

/** Narrow ranges until nothing moves; false when nothing is left of one. */
function narrow(view: View, t: number, full: number, { lows: low, highs: high }: Range, burning: boolean): boolean {
  const { links, price, ep } = view;
  const still = 1e-9;
  let left = true;
  for (let round = 0, moved = true; moved && round < mostRounds; round++) {
    moved = false;
    // Bounds stop at each other: beyond, a rule would leave no price.
    const raise = (z: number, to: number) => {
      left &&= to <= high[z]! + ep;
      const bound = Math.min(to, high[z]!);
      if (bound <= low[z]! + still) return;
      low[z] = bound;
      moved = true;
    };
    const lower = (z: number, to: number) => {
      left &&= to >= low[z]! - ep;
      const bound = Math.max(to, low[z]!);
      if (bound >= high[z]! - still) return;
      high[z] = bound;
      moved = true;
    };
    for (const link of links) {
      const { line, from, to, flow, least, most } = link;
      const costly = line.loss > 0 || line.tariff > 0;
      const mw = flow[t]!;
      const keep = 1 - line.loss;
      const there = { a: from, b: to, backwards: false };
      const back = { a: to, b: from, backwards: true };
      const [up, down] = [most[t]!, least[t]!];
      const directions = costly
        ? [
            { ...there, sent: Math.max(mw, 0), floor: Math.max(0, down), ceiling: Math.max(0, up) },
            { ...back, sent: Math.max(-mw, 0), floor: Math.max(0, -up), ceiling: Math.max(0, -down) },
          ]
        : [{ ...there, sent: mw, floor: down, ceiling: up }];
      for (const { a, b, sent, floor, ceiling, backwards } of directions) {
        if (ceiling - floor <= 1e-6) continue;
        // The way back of a line with losses that is in use may be closed (INV-18).
        const negative = line.loss > 0 && Math.min(price[a]![t]!, price[b]![t]!) < 0;
        const closed = Math.abs(mw) > full || (burning && spreadOf(view, link, t, backwards) > ep);
        if (negative && sent <= full && closed) continue;
        if (sent > floor + full) {
          // keep * price_b - price_a - tariff >= 0
          raise(b, (low[a]! + line.tariff) / keep);
          lower(a, keep * high[b]! - line.tariff);
        }
        if (sent < ceiling - full) {
          lower(b, (high[a]! + line.tariff) / keep);
          raise(a, keep * low[b]! - line.tariff);
        }
      }
    }
  }
  return left;
}
