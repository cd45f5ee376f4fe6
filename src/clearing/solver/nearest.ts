/**
 * The point nearest to a target among those that balance: minimise ½ Σ weight_i (x_i - target_i)^2 with A x = b and
 * lower <= x <= upper. The quadratic programs of sharing and pricing are all of this kind.
 *
 * Solved in its dual: for given multipliers of the rows every x_i is known by itself (clamped to its bounds), so only the rows
 * are left to close, by Newton's method on a function that is smooth but for kinks, with a line search. Rows are few
 * (zone-MTUs of one cluster), columns many; the cost is one dense Cholesky factor of the rows a step.
 * Columns of weight 0 are free of cost: they get a tiny weight around where they were the step before, until they stay
 * (proximal point method, Rockafellar 1976).
 */

import assert from 'node:assert/strict';

/** A by columns (CSC). */
export interface NearestProgram {
  readonly weight: Float64Array;
  readonly target: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly rightSide: Float64Array;
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float64Array;
}

interface Point {
  readonly x: Float64Array;
  /** 1 where a column is between its bounds. */
  readonly inside: Uint8Array;
  readonly residual: Float64Array;
  /** Largest residual. */
  readonly gap: number;
}

const mostSteps = 200;
const mostRounds = 30;
/** Weight of a column that costs nothing, against weights of about 1e-5 to 10. */
const faint = 1e-6;

/** @returns the point, or undefined when no point within the bounds closes all rows to `tolerance` */
export function nearestPoint(program: NearestProgram, tolerance: number): Float64Array | undefined {
  const { weight, lower, upper } = program;
  const isFree = weight.some((w) => w === 0);
  const weights = weight.map((w) => (w === 0 ? faint : w));
  const target = program.target.map((value, i) =>
    weight[i] === 0 ? Math.min(upper[i]!, Math.max(lower[i]!, value)) : value,
  );
  const multipliers = new Float64Array(program.rightSide.length);
  for (let round = 0; round < mostRounds; round++) {
    const x = closeRows({ ...program, weight: weights, target }, multipliers, tolerance);
    if (x === undefined || !isFree) return x;
    let moved = 0;
    for (let i = 0; i < x.length; i++) {
      if (weight[i] !== 0) continue;
      moved = Math.max(moved, Math.abs(x[i]! - target[i]!));
      target[i] = x[i]!;
    }
    if (moved <= tolerance || round === mostRounds - 1) return x;
  }
  return undefined;
}

function closeRows(program: NearestProgram, multipliers: Float64Array, tolerance: number): Float64Array | undefined {
  const { weight, starts, indices, values } = program;
  const rows = multipliers.length;
  const factor = new Float64Array(rows * rows);
  let here: Point = pointAt(program, multipliers);
  for (let step = 0; step < mostSteps; step++) {
    if (here.gap <= tolerance * 0.01) return here.x;
    factor.fill(0);
    let largest = 0;
    for (let i = 0; i < weight.length; i++) {
      if (!here.inside[i]) continue;
      for (let p = starts[i]!; p < starts[i + 1]!; p++) {
        for (let q = starts[i]!; q < starts[i + 1]!; q++) {
          factor[indices[p]! * rows + indices[q]!]! += (values[p]! * values[q]!) / weight[i]!;
        }
        largest = Math.max(largest, values[p]! ** 2 / weight[i]!);
      }
    }
    for (let r = 0; r < rows; r++) factor[r * rows + r]! += Math.max(largest, 1) * 1e-12;
    const direction = cholesky(factor, here.residual);
    const next = climb(program, multipliers, direction, here);
    if (next === undefined) break;
    here = next;
  }
  return here.gap <= tolerance ? here.x : undefined;
}

/**
 * Move the multipliers along a direction to where the dual, concave and made of parabolas, is highest; undefined when it does
 * not rise. The first step is Newton's; where every column is at a bound it is enormous and must be cut by many orders.
 */
function climb(
  program: NearestProgram,
  multipliers: Float64Array,
  direction: Float64Array,
  here: Point,
): Point | undefined {
  const start = multipliers.slice();
  const slopeOf = (point: Point) => direction.reduce((sum, d, r) => sum + d * point.residual[r]!, 0);
  const first = slopeOf(here);
  const at = (length: number) => {
    multipliers.forEach((_, r) => {
      multipliers[r] = start[r]! + length * direction[r]!;
    });
    return pointAt(program, multipliers);
  };
  let low = 0;
  let high = 1;
  let best: Point | undefined;
  for (let k = 0; k < mostSteps; k++) {
    const length = low === 0 ? high : (low + high) / 2;
    const point = at(length);
    const slope = slopeOf(point);
    if (Math.abs(slope) <= 0.01 * first) return point;
    if (slope > 0) {
      low = length;
      best = point;
      if (length === 1) return point;
    } else {
      high = length;
      if (low === 0) high /= 16;
    }
    if (low > 0 && high - low <= 1e-15 * high) break;
  }
  if (best !== undefined) at(low);
  else multipliers.set(start);
  return best;
}

/** The point that given multipliers ask for, what is missing in each row, and the dual's value. */
function pointAt(program: NearestProgram, multipliers: Float64Array): Point {
  const { weight, target, lower, upper, rightSide, starts, indices, values } = program;
  const x = new Float64Array(weight.length);
  const inside = new Uint8Array(weight.length);
  const residual = rightSide.slice();
  for (let i = 0; i < x.length; i++) {
    let pull = 0;
    for (let p = starts[i]!; p < starts[i + 1]!; p++) pull += values[p]! * multipliers[indices[p]!]!;
    const wish = target[i]! + pull / weight[i]!;
    inside[i] = wish > lower[i]! && wish < upper[i]! ? 1 : 0;
    x[i] = Math.min(upper[i]!, Math.max(lower[i]!, wish));
    for (let p = starts[i]!; p < starts[i + 1]!; p++) residual[indices[p]!]! -= values[p]! * x[i]!;
  }
  const gap = residual.reduce((most, r) => Math.max(most, Math.abs(r)), 0);
  return { x, inside, residual, gap };
}

/** Solve M d = r for a symmetric positive definite M (n x n, by rows), which is overwritten by its factor. */
function cholesky(m: Float64Array, r: Float64Array): Float64Array {
  const n = r.length;
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = m[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= m[i * n + k]! * m[j * n + k]!;
      if (i === j) {
        assert(sum > -1e-3 * Math.abs(m[j * n + j]!), 'the matrix is not positive definite');
        m[j * n + j] = Math.sqrt(Math.max(sum, Number.EPSILON));
      } else m[i * n + j] = sum / m[j * n + j]!;
    }
  }
  const d = r.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) d[i]! -= m[i * n + k]! * d[k]!;
    d[i]! /= m[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) d[i]! -= m[k * n + i]! * d[k]!;
    d[i]! /= m[i * n + i]!;
  }
  return d;
}
