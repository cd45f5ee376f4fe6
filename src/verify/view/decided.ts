/** MTUs whose prices have more rules than those of limit and curve orders and of lines. */

import type { Seen } from './seen.ts';
import { askedOf, isAloneWithoutMinimum, isBlock, isComplex, isOn, stagesOf, stopSteps } from './units.ts';

export type Decided = 'blocks' | 'more' | undefined;
type Needed = Pick<Seen, 'periods' | 'units' | 'links' | 'regions' | 'book'>;

/**
 * Where `blocks` are executed they may not lose: the
 * middle holds as long as they don't. Where `more` is at work (schedules and ramps tie MTUs together, constraints zones, steps of complex
 * orders stand beside the curves) a price is only held to its own orders and lines.
 */
export function decidedMtus({ periods, units, links, regions, book }: Needed): Decided[] {
  const ramped = links.some(({ tied }) => tied);
  const decided = Array.from(
    { length: periods },
    (_, t): Decided => (ramped || regions[t]!.zones.length > 0 ? 'more' : undefined),
  );
  for (const unit of units) {
    if (isComplex(unit)) {
      const stops = stopSteps(unit.order, book).map(({ from }) => from);
      const steps = stagesOf(unit.order, book).flatMap((stage) => (stage.steps.length > 0 ? [stage.from] : []));
      for (const from of isOn(unit) ? steps : stops) for (let t = from; t < from + unit.span; t++) decided[t] = 'more';
      continue;
    }
    // A block that may be cut accepts the price like a step, and alone without a least ratio also where nothing of it is executed.
    const isCut = isBlock(unit) && unit.order.minAcceptance < 1;
    const isConvex = isCut && isAloneWithoutMinimum(unit, units);
    // One with others may be on with nothing of it executed: then it accepts the price too.
    const power = isCut && unit.order.minAcceptance === 0 ? askedOf(unit, periods) : unit.power;
    // In one MTU it is a limit order, and ranges count with it.
    if (isConvex && power.filter((mw) => mw > 0).length === 1) continue;
    power.forEach((mw, t) => {
      if (mw > 0) decided[t] = isCut ? 'more' : (decided[t] ?? 'blocks');
    });
  }
  return decided;
}
