/**
 * The oracle: the whole model as one plain linear program, a column for every step of every order, no window, no merging.
 * A straight line stands as many small steps at their middle prices, so its welfare is a little too low: by at most
 * power * width / (4 * pieces^2) an hour.
 */

import assert from 'node:assert/strict';
import { problemOf } from '../../src/clearing/model/problem.ts';
import { moneyIn } from '../../src/clearing/model/units.ts';
import type { Solver } from '../../src/clearing/solver/highs.ts';
import type { Book } from '../../src/market/book.ts';

const pieces = 100;

/**
 * @returns the largest welfare (money), by how much the small steps may understate it, and whether the program burns power by
 * sending both ways over a line with losses, which no auction may: then it is an upper bound only
 */
export function plainWelfare(book: Book, solver: Solver): { welfare: number; error: number; burns: boolean } {
  const problem = problemOf(book);
  const { periods, hours } = problem;
  const cost: number[] = [];
  const upper: number[] = [];
  const lower: number[] = [];
  const starts = [0];
  const indices: number[] = [];
  const values: number[] = [];
  let error = 0;
  for (const { zone, from, span, segments } of problem.nodes) {
    for (const { side, first, last, power } of segments) {
      const count = first === last ? 1 : pieces;
      error += (power * Math.abs(last - first) * hours * span) / (4 * count * count);
      for (let k = 0; k < count; k++) {
        const price = first + ((last - first) * (k + 0.5)) / count;
        cost.push((side === 'sell' ? price : -price) * hours * span);
        lower.push(0);
        upper.push(power / count);
        for (let t = from; t < from + span; t++) {
          indices.push(zone * periods + t);
          values.push(side === 'sell' ? 1 : -1);
        }
        starts.push(indices.length);
      }
    }
  }
  const firstArc = cost.length;
  for (const arc of problem.arcs) {
    for (let t = 0; t < periods; t++) {
      cost.push(arc.tariff * hours);
      lower.push(arc.least[t]!);
      upper.push(arc.most[t]!);
      indices.push(arc.from * periods + t, arc.to * periods + t);
      values.push(-1, 1 - arc.loss);
      starts.push(indices.length);
    }
  }
  const rows = new Float64Array(problem.zones * periods);
  const solution = solver.solve({
    cost: Float64Array.from(cost),
    lower: Float64Array.from(lower),
    upper: Float64Array.from(upper),
    rowLower: rows,
    rowUpper: rows,
    starts: Int32Array.from(starts),
    indices: Int32Array.from(indices),
    values: Float64Array.from(values),
  });
  assert.equal(solution.status, 'optimal');
  const flow = (a: number, t: number) => solution.x[firstArc + a * periods + t]!;
  const burns = problem.arcs.some(({ line }, a) => {
    if (problem.arcs[a + 1]?.line !== line) return false;
    return Array.from({ length: periods }, (_, t) => Math.min(flow(a, t), flow(a + 1, t)) > 1e-6).includes(true);
  });
  const money = (of: number): number => moneyIn(problem.units, of);
  return { burns, welfare: money(-solution.x.reduce((sum, x, i) => sum + x * cost[i]!, 0)), error: money(error) };
}
