/**
 * What an answer of the solver is off, by our own arithmetic: the solver is a witness, not an authority.
 *
 * An answer is optimal where rows and bounds hold and reduced costs have the sign of the bound that a column or row is at (Karush, Kuhn and Tucker).
 * Each amount counts beside the largest term of its sum, as floating point does.
 */

import { inSolver } from '../tolerances.ts';
import type { NewColumns, Program } from './draft.ts';

/** The program of a model, as it is changed: columns come in pieces, bounds move. */
export class Kept {
  readonly #pieces: NewColumns[] = [];
  readonly #rows: Pick<Program, 'rowLower' | 'rowUpper'>;

  constructor({ rowLower, rowUpper, ...columns }: Program) {
    this.#rows = { rowLower, rowUpper };
    this.add(columns);
  }

  add(columns: NewColumns): void {
    this.#pieces.push({ ...columns, lower: columns.lower.slice(), upper: columns.upper.slice() });
  }

  bound(columns: Int32Array, lower: Float64Array, upper: Float64Array): void {
    columns.forEach((column, k) => {
      let at = column;
      for (const piece of this.#pieces) {
        if (at < piece.cost.length) {
          piece.lower[at] = lower[k]!;
          piece.upper[at] = upper[k]!;
          break;
        }
        at -= piece.cost.length;
      }
    });
  }

  /**
   * The most that anything is off.
   *
   * @param rowDual  undefined for an answer in whole numbers, which has no duals
   */
  residual(x: Float64Array, rowDual: Float64Array | undefined): number {
    const { rowLower, rowUpper } = this.#rows;
    const activity = new Float64Array(rowLower.length);
    const largest = new Float64Array(rowLower.length).fill(1);
    let worst = 0;
    let first = 0;
    for (const { cost, lower, upper, starts, indices, values } of this.#pieces) {
      for (let j = 0; j < cost.length; j++) {
        const at = x[first + j]!;
        let reduced = cost[j]!;
        let size = Math.max(1, Math.abs(reduced));
        for (let e = starts[j]!; e < starts[j + 1]!; e++) {
          const [row, value] = [indices[e]!, values[e]!];
          activity[row]! += value * at;
          largest[row] = Math.max(largest[row]!, Math.abs(value * at));
          if (rowDual === undefined) continue;
          const term = value * rowDual[row]!;
          reduced -= term;
          size = Math.max(size, Math.abs(term));
        }
        const gain = rowDual === undefined ? 0 : reduced / size;
        worst = Math.max(worst, offOf(at, lower[j]!, upper[j]!, Math.max(1, Math.abs(at)), gain));
      }
      first += cost.length;
    }
    for (let r = 0; r < activity.length; r++)
      worst = Math.max(worst, offOf(activity[r]!, rowLower[r]!, rowUpper[r]!, largest[r]!, rowDual?.[r] ?? 0));
    // What is no number is off by more than anything.
    return Number.isNaN(worst) ? Infinity : worst;
  }
}

/** How far a value is beyond its range, or how much its price asks it to move where it could. */
function offOf(value: number, lower: number, upper: number, size: number, price: number): number {
  const beyond = Math.max(lower - value, value - upper, 0) / size;
  const near = inSolver.residual * size;
  const isLow = value <= lower + near;
  const isHigh = value >= upper - near;
  const asks = isLow && isHigh ? 0 : isLow ? Math.max(-price, 0) : isHigh ? Math.max(price, 0) : Math.abs(price);
  return Math.max(beyond, asks);
}
