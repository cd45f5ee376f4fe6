/**
 * Balances closed island by island (market rules, section 5.5): the sides with the least sum of distances to their ideals give way.
 *
 * Orders over several MTUs first, for what they leave open those of fewer MTUs can close.
 */

import type { Island } from '../indeterminacy/cluster.ts';
import type { Problem } from '../model/problem.ts';
import { inRatio } from '../tolerances.ts';
import type { Side } from './giving.ts';
import { closedOutflow, lossesIn, missingIn } from './islands.ts';
import type { Traded } from './traded.ts';

export function closeIslands(
  problem: Problem,
  islands: readonly Island[],
  sides: readonly Side[],
  traded: Traded,
): void {
  const { zones, periods, lot } = problem;
  const outflow = closedOutflow(problem, islands, traded.value);
  const islandOf = new Int32Array(zones * periods);
  islands.forEach(({ cells }, k) => {
    for (const cell of cells) islandOf[cell] = k;
  });
  const shortest = new Float64Array(islands.length).fill(Infinity);
  for (const { cells } of sides)
    for (const cell of cells) shortest[islandOf[cell]!] = Math.min(shortest[islandOf[cell]!]!, cells.length);
  const bySpan = Map.groupBy(sides, ({ cells }) => cells.length);
  const waiting = new Set(sides);
  for (const span of [...bySpan.keys()].sort((a, b) => b - a)) {
    // Where nothing shorter trades, these have to close the balance themselves.
    const lastOf = ({ cells }: Side) => cells.map((cell) => islandOf[cell]!).find((k) => shortest[k] === span);
    for (const [island, group] of Map.groupBy(bySpan.get(span)!, lastOf)) {
      for (const side of group) waiting.delete(side);
      if (island === undefined) {
        for (const side of group) side.tell(Math.round(side.ideal / lot));
        continue;
      }
      // Others of the same length have their turn later, in another island that they close: about as they are.
      const later = [...waiting].filter(({ cells }) => cells.some((cell) => islandOf[cell] === island));
      const missing = later.reduce(
        (sum, { sign, ideal }) => sum - sign * ideal,
        missingIn(problem, islands[island]!, outflow, traded),
      );
      const losses = lossesIn(problem, islands[island]!, traded.value);
      const lots = nearestLots(group, missing, losses, lot, later.length === 0);
      group.forEach((side, k) => {
        side.tell(lots[k]!);
      });
    }
  }
}

/**
 * Whole lots of each side, so that sells less buys come to `missing` MW and to what lines lose, with the least sum of distances to their
 * ideals. What of a lot can't be closed is sold too much rather than bought: nothing is created.
 *
 * @param losses  MW of the exact flows; where less is traded in lots as much less
 * @param isLast  whether nobody closes the balance after these
 */
function nearestLots(
  sides: readonly Side[],
  missing: number,
  losses: number,
  lot: number,
  isLast: boolean,
): readonly number[] {
  const lots = sides.map(({ ideal }) => Math.round(ideal / lot));
  const sold = sides.reduce((sum, { sign }, k) => sum + sign * lots[k]!, 0);
  const traded = lots.reduce((sum, each) => sum + each * lot, 0);
  const ideal = sides.reduce((sum, side) => sum + side.ideal, 0);
  const share = ideal > 0 ? Math.min(1, traded / ideal) : 1;
  const due = (missing + losses * share) / lot;
  let left = (isLast ? Math.ceil(due - inRatio.lots) : Math.round(due)) - sold;
  // A lot too little is sold: a sell more or a buy less, whichever comes least further away from its ideal.
  while (left !== 0) {
    let best = -1;
    let least = Infinity;
    for (const [k, { sign, ideal: own, most }] of sides.entries()) {
      const step = left > 0 ? sign : -sign;
      const off = own / lot - lots[k]!;
      const cost = Math.abs(off - step) - Math.abs(off);
      const canMove = lots[k]! + step >= 0 && lots[k]! + step <= most;
      if (canMove && cost < least - inRatio.exact) [best, least] = [k, cost];
    }
    if (best < 0) return lots;
    const { sign } = sides[best]!;
    const step = left > 0 ? sign : -sign;
    lots[best]! += step;
    left -= sign * step;
  }
  return lots;
}
