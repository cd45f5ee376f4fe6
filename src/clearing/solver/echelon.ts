/**
 * Rows of a nearest-point program in reduced echelon form: as many as are independent, each of which says one column by columns that no row
 * says. Gauss and Jordan, by the largest pivot.
 *
 * Constraints of a network that bind together depend on each other; rows that follow from others leave a Cholesky factor without a pivot.
 */

import { inSolver } from '../tolerances.ts';
import type { NearestProgram } from './nearest.ts';

/** @returns undefined where a row that follows from the others contradicts them by more than `tolerance` */
export function inEchelonForm(program: NearestProgram, tolerance: number): NearestProgram | undefined {
  const width = program.lower.length;
  const rows = denseRows(program);
  const taken: Float64Array[] = [];
  const left = new Set(rows);
  for (;;) {
    let most: number = inSolver.leastDivisor;
    let pivot: Float64Array | undefined;
    let column = -1;
    for (const row of left) {
      for (let c = 0; c < width; c++) if (Math.abs(row[c]!) > most) [most, pivot, column] = [Math.abs(row[c]!), row, c];
    }
    if (pivot === undefined) break;
    left.delete(pivot);
    taken.push(pivot);
    const by = pivot[column]!;
    for (let c = 0; c <= width; c++) pivot[c]! /= by;
    pivot[column] = 1;
    for (const row of rows) {
      const times = row[column]!;
      if (row === pivot || times === 0) continue;
      for (let c = 0; c <= width; c++) row[c]! -= times * pivot[c]!;
      row[column] = 0;
    }
  }
  for (const row of left) if (Math.abs(row[width]!) > tolerance) return undefined;
  return { ...program, ...sparse(taken, width) };
}

/** Rows with their right sides last, each scaled to a largest factor of 1. */
function denseRows({ lower, rightSide, starts, indices, values }: NearestProgram): Float64Array[] {
  const width = lower.length;
  const rows = Array.from(rightSide, (side) => {
    const row = new Float64Array(width + 1);
    row[width] = side;
    return row;
  });
  for (let c = 0; c < width; c++)
    for (let e = starts[c]!; e < starts[c + 1]!; e++) rows[indices[e]!]![c]! += values[e]!;
  for (const row of rows) {
    const largest = row.subarray(0, width).reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    if (largest > 0) for (let c = 0; c <= width; c++) row[c]! /= largest;
  }
  return rows;
}

function sparse(
  rows: readonly Float64Array[],
  width: number,
): Pick<NearestProgram, 'rightSide' | 'starts' | 'indices' | 'values'> {
  const starts = [0];
  const indices: number[] = [];
  const values: number[] = [];
  for (let c = 0; c < width; c++) {
    rows.forEach((row, r) => {
      if (Math.abs(row[c]!) <= inSolver.noFactor) return;
      indices.push(r);
      values.push(row[c]!);
    });
    starts.push(indices.length);
  }
  return {
    rightSide: Float64Array.from(rows, (row) => row[width]!),
    starts: Int32Array.from(starts),
    indices: Int32Array.from(indices),
    values: Float64Array.from(values),
  };
}
