/** Lines, regions and ramps as columns and rows of the checker's model (market rules, section 3). */

import type { Book } from '../../market/book.ts';
import { capacityAt } from '../../market/network.ts';
import { columnName, rowName } from '../../market/proof.ts';
import { profileOf } from '../view/units.ts';
import type { Building, Entries } from './building.ts';
import type { Scale } from './scale.ts';

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const size = (a: bigint): bigint => (a < 0n ? -a : a);

export function addLines(to: Building): void {
  const { book, scale } = to;
  for (const line of book.lines) {
    const [into, tariff] = [scale.one - scale.volume(line.loss), scale.price(line.tariff) * scale.one];
    for (let t = 0; t < book.periods; t++) {
      const forth = scale.volume(capacityAt(line.capacity, t));
      const back = scale.volume(capacityAt(line.reverse, t));
      const flow = (a: string, b: string, isBack: boolean, least: bigint, most: bigint) =>
        to.column({
          name: columnName.flow(line.id, t + 1, isBack),
          cells: [
            [to.cell(a, t), -scale.one],
            [to.cell(b, t), into],
          ],
          cost: tariff,
          least,
          most,
          ...(line.loss > 0 && { opposite: columnName.flow(line.id, t + 1, !isBack) }),
        });
      if (line.loss === 0 && line.tariff === 0) flow(line.from, line.to, false, -back, forth);
      else {
        // What a capacity below zero forces the other way.
        flow(line.from, line.to, false, larger(0n, -back), larger(0n, forth));
        flow(line.to, line.from, true, larger(0n, -forth), larger(0n, back));
      }
    }
  }
}

/** MW that may come into or out of a zone in an MTU at the most, by cell: of its orders, and over its lines. */
function reachOf(to: Building): bigint[] {
  const { book, scale } = to;
  const reach = new Array<bigint>(book.zones.length * book.periods).fill(0n);
  const add = (cell: number, mw: number) => {
    reach[cell]! += size(scale.volume(mw));
  };
  for (const { from, to: into, capacity, reverse } of book.lines) {
    for (let t = 0; t < book.periods; t++)
      for (const zone of [from, into])
        for (const most of [capacity, reverse]) add(to.cell(zone, t), capacityAt(most, t));
  }
  for (const order of book.orders) {
    const here = (period: number, mw: number) => {
      for (const cell of to.cells(order, period)) add(cell, mw);
    };
    if (order.kind === 'limit') here(order.period, order.power);
    else if (order.kind === 'curve')
      for (const point of [order.points[0]!, order.points.at(-1)!]) here(order.period, point.power);
    else if (order.kind === 'block') for (const { period, power } of profileOf(order)) here(period, power);
    else if (order.kind === 'complex') for (const { period, power } of order.steps) here(period, power);
    else for (let period = order.earliest; period < order.latest + order.duration; period++) here(period, order.power);
  }
  return reach;
}

/** The zones that exchange under constraints, and how much each of them may at the most. */
export function addRegions(to: Building): void {
  const { book, scale } = to;
  const named = new Set(book.constraints.flatMap(({ ptdf }) => Object.keys(ptdf)));
  const onLines = new Set(book.lines.flatMap(({ from, to }) => [from, to]));
  const region = named.size === 0 ? [] : book.zones.filter((id) => named.has(id) || !onLines.has(id));
  if (region.length === 0) return;
  const reach = reachOf(to);
  const byPeriod = Map.groupBy(book.constraints, (each) => each.period);
  const add = book.flowBased === 'intuitive' ? addExchanges : addExports;
  for (let period = 1; period <= book.periods; period++)
    add(to, {
      zones: region,
      period,
      constraints: factorsOf(byPeriod.get(period) ?? [], scale),
      reach: (zone) => reach[to.cell(zone, period - 1)]!,
    });
}

/** Zones that exchange in a period under constraints. */
interface Region {
  readonly zones: readonly string[];
  readonly period: number;
  readonly constraints: Factors;
  /** What a zone may export, or import, at the most. */
  readonly reach: (zone: string) => bigint;
}

type Factors = { readonly id: string; readonly ram: bigint; readonly factor: (zone: string) => bigint }[];

const factorsOf = (constraints: Book['constraints'], scale: Scale): Factors =>
  constraints.map(({ id, ptdf, ram }) => ({
    id,
    ram: scale.volume(ram),
    factor: (zone) => scale.volume(Object.hasOwn(ptdf, zone) ? ptdf[zone]! : 0),
  }));

/** Plain: what each zone exports into the pool. It is no more than the zone can trade otherwise, since its cell balances. */
function addExports(to: Building, { zones, period, constraints, reach }: Region): void {
  const { one } = to.scale;
  const exports = zones.map((id) =>
    to.column({
      name: columnName.export(id, period),
      cells: [[to.cell(id, period - 1), -one]],
      cost: 0n,
      least: -reach(id),
      most: reach(id),
    }),
  );
  const pool = exports.map((column) => [column, one] as const);
  to.row(rowName.pool(period), 0n, 0n, pool);
  for (const { id, ram, factor } of constraints) {
    const factors = zones.map(factor);
    const entries = exports.flatMap((column, k): Entries => (factors[k] === 0n ? [] : [[column, factors[k]!]]));
    to.row(rowName.constraint(id, period), undefined, ram, entries);
  }
}

/**
 * Intuitive: exchanges between each two zones, which burden a constraint by what is above zero. Without rings, which change no balance and
 * only burden, none is more than all that the region may export.
 */
function addExchanges(to: Building, { zones, period, constraints, reach }: Region): void {
  const { one } = to.scale;
  const most = zones.reduce((sum, id) => sum + reach(id), 0n);
  const pairs = zones.flatMap((from) => zones.flatMap((into) => (from === into ? [] : [{ from, into }])));
  const columns = pairs.map(({ from, into }) =>
    to.column({
      name: columnName.exchange(from, into, period),
      cells: [
        [to.cell(from, period - 1), -one],
        [to.cell(into, period - 1), one],
      ],
      cost: 0n,
      least: 0n,
      most,
    }),
  );
  for (const { id, ram, factor } of constraints) {
    const burden = pairs.map(({ from, into }) => factor(from) - factor(into));
    const entries = columns.flatMap((column, k): Entries => (burden[k]! > 0n ? [[column, burden[k]!]] : []));
    to.row(rowName.constraint(id, period), undefined, ram, entries);
  }
}

export function addRamps(to: Building): void {
  const { book, columns, scale } = to;
  const { one } = scale;
  const flow = (line: string, t: number): Entries => {
    const back = columns.get(columnName.flow(line, t + 1, true));
    const forth = [columns.get(columnName.flow(line, t + 1, false))!, one] as const;
    return back === undefined ? [forth] : [forth, [back, -one]];
  };
  const ramp = (
    name: (mtu: number) => string,
    { ramp: limit, before }: { ramp: number | readonly number[]; before?: number | null | undefined },
    at: (t: number) => Entries,
  ) => {
    for (let t = 0; t < book.periods; t++) {
      const most = scale.volume(capacityAt(limit, t));
      const earlier: Entries = t === 0 ? [] : at(t - 1).map(([column, factor]) => [column, -factor]);
      if (t > 0) to.row(name(t + 1), -most, most, [...at(t), ...earlier]);
      else if (typeof before === 'number') {
        const was = scale.volume(before);
        to.row(name(1), was - most, was + most, at(0));
      }
    }
  };
  for (const line of book.lines) {
    const { id, ramp: limit, before } = line;
    if (limit !== null)
      ramp(
        (mtu) => rowName.ramp(id, mtu),
        { ramp: limit, before },
        (t) => flow(id, t),
      );
  }
  for (const set of book.rampSets ?? [])
    ramp(
      (mtu) => rowName.rampSet(set.id, mtu),
      set,
      (t) => set.lines.flatMap((id) => flow(id, t)),
    );
  for (const each of book.netPositionRamps ?? []) {
    const first = to.cell(each.zone, 0);
    // Of what trades only lines and regions have columns so far: what they take out of the zone is its net position.
    const exported: Entries[] = Array.from({ length: book.periods }, () => []);
    for (const column of columns.values())
      for (const [cell, mw] of column.cells)
        if (cell >= first && cell < first + book.periods) exported[cell - first]!.push([column, -mw]);
    ramp(
      (mtu) => rowName.positionRamp(each.id, mtu),
      each,
      (t) => exported[t]!,
    );
  }
}
