/**
 * The point nearest to a target among those that balance: minimise ½ Σ weight_i (x_i - target_i)^2 with A x = b and
 * lower <= x <= upper, weights 0 allowed. The quadratic programs of sharing and pricing are all of this kind, and HiGHS'
 * own solver for quadratic programs fails on some of them (status error on the clusters of an Italian day).
 *
 * A primal-dual interior point method with predictor and corrector (Mehrotra 1992; Nocedal and Wright, Numerical Optimization,
 * section 16.6). Because each column's weight stands alone, a step is one dense Cholesky factor of the rows, which are few
 * (the zone-MTUs of one cluster); it needs 10 to 30 steps, however degenerate the program.
 */

import { inSolver } from '../tolerances.ts';
import type { Matrix } from './draft.ts';

export interface NearestProgram extends Matrix {
  readonly weight: Float64Array;
  readonly target: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly rightSide: Float64Array;
}

const mostSteps = 100;
/** Primal regularisation: added to the Hessian's diagonal, not to the gradient; bounds the steps of columns without weight. */
const faint = inSolver.regularisation;
/** Fraction to the boundary (tau): how much of the way to a bound a step may go. */
const shy = 0.9995;

/** A point strictly between its bounds, with multipliers. Bounds that are infinite have a multiplier of 0 throughout. */
interface State {
  /** 0: the column's bounds meet, and it is fixed. */
  readonly open: Uint8Array;
  readonly x: Float64Array;
  /** Multipliers of the rows, of the lower and of the upper bounds. */
  readonly y: Float64Array;
  readonly zLow: Float64Array;
  readonly zHigh: Float64Array;
  /** Distance to the bounds, kept apart from x: near a bound the difference would lose its digits. */
  readonly toLow: Float64Array;
  readonly toHigh: Float64Array;
}

/** What a step divides by, as factors: each column's stiffness (0 for a fixed one) and its distances to the bounds. */
interface Inverse {
  readonly give: Float64Array;
  readonly perLow: Float64Array;
  readonly perHigh: Float64Array;
}

interface Step {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly zLow: Float64Array;
  readonly zHigh: Float64Array;
}

/**
 * @param tolerance  how far rows may stay open
 * @param product    where the products of a bound's distance and multiplier may end (weight * MW^2): a column whose target lies
 *                   on its very bound comes as near to it as the root of this
 * @returns the point, or undefined when none within the bounds closes all rows
 */
export function nearestPoint(program: NearestProgram, tolerance: number, product: number): Float64Array | undefined {
  const { weight, target } = program;
  const easy = nearestAnywhere(program, tolerance);
  if (easy !== undefined) return easy;
  const state = startOf(program, tolerance / 10);
  const { x, y, zLow, zHigh, toLow, toHigh, open } = state;
  const pairs = Math.max(1, zLow.reduce((sum, z) => sum + z, 0) + zHigh.reduce((sum, z) => sum + z, 0));
  const factor = new Float64Array(y.length ** 2);
  const slope = new Float64Array(x.length);
  const inverse = {
    give: new Float64Array(x.length),
    perLow: new Float64Array(x.length),
    perHigh: new Float64Array(x.length),
  };
  const { give, perLow, perHigh } = inverse;
  let best: { readonly x: Float64Array; readonly product: number } | undefined;
  let last: Pick<State, 'open' | 'x' | 'zLow' | 'zHigh' | 'toLow' | 'toHigh'> | undefined;
  let before = Infinity;
  let least = Infinity;
  let isStuck = false;
  for (let step = 0; step < mostSteps; step++) {
    const missing = residual(program, x);
    const gap = largest(missing);
    const now = (dot(toLow, zLow) + dot(toHigh, zHigh)) / pairs;
    const pull = columnsTimes(program, y);
    // What keeps each column from its own optimum.
    for (let i = 0; i < x.length; i++)
      slope[i] = open[i] ? weight[i]! * (x[i]! - target[i]!) - pull[i]! - zLow[i]! + zHigh[i]! : 0;
    // Past what floating point can do the steps get worse, once the rows are closed: the best point so far counts.
    if (gap <= 10 * tolerance) least = Math.min(least, now);
    if (!Number.isFinite(gap + now) || now > 1e4 * least) break;
    last = {
      open,
      x: x.slice(),
      zLow: zLow.slice(),
      zHigh: zHigh.slice(),
      toLow: toLow.slice(),
      toHigh: toHigh.slice(),
    };
    if (gap <= tolerance / 2 && (best === undefined || now < best.product)) best = { x: x.slice(), product: now };
    if (gap <= tolerance / 2 && now <= product && largest(slope) <= inSolver.slope) break;

    for (let i = 0; i < x.length; i++) {
      perLow[i] = 1 / toLow[i]!;
      perHigh[i] = 1 / toHigh[i]!;
      give[i] = open[i] ? 1 / (weight[i]! + zLow[i]! * perLow[i]! + zHigh[i]! * perHigh[i]! + faint) : 0;
    }
    factorise(program, give, factor);
    // Predictor: straight for products of zero. Corrector: for a common product, as small as the predictor got, allowing
    // for its curvature.
    const straight = solveStep(program, state, factor, inverse, slope, missing, 0);
    const reach = lengthOf(state, straight, 1);
    let ahead = 0;
    for (let i = 0; i < x.length; i++) {
      ahead += (toLow[i]! + reach * straight.x[i]!) * (zLow[i]! + reach * straight.zLow[i]!) * (zLow[i]! > 0 ? 1 : 0);
      ahead +=
        (toHigh[i]! - reach * straight.x[i]!) * (zHigh[i]! + reach * straight.zHigh[i]!) * (zHigh[i]! > 0 ? 1 : 0);
    }
    // Where the rows are closed and a step has not brought the products down, allowing for the curvature goes round in circles:
    // plain steps from there.
    isStuck ||= gap <= tolerance && now > 0.5 * before;
    before = now;
    const aim = isStuck ? 0.2 * now : now * (ahead / pairs / now) ** 3;
    const bent = solveStep(program, state, factor, inverse, slope, missing, aim, isStuck ? undefined : straight);
    const length = lengthOf(state, bent, shy);
    for (let i = 0; i < x.length; i++) {
      x[i]! += length * bent.x[i]!;
      toLow[i]! += length * bent.x[i]!;
      toHigh[i]! -= length * bent.x[i]!;
      zLow[i]! += length * bent.zLow[i]!;
      zHigh[i]! += length * bent.zHigh[i]!;
    }
    for (let r = 0; r < y.length; r++) y[r]! += length * bent.y[r]!;
  }
  const found = best?.x.map((value, i) => Math.min(program.upper[i]!, Math.max(program.lower[i]!, value)));
  // A bound may seem to bind that does not: then with none, and those that are passed.
  const exact = last && (onActiveSet(program, last, tolerance) ?? onActiveSet(program, last, tolerance, false));
  if (exact === undefined) return found;
  const worse = found !== undefined && distanceOf(program, exact) > distanceOf(program, found) + inSolver.slope;
  return worse ? found : exact;
}

const distanceOf = ({ weight, target }: NearestProgram, x: Float64Array): number =>
  x.reduce((sum, value, i) => sum + (weight[i]! * (value - target[i]!) ** 2) / 2, 0);

/**
 * The nearest point where the bounds that bind are known: one linear system, exact to the last digits, also where only a single point
 * balances and the method above, which needs an inside, comes to an end before it.
 *
 * @param begins  with the bounds that bind by their multipliers
 * @returns undefined where the point does not balance within the bounds, so that others bind
 */
function onActiveSet(
  program: NearestProgram,
  { open, x: near, zLow, zHigh, toLow, toHigh }: Pick<State, 'open' | 'x' | 'zLow' | 'zHigh' | 'toLow' | 'toHigh'>,
  tolerance: number,
  begins = true,
): Float64Array | undefined {
  const { weight, target, lower, upper } = program;
  const x = near.slice();
  const isFree = Uint8Array.from(open);
  for (let i = 0; i < x.length && begins; i++) {
    if (open[i] && zLow[i]! > toLow[i]! && zLow[i]! > 0) [x[i], isFree[i]] = [lower[i]!, 0];
    else if (open[i] && zHigh[i]! > toHigh[i]! && zHigh[i]! > 0) [x[i], isFree[i]] = [upper[i]!, 0];
  }
  const give = new Float64Array(x.length);
  const factor = new Float64Array(program.rightSide.length ** 2);
  for (let round = 0; round < mostRounds; round++) {
    for (let i = 0; i < x.length; i++) give[i] = isFree[i] ? 1 / (weight[i]! + proximal) : 0;
    factorise(program, give, factor);
    let moved = Infinity;
    for (let step = 0; step < mostSteps && moved > inSolver.pivot * Math.max(1, largest(x)); step++) {
      // Towards the target, a little held where it is; then back onto the rows.
      const aim = x.map((value, i) => (isFree[i] ? (weight[i]! * target[i]! + proximal * value) * give[i]! : value));
      const pull = columnsTimes(program, backSubstitute(factor, residual(program, aim)));
      moved = 0;
      for (let i = 0; i < x.length; i++) {
        if (!isFree[i]) continue;
        const next = aim[i]! + pull[i]! * give[i]!;
        moved = Math.max(moved, Math.abs(next - x[i]!));
        x[i] = next;
      }
    }
    // One after another: the first that bind may leave the others room.
    let most: number = atBound;
    let farthest = -1;
    for (let i = 0; i < x.length; i++) {
      const beyond = isFree[i] ? Math.max(lower[i]! - x[i]!, x[i]! - upper[i]!) : 0;
      if (beyond > most) [most, farthest] = [beyond, i];
    }
    if (farthest < 0) break;
    [x[farthest], isFree[farthest]] = [Math.min(upper[farthest]!, Math.max(lower[farthest]!, x[farthest]!)), 0];
  }
  for (let i = 0; i < x.length; i++) x[i] = Math.min(upper[i]!, Math.max(lower[i]!, x[i]!));
  return largest(residual(program, x)) <= tolerance / 2 ? x : undefined;
}

/** Added to each weight, so that columns without one stay near where they are. */
const { proximal } = inSolver;
/** Times that further bounds are found to bind. */
const mostRounds = 60;
/** A column this far beyond its bound is at it. */
const { atBound } = inSolver;

/**
 * The nearest point that balances wherever it lies: one linear system. Undefined where it leaves the bounds, or where columns without
 * weight leave it a choice.
 */
export function nearestAnywhere(program: NearestProgram, tolerance: number): Float64Array | undefined {
  const { weight, target, lower, upper, rightSide } = program;
  for (let i = 0; i < weight.length; i++) if (weight[i] === 0 && lower[i] !== upper[i]) return undefined;
  const isFixed = (i: number) => lower[i] === upper[i];
  const give = weight.map((w, i) => (isFixed(i) ? 0 : 1 / w));
  const x = target.map((at, i) => (isFixed(i) ? lower[i]! : at));
  const factor = new Float64Array(rightSide.length ** 2);
  factorise(program, give, factor);
  // The second round corrects the rounding errors of the first.
  for (let round = 0; round < 2; round++) {
    const pull = columnsTimes(program, backSubstitute(factor, residual(program, x)));
    for (let i = 0; i < x.length; i++) x[i]! += pull[i]! * give[i]!;
  }
  for (let i = 0; i < x.length; i++) if (!(x[i]! >= lower[i]! && x[i]! <= upper[i]!)) return undefined;
  return largest(residual(program, x)) <= tolerance / 2 ? x : undefined;
}

/** @param slack by how much each bound gives way, in the rows, so that there is an inside even where only the bounds themselves balance */
function startOf({ target, lower, upper, rightSide, starts, values }: NearestProgram, slack: number): State {
  const zero = () => new Float64Array(target.length);
  const state = { open: new Uint8Array(target.length), x: zero(), y: new Float64Array(rightSide.length) };
  const bounds = { zLow: zero(), zHigh: zero(), toLow: zero().fill(1), toHigh: zero().fill(1) };
  for (let i = 0; i < target.length; i++) {
    if (lower[i] === upper[i]) {
      state.x[i] = lower[i]!;
      continue;
    }
    const largestFactor = values.subarray(starts[i], starts[i + 1]).reduce((most, f) => Math.max(most, Math.abs(f)), 1);
    const room = slack / largestFactor;
    const [low, high] = [lower[i]! - room, upper[i]! + room];
    state.open[i] = 1;
    // In the middle; half open, a little inside.
    if (Number.isFinite(high - low)) state.x[i] = (low + high) / 2;
    else state.x[i] = Math.min(high - 1, Math.max(low + 1, target[i]!));
    if (Number.isFinite(low)) [bounds.zLow[i], bounds.toLow[i]] = [1, state.x[i]! - low];
    if (Number.isFinite(high)) [bounds.zHigh[i], bounds.toHigh[i]] = [1, high - state.x[i]!];
  }
  return { ...state, ...bounds };
}

function largest(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** b - A x */
function residual({ rightSide, starts, indices, values }: NearestProgram, x: Float64Array): Float64Array {
  const missing = rightSide.slice();
  for (let i = 0; i < x.length; i++) {
    for (let p = starts[i]!; p < starts[i + 1]!; p++) missing[indices[p]!]! -= values[p]! * x[i]!;
  }
  return missing;
}

/** A' y */
function columnsTimes({ starts, indices, values }: NearestProgram, y: Float64Array): Float64Array {
  const out = new Float64Array(starts.length - 1);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    const after = starts[i + 1]!;
    for (let p = starts[i]!; p < after; p++) sum += values[p]! * y[indices[p]!]!;
    out[i] = sum;
  }
  return out;
}

/** factor := Cholesky factor of A give A', in its lower half */
function factorise({ starts, indices, values }: NearestProgram, give: Float64Array, factor: Float64Array): void {
  const n = Math.round(Math.sqrt(factor.length));
  factor.fill(0);
  for (let i = 0; i < give.length; i++) {
    const after = starts[i + 1]!;
    for (let p = starts[i]!; p < after; p++) {
      const row = indices[p]! * n;
      const share = values[p]! * give[i]!;
      for (let q = starts[i]!; q < after; q++) factor[row + indices[q]!]! += share * values[q]!;
    }
  }
  for (let j = 0; j < n; j++) {
    const rowJ = j * n;
    const before = factor[rowJ + j]!;
    for (let i = j; i < n; i++) {
      const rowI = i * n;
      let sum = factor[rowI + j]!;
      for (let k = 0; k < j; k++) sum -= factor[rowI + k]! * factor[rowJ + k]!;
      // A row that follows from the others has no pivot left: an endless one leaves its multiplier where it is.
      if (i === j) factor[rowJ + j] = sum > inSolver.pivot * before ? Math.sqrt(sum) : 1e64;
      else factor[rowI + j] = sum / factor[rowJ + j]!;
    }
  }
}

function backSubstitute(factor: Float64Array, r: Float64Array): Float64Array {
  const n = r.length;
  const d = r.slice();
  for (let i = 0; i < n; i++) {
    let sum = d[i]!;
    for (let k = 0; k < i; k++) sum -= factor[i * n + k]! * d[k]!;
    d[i] = sum / factor[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = d[i]!;
    for (let k = i + 1; k < n; k++) sum -= factor[k * n + i]! * d[k]!;
    d[i] = sum / factor[i * n + i]!;
  }
  return d;
}

/** One linear step towards products of `aim`, less the curvature that an earlier step showed. */
function solveStep(
  program: NearestProgram,
  { zLow, zHigh }: State,
  factor: Float64Array,
  { give, perLow, perHigh }: Inverse,
  slope: Float64Array,
  missing: Float64Array,
  aim: number,
  earlier?: Step,
): Step {
  const { starts, indices, values } = program;
  const n = slope.length;
  const right = missing.slice();
  const push = new Float64Array(n);
  const lowTerm = new Float64Array(n);
  const highTerm = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    if (give[i] === 0) continue;
    const bend = earlier ? earlier.x[i]! : 0;
    if (zLow[i]! > 0) lowTerm[i] = (earlier ? aim - bend * earlier.zLow[i]! : aim) * perLow[i]! - zLow[i]!;
    if (zHigh[i]! > 0) highTerm[i] = (earlier ? aim + bend * earlier.zHigh[i]! : aim) * perHigh[i]! - zHigh[i]!;
    const pushed = (lowTerm[i]! - highTerm[i]! - slope[i]!) * give[i]!;
    push[i] = pushed;
    const after = starts[i + 1]!;
    for (let p = starts[i]!; p < after; p++) right[indices[p]!]! -= values[p]! * pushed;
  }
  const y = backSubstitute(factor, right);
  const x = columnsTimes(program, y);
  for (let i = 0; i < n; i++) {
    const moved = give[i] === 0 ? 0 : push[i]! + x[i]! * give[i]!;
    x[i] = moved;
    if (zLow[i]! > 0) lowTerm[i]! -= zLow[i]! * moved * perLow[i]!;
    if (zHigh[i]! > 0) highTerm[i]! += zHigh[i]! * moved * perHigh[i]!;
  }
  return { x, y, zLow: lowTerm, zHigh: highTerm };
}

/** How far the step may go before something reaches its bound: one length for all, as a quadratic program asks. */
function lengthOf({ zLow, zHigh, toLow, toHigh }: State, step: Step, share: number): number {
  let length = 1;
  for (let i = 0; i < zLow.length; i++) {
    if (step.x[i]! < 0 && zLow[i]! > 0) length = Math.min(length, (share * toLow[i]!) / -step.x[i]!);
    if (step.x[i]! > 0 && zHigh[i]! > 0) length = Math.min(length, (share * toHigh[i]!) / step.x[i]!);
    if (step.zLow[i]! < 0) length = Math.min(length, (share * zLow[i]!) / -step.zLow[i]!);
    if (step.zHigh[i]! < 0) length = Math.min(length, (share * zHigh[i]!) / -step.zHigh[i]!);
  }
  return length;
}
