/** The quadratic program of a cluster: shares and flows that balance its cells (market rules, sections 5.1, 5.3, 5.4). */

import type { Problem } from '../model/problem.ts';
import { type Answer, samePrice } from '../relaxation/master.ts';
import { Draft } from '../solver/draft.ts';
import type { NearestProgram } from '../solver/nearest.ts';
import { inPower } from '../tolerances.ts';
import type { Cluster, Free } from './cluster.ts';

export const isTrade = ({ columns }: Problem, c: number): boolean =>
  columns[c]!.kind === 'ratio' || columns[c]!.kind === 'step';

/**
 * Columns: the open ones, then the executed MW of each order at the money, then the room that each row leaves. Rows: the balance of
 * each cell, then the problem's own. With orders, volume * c^2 counts and flows are free; without, the flows count.
 */
export function balances(
  problem: Problem,
  free: Free,
  found: Pick<Answer, 'rowPrice'> | undefined,
  { cells, columns, rows, marginals }: Cluster,
  surplus: Float64Array,
  value: Float64Array,
): NearestProgram {
  const { periods, nodes } = problem;
  const trades = marginals.length > 0 || columns.some((c) => isTrade(problem, c));
  const row = new Map(cells.map((cell, i) => [cell, i]));
  const at = new Map(columns.map((c, k) => [c, k]));
  const draft = new Draft();
  const weight: number[] = [];
  const target: number[] = [];
  const column = (
    counts: number,
    aim: number,
    lower: number,
    upper: number,
    entries: readonly (readonly [row: number, mw: number])[],
  ) => {
    weight.push(counts);
    target.push(aim);
    draft.column(0, lower, upper, entries);
  };
  for (const c of columns) {
    const entries = problem.columns[c]!.cells.map(([cell, mw]) => [row.get(cell)!, mw] as const);
    if (!isTrade(problem, c)) column(trades ? 0 : 1, 0, free.lower[c]!, free.upper[c]!, entries);
    else {
      // A block's or a step's volume counts like anybody's: volume * (1 - share)^2.
      const size = problem.columns[c]!.cells.reduce((sum, [, mw]) => sum + Math.abs(mw), 0);
      const most = Math.max(problem.columns[c]!.most, inPower.empty);
      column((2 * size) / most, most, free.lower[c]!, free.upper[c]!, entries);
    }
  }
  for (const { node, side, volume, kept } of marginals) {
    const { zone, from, span } = nodes[node]!;
    const mw = side === 'sell' ? 1 : -1;
    const entries = Array.from({ length: span }, (_, k) => [row.get(zone * periods + from + k)!, mw] as const);
    // volume * (1 - mw / volume)^2 = (mw - volume)^2 / volume
    column((2 * span) / volume, volume, kept ?? 0, kept ?? volume, entries);
  }
  const rightSide = cells.map((cell) => -surplus[cell]!);
  // Rows over the same columns, as the rise and the fall of a schedule, are one.
  const ranges = new Map<string, { entries: [k: number, factor: number][]; lower: number; upper: number }>();
  for (const r of rows) {
    const { entries: all, low, high } = problem.rows[r]!;
    let done = 0;
    const entries: [number, number][] = [];
    for (const [c, factor] of all) {
      const k = at.get(c);
      if (k === undefined) done += factor * value[c]!;
      else entries.push([k, factor]);
    }
    // A row with a price binds.
    const price = found?.rowPrice[r] ?? 0;
    const binds = Math.abs(price) > samePrice * 10;
    const ends = binds ? (price > 0 ? [high, high] : [low, low]) : [low, high];
    const [lower, upper] = [ends[0]! - done, ends[1]! - done];
    const key = entries.join(' ');
    const known = ranges.get(key);
    ranges.set(key, {
      entries,
      lower: Math.max(lower, Math.min(known?.lower ?? lower, upper)),
      upper: Math.min(upper, Math.max(known?.upper ?? upper, lower)),
    });
  }
  for (const { entries, lower, upper } of ranges.values()) {
    for (const [k, factor] of entries) draft.entry(k, rightSide.length, factor);
    column(0, 0, lower, upper, [[rightSide.length, -1]]);
    rightSide.push(0);
  }
  const { cost: _, ...bounded } = draft.columns;
  return {
    ...bounded,
    weight: Float64Array.from(weight),
    target: Float64Array.from(target),
    rightSide: Float64Array.from(rightSide),
  };
}
