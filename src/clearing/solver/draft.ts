/** The one builder of sparse programs: entries in any order come out by columns (CSC). */

/** A by columns: of column j the entries `starts[j]` to `starts[j + 1]`. */
export interface Matrix {
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float64Array;
}

/** Minimise cost·x with rowLower <= A x <= rowUpper, lower <= x <= upper. */
export interface Program extends Matrix {
  readonly cost: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly rowLower: Float64Array;
  readonly rowUpper: Float64Array;
}

/** Columns to add to a model. */
export type NewColumns = Omit<Program, 'rowLower' | 'rowUpper'>;

/** A program that is written down piece by piece. */
export class Draft {
  readonly #low: number[] = [];
  readonly #high: number[] = [];
  readonly #cost: number[] = [];
  readonly #lower: number[] = [];
  readonly #upper: number[] = [];
  readonly #column: number[] = [];
  readonly #row: number[] = [];
  readonly #value: number[] = [];

  /** Columns so far. */
  get count(): number {
    return this.#cost.length;
  }

  row(low: number, high: number): number {
    this.#high.push(high);
    return this.#low.push(low) - 1;
  }

  column(
    cost: number,
    lower: number,
    upper: number,
    entries: readonly (readonly [row: number, factor: number])[] = [],
  ): number {
    const column = this.#cost.push(cost) - 1;
    this.#lower.push(lower);
    this.#upper.push(upper);
    for (const [row, factor] of entries) this.entry(column, row, factor);
    return column;
  }

  /** A factor of 0 is no entry. */
  entry(column: number, row: number, factor: number): void {
    if (factor === 0) return;
    this.#column.push(column);
    this.#row.push(row);
    this.#value.push(factor);
  }

  get matrix(): Matrix {
    const starts = new Int32Array(this.count + 1);
    for (const column of this.#column) starts[column + 1]!++;
    for (let j = 0; j < this.count; j++) starts[j + 1]! += starts[j]!;
    const next = starts.slice();
    const indices = new Int32Array(this.#row.length);
    const values = new Float64Array(this.#row.length);
    this.#column.forEach((column, k) => {
      const at = next[column]!++;
      indices[at] = this.#row[k]!;
      values[at] = this.#value[k]!;
    });
    return { starts, indices, values };
  }

  get columns(): NewColumns {
    return {
      ...this.matrix,
      cost: Float64Array.from(this.#cost),
      lower: Float64Array.from(this.#lower),
      upper: Float64Array.from(this.#upper),
    };
  }

  get program(): Program {
    return { ...this.columns, rowLower: Float64Array.from(this.#low), rowUpper: Float64Array.from(this.#high) };
  }
}
