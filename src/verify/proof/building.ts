/** What a proof's model is made of: columns, rows and decisions, collected while a book is read. All numbers are whole (`scale.ts`). */

import type { Book } from '../../market/book.ts';
import type { BookOrder } from '../../market/order.ts';
import { hoursOf } from '../../market/time.ts';
import { spanOf } from '../view/units.ts';
import type { Curve } from './curve.ts';
import type { Scale } from './scale.ts';

export interface Column {
  readonly name: string;
  /** MW into a cell (zone * periods + MTU) per unit. */
  readonly cells: readonly (readonly [cell: number, mw: bigint])[];
  /** Money per hour and unit. */
  readonly cost: bigint;
  readonly least: bigint;
  readonly most: bigint;
  readonly rows: [row: Row, factor: bigint][];
  /** MTU that says which group it belongs to. */
  readonly mtu: number;
  /** Name of the other direction of a line with losses: only one of them may carry. */
  readonly opposite?: string;
}

/** low <= sum(factor * column) <= high; undefined: no limit. */
export interface Row {
  readonly name: string;
  readonly low: bigint | undefined;
  readonly high: bigint | undefined;
}

/** A yes or no: its column is 0 or at least `least`. */
export interface Decision {
  readonly column: Column;
  readonly least: bigint;
  /** Up to what ratio it can be scaled whatever ratio it has, and whatever the others do (docs/proof.md). */
  readonly scalable: bigint;
  /** Exclusive group in whose whole it can be scaled with all others of it, where that is so. */
  readonly group?: Row | undefined;
  /** Of a minimum income, which is no gain of the welfare's: what it must gain at the least, by column that is executed. */
  readonly income?: readonly (readonly [column: Column, perUnit: bigint])[];
  /** Columns that trade while it is off. */
  readonly stops: readonly Column[];
}

export interface Model {
  readonly scale: Scale;
  readonly priceLimits: { readonly min: bigint; readonly max: bigint };
  /** Ids. */
  readonly zones: readonly string[];
  readonly periods: number;
  readonly curves: readonly Curve[];
  readonly columns: ReadonlyMap<string, Column>;
  readonly rows: ReadonlyMap<string, Row>;
  readonly decisions: ReadonlyMap<string, Decision>;
}

export type Entries = (readonly [column: Column, factor: bigint])[];
type Draft = Omit<Column, 'rows' | 'mtu'>;

/** Collects columns, rows and decisions. What has the name of something else is refused. */
export class Building {
  readonly columns = new Map<string, Column>();
  readonly rows = new Map<string, Row>();
  readonly decisions = new Map<string, Decision>();
  readonly book: Book;
  readonly scale: Scale;
  /** MTUs of an hour. */
  readonly perHour: number;
  readonly #zones: ReadonlyMap<string, number>;

  constructor(book: Book, scale: Scale) {
    this.book = book;
    this.scale = scale;
    this.perHour = 1 / hoursOf(book.resolution);
    this.#zones = new Map(book.zones.map((id, z) => [id, z]));
  }

  column(draft: Draft): Column {
    if (this.columns.has(draft.name)) throw new TypeError(`the book has two columns ${draft.name}`);
    const column = { mtu: (draft.cells[0]?.[0] ?? 0) % this.book.periods, ...draft, rows: [] };
    this.columns.set(column.name, column);
    return column;
  }

  row(name: string, low: bigint | undefined, high: bigint | undefined, entries: Entries): Row | undefined {
    if (entries.length === 0) return undefined;
    if (this.rows.has(name)) throw new TypeError(`the book has two rows ${name}`);
    const row = { name, low, high };
    this.rows.set(name, row);
    for (const [column, factor] of entries) column.rows.push([row, factor]);
    return row;
  }

  decision(decision: Decision): void {
    this.decisions.set(decision.column.name, decision);
  }

  /** @param mtu  from 0 */
  cell(zone: string, mtu: number): number {
    return this.#zones.get(zone)! * this.book.periods + mtu;
  }

  /** Cells that a period of an order covers. */
  cells(order: BookOrder, period: number): number[] {
    const span = spanOf(order, this.book);
    return Array.from({ length: span }, (_, k) => this.cell(order.zone, (period - 1) * span + k));
  }
}
