/**
 * A small convex program: the least of cost·x + x·bend·x / 2 (bend: one number each, not negative) with rows · x >= least and 0 <= x <= most.
 *
 * Its conditions of optimality (Karush, Kuhn, Tucker) are a linear complementarity problem, which Lemke's method solves by pivots: linear and
 * quadratic programs alike, with answers at the corners where they have some (Cottle, Pang, Stone, The Linear Complementarity Problem, 4.4).
 * Ties are broken lexicographically, so that it ends. Its pivots carry rounding errors on: what is believed of them is which variables are at
 * their limits. Values are worked out anew from that, and held to the conditions.
 */

import { crumbs, dust, leastPivots, pivotDust } from './tolerances.ts';

export interface ConvexProgram {
  readonly cost: readonly number[];
  readonly bend: readonly number[];
  /** Infinity: none. */
  readonly most: readonly number[];
  readonly rows: readonly ConvexRow[];
}

export interface ConvexRow {
  readonly entries: readonly (readonly [variable: number, factor: number])[];
  readonly least: number;
}

/** Variables and rows beyond which a program is not solved: the time grows with the cube. */
const mostSize = 600;

export interface Least {
  readonly x: Float64Array;
  /** What a unit more of a variable would cost, its limits aside: nothing where it is between them. */
  readonly slope: Float64Array;
  /** What a unit less of each row would save. */
  readonly price: Float64Array;
}

/** @returns undefined where nothing keeps the rows, where there is no least, or where the program is too large */
export function leastCost({ cost, bend, most, rows }: ConvexProgram): Least | undefined {
  const n = cost.length;
  const limits = most.flatMap((limit, j): ConvexRow[] =>
    limit === Infinity ? [] : [{ entries: [[j, -1]], least: -limit }],
  );
  const all = [...rows, ...limits];
  const size = n + all.length;
  if (size > mostSize) return undefined;
  // w = M z + q: the slopes of the variables, then the room of the rows.
  const matrix = Array.from({ length: size }, () => new Float64Array(size));
  const q = new Float64Array(size);
  for (let j = 0; j < n; j++) {
    matrix[j]![j] = bend[j]!;
    q[j] = cost[j]!;
  }
  all.forEach(({ entries, least }, r) => {
    q[n + r] = -least;
    for (const [j, factor] of entries) {
      matrix[n + r]![j]! += factor;
      matrix[j]![n + r]! -= factor;
    }
  });
  // Each row by its largest factor, so that what a small variable costs counts as much as what a large one does.
  matrix.forEach((row, i) => {
    const scale = row.reduce((largest, each) => Math.max(largest, Math.abs(each)), 0) || 1;
    for (let j = 0; j < size; j++) row[j]! /= scale;
    q[i]! /= scale;
  });
  const z = leastPivots.reduce<Float64Array | undefined>(
    (known, least) => known ?? solvedWith(matrix, q, least),
    undefined,
  );
  if (z === undefined) return undefined;
  const [x, price] = [z.subarray(0, n), z.subarray(n, n + rows.length)];
  const slope = Float64Array.from(cost, (each, j) => each + bend[j]! * x[j]!);
  rows.forEach(({ entries }, r) => {
    for (const [j, factor] of entries) slope[j]! -= factor * price[r]!;
  });
  return { x, slope, price };
}

/** The answer that the method's last basis has, worked out anew from the program and held to its conditions. */
function solvedWith(matrix: readonly Float64Array[], q: Float64Array, leastPivot: number): Float64Array | undefined {
  const basis = complementary(matrix, q, leastPivot);
  const z = basis && valuesAt(matrix, q, basis);
  return z && isComplementary(matrix, q, z) ? z.map((each) => Math.max(0, each)) : undefined;
}

/** Whether z >= 0, M z + q >= 0 and one of each pair is nothing, to what doubles lose. */
function isComplementary(matrix: readonly Float64Array[], q: Float64Array, z: Float64Array): boolean {
  return matrix.every((row, i) => {
    let [room, size] = [q[i]!, Math.max(1, Math.abs(q[i]!))];
    row.forEach((factor, j) => {
      const term = factor * z[j]!;
      room += term;
      size += Math.abs(term);
    });
    const off = crumbs * dust(size);
    return z[i]! >= -off && room >= -off && (z[i]! <= off || room <= off);
  });
}

/** The variables in the basis by the rows that they take (Gauss, the largest pivot of each column); undefined where these depend on each other. */
function valuesAt(
  matrix: readonly Float64Array[],
  q: Float64Array,
  basis: readonly number[],
): Float64Array | undefined {
  const n = q.length;
  const own = basis.filter((variable) => variable >= n && variable < 2 * n).map((variable) => variable - n);
  const rows = own.map((i) => Float64Array.from([...own.map((j) => matrix[i]![j]!), -q[i]!]));
  for (let k = 0; k < own.length; k++) {
    let best = k;
    for (let i = k + 1; i < own.length; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[best]![k]!)) best = i;
    if (Math.abs(rows[best]![k]!) <= dust(1)) return undefined;
    [rows[k], rows[best]] = [rows[best]!, rows[k]!];
    const top = rows[k]!;
    for (let i = k + 1; i < own.length; i++) {
      const factor = rows[i]![k]! / top[k]!;
      if (factor !== 0) for (let j = k; j <= own.length; j++) rows[i]![j]! -= factor * top[j]!;
    }
  }
  const z = new Float64Array(n);
  for (let k = own.length - 1; k >= 0; k--) {
    let sum = rows[k]![own.length]!;
    for (let j = k + 1; j < own.length; j++) sum -= rows[k]![j]! * z[own[j]!]!;
    z[own[k]!] = sum / rows[k]![k]!;
  }
  return z;
}

/** The variables at whose values z >= 0, M z + q >= 0 and z · (M z + q) = 0, w below n and z from n on; undefined where the method ends without. */
function complementary(matrix: readonly Float64Array[], q: Float64Array, leastPivot: number): number[] | undefined {
  const n = q.length;
  const right = 2 * n + 1;
  // Columns: w, z, the artificial one, the right side. Rows: w - M z - 1 artificial = q.
  const rows = matrix.map((row, i) => {
    const out = new Float64Array(2 * n + 2);
    out[i] = 1;
    for (let j = 0; j < n; j++) out[n + j] = -row[j]!;
    out[2 * n] = -1;
    out[right] = q[i]!;
    return out;
  });
  const basis = rows.map((_, i) => i);
  let worst = 0;
  for (let i = 1; i < n; i++) if (q[i]! <= q[worst]!) worst = i;
  if (n === 0 || q[worst]! >= 0) return basis;
  let leaving = worst;
  let entering = 2 * n;
  for (let round = 0; round < 50 * n + 100; round++) {
    const left = basis[leaving]!;
    pivot(rows, leaving, entering);
    basis[leaving] = entering;
    if (left === 2 * n) return basis;
    entering = left < n ? left + n : left - n;
    leaving = leavingOf(rows, basis, entering, leastPivot);
    if (leaving < 0) return undefined;
  }
  return undefined;
}

function pivot(rows: readonly Float64Array[], at: number, column: number): void {
  const own = rows[at]!;
  const scale = own[column]!;
  const used: number[] = [];
  for (let j = 0; j < own.length; j++) {
    if (own[j] === 0) continue;
    own[j]! /= scale;
    used.push(j);
  }
  for (const row of rows) {
    const factor = row[column]!;
    if (row === own || factor === 0) continue;
    for (const j of used) row[j]! -= factor * own[j]!;
    row[column] = 0;
  }
}

/** The row that binds first, the artificial variable's before others; of several the lexicographically least. */
function leavingOf(
  rows: readonly Float64Array[],
  basis: readonly number[],
  entering: number,
  leastPivot: number,
): number {
  const n = rows.length;
  const right = 2 * n + 1;
  let leaving = -1;
  rows.forEach((row, i) => {
    if (row[entering]! <= leastPivot) return;
    if (leaving < 0 || isBefore(row, rows[leaving]!, entering, n, right)) leaving = i;
  });
  if (leaving < 0) return leaving;
  const least = rows[leaving]![right]! / rows[leaving]![entering]!;
  const last = basis.indexOf(2 * n);
  const own = rows[last]![entering]!;
  return own > leastPivot && rows[last]![right]! / own <= least + dust(least) ? last : leaving;
}

function isBefore(a: Float64Array, b: Float64Array, entering: number, n: number, right: number): boolean {
  const compare = (j: number) => a[j]! / a[entering]! - b[j]! / b[entering]!;
  const first = compare(right);
  if (Math.abs(first) > dust(Math.max(1, Math.abs(b[right]! / b[entering]!)))) return first < 0;
  for (let j = 0; j < n; j++) {
    const next = compare(j);
    if (Math.abs(next) > pivotDust) return next < 0;
  }
  return false;
}
