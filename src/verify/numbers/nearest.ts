/**
 * The point of least norm that keeps some inequalities (Lawson and Hanson, Solving Least Squares Problems, chapter 23: least distance programming).
 *
 * min |y| subject to rows · y >= room. Its multipliers are those of a least squares problem without negative numbers, which an active set solves.
 */

import { dust, pivotDust } from './tolerances.ts';

export interface Row {
  readonly entries: readonly (readonly [variable: number, factor: number])[];
  readonly least: number;
}

/** @returns undefined where no point keeps them */
export function leastNorm(count: number, given: readonly Row[]): Float64Array | undefined {
  const rows = given.map(({ entries, least }) => {
    const size = Math.hypot(...entries.map(([, factor]) => factor)) || 1;
    return { entries: entries.map(([j, factor]) => [j, factor / size] as const), least: least / size };
  });
  const unit = rows.reduce((most, { least }) => Math.max(most, Math.abs(least)), 0) || 1;
  const y = new Float64Array(count);
  const active: number[] = [];
  let multipliers: number[] = [];
  const product = (a: Row, b: Row) => {
    const at = new Map(a.entries);
    return b.entries.reduce((sum, [j, factor]) => sum + factor * (at.get(j) ?? 0), 0);
  };
  const missing = ({ entries, least }: Row) => least - entries.reduce((sum, [j, factor]) => sum + factor * y[j]!, 0);
  const place = () => {
    y.fill(0);
    active.forEach((r, k) => {
      for (const [j, factor] of rows[r]!.entries) y[j]! += multipliers[k]! * factor;
    });
  };
  for (let round = 0; round < 50 * (rows.length + count + 1); round++) {
    let worst = -1;
    let most = pivotDust * unit;
    rows.forEach((row, r) => {
      if (active.includes(r)) return;
      const gap = missing(row);
      if (gap > most) [worst, most] = [r, gap];
    });
    if (worst < 0) return y;
    if (!bring(worst)) return undefined;
    place();
  }
  return undefined;

  /** Make a row hold, others leaving where their multiplier ends (the dual method of Goldfarb and Idnani). */
  function bring(r: number): boolean {
    let own = 0;
    for (let round = 0; round < 4 * rows.length + 4; round++) {
      const here = active.map((k) => rows[k]!);
      const toward = solve(
        here.map((a) => here.map((b) => product(a, b))),
        here.map((a) => product(a, rows[r]!)),
      );
      // How the point moves as the multiplier of the row grows by one, and how the others' do.
      const step = new Map<number, number>(rows[r]!.entries);
      here.forEach((row, k) => {
        for (const [j, factor] of row.entries) step.set(j, (step.get(j) ?? 0) - toward[k]! * factor);
      });
      const gained = rows[r]!.entries.reduce((sum, [j, factor]) => sum + factor * (step.get(j) ?? 0), 0);
      let room = Infinity;
      let leaves = -1;
      toward.forEach((fall, k) => {
        if (fall > pivotDust && multipliers[k]! / fall < room) [room, leaves] = [multipliers[k]! / fall, k];
      });
      const full = gained > pivotDust ? missing(rows[r]!) / gained : Infinity;
      const by = Math.min(room, full);
      if (by === Infinity) return false;
      multipliers = multipliers.map((each, k) => each - by * toward[k]!);
      own += by;
      if (full <= room) {
        active.push(r);
        multipliers.push(own);
        return true;
      }
      active.splice(leaves, 1);
      multipliers.splice(leaves, 1);
      place();
      for (const [j, factor] of rows[r]!.entries) y[j]! += own * factor;
    }
    return false;
  }
}

/** A symmetric system by elimination with the largest pivots. */
function solve(matrix: number[][], right: number[]): number[] {
  const n = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[best]![k]!)) best = i;
    [rows[k], rows[best]] = [rows[best]!, rows[k]!];
    const pivot = rows[k]![k]!;
    if (Math.abs(pivot) <= dust(1)) continue;
    for (let i = 0; i < n; i++) {
      const factor = i === k ? 0 : rows[i]![k]! / pivot;
      if (factor !== 0) for (let j = k; j <= n; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  return rows.map((row, k) => (Math.abs(row[k]!) <= dust(1) ? 0 : row[n]! / row[k]!));
}
