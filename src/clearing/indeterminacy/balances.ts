/** The quadratic program of a cluster: shares and flows that balance its cells (market rules, sections 5.1, 5.3, 5.4). */

import type { Problem } from '../model/problem.ts';
import { type Answer, samePrice } from '../relaxation/master.ts';
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
  const draft: { weight: number; target: number; lower: number; upper: number; entries: [number, number][] }[] = [];
  for (const c of columns) {
    const entries = problem.columns[c]!.cells.map(([cell, mw]): [number, number] => [row.get(cell)!, mw]);
    const own = { lower: free.lower[c]!, upper: free.upper[c]!, entries };
    if (!isTrade(problem, c)) draft.push({ weight: trades ? 0 : 1, target: 0, ...own });
    else {
      // A block's or a step's volume counts like anybody's: volume * (1 - share)^2.
      const size = problem.columns[c]!.cells.reduce((sum, [, mw]) => sum + Math.abs(mw), 0);
      const most = Math.max(problem.columns[c]!.most, inPower.empty);
      draft.push({ weight: (2 * size) / most, target: most, ...own });
    }
  }
  for (const { node, side, volume, kept } of marginals) {
    const { zone, from, span } = nodes[node]!;
    const entries = Array.from({ length: span }, (_, k): [number, number] => [
      row.get(zone * periods + from + k)!,
      side === 'sell' ? 1 : -1,
    ]);
    // volume * (1 - mw / volume)^2 = (mw - volume)^2 / volume
    draft.push({ weight: (2 * span) / volume, target: volume, lower: kept ?? 0, upper: kept ?? volume, entries });
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
    for (const [k, factor] of entries) draft[k]!.entries.push([rightSide.length, factor]);
    draft.push({ weight: 0, target: 0, lower, upper, entries: [[rightSide.length, -1]] });
    rightSide.push(0);
  }
  const starts = [0];
  for (const { entries } of draft) starts.push(starts[starts.length - 1]! + entries.length);
  const all = draft.flatMap(({ entries }) => entries);
  return {
    weight: Float64Array.from(draft, ({ weight }) => weight),
    target: Float64Array.from(draft, ({ target }) => target),
    lower: Float64Array.from(draft, ({ lower }) => lower),
    upper: Float64Array.from(draft, ({ upper }) => upper),
    rightSide: Float64Array.from(rightSide),
    starts: Int32Array.from(starts),
    indices: Int32Array.from(all, ([r]) => r),
    values: Float64Array.from(all, ([, mw]) => mw),
  };
}
