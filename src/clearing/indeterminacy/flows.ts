/** Flows that carry what is traded, with the least sum of squares (market rules, section 5.4). */

import assert from 'node:assert/strict';
import type { Arc } from '../model/lines.ts';
import type { Problem } from '../model/problem.ts';
import type { Answer, Bounds } from '../relaxation/master.ts';
import { type NearestProgram, nearestAnywhere, nearestPoint } from '../solver/nearest.ts';
import { completed, nearestFrom } from '../solver/nearest-from.ts';
import { inPower, inSolver } from '../tolerances.ts';
import { balances } from './balances.ts';
import type { Cluster, Free } from './cluster.ts';
import { cancelRings } from './rings.ts';

/** How far a flow may pass its limit (MW) before a sharing counts as impossible. */
const flowSlack = inPower.balance;

/** Balances that close to this (MW) are closed; whole lots are made of what is left. */
export const balanceTolerance = inPower.balance;

export const arcAt = (problem: Problem, at: number): { arc: Arc; t: number } => ({
  arc: problem.arcs[Math.floor(at / problem.periods)]!,
  t: at % problem.periods,
});

/** Find the flows that carry each cell's surplus away with the least sum of squares; false where they can't. */
export function leastFlows(
  problem: Problem,
  free: Free,
  found: Pick<Answer, 'rowPrice'> | undefined,
  { cells, columns, rows }: Pick<Cluster, 'cells' | 'columns' | 'rows'>,
  surplus: Float64Array,
  value: Float64Array,
): boolean {
  if (columns.length === 0) return true;
  const plain = rows.length === 0 && columns.every((c) => problem.columns[c]!.kind === 'flow');
  if (plain && columns.length < cells.length) return treeFlows(problem, free, cells, columns, surplus, value);
  // What rounding errors have left over must not make the balances contradict each other.
  if (plain && columns.every((c) => arcAt(problem, c).arc.loss === 0)) {
    const over = cells.reduce((sum, cell) => sum + surplus[cell]!, 0) / cells.length;
    surplus = surplus.slice();
    for (const cell of cells) surplus[cell]! -= over;
  }
  const program = balances(problem, free, found, { cells, columns, rows, marginals: [] }, surplus, value);
  // Of shares that are only tried, limits that bind say enough.
  // The volumes stand, and so do what they leave zones to export.
  const own = rows.length > 0 ? Float64Array.from(columns, (c) => value[c]!) : undefined;
  const x = found === undefined ? nearestAnywhere(program, balanceTolerance) : nearestInTurn(program, own);
  if (x === undefined) return false;
  columns.forEach((c, k) => {
    value[c] = x[k]!;
  });
  const bound = new Set(rows.flatMap((r) => problem.rows[r]!.entries.map(([c]) => c)));
  const loose = columns.filter((c) => problem.columns[c]!.kind === 'flow' && !bound.has(c));
  cancelRings(
    problem,
    free,
    loose.filter((c) => arcAt(problem, c).arc.loss === 0),
    value,
  );
  return true;
}

/**
 * Flows where the arcs form a tree: from its leaves inwards, each arc carries what lies behind it.
 *
 * @param roots  cells where whatever arrives may stay
 */
export function treeFlows(
  problem: Problem,
  { lower, upper }: Bounds,
  cells: readonly number[],
  arcs: readonly number[],
  surplus: Float64Array,
  flow: Float64Array,
  roots: { has(cell: number): boolean } = new Set<number>(),
): boolean {
  const touching = new Map<number, Set<number>>(cells.map((cell) => [cell, new Set()]));
  for (const at of arcs) for (const [cell] of problem.columns[at]!.cells) touching.get(cell)!.add(at);
  const left = new Map(cells.map((cell) => [cell, surplus[cell]!]));
  const isLeaf = (cell: number) => touching.get(cell)!.size === 1 && !roots.has(cell);
  const leaves = cells.filter(isLeaf);
  let done = 0;
  let carried = true;
  for (let cell = leaves.pop(); cell !== undefined; cell = leaves.pop()) {
    const [at] = touching.get(cell)!;
    if (at === undefined) continue;
    const [[from], [to, arrives]] = problem.columns[at]!.cells as [
      readonly [number, number],
      readonly [number, number],
    ];
    const mw = cell === from ? left.get(cell)! : -left.get(cell)! / arrives;
    if (mw < lower[at]! - flowSlack || mw > upper[at]! + flowSlack) carried = false;
    flow[at] = mw;
    const other = cell === from ? to : from;
    left.set(other, left.get(other)! + (cell === from ? arrives * mw : -mw));
    touching.get(other)!.delete(at);
    touching.get(cell)!.delete(at);
    if (isLeaf(other)) leaves.push(other);
    done++;
  }
  assert(done <= arcs.length);
  return carried && done === arcs.length;
}

/**
 * To a millionth of a MW, also where orders are large and each MW counts little.
 *
 * What binds was found by a solver that closes its rows to a tenth of a millionth: together they may contradict each other by more,
 * or leave no inside, and then this gives way by a little. Rounding closes the balances in any case.
 *
 * @param known   of the first columns what the solver found
 * @param isTied  whether constraints tie them: then counted from there at first, not only where nothing else closes the rows
 */
export function nearestInTurn(
  program: NearestProgram,
  known?: Float64Array,
  isTied = known !== undefined,
): Float64Array | undefined {
  const lightest = program.weight.reduce((least, w) => (w > 0 ? Math.min(least, w) : least), 1);
  const product = inSolver.productGivingWay * lightest;
  const counted = () =>
    known &&
    nearestFrom(completed(program, known), inPower.nothing, program, balanceTolerance * inSolver.fromPoint, product);
  const near = isTied ? counted() : undefined;
  if (near !== undefined) return near;
  for (const looser of [1, 100, 1000]) {
    const x = nearestPoint(program, looser * balanceTolerance, product);
    if (x !== undefined) return x;
  }
  return isTied ? undefined : counted();
}
