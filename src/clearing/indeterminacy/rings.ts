/**
 * Flows that run in a ring are taken out of it (market rules, section 5.4): they carry nothing.
 *
 * Least squares leave no ring, but where limits meet and the program has no inside it is solved loosely, and some kW go round.
 */

import type { Problem } from '../model/problem.ts';
import type { Bounds } from '../relaxation/master.ts';
import { inPower } from '../tolerances.ts';

/** Less than this (MW) is no flow. */
const least = inPower.empty;

/**
 * Take as much out of each ring as its smallest flow allows; what every cell gets stays the same.
 *
 * @param columns  flows whose arcs have neither loss nor a row
 * @param value    MW by column, changed in place
 */
export function cancelRings(
  { columns: all }: Pick<Problem, 'columns'>,
  { lower, upper }: Bounds,
  columns: readonly number[],
  value: Float64Array,
): void {
  for (;;) {
    const next = new Map<number, number[]>();
    for (const c of columns) {
      if (give(c) <= least) continue;
      const [from] = ends(c);
      next.set(from, [...(next.get(from) ?? []), c]);
    }
    const ring = ringIn(next, (c) => ends(c)[1]);
    if (ring === undefined) return;
    const mw = Math.min(...ring.map(give));
    for (const c of ring) value[c]! -= Math.sign(value[c]!) * mw;
  }

  /** By how much a flow can shrink. */
  function give(c: number): number {
    const mw = value[c]!;
    return mw > 0 ? mw - Math.max(0, lower[c]!) : Math.min(0, upper[c]!) - mw;
  }

  function ends(c: number): [from: number, to: number] {
    const [[from], [to]] = all[c]!.cells as [readonly [number, number], readonly [number, number]];
    return value[c]! > 0 ? [from, to] : [to, from];
  }
}

/** Columns along a directed ring of cells; undefined when there is none. */
function ringIn(next: ReadonlyMap<number, readonly number[]>, end: (c: number) => number): number[] | undefined {
  const done = new Set<number>();
  const way: number[] = [];
  const cells: number[] = [];
  const visit = (cell: number): number[] | undefined => {
    const at = cells.indexOf(cell);
    if (at >= 0) return way.slice(at);
    if (done.has(cell)) return undefined;
    cells.push(cell);
    for (const c of next.get(cell) ?? []) {
      way.push(c);
      const ring = visit(end(c));
      if (ring !== undefined) return ring;
      way.pop();
    }
    cells.pop();
    done.add(cell);
    return undefined;
  };
  for (const cell of next.keys()) {
    const ring = visit(cell);
    if (ring !== undefined) return ring;
  }
  return undefined;
}
