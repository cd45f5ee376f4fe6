/**
 * What everybody together could gain at given prices, if each could choose alone (Lagrange).
 *
 * For any prices of cells and rows this is no less than the welfare of any answer, so each such sum is a bound. It is a sum over
 * orders, columns and rows; what a decision changes is one term of it. Whole numbers, and exact (`scale.ts`).
 */

import type { ProofGroup } from '../../market/proof.ts';
import type { Column, Model, Row } from './building.ts';
import type { Curve } from './curve.ts';

/** What of the book belongs to a group of MTUs. */
export interface Part {
  /** First MTU, from 0, and that after the last. */
  readonly first: number;
  readonly after: number;
  readonly zones: number;
  readonly curves: readonly Curve[];
  readonly columns: readonly Column[];
  /** By name. */
  readonly rows: ReadonlyMap<string, Row>;
}

/** Prices of a proof, by cell of the whole book, and by row. */
export interface Prices {
  readonly cell: readonly bigint[];
  readonly row: ReadonlyMap<Row, bigint>;
}

/**
 * @throws TypeError when they have not the form of the group's, name a row that is not the group's or one twice, or have a price with
 *         a sign that the row does not take: one that has only one limit is paid for there alone
 */
export function pricesOf(model: Model, part: Part, given: ProofGroup['prices'][number]): Prices {
  const { scale } = model;
  const width = part.after - part.first;
  if (given.cells.length !== part.zones * width)
    throw new TypeError(`${given.cells.length} prices of ${part.zones * width} cells`);
  const cell = new Array<bigint>(part.zones * model.periods).fill(0n);
  given.cells.forEach((price, k) => {
    cell[Math.floor(k / width) * model.periods + part.first + (k % width)] = scale.price(price);
  });
  const prices = new Map<Row, bigint>();
  for (const [name, value] of given.rows) {
    // A row of another group would count with nothing that it binds.
    const row = part.rows.get(name);
    if (row === undefined) throw new TypeError(`there is no row ${name}`);
    if (prices.has(row)) throw new TypeError(`row ${name} has two prices`);
    if (value !== 0 && (value > 0 ? row.high : row.low) === undefined)
      throw new TypeError(`row ${name} has no limit on the side of its price ${value}`);
    prices.set(row, scale.price(value));
  }
  return { cell, row: prices };
}

/** The most of gain * x over least <= x <= most. */
export const mostOver = (gain: bigint, least: bigint, most: bigint): bigint => gain * (gain > 0n ? most : least);

/** Gain of a unit of a column; without its cost where only balance is asked about. */
export function gainOf({ cells, cost, rows }: Column, { cell, row }: Prices, costs = true): bigint {
  let gain = costs ? -cost : 0n;
  for (const [at, mw] of cells) gain += mw * cell[at]!;
  for (const [each, factor] of rows) {
    const price = row.get(each);
    if (price !== undefined) gain -= factor * price;
  }
  return gain;
}

export interface Gains {
  /** Money per hour: the sum while nothing is decided. */
  readonly all: bigint;
  readonly of: ReadonlyMap<Column, bigint>;
}

/** @param costs  false: orders and columns cost nothing and are paid nothing, only what they move counts */
export function gainsAt(model: Model, part: Part, prices: Prices, costs = true): Gains {
  let ofCurves = 0n;
  for (const curve of part.curves) {
    const first = curve.zone * model.periods + curve.from;
    let sum = 0n;
    for (let cell = first; cell < first + curve.span; cell++) sum += prices.cell[cell]!;
    ofCurves += costs ? curve.gain(sum) : curve.gainWithoutCosts(sum);
  }
  const { one } = model.scale;
  let all = ofCurves * one;
  const of = new Map<Column, bigint>();
  for (const column of part.columns) {
    const gain = gainOf(column, prices, costs);
    of.set(column, gain);
    all += mostOver(gain, column.least, column.most);
  }
  for (const [{ low, high }, price] of prices.row) if (price !== 0n) all += price * one * (price > 0n ? high! : low!);
  return { all, of };
}

/** @throws TypeError when the group cuts through something that ties MTUs together */
export function partOf(model: Model, zones: number, { first, last }: Pick<ProofGroup, 'first' | 'last'>): Part {
  const [from, after] = [first - 1, last];
  const inside = (t: number) => t >= from && t < after;
  const curves = model.curves.filter((curve) => inside(curve.from));
  const columns = [...model.columns.values()].filter(({ mtu }) => inside(mtu));
  const rows = new Map(columns.flatMap((column) => column.rows.map(([row]) => [row.name, row] as const)));
  const cut =
    curves.find((curve) => !inside(curve.from + curve.span - 1)) ??
    columns.find(({ cells }) => !cells.every(([cell]) => inside(cell % model.periods)));
  if (cut !== undefined) throw new TypeError(`something reaches beyond MTUs ${first} to ${last}`);
  for (const column of model.columns.values()) {
    if (inside(column.mtu)) continue;
    const shared = column.rows.find(([row]) => rows.has(row.name));
    if (shared !== undefined) throw new TypeError(`${shared[0].name} reaches beyond MTUs ${first} to ${last}`);
  }
  return { first: from, after, zones, curves, columns, rows };
}
