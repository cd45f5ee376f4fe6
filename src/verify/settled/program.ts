/**
 * What is left to choose once the decisions of a result are made, as a program: everybody who trades or carries freely is a column, what ties
 * columns together is a row (market rules, sections 2 and 3). Its best volumes are what the rules execute before lots are made of them, and its
 * prices those that they publish the middle of.
 *
 *   gain = sum(MW into a cell * the cell's price) - cost - bend * x - sum(factor in a row * the row's price)
 *
 * A column with a gain is at its most, one with a loss at its least, one with neither anywhere between.
 */

import { capacityAt } from '../../market/network.ts';
import { dust } from '../numbers/tolerances.ts';
import { directionsOf, isFixed, spreadOf } from '../view/directions.ts';
import type { Link } from '../view/seen.ts';
import type { Ranged } from '../view/shut.ts';

/** Anything that trades or carries, in units of its own: MW, or a ratio. */
export interface Column {
  /** MW into a cell (zone * periods + MTU) per unit. */
  readonly cells: readonly (readonly [cell: number, mw: number])[];
  /** Currency per hour of the first unit, and by how much each further one costs more. */
  readonly cost: number;
  readonly bend: number;
  readonly least: number;
  readonly most: number;
  /** As published. */
  readonly told: number;
  /** Key of the order whose volume it is; undefined of what carries. */
  readonly order?: string;
  /** MW that a unit moves at the most. */
  readonly size: number;
  readonly rows: [row: number, factor: number][];
}

/** low <= sum(factor * column) <= high */
export interface Row {
  readonly entries: readonly (readonly [column: number, factor: number])[];
  readonly low: number;
  readonly high: number;
}

export interface Program {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** MW by cell that are sold, or bought if negative, whatever the price. */
  readonly fixed: readonly number[];
  /** Prices between which those leave a cell's price. */
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Currency per hour that these are worth to who made them, terms in the welfare included; by the cell where they begin. */
  readonly worth: readonly number[];
}

/** No room to choose in. */
export const isHeld = ({ least, most }: Column): boolean =>
  Number.isFinite(most - least) && most - least <= dust(least, most);

type Entries = readonly (readonly [column: number, factor: number])[];

/** Collects columns and rows while a view is read. */
export class Draft {
  readonly columns: Column[] = [];
  readonly rows: Row[] = [];
  readonly fixed: number[];
  readonly low: number[];
  readonly high: number[];
  readonly worth: number[];

  constructor({ book, periods }: Pick<Ranged, 'book' | 'periods'>) {
    const each = (value: number) => new Array<number>(book.zones.length * periods).fill(value);
    this.fixed = each(0);
    this.worth = each(0);
    this.low = each(book.priceLimits.min);
    this.high = each(book.priceLimits.max);
  }

  /** A cell's price is no lower (higher: -1) than this. */
  bound(cell: number, price: number, sign: number): void {
    if (sign > 0 && price > this.low[cell]!) this.low[cell] = price;
    if (sign < 0 && price < this.high[cell]!) this.high[cell] = price;
  }

  column(column: Omit<Column, 'rows' | 'bend' | 'size'> & { readonly bend?: number }): number {
    const size = column.cells.reduce((most, [, mw]) => Math.max(most, Math.abs(mw)), 0);
    return this.columns.push({ bend: 0, size, ...column, rows: [] }) - 1;
  }

  row(entries: Entries, low: number, high: number): void {
    if (entries.length === 0) return;
    const row = this.rows.push({ entries, low, high }) - 1;
    for (const [column, factor] of entries) this.columns[column]!.rows.push([row, factor]);
  }
}

/**
 * Limit and curve orders, offer by offer.
 *
 * @param looks  whether those of one MTU that are in or out of the money by more than two ticks at the published prices are taken to be full or to
 *               have nothing: they bound the price, and nothing is left to choose
 */
export function addOffers({ positions, periods, price, ep }: Ranged, to: Draft, looks: boolean): void {
  for (const { id, zone, from, span, offers, executed } of positions) {
    const first = zone * periods + from;
    const at = price[zone]![from]!;
    const cells = Array.from({ length: span }, (_, k) => first + k);
    for (const [i, { side, first: begin, last, power }] of offers.entries()) {
      const sign = side === 'sell' ? 1 : -1;
      if (looks && span === 1 && sign * (at - last) > 2 * ep) {
        to.fixed[first]! += sign * power;
        to.worth[first]! -= (sign * power * (begin + last)) / 2;
        to.bound(first, last, sign);
      } else if (looks && span === 1 && sign * (begin - at) > 2 * ep) to.bound(first, begin, -sign);
      else
        to.column({
          cells: cells.map((cell) => [cell, sign] as const),
          cost: sign * begin * span,
          bend: (Math.abs(last - begin) * span) / power,
          least: 0,
          most: power,
          told: executed[i]!,
          order: id,
        });
    }
  }
}

/** Lines, regions and ramps: what carries. */
export function addNetwork(view: Ranged, to: Draft): void {
  const { links, periods, book } = view;
  const exported = book.zones.map(() => Array.from({ length: periods }, (): [number, number][] => []));
  const flows = new Map<string, Entries[]>();
  for (const [i, link] of links.entries())
    flows.set(
      link.line.id,
      link.flow.map((_, t) => addFlows(view, to, link, i, t)),
    );
  for (const byMtu of flows.values())
    byMtu.forEach((entries, t) => {
      for (const [c] of entries)
        for (const [cell, mw] of to.columns[c]!.cells) exported[Math.floor(cell / periods)]![t]!.push([c, -mw]);
    });
  addRegions(view, to, exported);
  const ramp = (
    { ramp: limit, before }: { ramp: number | readonly number[]; before?: number | null | undefined },
    at: (t: number) => Entries,
  ) => {
    for (let t = 0; t < periods; t++) {
      const most = capacityAt(limit, t);
      if (t > 0) to.row([...at(t), ...at(t - 1).map(([c, f]) => [c, -f] as const)], -most, most);
      else if (typeof before === 'number') to.row(at(0), before - most, before + most);
    }
  };
  const flowAt = (id: string, t: number): Entries => flows.get(id)![t]!;
  for (const { id, ramp: limit, before } of book.lines)
    if (limit !== null) ramp({ ramp: limit, before }, (t) => flowAt(id, t));
  for (const set of book.rampSets ?? []) ramp(set, (t) => set.lines.flatMap((id) => flowAt(id, t)));
  for (const each of book.netPositionRamps ?? []) ramp(each, (t) => exported[book.zones.indexOf(each.zone)]![t]!);
}

/** The directions of a line that are open, with the sign of what they carry. */
function addFlows(view: Ranged, to: Draft, link: Link, i: number, t: number): Entries {
  const { periods, price } = view;
  const { loss, tariff } = link.line;
  // Both ways at once would burn power where prices are negative: the one that is not in use is shut.
  const burns = link.tied && Math.min(price[link.from]![t]!, price[link.to]![t]!) < 0;
  return directionsOf(link, t).flatMap((way): Entries => {
    if (view.isShut(t, i, way.back) || (burns && way.mayBeShut && spreadOf(view, link, t, way.back) > view.ep))
      return [];
    const cells = [[way.a * periods + t, -1] as const, [way.b * periods + t, 1 - loss] as const];
    const most = isFixed(way) ? way.least : way.most;
    const c = to.column({ cells, cost: tariff, least: way.least, most, told: way.sent });
    return [[c, way.back ? -1 : 1]];
  });
}

function addRegions(view: Ranged, to: Draft, exported: [column: number, mw: number][][][]): void {
  const { regions, periods, book, pool } = view;
  regions.forEach(({ zones, constraints }, t) => {
    if (zones.length === 0) return;
    const factor = (ptdf: Readonly<Record<string, number>>, z: number) =>
      Object.hasOwn(ptdf, book.zones[z]!) ? ptdf[book.zones[z]!]! : 0;
    if (book.flowBased === 'intuitive') {
      const pairs = zones.flatMap((a) => zones.flatMap((b) => (a === b ? [] : [{ a, b }])));
      const columns = pairs.map(({ a, b }) => {
        const cells = [[a * periods + t, -1] as const, [b * periods + t, 1] as const];
        const c = to.column({ cells, cost: 0, least: 0, most: Infinity, told: 0 });
        exported[a]![t]!.push([c, 1]);
        exported[b]![t]!.push([c, -1]);
        return c;
      });
      for (const { ptdf, ram } of constraints) {
        const burden = pairs.map(({ a, b }) => factor(ptdf, a) - factor(ptdf, b));
        to.row(
          columns.flatMap((c, k) => (burden[k]! > 0 ? [[c, burden[k]!] as const] : [])),
          -Infinity,
          ram,
        );
      }
      return;
    }
    const columns = zones.map((z) => {
      const told = pool[z]![t]!;
      const c = to.column({ cells: [[z * periods + t, -1]], cost: 0, least: -Infinity, most: Infinity, told });
      exported[z]![t]!.push([c, 1]);
      return c;
    });
    to.row(
      columns.map((c) => [c, 1] as const),
      0,
      0,
    );
    for (const { ptdf, ram } of constraints)
      to.row(
        columns.flatMap((c, k) => (factor(ptdf, zones[k]!) === 0 ? [] : [[c, factor(ptdf, zones[k]!)] as const])),
        -Infinity,
        ram,
      );
  });
}
