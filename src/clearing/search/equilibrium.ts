/**
 * Who trades: net supply of each node, flows, and the decisions that are on, for the most welfare that prices can support.
 *
 * Each group of MTUs is searched on its own (`search/search.ts`); where there is nothing to decide that is one linear program.
 */

import { Joined } from '../indeterminacy/joined.ts';
import { supplyAt } from '../model/curves/net-curve.ts';
import type { Node, Problem } from '../model/problem.ts';
import { yieldingOrder } from '../prices/rules.ts';
import type { Answer, Bounds } from '../relaxation/master.ts';
import type { Solver } from '../solver/highs.ts';
import { boundsOf, emptyAnswer } from './answers.ts';
import { searchGroup } from './search.ts';
import type { Budget, Outcome, Standing } from './standing.ts';
import { unserved } from './unserved.ts';

/** Its prices are one of many that support the answer: good for a bound only. */
export interface Equilibrium extends Answer {
  /** Bounds of the columns with every decision made. */
  readonly bounds: Bounds;
  /** Decisions that are on. */
  readonly on: readonly number[];
  /** Money that no answer exceeds; the answer's own when it is proven. */
  readonly bound: number;
  /** False when the search ended before there was a proof, or no prices within the limits support the answer. */
  readonly proven: boolean;
  /** Where the search of each group of MTUs stands. */
  readonly groups: readonly Outcome[];
  /** Linear programs solved. */
  readonly programs: number;
}

/** @param from  where the search of each group stood when it stopped */
export function findEquilibrium(
  problem: Problem,
  solver: Solver,
  budget: Budget,
  from: readonly Standing[] = [],
  proves = false,
): Equilibrium {
  const answer = emptyAnswer(problem);
  const bounds = boundsOf(problem, [], [], []);
  const guess = expectedPrices(problem);
  const on: number[] = [];
  const groups: Outcome[] = [];
  let bound = 0;
  let programs = 0;
  let supported = true;
  for (const [k, group] of problem.groups.entries()) {
    const found = searchGroup(problem, solver, guess, group, budget, from[k], proves);
    programs += found.programs;
    if (found.best === undefined) throw unserved(problem, found.part, group, solver);
    const { best } = found;
    for (const i of found.part.nodes) answer.net[i] = best.net[i]!;
    for (const c of found.part.columns) {
      bounds.lower[c] = best.bounds.lower[c]!;
      bounds.upper[c] = best.bounds.upper[c]!;
      // What the solver leaves beyond a bound is nothing.
      answer.value[c] = Math.min(Math.max(best.value[c]!, bounds.lower[c]!), bounds.upper[c]!);
    }
    for (const r of found.part.rows) answer.rowPrice[r] = best.rowPrice[r]!;
    for (let z = 0; z < problem.zones; z++) {
      const [from, to] = group.map((t) => z * problem.periods + t) as [number, number];
      answer.price.set(best.price.subarray(from, to), from);
    }
    on.push(...best.on);
    supported &&= best.level <= yieldingOrder.length;
    groups.push(found);
    bound += found.bound * problem.hours;
  }
  const proven = supported && groups.every(({ open }) => open.length === 0);
  return { ...answer, bounds, on, bound, proven, groups, programs };
}

/** Where to look first: the price at which all zones that lines join would clear if the lines had no limits. */
function expectedPrices(problem: Problem): Float64Array {
  const { zones, periods, nodes } = problem;
  const { min, max } = problem.book.priceLimits;
  const joined = new Joined(zones);
  for (const { kind, cells } of problem.columns) {
    if (kind !== 'flow' && kind !== 'exchange') continue;
    const at = cells.map(([cell]) => Math.floor(cell / periods));
    for (const zone of at) joined.join(at[0]!, zone);
  }
  const byMtu = Array.from({ length: zones * periods }, (): Node[] => []);
  for (const node of nodes) {
    for (let t = node.from; t < node.from + node.span; t++) byMtu[joined.root(node.zone) * periods + t]!.push(node);
  }
  const prices = new Float64Array(zones * periods);
  for (let z = 0; z < zones; z++) {
    for (let t = 0; t < periods; t++) {
      const here = byMtu[z * periods + t]!;
      let low = min;
      let high = max;
      for (let k = 0; k < 24 && here.length > 0; k++) {
        const mid = (low + high) / 2;
        let surplus = 0;
        for (const { curve } of here) surplus += supplyAt(curve, mid)[1];
        if (surplus < 0) low = mid;
        else high = mid;
      }
      prices[z * periods + t] = high;
    }
  }
  for (let z = 0; z < zones; z++) {
    for (let t = 0; t < periods; t++) prices[z * periods + t] = prices[joined.root(z) * periods + t]!;
  }
  return prices;
}
