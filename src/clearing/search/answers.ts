/** Answers and bounds as the search makes them: empty, by decisions made, and what they are worth. */

import assert from 'node:assert/strict';
import { costOf } from '../model/curves/net-curve.ts';
import type { Problem } from '../model/problem.ts';
import type { Answer, Bounds } from '../relaxation/master.ts';

export const emptyAnswer = ({ nodes, columns, rows, zones, periods }: Problem): Answer => ({
  net: new Float64Array(nodes.length),
  value: new Float64Array(columns.length),
  price: new Float64Array(zones * periods),
  rowPrice: new Float64Array(rows.length),
});

/** Bounds of all columns when these decisions are made and these columns closed. */
export function boundsOf(
  { columns, decisions }: Problem,
  on: Iterable<number>,
  off: Iterable<number>,
  closed: Iterable<number>,
): Bounds {
  const lower = Float64Array.from(columns, ({ least }) => least);
  const upper = Float64Array.from(columns, ({ most }) => most);
  for (const d of on) lower[decisions[d]!.column] = decisions[d]!.least;
  for (const d of off) upper[decisions[d]!.column] = 0;
  for (const c of closed) upper[c] = columns[c]!.least;
  return { lower, upper };
}

/** Currency per hour. */
export function welfareOf(
  problem: Problem,
  part: { nodes: readonly number[]; columns: readonly number[] },
  { net, value }: Pick<Answer, 'net' | 'value'>,
): number {
  let welfare = 0;
  for (const i of part.nodes) welfare -= costOf(problem.nodes[i]!.curve, net[i]!) * problem.nodes[i]!.span;
  for (const c of part.columns) welfare -= problem.columns[c]!.cost * value[c]!;
  assert(Number.isFinite(welfare));
  return welfare;
}
