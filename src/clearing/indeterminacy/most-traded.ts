/** The most that can be traded at the prices of an answer, among volumes that are worth the same (market rules, section 5.3). */

import { shareAt } from '../model/curves/segments.ts';
import type { Part, Problem } from '../model/problem.ts';
import { settled, wholeOf } from '../prices/rules.ts';
import { type Answer, type Bounds, samePrice } from '../relaxation/master.ts';
import type { Solver } from '../solver/highs.ts';
import type { NearestProgram } from '../solver/nearest.ts';
import { inPower, weights } from '../tolerances.ts';
import { balances, isTrade } from './balances.ts';
import type { Cluster, Kept } from './cluster.ts';
import { arcAt } from './flows.ts';
import { atTheMoney, sidesOf } from './one-side.ts';
import { exactPrices, openChoices } from './open.ts';

export interface MostTraded {
  /** MW over all MTUs that orders of the cluster buy, beside what is not open; what is lost counts a little against it. */
  readonly volume: number;
  /** Values by column of the program. */
  readonly x: Float64Array;
  /** The same of other values. */
  readonly of: (x: Float64Array) => number;
  /** The program with a row that requires it. */
  readonly required: () => NearestProgram;
}

/** MW bought by a unit of a column, over all MTUs; of a loop by its legs, not by what they come to. */
const boughtBy = ({ columns }: Problem, c: number): number =>
  (columns[c]!.legs ?? columns[c]!.cells).reduce((sum, [, mw]) => sum + Math.max(0, -mw), 0);

/** Of a MW that is lost, beside one that is traded. */
const lossWeight = weights.little;

/**
 * @param program  the cluster's own (`balances.ts`)
 * @returns undefined where nothing balances
 */
export function mostTraded(
  problem: Problem,
  solver: Solver,
  { columns, marginals }: Cluster,
  program: NearestProgram,
): MostTraded | undefined {
  const { lower, upper, rightSide, starts, indices, values } = program;
  const gain = new Float64Array(lower.length);
  columns.forEach((c, k) => {
    const { kind } = problem.columns[c]!;
    if (isTrade(problem, c)) gain[k] = boughtBy(problem, c);
    else if (kind === 'flow') gain[k] = -lossWeight * arcAt(problem, c).arc.loss;
  });
  marginals.forEach(({ node, side }, k) => {
    if (side === 'buy') gain[columns.length + k] = problem.nodes[node]!.span;
  });
  const { status, x } = solver.solve({
    cost: gain.map((each) => -each),
    lower,
    upper,
    rowLower: rightSide,
    rowUpper: rightSide,
    starts,
    indices,
    values,
  });
  if (status !== 'optimal') return undefined;
  const of = (at: Float64Array) => gain.reduce((sum, each, k) => sum + each * at[k]!, 0);
  return { volume: of(x), x, of, required: () => withRow(program, gain, of(x)) };
}

/** The program with the row sum(factor * x) = side. */
function withRow(program: NearestProgram, factor: Float64Array, side: number): NearestProgram {
  const row = program.rightSide.length;
  const [starts, indices, values] = [[0], [] as number[], [] as number[]];
  factor.forEach((each, k) => {
    for (let e = program.starts[k]!; e < program.starts[k + 1]!; e++) {
      indices.push(program.indices[e]!);
      values.push(program.values[e]!);
    }
    if (each !== 0) {
      indices.push(row);
      values.push(each);
    }
    starts.push(indices.length);
  });
  return {
    ...program,
    rightSide: Float64Array.from([...program.rightSide, side]),
    starts: Int32Array.from(starts),
    indices: Int32Array.from(indices),
    values: Float64Array.from(values),
  };
}

const nothingKept: Kept = { decisions: new Set(), nodes: new Set() };

/** What the program found, within these bounds of its columns. */
type Found = Answer & { readonly bounds: Bounds };
type Within = readonly [answer: Answer, bounds: Bounds];

/** Can more be traded at the prices of one answer than at those of another? */
export function canTradeMore(problem: Problem, solver: Solver, part: Part, one: Within, other: Within): boolean {
  const most = (of: Within) => tradedAtMost(problem, solver, part, ...of) ?? -Infinity;
  return most(one) > most(other) + inPower.more;
}

/** MW over all MTUs that are bought where the most is traded at the prices of an answer; undefined where nothing balances. */
function tradedAtMost(
  problem: Problem,
  solver: Solver,
  part: Part,
  answer: Answer,
  bounds: Bounds,
): number | undefined {
  const price = exactPrices(problem, part, answer);
  const free = settled(problem, part, bounds);
  const { surplus, value, clusters } = openChoices(problem, part, answer, free, price, nothingKept);
  let volume = 0;
  for (const i of part.nodes) {
    const { segments, span } = problem.nodes[i]!;
    for (const segment of segments)
      if (segment.side === 'buy' && !atTheMoney(segment, price[i]!))
        volume += shareAt(segment, price[i]!) * segment.power * span;
  }
  const open = new Set(clusters.flatMap(({ columns }) => columns));
  for (const c of part.columns) if (isTrade(problem, c) && !open.has(c)) volume += boughtBy(problem, c) * value[c]!;
  for (const cluster of clusters) {
    if (cluster.marginals.length === 0 && !cluster.columns.some((c) => isTrade(problem, c))) continue;
    // An order that could trade on either side trades on one.
    const choices = sidesOf(problem, cluster, price).flatMap(({ cluster: one }) => {
      const most = mostTraded(problem, solver, one, balances(problem, free, answer, one, surplus, value));
      return most === undefined ? [] : [most.volume];
    });
    if (choices.length === 0) return undefined;
    volume += Math.max(...choices);
  }
  return volume;
}

/**
 * Flows over lines with losses where power costs nothing. No welfare says how much they carry: what trades most then, and loses least.
 *
 * @returns values by column, the others as found; undefined where there are no such flows
 */
export function idleFlows(problem: Problem, solver: Solver, found: Found, kept: Kept): Float64Array | undefined {
  const { arcs, periods, columns } = problem;
  const idle = new Set<number>();
  for (const [a, { loss }] of arcs.entries())
    for (let c = a * periods; loss > 0 && c < (a + 1) * periods; c++)
      if (columns[c]!.cells.every(([cell]) => Math.abs(found.price[cell]!) <= samePrice * 10)) idle.add(c);
  if (idle.size === 0) return undefined;
  const whole = wholeOf(problem);
  const free = settled(problem, whole, found.bounds);
  const { surplus, value, clusters } = openChoices(
    problem,
    whole,
    found,
    free,
    exactPrices(problem, whole, found),
    kept,
    idle,
  );
  const values = found.value.slice();
  for (const cluster of clusters) {
    if (!cluster.columns.some((c) => idle.has(c))) continue;
    const most = mostTraded(problem, solver, cluster, balances(problem, free, found, cluster, surplus, value));
    if (most === undefined) return undefined;
    cluster.columns.forEach((c, k) => {
      if (idle.has(c)) values[c] = most.x[k]!;
    });
  }
  return values;
}
