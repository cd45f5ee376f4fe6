/**
 * Presolve of a nearest-point program (`nearest.ts`): what its rows say of columns already is put in, so that fewer rows are left.
 *
 *   a row with one open column      says its value
 *   a column without weight whose bounds cannot bind    is what one of its rows leaves, and goes with the row
 *
 * In flow-based exchange each zone's export is what its orders leave, and of a thousand constraints a few can bind: what is left is
 * dense, but small (Andersen and Andersen, Presolving in linear programming, 1995: singleton rows, implied free columns).
 */

import { inSolver } from '../tolerances.ts';
import type { NearestProgram } from './nearest.ts';

export interface Presolved {
  readonly program: NearestProgram;
  /** The point of the whole program, from one of the smaller. */
  readonly restore: (x: Float64Array) => Float64Array;
}

interface Row {
  readonly entries: Map<number, number>;
  side: number;
}

/** A column is what a row leaves. */
interface Gone {
  readonly column: number;
  readonly factor: number;
  readonly row: Row;
}

/** @returns undefined where a row contradicts the bounds of its only column by more than `tolerance` */
export function presolved(program: NearestProgram, tolerance: number): Presolved | undefined {
  const { lower, upper, starts, indices, values } = program;
  const rows = Array.from(program.rightSide, (side): Row => ({ entries: new Map(), side }));
  const rowsOf = Array.from(lower, (_, c) => {
    const own = new Set<number>();
    for (let e = starts[c]!; e < starts[c + 1]!; e++) {
      const { entries } = rows[indices[e]!]!;
      entries.set(c, (entries.get(c) ?? 0) + values[e]!);
      own.add(indices[e]!);
    }
    return own;
  });
  const open = new Set(lower.keys());
  const x = new Float64Array(lower.length);
  const gone: Gone[] = [];
  const left = new Set(rows.keys());

  const fix = (c: number, value: number) => {
    x[c] = value;
    open.delete(c);
    for (const r of rowsOf[c]!) {
      rows[r]!.side -= rows[r]!.entries.get(c)! * value;
      rows[r]!.entries.delete(c);
    }
  };
  const substitute = (c: number, r: number) => {
    const row = rows[r]!;
    const factor = row.entries.get(c)!;
    for (const other of rowsOf[c]!) {
      if (other === r) continue;
      const { entries } = rows[other]!;
      const times = entries.get(c)! / factor;
      entries.delete(c);
      rows[other]!.side -= times * row.side;
      for (const [k, each] of row.entries) {
        if (k === c) continue;
        const sum = (entries.get(k) ?? 0) - times * each;
        if (Math.abs(sum) > inSolver.noFactor) {
          entries.set(k, sum);
          rowsOf[k]!.add(other);
        } else if (entries.delete(k)) rowsOf[k]!.delete(other);
      }
    }
    for (const k of row.entries.keys()) if (k !== c) rowsOf[k]!.delete(r);
    row.entries.delete(c);
    open.delete(c);
    left.delete(r);
    gone.push({ column: c, factor, row });
  };

  for (const c of lower.keys()) if (lower[c] === upper[c]) fix(c, lower[c]!);
  for (let moved = true; moved; ) {
    moved = false;
    for (const r of left) {
      const [only, another] = rows[r]!.entries;
      if (only === undefined || another !== undefined) continue;
      const value = rows[r]!.side / only[1];
      const [least, most] = [lower[only[0]]!, upper[only[0]]!];
      if (value < least - tolerance || value > most + tolerance) return undefined;
      left.delete(r);
      rowsOf[only[0]]!.delete(r);
      fix(only[0], Math.min(most, Math.max(least, value)));
      moved = true;
    }
    for (const c of open) {
      if (program.weight[c] !== 0 || rowsOf[c]!.size === 0) continue;
      const r = leavingRow(c, rowsOf[c]!, rows, program);
      if (r === undefined) continue;
      substitute(c, r);
      moved = true;
    }
  }
  return { program: smaller(program, [...open], [...left], rows), restore: restorer([...open], x, gone) };
}

/** The row that a column without weight may go with: the shortest for one without bounds, its only one for others that none can bind. */
function leavingRow(
  c: number,
  own: ReadonlySet<number>,
  rows: readonly Row[],
  { lower, upper }: NearestProgram,
): number | undefined {
  const length = (r: number) => rows[r]!.entries.size;
  if (lower[c] === -Infinity && upper[c] === Infinity) {
    const most = Math.max(...[...own].map((r) => Math.abs(rows[r]!.entries.get(c)!)));
    const fit = [...own].filter((r) => Math.abs(rows[r]!.entries.get(c)!) >= most / 10);
    return fit.reduce((best, r) => (length(r) < length(best) ? r : best));
  }
  if (own.size > 1) return undefined;
  const [r] = own;
  const { entries, side } = rows[r!]!;
  let [least, most] = [side, side];
  for (const [k, f] of entries) {
    if (k === c) continue;
    least -= f * (f > 0 ? upper[k]! : lower[k]!);
    most -= f * (f > 0 ? lower[k]! : upper[k]!);
  }
  const factor = entries.get(c)!;
  const [low, high] = factor > 0 ? [least / factor, most / factor] : [most / factor, least / factor];
  return low >= lower[c]! && high <= upper[c]! ? r : undefined;
}

function smaller(
  { weight, target, lower, upper }: NearestProgram,
  open: readonly number[],
  left: readonly number[],
  rows: readonly Row[],
): NearestProgram {
  const kept = left.filter((r) => rows[r]!.entries.size > 0);
  const columns = new Map(open.map((c, k) => [c, k]));
  const entries = open.map((): [row: number, factor: number][] => []);
  kept.forEach((r, at) => {
    for (const [c, factor] of rows[r]!.entries) entries[columns.get(c)!]!.push([at, factor]);
  });
  const starts = [0];
  for (const each of entries) starts.push(starts[starts.length - 1]! + each.length);
  const of = (all: Float64Array) => Float64Array.from(open, (c) => all[c]!);
  return {
    weight: of(weight),
    target: of(target),
    lower: of(lower),
    upper: of(upper),
    rightSide: Float64Array.from(kept, (r) => rows[r]!.side),
    starts: Int32Array.from(starts),
    indices: Int32Array.from(entries.flat(), ([row]) => row),
    values: Float64Array.from(entries.flat(), ([, factor]) => factor),
  };
}

const restorer = (open: readonly number[], fixed: Float64Array, gone: readonly Gone[]) => (point: Float64Array) => {
  const x = fixed.slice();
  open.forEach((c, k) => {
    x[c] = point[k]!;
  });
  for (const { column, factor, row } of [...gone].reverse()) {
    let sum = row.side;
    for (const [k, f] of row.entries) sum -= f * x[k]!;
    x[column] = sum / factor;
  }
  return x;
};
