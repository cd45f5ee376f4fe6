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

  constructor({ book, periods }: Pick<Ranged, 'book' | 'periods'>) {
    this.fixed = new Array<number>(book.zones.length * periods).fill(0);
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

/** Limit and curve orders, offer by offer. */
export function addOffers({ positions, periods }: Ranged, to: Draft, isHere: (cell: number) => boolean): void {
  for (const { zone, from, span, offers, executed } of positions) {
    const first = zone * periods + from;
    if (!isHere(first)) continue;
    offers.forEach(({ side, first: price, last, power }, i) => {
      const sign = side === 'sell' ? 1 : -1;
      to.column({
        cells: Array.from({ length: span }, (_, k) => [first + k, sign] as const),
        cost: sign * price * span,
        bend: (Math.abs(last - price) * span) / power,
        least: 0,
        most: power,
        told: executed[i]!,
      });
    });
  }
}

/** Lines, regions and ramps: what carries. */
export function addNetwork(view: Ranged, to: Draft, isHere: (cell: number) => boolean): void {
  const { links, periods, book } = view;
  const flows = new Map<Link, Entries[]>();
  for (const [i, link] of links.entries()) {
    if (!isHere(link.from * periods)  && !isHere(link.to * periods) && !link.tied && !anyHere(link)) continue;
    flows.set(
      link,
      link.flow.map((_, t) => (isHere(link.from * periods + t) ? addFlows(view, to, link, i, t) : [])),
    );
  }
  const exported = book.zones.map(() => Array.from({ length: periods }, (): [number, number][] => []));
  addRegions(view, to, isHere, exported);
  for (const [{ from, to: into }, byMtu] of flows)
    byMtu.forEach((entries, t) => {
      for (const [c] of entries)
        for (const [cell, mw] of to.columns[c]!.cells) {
          const z = Math.floor(cell / periods);
          if (z === from || z === into) exported[z]![t]!.push([c, -mw]);
        }
    });
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
  const linkOf = new Map(links.map((link) => [link.line.id, link]));
  const flowAt = (id: string, t: number): Entries => flows.get(linkOf.get(id)!)?.[t] ?? [];
  for (const { line } of links)
    if (line.ramp !== null) ramp({ ramp: line.ramp, before: line.before }, (t) => flowAt(line.id, t));
  for (const set of book.rampSets ?? []) ramp(set, (t) => set.lines.flatMap((id) => flowAt(id, t)));
  for (const each of book.netPositionRamps ?? [])
    ramp(each, (t) => exported[book.zones.indexOf(each.zone)]![t]!);

  function anyHere({ from }: Link): boolean {
    for (let t = 0; t < periods; t++) if (isHere(from * periods + t)) return true;
    return false;
  }
}

/** The directions of a line that are open, with the sign of what they carry. */
function addFlows(view: Ranged, to: Draft, link: Link, i: number, t: number): Entries {
  const { periods, price } = view;
  const { loss, tariff } = link.line;
  // Both ways at once would burn power where prices are negative: the one that is not in use is shut.
  const burns = link.tied && Math.min(price[link.from]![t]!, price[link.to]![t]!) < 0;
  return directionsOf(link, t).flatMap((way): Entries => {
    if (view.isShut(t, i, way.back) || (burns && way.mayBeShut && spreadOf(view, link, t, way.back) > view.ep)) return [];
    const cells = [[way.a * periods + t, -1] as const, [way.b * periods + t, 1 - loss] as const];
    const most = isFixed(way) ? way.least : way.most;
    const c = to.column({ cells, cost: tariff, least: way.least, most, told: way.sent });
    return [[c, way.back ? -1 : 1]];
  });
}

function addRegions(
  view: Ranged,
  to: Draft,
  isHere: (cell: number) => boolean,
  exported: [column: number, mw: number][][][],
): void {
  const { regions, periods, book, pool } = view;
  regions.forEach(({ zones, constraints }, t) => {
    if (zones.length === 0 || !isHere(zones[0]! * periods + t)) return;
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
