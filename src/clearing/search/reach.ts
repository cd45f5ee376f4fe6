/** MW that come into or out of each cell at the most: of its orders, and over its lines. A zone exports no more, since its cell balances. */

import type { Problem } from '../model/problem.ts';

/** @returns by zone * periods + MTU, never more than the checker of a proof has (`verify/proof/network.ts`) */
export function reachOf({ nodes, columns, rows, zones, periods }: Problem): Float64Array {
  const reach = new Float64Array(zones * periods);
  for (const { zone, from, span, curve } of nodes)
    for (let k = 0; k < span; k++) reach[zone * periods + from + k]! += curve.most - curve.least;
  // Of a flexible order's starts one is executed: in each cell the largest counts.
  const starts = rows.flatMap(({ kind, entries }) => (kind === 'starts' ? [entries.map(([c]) => c)] : []));
  const together = new Set(starts.flat());
  const alone = columns.flatMap(({ kind }, c) => (kind === 'exchange' || together.has(c) ? [] : [[c]]));
  for (const group of [...alone, ...starts]) {
    const most = new Map<number, number>();
    for (const c of group) {
      const { least, most: upper, cells } = columns[c]!;
      for (const [cell, mw] of cells)
        most.set(cell, Math.max(most.get(cell) ?? 0, Math.abs(mw) * Math.max(Math.abs(least), Math.abs(upper))));
    }
    for (const [cell, mw] of most) reach[cell]! += mw;
  }
  return reach;
}
