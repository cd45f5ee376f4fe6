/**
 * What everybody together could gain at given prices, if each could choose alone (Lagrange).
 *
 * For any prices of cells and rows this is no less than the welfare of any answer, so each such sum is a bound. It is a sum over
 * orders, columns and rows; what a decision changes is one term of it.
 */

import type { Proof, ProofGroup } from '../../market/proof.ts';
import { inProof } from '../numbers/tolerances.ts';
import { bestAt, surplusAt } from '../view/offers.ts';
import type { Column, Crowd, Model, Row } from './model.ts';

/** What of the book belongs to a group of MTUs. */
export interface Part {
  /** First MTU, from 0, and that after the last. */
  readonly first: number;
  readonly after: number;
  readonly zones: number;
  readonly crowds: readonly Crowd[];
  readonly columns: readonly Column[];
  /** By name. */
  readonly rows: ReadonlyMap<string, Row>;
}

/** Prices of a proof, by cell of the whole book, and by name of a row. */
export interface Prices {
  readonly cell: Float64Array;
  readonly row: ReadonlyMap<string, number>;
}

/** @throws TypeError when they have not the form of the group's, or name a row that is not the group's */
export function pricesOf(
  model: Model,
  { first, after, zones, rows }: Part,
  given: ProofGroup['prices'][number],
): Prices {
  const width = after - first;
  if (given.cells.length !== zones * width)
    throw new TypeError(`${given.cells.length} prices of ${zones * width} cells`);
  const cell = new Float64Array(zones * model.periods);
  given.cells.forEach((price, k) => {
    cell[Math.floor(k / width) * model.periods + first + (k % width)] = price;
  });
  // A row of another group would count with nothing that it binds.
  for (const [name] of given.rows) if (!rows.has(name)) throw new TypeError(`there is no row ${name}`);
  return { cell, row: new Map(given.rows) };
}

/** The most of gain * x over least <= x <= most. */
export function mostOver(gain: number, least: number, most: number): number {
  const end = gain > 0 ? most : least;
  return Number.isFinite(end) ? gain * end : Math.abs(gain) <= inProof.noPrice ? 0 : Infinity;
}

/** Gain of a unit of a column; without its cost where only balance is asked about. */
export function gainOf({ cells, cost, rows }: Column, { cell, row }: Prices, costs = true): number {
  let gain = costs ? -cost : 0;
  for (const [at, mw] of cells) gain += mw * cell[at]!;
  for (const [{ name }, factor] of rows) {
    const price = row.get(name);
    if (price !== undefined) gain -= factor * price;
  }
  return gain;
}

export function meanPrice({ zone, from, span }: Crowd, { cell }: Prices, periods: number): number {
  let sum = 0;
  for (let t = from; t < from + span; t++) sum += cell[zone * periods + t]!;
  return sum / span;
}

export interface Gains {
  /** Currency per hour: the sum while nothing is decided. */
  readonly all: number;
  readonly of: ReadonlyMap<Column, number>;
}

/** @param costs  false: orders and columns cost nothing and are paid nothing, only what they move counts */
export function gainsAt(model: Model, part: Part, prices: Prices, costs = true): Gains {
  let all = 0;
  for (const crowd of part.crowds) {
    const price = meanPrice(crowd, prices, model.periods);
    for (const offer of crowd.offers) {
      const sells = offer.side === 'sell';
      const gain = costs
        ? surplusAt(offer, bestAt(offer, price), price)
        : Math.max(0, sells ? price : -price) * offer.power;
      all += gain * crowd.span;
    }
  }
  const of = new Map<Column, number>();
  for (const column of part.columns) {
    const gain = gainOf(column, prices, costs);
    of.set(column, gain);
    all += mostOver(gain, column.least, column.most);
  }
  for (const [name, price] of prices.row) {
    const { low, high } = part.rows.get(name)!;
    const end = price > 0 ? high : low;
    all += Number.isFinite(end) ? price * end : Math.abs(price) <= inProof.noPrice ? 0 : Infinity;
  }
  return { all, of };
}

/** @throws TypeError when the group cuts through something that ties MTUs together */
export function partOf(model: Model, zones: number, { first, last }: Proof['groups'][number]): Part {
  const [from, after] = [first - 1, last];
  const inside = (t: number) => t >= from && t < after;
  const crowds = model.crowds.filter((crowd) => inside(crowd.from));
  const columns = [...model.columns.values()].filter(({ mtu }) => inside(mtu));
  const rows = new Map(columns.flatMap((column) => column.rows.map(([row]) => [row.name, row] as const)));
  const cut =
    crowds.find((crowd) => !inside(crowd.from + crowd.span - 1)) ??
    columns.find(({ cells }) => !cells.every(([cell]) => inside(cell % model.periods)));
  if (cut !== undefined) throw new TypeError(`something reaches beyond MTUs ${first} to ${last}`);
  for (const column of model.columns.values()) {
    if (inside(column.mtu)) continue;
    const shared = column.rows.find(([row]) => rows.has(row.name));
    if (shared !== undefined) throw new TypeError(`${shared[0].name} reaches beyond MTUs ${first} to ${last}`);
  }
  return { first: from, after, zones, crowds, columns, rows };
}
