import { dust, pivotDust } from './tolerances.ts';

/**
 * A small linear program, for ramps and constraints that tie several flows: maximise gain·x with A x <= room, x >= 0, room >= 0.
 *
 * The origin is feasible and the least that can be said of the answer, so one phase does. Where several rows could leave, as they do
 * when constraints of a network bind together, the one with the largest pivot does: small ones multiply rounding errors. Steps that
 * gain nothing could go round in circles so; after many of them Bland's rule takes over, by which it ends.
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
  const mostIdle = rows.length + n;
  for (let idle = 0; ; ) {
    const bland = idle > mostIdle;
    const entering = enteringOf(price.subarray(0, width - 1), bland);
    if (entering < 0) return price[width - 1]! * unit;
    const leaving = leavingOf(tableau, basis, entering, bland);
    if (leaving < 0) return Number.POSITIVE_INFINITY;
    const pivot = tableau[leaving]!;
    idle = pivot[width - 1]! <= pivotDust * pivot[entering]! ? idle + 1 : 0;
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

/** The variable that gains most, or by Bland's rule the first that gains. */
function enteringOf(price: Float64Array, bland: boolean): number {
  if (bland) return price.findIndex((each) => each < -pivotDust);
  let entering = -1;
  for (let j = 0; j < price.length; j++) {
    if (price[j]! < -pivotDust && (entering < 0 || price[j]! < price[entering]!)) entering = j;
  }
  return entering;
}

/** The row that binds first, of several the one with the largest pivot, or by Bland's rule of the first variable; -1 where none does. */
function leavingOf(
  tableau: readonly Float64Array[],
  basis: readonly number[],
  entering: number,
  bland: boolean,
): number {
  const ratioOf = (row: Float64Array) => row[row.length - 1]! / row[entering]!;
  let least = Number.POSITIVE_INFINITY;
  for (const row of tableau) if (row[entering]! > pivotDust) least = Math.min(least, ratioOf(row));
  let leaving = -1;
  tableau.forEach((row, r) => {
    if (row[entering]! <= pivotDust || ratioOf(row) > least + dust(least) + Number.MIN_VALUE) return;
    const isBetter =
      leaving < 0 || (bland ? basis[r]! < basis[leaving]! : row[entering]! > tableau[leaving]![entering]!);
    if (isBetter) leaving = r;
  });
  return leaving;
}

const largest = (numbers: readonly number[]): number =>
  numbers.reduce((most, each) => Math.max(most, Math.abs(each)), 0) || 1;
