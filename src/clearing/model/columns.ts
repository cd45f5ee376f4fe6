/**
 * What trades besides the net curves, as columns of the linear program, with rows that tie them and decisions about them.
 *
 * One form for all of it: a flow of a line or of the flow-based exchange, the ratio of a block, a step of a complex order. Each gives
 * so many MW per unit to some cells (zone * periods + MTU) and costs so much an hour. Its price rule follows from that alone: with
 *
 *   gain = sum(MW into a cell * the cell's price) - cost - sum(factor in a row * the row's price)
 *
 * gain > 0 => at its most, gain < 0 => at its least, else anything between (market rules 2.1, 3.1, 3.2, 3.3 are this for their kinds).
 */

import { AuctionError } from '../../market/errors.ts';

export interface Column {
  /** As the proof of a result names it (`market/proof.ts`). */
  readonly name: string;
  /** MW into a cell per unit of the column; 0 where it only stands for something there. */
  readonly cells: readonly (readonly [cell: number, mw: number])[];
  /** The same where both legs of a loop meet in a cell, not added up: each leg has its own whole lots. */
  readonly legs?: readonly (readonly [cell: number, mw: number])[];
  /** Currency per hour and unit. */
  readonly cost: number;
  readonly least: number;
  readonly most: number;
  readonly kind: 'flow' | 'exchange' | 'ratio' | 'step';
  /** Of a step: MW that its order executes of it in any case while it is on; the column has what comes on top. */
  readonly held?: number;
}

/** What a row is about. */
export type RowKind =
  | 'link'
  | 'group'
  | 'starts'
  | 'step'
  | 'least'
  | 'gradient'
  | 'stop'
  | 'pool'
  | 'constraint'
  | 'ramp';

/** Does the row count ratios rather than MW? */
export const isOfRatios = ({ kind }: Row): boolean => kind === 'link' || kind === 'group' || kind === 'starts';

/** low <= sum(factor * column) <= high */
export interface Row {
  readonly kind: RowKind;
  /** As the proof of a result names it (`market/proof.ts`). */
  readonly name: string;
  readonly entries: readonly (readonly [column: number, factor: number])[];
  readonly low: number;
  readonly high: number;
  /** What of the network it says, for errors. */
  readonly rule?: string;
}

/**
 * A yes or no that no price decides alone: its column is at 0 or within [least, most of the column].
 *
 * While it is on, nobody may lose (market rules, section 2): what `test` says must hold at the published prices.
 */
export interface Decision {
  /** Index in the book; a loop has two. */
  readonly orders: readonly number[];
  readonly column: number;
  readonly least: number;
  /** Columns that trade only while it is on. */
  readonly steps: readonly number[];
  /**
   * `surplus`: what it gains covers its costs, its accepted descendants' included. `income`: what it earns covers these terms. `none`: it is on, whatever
   * it loses; nobody asks for that but `report/counterfactual.ts`. `free`: there is nothing to decide, a price alone says its ratio (market
   * rules, section 2.3: a block without a minimum acceptance ratio that is alone is a convex order).
   */
  readonly test: 'surplus' | 'income' | 'none' | 'free';
  /** Terms outside the welfare (`income`): currency per hour, and currency/MWh. */
  readonly fixed: number;
  readonly variable: number;
  /** Decision that must be on for this one to be on, or -1. */
  readonly parent: number;
  /** First MTU of a flexible order's start, from 1. */
  readonly start?: number;
}

/** Columns of a complex order that trade whatever is decided: all its steps when there is no condition, or those of its scheduled stop. */
export interface Steps {
  readonly order: number;
  readonly columns: readonly number[];
}

/** Collects columns, rows and decisions while a problem is made. */
export class Columns {
  /** Steps of complex orders that no decision is about, by order. */
  readonly free: Steps[] = [];
  readonly columns: Column[] = [];
  readonly rows: Row[] = [];
  readonly decisions: Decision[] = [];

  /** A cell that comes twice, as where both legs of a loop meet, comes once with the sum. */
  column(column: Column): number {
    const cells = new Map<number, number>();
    for (const [cell, mw] of column.cells) cells.set(cell, (cells.get(cell) ?? 0) + mw);
    const isPlain = cells.size === column.cells.length;
    return this.columns.push(isPlain ? column : { ...column, cells: [...cells], legs: column.cells }) - 1;
  }

  /**
   * A row without entries binds nobody, unless nothing is not enough for it.
   *
   * @param rule  what the network asks there, for the error
   */
  row(row: Row, rule?: string): void {
    if (row.entries.length > 0) this.rows.push(rule === undefined ? row : { ...row, rule });
    else if (row.low > 0 || row.high < 0) {
      throw new AuctionError('invalid-book', `${rule ?? 'a rule'} can't be kept: nothing can flow there`);
    }
  }

  decision(decision: Decision): number {
    return this.decisions.push(decision) - 1;
  }
}
