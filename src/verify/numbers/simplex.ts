import { dust, pivotDust } from './tolerances.ts';

/**
 * A small linear program, for ramps and constraints that tie several flows: maximise gain·x with A x <= room, x >= 0, room >= 0.
 *
 * The origin is feasible and the least that can be said of the answer, so one phase does. Bland's rule: it ends.
 *
 * @param rows  by row, sparse: [variable, factor]
 * @returns the most gain; Infinity when there is no most
 */
export function mostOf(
  gain: readonly number[],
  rows: readonly {
    readonly entries: readonly (readonly [variable: number, factor: number])[];
    readonly room: number;
  }[],
): number {
  const n = gain.length;
  const width = n + rows.length + 1;
  // Scaled, so that a rounding error is one whatever the units: a PTDF is small, a price is not.
  const scales = rows.map(({ entries }) => largest(entries.map(([, factor]) => factor)));
  const unit = largest(gain);
  const tableau = rows.map(({ entries, room }, r) => {
    const row = new Float64Array(width);
    for (const [variable, factor] of entries) row[variable]! += factor / scales[r]!;
    row[n + r] = 1;
    row[width - 1] = Math.max(0, room / scales[r]!);
    return row;
  });
  const basis = rows.map((_, r) => n + r);
  const price = new Float64Array(width);
  gain.forEach((each, j) => {
    price[j] = -each / unit;
  });
  for (;;) {
    const entering = price.subarray(0, width - 1).findIndex((each) => each < -pivotDust);
    if (entering < 0) return price[width - 1]! * unit;
    let leaving = -1;
    let least = Number.POSITIVE_INFINITY;
    tableau.forEach((row, r) => {
      if (row[entering]! <= pivotDust) return;
      const ratio = row[width - 1]! / row[entering]!;
      const still = dust(ratio, Math.min(least, ratio));
      const isFirst = ratio <= least + still && leaving >= 0 && basis[r]! < basis[leaving]!;
      if (ratio < least - still || isFirst) [least, leaving] = [Math.min(ratio, least), r];
    });
    if (leaving < 0) return Number.POSITIVE_INFINITY;
    const pivot = tableau[leaving]!;
    const scale = pivot[entering]!;
    for (let j = 0; j < width; j++) pivot[j]! /= scale;
    for (const row of [...tableau, price]) {
      const factor = row[entering]!;
      if (row === pivot || factor === 0) continue;
      for (let j = 0; j < width; j++) row[j]! -= factor * pivot[j]!;
      row[entering] = 0;
    }
    basis[leaving] = entering;
  }
}

const largest = (numbers: readonly number[]): number =>
  numbers.reduce((most, each) => Math.max(most, Math.abs(each)), 0) || 1;
