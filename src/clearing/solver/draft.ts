import type { Program } from './highs.ts';

/** A linear program that is written down column by column. */
export class Draft {
  readonly rows: { low: number; high: number }[] = [];
  readonly #columns: { cost: number; lower: number; upper: number; entries: (readonly [number, number])[] }[] = [];

  row(low: number, high: number): number {
    return this.rows.push({ low, high }) - 1;
  }

  column(
    cost: number,
    lower: number,
    upper: number,
    entries: readonly (readonly [row: number, factor: number])[],
  ): number {
    return this.#columns.push({ cost, lower, upper, entries: [...entries] }) - 1;
  }

  entry(column: number, row: number, factor: number): void {
    this.#columns[column]!.entries.push([row, factor]);
  }

  get program(): Program {
    const columns = this.#columns;
    const starts = [0];
    for (const { entries } of columns) starts.push(starts.at(-1)! + entries.length);
    return {
      cost: Float64Array.from(columns, ({ cost }) => cost),
      lower: Float64Array.from(columns, ({ lower }) => lower),
      upper: Float64Array.from(columns, ({ upper }) => upper),
      rowLower: Float64Array.from(this.rows, ({ low }) => low),
      rowUpper: Float64Array.from(this.rows, ({ high }) => high),
      starts: Int32Array.from(starts),
      indices: Int32Array.from(columns.flatMap(({ entries }) => entries.map(([row]) => row))),
      values: Float64Array.from(columns.flatMap(({ entries }) => entries.map(([, factor]) => factor))),
    };
  }
}
