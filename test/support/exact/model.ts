/**
 * The market as a program: what a book is worth where its decisions are made (market rules, section 4, MASTER).
 *
 * Everything is per hour of a market time unit (MTU): variables in MW or ratios, the function in currency per hour. All MTUs of an
 * auction have one length, so welfare in money is the value times that length, and the multiplier of a balance is a price in currency/MWh.
 * Balance of zone z in MTU t: buys - sells + what leaves - what arrives = 0.
 */

import type { Book } from '../../../src/market/book.ts';
import { hoursOf, resolutionMinutes } from '../../../src/market/time.ts';
import type { Program, Variable } from './maximise.ts';
import { one, type Rational, rational, zero } from './rational.ts';

/** What a variable stands for, as far as the rules about prices tell it apart from others. */
export interface Role {
  /** An order over several MTUs, or a schedule with gradients: the first to give way (market rules, section 4). */
  readonly isLong?: boolean;
  /** A flow under a ramp: the second. */
  readonly isRamped?: boolean;
  /** Flow-based exchange of a zone: the third. */
  readonly isExchange?: boolean;
  /** A direction of a line with losses, with its MTU. */
  readonly direction?: Direction;
  /** Nothing may flow in this direction. */
  readonly isShut?: boolean;
  /** A ratio of a block or of a loop, not MW. */
  readonly isRatio?: boolean;
  /** Of a loop: what it has in the balances is the difference of its legs. */
  readonly isLoop?: boolean;
  /** MWh bought per hour and unit of it. */
  readonly bought?: Rational;
  /** Of a curve's net position at one price: it does not trade with itself, so of those of one name either all buys or all sells are 0. */
  readonly netOf?: string;
}

export interface Direction {
  readonly line: string;
  readonly mtu: number;
  readonly way: 'there' | 'back';
  /** Cells that it leaves and arrives in. */
  readonly from: number;
  readonly to: number;
}

/** sum(value of v * (its gain - its columns in the balances * prices)) >= atLeast, in currency per hour. */
export interface NoLoss {
  readonly order: string;
  readonly terms: readonly (readonly [variable: number, gain: Rational])[];
  readonly atLeast: Rational;
}

export class Model implements Program {
  readonly variables: (Variable & { column: (readonly [number, Rational])[] })[] = [];
  readonly roles: Role[] = [];
  /** Balances first: cell z * periods + t. */
  readonly rows: Rational[] = [];
  readonly noLoss: NoLoss[] = [];
  /** Fixed terms of orders that are on, currency per hour. */
  constant: Rational = zero;
  readonly cells: number;
  readonly periods: number;
  /** Hours of an MTU. */
  readonly hours: Rational;
  readonly book: Book;

  constructor(book: Book) {
    this.book = book;
    this.periods = book.periods;
    this.cells = book.zones.length * book.periods;
    this.hours = rational(hoursOf(book.resolution));
    for (let i = 0; i < this.cells; i++) this.rows.push(zero);
  }

  cell = (zone: string, mtu: number): number => this.book.zones.indexOf(zone) * this.periods + mtu;

  /** The MTUs (0-based) that a period of an order covers. */
  mtusOf({ resolution }: { resolution?: Book['resolution'] | undefined }, period: number): number[] {
    const span = resolutionMinutes[resolution ?? this.book.resolution] / resolutionMinutes[this.book.resolution];
    return Array.from({ length: span }, (_, i) => (period - 1) * span + i);
  }

  add(variable: Variable, role: Role = {}): number {
    this.variables.push({ ...variable, column: [...variable.column] });
    this.roles.push(role);
    return this.variables.length - 1;
  }

  /** sum(factor * variable) = right. */
  addRow(terms: readonly (readonly [variable: number, factor: Rational])[], right: Rational): number {
    const row = this.rows.push(right) - 1;
    for (const [variable, factor] of terms) this.variables[variable]!.column.push([row, factor]);
    return row;
  }

  /** sum(factor * variable) <= right. */
  addLimit(terms: readonly (readonly [variable: number, factor: Rational])[], right: Rational): void {
    const row = this.addRow(terms, right);
    this.add({ lower: zero, gain: zero, column: [[row, one]] });
  }
}
