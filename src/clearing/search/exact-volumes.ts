/**
 * A program's answer as decimals that keep every row and bound to the last digit, for a proof that is checked without tolerances.
 *
 * A solver closes rows to 1e-7. Here volumes are whole steps of a grid, and where they break a row some of them move by what is too much,
 * until all rows hold. Balances need not: what is left over or missing in a cell is traded by merit there.
 */

import type { Row } from '../model/columns.ts';
import type { Part, Problem } from '../model/problem.ts';
import { onGrid } from '../tolerances.ts';

/** What of a row is kept. */
export type Keeping = Pick<Row, 'kind' | 'entries' | 'low' | 'high'>;

export interface Range {
  readonly least: number;
  readonly most: number;
}

/** Times that the rows are gone through; a few are enough where it can be done at all. */
const mostRounds = 100;

/**
 * @param value  by column of the problem; on the grid and within the rows afterwards
 * @param rangeOf  bounds of a column
 * @param more  what they have to keep besides the rows of the part
 * @returns whether they are: else no such decimals were found
 */
export function settle(
  problem: Problem,
  part: Part,
  value: Float64Array,
  rangeOf: (column: number) => Range,
  more: readonly Keeping[] = [],
): boolean {
  const rows = [...part.rows.map((r) => problem.rows[r]!), ...more];
  return [onGrid.ratio, onGrid.coarseRatio].some((ratio) => {
    const settling = new Settling(problem, part.columns, rows, value, rangeOf, ratio);
    for (let round = 0; round < mostRounds; round++) {
      const broken = settling.broken;
      if (broken.length === 0) {
        settling.write(value);
        return true;
      }
      for (const row of broken) settling.mend(row, round);
    }
    return false;
  });
}

class Settling {
  readonly #problem: Problem;
  readonly #columns: readonly number[];
  readonly #rows: readonly Keeping[];
  /** By column: whole steps of its grid, and the least and the most of them. */
  readonly #steps: Float64Array;
  readonly #least: Float64Array;
  readonly #most: Float64Array;
  readonly #ratio: number;

  constructor(
    problem: Problem,
    columns: readonly number[],
    rows: readonly Keeping[],
    value: Float64Array,
    rangeOf: (column: number) => Range,
    ratio: number,
  ) {
    [this.#problem, this.#columns, this.#rows, this.#ratio] = [problem, columns, rows, ratio];
    [this.#steps, this.#least, this.#most] = [
      new Float64Array(value.length),
      new Float64Array(value.length),
      new Float64Array(value.length),
    ];
    for (const c of columns) {
      const grid = this.#gridOf(c);
      const { least, most } = rangeOf(c);
      this.#least[c] = Math.ceil(least / grid - onGrid.same);
      this.#most[c] = Math.floor(most / grid + onGrid.same);
      this.#steps[c] = Math.min(this.#most[c]!, Math.max(this.#least[c]!, Math.round(value[c]! / grid)));
    }
  }

  #gridOf(column: number): number {
    return this.#problem.columns[column]!.kind === 'ratio' ? this.#ratio : onGrid.power;
  }

  get broken(): Keeping[] {
    return this.#rows.filter((row) => this.#excessOf(row) !== 0);
  }

  write(value: Float64Array): void {
    for (const c of this.#columns) value[c] = this.#steps[c]! * this.#gridOf(c);
  }

  /** By how much a row is above its most, or below its least (then below zero). What adding doubles may lose is taken for broken. */
  #excessOf({ entries, low, high }: Keeping): number {
    const grid = this.#gridOf(entries[0]![0]);
    let [sum, size] = [0, 0];
    // Of whole steps of one grid the sum is exact.
    let isExact = true;
    for (const [c, factor] of entries) {
      isExact &&= Math.abs(factor) === 1 && this.#gridOf(c) === grid;
      const term = factor * this.#steps[c]! * (this.#gridOf(c) / grid);
      sum += term;
      size += Math.abs(term);
    }
    if (!isExact && this.#ratio === onGrid.coarseRatio) {
      // Of few digits, and factors to the watt, so are the products.
      const total = Math.round((sum * grid) / onGrid.product) * onGrid.product;
      return total > high + onGrid.product / 2 ? total - high : total < low - onGrid.product / 2 ? total - low : 0;
    }
    const lost = isExact ? 0 : onGrid.lost * size;
    const [least, most] = [Math.round(low / grid) + lost, Math.round(high / grid) - lost];
    return (sum > most ? sum - most : sum < least ? sum - least : 0) * grid;
  }

  /** Move who stands in the row until it holds; beyond that by some steps more each round, so that rows do not mend each other for ever. */
  mend(row: Keeping, round: number): void {
    const { entries, low, high, kind } = row;
    let excess = this.#excessOf(row);
    // Who mends a pool is another each time than who mended a constraint: two zones that burden it alike would move to and fro for ever.
    const turn = kind === 'pool' ? round + Math.floor(round / entries.length) : round;
    const first = isShared.has(kind) ? turn : Math.max(0, round - mostOrdered);
    const more = isShared.has(kind) && low < high ? round + 1 : 0;
    for (let k = 0; k < entries.length && excess !== 0; k++) {
      const [c, factor] = entries[(first + k) % entries.length]!;
      if (factor === 0) continue;
      const exact = -excess / (factor * this.#gridOf(c));
      const wanted = (Math.ceil(Math.abs(exact) - onGrid.same) + more) * Math.sign(exact);
      this.#steps[c] = Math.min(this.#most[c]!, Math.max(this.#least[c]!, this.#steps[c]! + wanted));
      excess = this.#excessOf(row);
    }
  }
}

/** So many rounds who stands first in a row gives way: a child, a step. */
const mostOrdered = 10;
/** Rows of the network: who stands in them stands in others too. */
const isShared: ReadonlySet<string> = new Set(['pool', 'constraint', 'ramp']);
