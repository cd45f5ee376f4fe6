/**
 * The nearest point (`nearest.ts`), counted from one that is known to keep rows and bounds but for rounding errors.
 *
 * A linear program's answer is such a point: its volumes, or its duals. What is at a bound in it is off by a rounding error, and where
 * many rows bind together and depend on each other (constraints of a network) these errors contradict each other. Counted from the
 * point nothing does: bounds that are nearly met are met, rows are closed.
 */

import { inEchelonForm } from './echelon.ts';
import { type NearestProgram, nearestPoint } from './nearest.ts';
import { presolved } from './presolve.ts';

/**
 * @param point  by column
 * @param near   how far a bound or a row may be off at the point by rounding
 * @returns as `nearestPoint`
 */
export function nearestFrom(
  point: Float64Array,
  near: number,
  program: NearestProgram,
  tolerance: number,
  product: number,
): Float64Array | undefined {
  const from = (bound: number, i: number) => (Math.abs(bound - point[i]!) <= near ? 0 : bound - point[i]!);
  const moved = {
    ...program,
    target: program.target.map((at, i) => at - point[i]!),
    lower: program.lower.map(from),
    upper: program.upper.map(from),
    rightSide: open(program, point).map((missing) => (Math.abs(missing) <= near ? 0 : missing)),
  };
  const small = presolved(moved, tolerance);
  const independent = small && inEchelonForm(small.program, tolerance);
  const x = independent && nearestPoint(independent, tolerance, product);
  return x && small?.restore(x).map((by, i) => point[i]! + by);
}

/** What a point leaves open of each row. */
function open({ rightSide, starts, indices, values }: NearestProgram, point: Float64Array): Float64Array {
  const missing = rightSide.slice();
  for (let i = 0; i < point.length; i++)
    for (let e = starts[i]!; e < starts[i + 1]!; e++) missing[indices[e]!]! -= values[e]! * point[i]!;
  return missing;
}

/** A point of which the first columns are known: each of the others is the only one of its kind in its row, with -1, and takes up what is left. */
export function completed(program: NearestProgram, known: Float64Array): Float64Array {
  const point = new Float64Array(program.lower.length);
  point.set(known);
  const left = open(program, point);
  for (let c = known.length; c < point.length; c++) point[c] = -left[program.indices[program.starts[c]!]!]!;
  return point;
}
