/**
 * The point nearest to a target among those that balance: minimise ½ Σ weight_i (x_i - target_i)^2 with A x = b and
 * lower <= x <= upper, weights 0 allowed. The quadratic programs of sharing and pricing are all of this kind, and HiGHS'
 * own solver for quadratic programs fails on some of them (status error on the clusters of an Italian day).
 *
 * A primal-dual interior point method with predictor and corrector (Mehrotra 1992; Nocedal and Wright, Numerical Optimization,
 * section 16.6). Because each column's weight stands alone, a step is one dense Cholesky factor of the rows, which are few
 * (the zone-MTUs of one cluster); it needs 10 to 30 steps, however degenerate the program.
 */

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

const mostSteps = 100;
/** Added to each column's stiffness, not to its slope: keeps steps of columns without weight within reason. */
const faint = 1e-8;
/** How near to a bound a step may go, as a share of the way. */
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
  let best: Approach | undefined;
  // A right side that is itself the outcome of a program may miss by a little more than bounds give way: then they give way more.
  for (const room of [tolerance / 10, 3 * tolerance]) {
    const found = approach(program, room, tolerance, product);
    if (found !== undefined && (best === undefined || found.product < best.product)) best = found;
    if (best !== undefined && best.product <= product) break;
  }
  return best?.x.map((value, i) => Math.min(program.upper[i]!, Math.max(program.lower[i]!, value)));
}

/** How near the steps came. */
interface Approach {
  readonly x: Float64Array;
  readonly product: number;
}

function approach(program: NearestProgram, room: number, tolerance: number, product: number): Approach | undefined {
  const { weight, target } = program;
  const state = startOf(program, room);
  const { x, y, zLow, zHigh, toLow, toHigh, open } = state;
  const pairs = Math.max(1, zLow.reduce((sum, z) => sum + z, 0) + zHigh.reduce((sum, z) => sum + z, 0));
  const factor = new Float64Array(y.length ** 2);
  let best: Approach | undefined;
  let before = Number.POSITIVE_INFINITY;
  for (let step = 0; step < mostSteps; step++) {
    const missing = residual(program, x);
    const gap = largest(missing);
    const now = (dot(toLow, zLow) + dot(toHigh, zHigh)) / pairs;
    const pull = columnsTimes(program, y);
    // What keeps each column from its own optimum.
    const slope = pull.map((p, i) => (open[i] ? weight[i]! * (x[i]! - target[i]!) - p - zLow[i]! + zHigh[i]! : 0));
    const stuck = now > 0.9 * before;
    before = now;
    // Past what floating point can do the steps get worse: the best point so far counts.
    if (Number.isNaN(gap + now)) break;
    if (gap <= tolerance / 2 && (best === undefined || now < best.product)) best = { x: x.slice(), product: now };
    if (gap <= tolerance / 2 && now <= product && largest(slope) <= 1e-9) break;

    const stiffness = weight.map((w, i) =>
      open[i] ? w + zLow[i]! / toLow[i]! + zHigh[i]! / toHigh[i]! + faint : Infinity,
    );
    factorise(program, stiffness, factor);
    // Predictor: straight for products of zero. Corrector: for a common product, as small as the predictor got, allowing
    // for its curvature.
    const straight = solveStep(program, state, factor, stiffness, slope, missing, 0);
    const reach = lengthOf(state, straight, 1);
    let ahead = 0;
    for (let i = 0; i < x.length; i++) {
      ahead += (toLow[i]! + reach * straight.x[i]!) * (zLow[i]! + reach * straight.zLow[i]!) * (zLow[i]! > 0 ? 1 : 0);
      ahead +=
        (toHigh[i]! - reach * straight.x[i]!) * (zHigh[i]! + reach * straight.zHigh[i]!) * (zHigh[i]! > 0 ? 1 : 0);
    }
    // Such steps can run in circles (Cartis, Some disadvantages of a Mehrotra-type algorithm, 2009): one that gained nothing is
    // followed by a cautious one, which goes half the way and leads back between the bounds.
    const aim = stuck ? now / 2 : now * (ahead / pairs / now) ** 3;
    const bent = solveStep(program, state, factor, stiffness, slope, missing, aim, stuck ? undefined : straight);
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
  return best;
}

/** @param room by how much each bound gives way, so that there is an inside even where only the bounds themselves balance */
function startOf({ target, lower, upper, rightSide }: NearestProgram, room: number): State {
  const zero = () => new Float64Array(target.length);
  const state = { open: new Uint8Array(target.length), x: zero(), y: new Float64Array(rightSide.length) };
  const bounds = { zLow: zero(), zHigh: zero(), toLow: zero().fill(1), toHigh: zero().fill(1) };
  for (let i = 0; i < target.length; i++) {
    if (lower[i] === upper[i]) {
      state.x[i] = lower[i]!;
      continue;
    }
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

const largest = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

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
    for (let p = starts[i]!; p < starts[i + 1]!; p++) out[i]! += values[p]! * y[indices[p]!]!;
  }
  return out;
}

/** factor := Cholesky factor of A stiffness^-1 A' */
function factorise({ starts, indices, values }: NearestProgram, stiffness: Float64Array, factor: Float64Array): void {
  const n = Math.round(Math.sqrt(factor.length));
  factor.fill(0);
  for (let i = 0; i < stiffness.length; i++) {
    if (stiffness[i] === Number.POSITIVE_INFINITY) continue;
    for (let p = starts[i]!; p < starts[i + 1]!; p++) {
      for (let q = starts[i]!; q < starts[i + 1]!; q++) {
        factor[indices[p]! * n + indices[q]!]! += (values[p]! * values[q]!) / stiffness[i]!;
      }
    }
  }
  for (let j = 0; j < n; j++) {
    const before = factor[j * n + j]!;
    for (let i = j; i < n; i++) {
      let sum = factor[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= factor[i * n + k]! * factor[j * n + k]!;
      // A row that follows from the others has no pivot left: an endless one leaves its multiplier where it is.
      if (i === j) factor[j * n + j] = sum > 1e-13 * before ? Math.sqrt(sum) : 1e64;
      else factor[i * n + j] = sum / factor[j * n + j]!;
    }
  }
}

function backSubstitute(factor: Float64Array, r: Float64Array): Float64Array {
  const n = r.length;
  const d = r.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) d[i]! -= factor[i * n + k]! * d[k]!;
    d[i]! /= factor[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) d[i]! -= factor[k * n + i]! * d[k]!;
    d[i]! /= factor[i * n + i]!;
  }
  return d;
}

/** One linear step towards products of `aim`, less the curvature that an earlier step showed. */
function solveStep(
  program: NearestProgram,
  { open, zLow, zHigh, toLow, toHigh }: State,
  factor: Float64Array,
  stiffness: Float64Array,
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
    if (!open[i]) continue;
    const bend = earlier ? earlier.x[i]! : 0;
    if (zLow[i]! > 0) lowTerm[i] = (aim - (earlier ? bend * earlier.zLow[i]! : 0)) / toLow[i]! - zLow[i]!;
    if (zHigh[i]! > 0) highTerm[i] = (aim + (earlier ? bend * earlier.zHigh[i]! : 0)) / toHigh[i]! - zHigh[i]!;
    push[i] = (lowTerm[i]! - highTerm[i]! - slope[i]!) / stiffness[i]!;
    for (let p = starts[i]!; p < starts[i + 1]!; p++) right[indices[p]!]! -= values[p]! * push[i]!;
  }
  const y = backSubstitute(factor, right);
  const x = columnsTimes(program, y);
  for (let i = 0; i < n; i++) {
    x[i] = open[i] ? push[i]! + x[i]! / stiffness[i]! : 0;
    lowTerm[i] = zLow[i]! > 0 ? lowTerm[i]! - (zLow[i]! * x[i]!) / toLow[i]! : 0;
    highTerm[i] = zHigh[i]! > 0 ? highTerm[i]! + (zHigh[i]! * x[i]!) / toHigh[i]! : 0;
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
