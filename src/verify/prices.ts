/** Prices: apart only where the network is full, and in the middle of what the rules allow. */

import { checkBlocks } from './blocks.ts';
import { Findings } from './check.ts';
import { checkComplex, isOn } from './complex.ts';
import { askedOf, isBlock, isComplex, stagesOf, stopSteps } from './units.ts';
import type { Check } from './verify.ts';
import { groupsOf, type View } from './view.ts';

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
  const { periods, price, book, positions, strained, ep, eq } = view;
  const decided = decidedMtus(view);
  const found = new Findings('INV-25', 'prices are the middle of what the rules allow');
  const open: { z: number; t: number; middle: number; where: string }[] = [];
  const { min, max } = book.priceLimits;
  const low = price.map(() => new Array<number>(periods).fill(min));
  const high = price.map(() => new Array<number>(periods).fill(max));
  const slopes = price.map(() => new Array<boolean>(periods).fill(false));
  const give = price.map(() => new Array<number>(periods).fill(0));
  const limits = price.map(() => Array.from({ length: periods }, (): number[] => []));
  for (const { zone, from, span, offers, executed } of positions) {
    if (span > 1) continue;
    offers.forEach(({ side, first, last, power }, i) => {
      const done = executed[i]!;
      const at = first + ((last - first) * done) / power;
      // What rounding to a millionth leaves or takes is no execution.
      const crumb = Math.min(5e-6, power / 2);
      const [some, more] = [done > crumb, done < power - crumb];
      // Rounding its volume moves a point on a straight line.
      const room = some && more ? (eq * Math.abs(last - first)) / power : 0;
      give[zone]![from] = Math.max(give[zone]![from]!, room);
      // A MW less would not be missed below this price, a MW more not be wanted above it; for buys the other way round.
      const floor = side === 'sell' ? some : more;
      const ceiling = side === 'sell' ? more : some;
      if (floor) low[zone]![from] = Math.max(low[zone]![from]!, at - room);
      if (ceiling) high[zone]![from] = Math.min(high[zone]![from]!, at + room);
      if (first === last) limits[zone]![from]!.push(first);
      else slopes[zone]![from] = true;
    });
  }
  for (const [first, after] of groupsOf(positions, periods)) {
    for (let t = first; t < after; t++) {
      if (strained[t]) continue;
      const tied = after - first > 1;
      // Rounding can move the ends of a range past each other.
      const isInside = (at: number, from: number, to: number) =>
        at >= Math.min(from, to) - ep && at <= Math.max(from, to) + ep;
      // And whole lots can fill an order at the money to its end, which hides that it pins the price.
      const pinned = price.map((row, z) => {
        const hidden = book.lot !== undefined && isInside(row[t]!, low[z]![t]!, high[z]![t]!);
        return hidden && limits[z]![t]!.some((limit) => Math.abs(limit - row[t]!) <= ep);
      });
      // They can hide whether a line was just full, too: then either reading will do.
      const ways = [1e-6, eq].flatMap((full) => [pinned.map(() => false), pinned].map((pins) => ({ full, pins })));
      const readings = (book.lot === undefined ? ways.slice(0, 1) : ways).map(({ full, pins }) => {
        const [lows, highs] = [low, high].map((ends) => price.map((row, z) => (pins[z] ? row : ends[z]!)[t]!));
        if (!tied) passOn(view, t, full, lows!, highs!);
        return { lows: lows!, highs: highs! };
      });
      price.forEach((row, z) => {
        // A lot more or less on a straight line moves its price by more than can be told from outside.
        if (book.lot !== undefined && slopes.some((each) => each[t])) return;
        const at = row[t]!;
        const ranges = readings.map(({ lows, highs }) => ({ from: lows[z]!, to: highs[z]! }));
        const fits = ranges.some(({ from, to }) => {
          const inside = isInside(at, from, to);
          if (tied || decided[t]) return inside;
          return Math.abs(at - (from + to) / 2) <= ep + give[z]![t]! || (inside && to - from <= 2 * ep);
        });
        const { from, to } = ranges[0]!;
        const middle = (from + to) / 2;
        const where = `${book.zones[z]}/${t + 1}`;
        found.expect(fits, where, () => `${at}, the middle of ${from} to ${to} is ${middle}`);
        if (!tied && decided[t] === 'blocks' && !pinned[z] && to - from > 2 * ep) open.push({ z, t, middle, where });
      });
    }
  }
  // Where the middles of all these would break no rule of what was decided, they are the prices.
  if (book.lot !== undefined) return found.check;
  const middles = price.map((row) => [...row]);
  for (const { z, t, middle } of open) middles[z]![t] = middle;
  const there = { ...view, price: middles };
  const breaks = [...checkBlocks(there), ...checkComplex(there)].some(({ violations }) => violations.length > 0);
  for (const { z, t, middle, where } of breaks ? [] : open) {
    const at = price[z]![t]!;
    found.expect(Math.abs(at - middle) <= ep, where, () => `${at}, where nothing keeps it from the middle ${middle}`);
  }
  return found.check;
}

/**
 * MTUs whose prices have more rules than those of limit and curve orders and of lines. Where `blocks` are executed they may not lose: the
 * middle holds as long as they don't. Where `more` is at work (schedules and ramps tie MTUs together, constraints zones, steps of complex
 * orders stand beside the curves) a price is only held to its own orders and lines.
 */
function decidedMtus({ periods, units, links, regions, book }: View): ('blocks' | 'more' | undefined)[] {
  const ramped = links.some(({ tied }) => tied);
  const decided = Array.from({ length: periods }, (_, t): 'blocks' | 'more' | undefined =>
    ramped || regions[t]!.zones.length > 0 ? 'more' : undefined,
  );
  for (const unit of units) {
    if (isComplex(unit)) {
      const stops = stopSteps(unit.order, book).map(({ from }) => from);
      const steps = stagesOf(unit.order, book).flatMap((stage) => (stage.steps.length > 0 ? [stage.from] : []));
      for (const from of isOn(unit) ? steps : stops) for (let t = from; t < from + unit.span; t++) decided[t] = 'more';
      continue;
    }
    // A block that may be cut accepts the price like a step, if nothing of it may be executed also with nothing.
    const isCut = isBlock(unit) && unit.order.minAcceptance < 1;
    const power = isCut && unit.order.minAcceptance === 0 ? askedOf(unit, periods) : unit.power;
    power.forEach((mw, t) => {
      if (mw > 0) decided[t] = isCut ? 'more' : (decided[t] ?? 'blocks');
    });
  }
  return decided;
}

/** Around lines that lose little, ranges shrink towards zero by little each time. */
const mostRounds = 100_000;

/** Narrow the ranges of one MTU by its lines until nothing moves. */
function passOn({ links, price, ep }: View, t: number, full: number, low: number[], high: number[]): void {
  const still = 1e-9;
  const own = [...high];
  for (let round = 0, moved = true; moved && round < mostRounds; round++) {
    moved = false;
    // Bounds stop at each other: beyond, a rule would leave no price.
    const raise = (z: number, to: number) => {
      const bound = Math.min(to, high[z]!);
      if (bound <= low[z]! + still) return;
      low[z] = bound;
      moved = true;
    };
    const lower = (z: number, to: number) => {
      const bound = Math.max(to, low[z]!);
      if (bound >= high[z]! - still) return;
      high[z] = bound;
      moved = true;
    };
    for (const { line, from, to, flow, least, most, tied } of links) {
      if (tied) continue;
      const costly = line.loss > 0 || line.tariff > 0;
      const mw = flow[t]!;
      const keep = 1 - line.loss;
      // So far below zero that carrying power round and round would pay.
      const burns = least[t]! < 0 && most[t]! > 0 && Math.min(own[from]!, own[to]!) * line.loss < -line.tariff;
      const directions = costly
        ? [
            {
              a: from,
              b: to,
              mw: Math.max(mw, 0),
              least: Math.max(0, least[t]!),
              most: Math.max(0, most[t]!),
              other: mw < 0,
            },
            {
              a: to,
              b: from,
              mw: Math.max(-mw, 0),
              least: Math.max(0, -most[t]!),
              most: Math.max(0, -least[t]!),
              other: mw > 0,
            },
          ]
        : [{ a: from, b: to, mw, least: least[t]!, most: most[t]!, other: false }];
      for (const { a, b, mw: sent, least: least_, most: most_, other } of directions) {
        if (most_ - least_ <= 1e-6) continue;
        // Of a line with losses one direction may be closed (INV-18): the way back of the one in use, or that against the prices.
        const against = mw === 0 && burns && keep * price[b]![t]! - price[a]![t]! - line.tariff > ep;
        if ((other || against) && line.loss > 0 && Math.min(price[a]![t]!, price[b]![t]!) < 0) continue;
        if (sent > least_ + full) {
          // keep * price_b - price_a - tariff >= 0
          raise(b, (low[a]! + line.tariff) / keep);
          lower(a, keep * high[b]! - line.tariff);
        }
        if (sent < most_ - full) {
          lower(b, (high[a]! + line.tariff) / keep);
          raise(a, keep * low[b]! - line.tariff);
        }
      }
    }
  }
}
