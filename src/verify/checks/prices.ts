/** Prices: apart only where the network is full, and in the middle of what the rules allow. */

import type { Book } from '../../market/book.ts';
import { leastStep } from '../../market/bounds.ts';
import { type Check, Findings } from '../check.ts';
import { crumbs, dust, halfTick } from '../numbers/tolerances.ts';
import type { View } from '../view/view.ts';

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
 * INV-25. What supports the answer leaves each price a range; its middle is the rule's answer (section 5.2, E14), unless somebody accepted would lose
 * at it: then the nearest prices at which nobody does.
 */
function checkMiddle(view: View): Check {
  const found = new Findings('INV-25', 'prices are the middle of what the rules allow');
  const whereOf = ({ z, t }: { z: number; t: number }) => `${view.book.zones[z]}/${t + 1}`;
  for (const { z, t, low, high, price } of view.due) {
    const at = view.price[z]![t]!;
    const half = halfTick(view.book) + dust(at, low, high);
    const fits = price === undefined ? at >= low - half && at <= high + half : isRoundedFrom(at, price, view.book);
    found.expect(
      fits,
      whereOf({ z, t }),
      () => `${at}, the middle of ${low} to ${high} is ${price ?? (low + high) / 2}`,
    );
  }
  return found.check;
}

/**
 * Is a price another one on the tick, half away from zero (5.5)? What lies at a half is one where that is known to a hundredth of a tick;
 * otherwise it may be on either side of it, and be either of the two ticks.
 */
function isRoundedFrom(at: number, exact: number, { priceLimits }: Book): boolean {
  const tick = priceLimits.tick ?? leastStep;
  const lost = (crumbs * dust(exact, priceLimits.max)) / tick;
  const ticks = Math.abs(exact) / tick;
  const past = ticks - Math.floor(ticks) - 1 / 2;
  const lower = Math.floor(ticks);
  const due = past > lost ? [lower + 1] : past < -lost ? [lower] : lost > 1 / 100 ? [lower, lower + 1] : [lower + 1];
  return due.some((each) => Math.abs(Math.abs(at) - each * tick) <= tick / 4 && (each === 0 || at * exact >= 0));
}
