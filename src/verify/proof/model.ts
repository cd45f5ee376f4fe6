/**
 * A book as the proof's checker reads it: what everybody may do, and what ties them together.
 *
 * Net offers of limit and curve orders, columns of all else that trades, rows over these columns, and the decisions. It is the
 * checker's own reading of market rules 2 and 3: it shares the names of `market/proof.ts` with the engine, and no code.
 */

import type { Book } from '../../market/book.ts';
import { capacityAt } from '../../market/network.ts';
import type { BlockOrder, BookOrder, ComplexOrder, FlexibleOrder } from '../../market/order.ts';
import { columnName, rowName } from '../../market/proof.ts';
import { hoursOf } from '../../market/time.ts';
import { keyOf, type Offer, offersOf } from '../view/offers.ts';
import { isSwitched, isUnit, profileOf, spanOf, stagesOf, stopSteps, termsInWelfare } from '../view/units.ts';

/** Limit and curve orders of one zone over one run of MTUs. */
export interface Crowd {
  readonly zone: number;
  readonly from: number;
  readonly span: number;
  readonly offers: Offer[];
}

export interface Column {
  readonly name: string;
  /** MW into a cell (zone * periods + MTU) per unit. */
  readonly cells: readonly (readonly [cell: number, mw: number])[];
  /** Currency per hour and unit. */
  readonly cost: number;
  readonly least: number;
  readonly most: number;
  readonly rows: [row: Row, factor: number][];
  /** MTU that says which group it belongs to. */
  readonly mtu: number;
  /** Name of the other direction of a line with losses: only one of them may carry. */
  readonly opposite?: string;
}

/** low <= sum(factor * column) <= high */
export interface Row {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

/** A yes or no: its column is 0 or at least `least`. */
export interface Decision {
  readonly column: Column;
  readonly least: number;
  /** A minimum income is no gain of the welfare's. */
  readonly isIncome: boolean;
  /** Columns that trade only while it is on. */
  readonly steps: Column[];
  readonly isChild: boolean;
}

export interface Model {
  /** Currency/MWh. */
  readonly priceLimits: { readonly min: number; readonly max: number };
  /** Ids. */
  readonly zones: readonly string[];
  readonly periods: number;
  readonly crowds: readonly Crowd[];
  readonly columns: ReadonlyMap<string, Column>;
  readonly rows: ReadonlyMap<string, Row>;
  readonly decisions: ReadonlyMap<string, Decision>;
}

type Entries = (readonly [column: Column, factor: number])[];
type Draft = Omit<Column, 'rows' | 'mtu'> & { readonly mtu?: number };

class Building {
  readonly columns = new Map<string, Column>();
  readonly rows = new Map<string, Row>();
  readonly decisions = new Map<string, Decision>();
  readonly book: Book;
  readonly hours: number;

  constructor(book: Book) {
    this.book = book;
    this.hours = hoursOf(book.resolution);
  }

  column(draft: Draft): Column {
    const column = { mtu: (draft.cells[0]?.[0] ?? 0) % this.book.periods, ...draft, rows: [] };
    this.columns.set(column.name, column);
    return column;
  }

  row(name: string, low: number, high: number, entries: Entries): void {
    if (entries.length === 0) return;
    const row = { name, low, high };
    this.rows.set(name, row);
    for (const [column, factor] of entries) column.rows.push([row, factor]);
  }

  /** Cells that a period of an order covers. */
  cells(order: BookOrder, period: number): number[] {
    const span = spanOf(order, this.book);
    const first = this.book.zones.indexOf(order.zone) * this.book.periods + (period - 1) * span;
    return Array.from({ length: span }, (_, k) => first + k);
  }
}

const signOf = ({ side }: { side: 'buy' | 'sell' }): 1 | -1 => (side === 'sell' ? 1 : -1);

export function modelOf(book: Book): Model {
  const to = new Building(book);
  addLines(to);
  addRegions(to);
  addRamps(to);
  const units = book.orders.filter(isUnit);
  addBlocks(
    to,
    units.filter((order): order is BlockOrder & BookOrder => order.kind === 'block'),
  );
  for (const order of units) {
    if (order.kind === 'flexible') addFlexible(to, order);
    if (order.kind === 'complex') addComplex(to, order);
  }
  const { columns, rows, decisions } = to;
  const { zones, periods, priceLimits } = book;
  return { zones, periods, priceLimits, crowds: crowdsOf(book), columns, rows, decisions };
}

function crowdsOf(book: Book): Crowd[] {
  const crowds = new Map<string, Crowd>();
  const zones = new Map(book.zones.map((id, z) => [id, z]));
  for (const order of book.orders) {
    if (order.kind !== 'limit' && order.kind !== 'curve') continue;
    const span = spanOf(order, book);
    const [zone, from] = [zones.get(order.zone)!, (order.period - 1) * span];
    const key = `${zone}/${from}/${span}`;
    const crowd = crowds.get(key) ?? { zone, from, span, offers: [] };
    crowds.set(key, crowd);
    crowd.offers.push(...offersOf(order, book));
  }
  return [...crowds.values()];
}

function addLines(to: Building): void {
  const { book } = to;
  for (const line of book.lines) {
    const [from, into] = [book.zones.indexOf(line.from), book.zones.indexOf(line.to)];
    for (let t = 0; t < book.periods; t++) {
      const [forth, back] = [capacityAt(line.capacity, t), capacityAt(line.reverse, t)];
      const flow = (a: number, b: number, isBack: boolean, least: number, most: number) =>
        to.column({
          name: columnName.flow(line.id, t + 1, isBack),
          cells: [
            [a * book.periods + t, -1],
            [b * book.periods + t, 1 - line.loss],
          ],
          cost: line.tariff,
          least,
          most,
          ...(line.loss > 0 && { opposite: columnName.flow(line.id, t + 1, !isBack) }),
        });
      if (line.loss === 0 && line.tariff === 0) flow(from, into, false, -back, forth);
      else {
        // What a capacity below zero forces the other way.
        flow(from, into, false, Math.max(0, -back), Math.max(0, forth));
        flow(into, from, true, Math.max(0, -forth), Math.max(0, back));
      }
    }
  }
}

function addRegions(to: Building): void {
  const { book } = to;
  const named = new Set(book.constraints.flatMap(({ ptdf }) => Object.keys(ptdf)));
  const onLines = new Set(book.lines.flatMap(({ from, to }) => [from, to]));
  const region = named.size === 0 ? [] : book.zones.filter((id) => named.has(id) || !onLines.has(id));
  const byPeriod = Map.groupBy(book.constraints, (each) => each.period);
  for (let period = 1; period <= book.periods && region.length > 0; period++) {
    const constraints = byPeriod.get(period) ?? [];
    const cell = (id: string) => book.zones.indexOf(id) * book.periods + period - 1;
    if (book.flowBased === 'intuitive') {
      const pairs = region.flatMap((from) => region.flatMap((into) => (from === into ? [] : [{ from, into }])));
      const columns = pairs.map(({ from, into }) =>
        to.column({
          name: columnName.exchange(from, into, period),
          cells: [
            [cell(from), -1],
            [cell(into), 1],
          ],
          cost: 0,
          least: 0,
          most: Infinity,
        }),
      );
      for (const { id, ptdf, ram } of constraints) {
        // Only what burdens the constraint counts.
        const burden = pairs.map(({ from, into }) => (ptdf[from] ?? 0) - (ptdf[into] ?? 0));
        const entries = columns.flatMap((column, k): Entries => (burden[k]! > 0 ? [[column, burden[k]!]] : []));
        to.row(rowName.constraint(id, period), -Infinity, ram, entries);
      }
      continue;
    }
    const exports = region.map((id) =>
      to.column({
        name: columnName.export(id, period),
        cells: [[cell(id), -1]],
        cost: 0,
        least: -Infinity,
        most: Infinity,
      }),
    );
    to.row(
      rowName.pool(period),
      0,
      0,
      exports.map((column) => [column, 1] as const),
    );
    for (const { id, ptdf, ram } of constraints) {
      const entries = region.flatMap((zone, k): Entries => (ptdf[zone] ? [[exports[k]!, ptdf[zone]]] : []));
      to.row(rowName.constraint(id, period), -Infinity, ram, entries);
    }
  }
}

function addRamps(to: Building): void {
  const { book, columns } = to;
  const flow = (line: string, t: number): Entries => {
    const back = columns.get(columnName.flow(line, t + 1, true));
    const forth = [columns.get(columnName.flow(line, t + 1, false))!, 1] as const;
    return back === undefined ? [forth] : [forth, [back, -1]];
  };
  const ramp = (
    name: (mtu: number) => string,
    { ramp: limit, before }: { ramp: number | readonly number[]; before?: number | null | undefined },
    at: (t: number) => Entries,
  ) => {
    for (let t = 0; t < book.periods; t++) {
      const most = capacityAt(limit, t);
      const earlier: Entries = t === 0 ? [] : at(t - 1).map(([column, factor]) => [column, -factor]);
      if (t > 0) to.row(name(t + 1), -most, most, [...at(t), ...earlier]);
      else if (typeof before === 'number') to.row(name(1), before - most, before + most, at(0));
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
    const at = book.zones.indexOf(each.zone) * book.periods;
    // Of what trades only lines and regions have columns so far: what they take out of the zone is its net position.
    const exported = (t: number): Entries =>
      [...columns.values()].flatMap((column) =>
        column.cells.flatMap(([cell, mw]): Entries => (cell === at + t ? [[column, -mw]] : [])),
      );
    const all = Array.from({ length: book.periods }, (_, t) => exported(t));
    ramp(
      (mtu) => rowName.positionRamp(each.id, mtu),
      each,
      (t) => all[t]!,
    );
  }
}

function addBlocks(to: Building, blocks: readonly (BlockOrder & BookOrder)[]): void {
  const byKey = new Map(blocks.map((order) => [keyOf(order), order]));
  const named = (order: BookOrder, id: string | undefined) =>
    id === undefined ? undefined : byKey.get(keyOf({ participant: order.participant, record_id: id }));
  const columnOf = new Map<string, Column>();
  const groups = new Map<string, Column[]>();
  const parents = new Set(blocks.map((order) => named(order, order.linkedTo)));
  for (const order of blocks) {
    const partner = named(order, order.loopWith);
    const known = partner && columnOf.get(keyOf(partner));
    if (known !== undefined) {
      columnOf.set(keyOf(order), known);
      continue;
    }
    const legs = partner === undefined ? [order] : [order, partner];
    const missing =
      (order.loopWith !== undefined && partner === undefined) ||
      legs.some((leg) => leg.linkedTo !== undefined && named(leg, leg.linkedTo) === undefined);
    const parts = legs.flatMap((leg) =>
      profileOf(leg).flatMap(({ period, power }) =>
        to.cells(leg, period).map((cell) => ({ cell, mw: signOf(leg) * power, cost: signOf(leg) * power * leg.price })),
      ),
    );
    const column = to.column({
      name: columnName.ratio(order),
      cells: parts.map(({ cell, mw }) => [cell, mw]),
      cost: parts.reduce((sum, { cost }) => sum + cost, 0),
      least: 0,
      most: missing ? 0 : 1,
    });
    columnOf.set(keyOf(order), column);
    const isChild = legs.some(({ linkedTo }) => linkedTo !== undefined);
    // Alone and without a minimum acceptance ratio a block is a convex order: there is nothing to decide (market rules, section 2.3).
    const isConvex =
      order.minAcceptance === 0 &&
      !isChild &&
      order.loopWith === undefined &&
      order.exclusiveGroup === undefined &&
      !parents.has(order);
    if (!isConvex)
      to.decisions.set(column.name, { column, least: order.minAcceptance, isIncome: false, steps: [], isChild });
    if (order.exclusiveGroup !== undefined) {
      const group = keyOf({ participant: order.participant, record_id: order.exclusiveGroup });
      groups.set(group, [...(groups.get(group) ?? []), column]);
    }
  }
  for (const order of blocks) {
    const parent = named(order, order.linkedTo);
    if (parent === undefined) continue;
    const child = columnOf.get(keyOf(order))!;
    to.row(rowName.link(order), -Infinity, 0, [
      [child, 1],
      [columnOf.get(keyOf(parent))!, -1],
    ]);
  }
  for (const [group, members] of groups) {
    if (members.length > 1)
      to.row(
        rowName.group(group),
        -Infinity,
        1,
        members.map((column) => [column, 1] as const),
      );
  }
}

function addFlexible(to: Building, order: FlexibleOrder & BookOrder): void {
  const starts: Column[] = [];
  for (let start = order.earliest; start <= order.latest; start++) {
    const mw = signOf(order) * order.power;
    const cells = profileOf(order, start).flatMap(({ period }) => to.cells(order, period));
    const column = to.column({
      name: columnName.ratio(order, start),
      cells: cells.map((cell) => [cell, mw] as const),
      cost: mw * order.price * cells.length,
      least: 0,
      most: 1,
    });
    to.decisions.set(column.name, { column, least: 1, isIncome: false, steps: [], isChild: false });
    starts.push(column);
  }
  if (starts.length > 1)
    to.row(
      rowName.starts(order),
      -Infinity,
      1,
      starts.map((column) => [column, 1] as const),
    );
}

function addComplex(to: Building, order: ComplexOrder & BookOrder): void {
  const { book, hours } = to;
  const sign = signOf(order);
  const span = spanOf(order, book);
  const [variable, fixed] = termsInWelfare(order) ? [order.variableTerm, order.fixedTerm / hours] : [0, 0];
  const steps = order.steps.map((step, k) => {
    const least = (step.minAcceptance ?? 0) * step.power;
    const cost = (sign * step.price + variable) * span;
    const cells = to.cells(order, step.period);
    const column = to.column({
      name: columnName.step(order, k + 1),
      cells: cells.map((cell) => [cell, sign] as const),
      cost,
      least: 0,
      most: step.power - least,
    });
    return { period: step.period, least, cost, cells, column };
  });
  const on = isSwitched(order)
    ? to.column({
        name: columnName.ratio(order),
        cells: steps.flatMap(({ cells, least }) => cells.map((cell) => [cell, sign * least] as const)),
        cost: fixed + steps.reduce((sum, { cost, least }) => sum + cost * least, 0),
        least: 0,
        most: 1,
      })
    : undefined;
  if (on !== undefined) {
    const isIncome = order.condition === 'minimum-income';
    to.decisions.set(on.name, {
      column: on,
      least: 1,
      isIncome,
      steps: steps.map(({ column }) => column),
      isChild: false,
    });
    steps.forEach(({ column }, k) => {
      if (column.most <= 0) return;
      to.row(rowName.step(order, k + 1), -Infinity, 0, [
        [column, 1],
        [on, -column.most],
      ]);
    });
    for (const { period, power } of order.minPower ?? []) {
      const here = steps.filter((step) => step.period === period);
      const held = here.reduce((sum, { least }) => sum + least, 0);
      const more = here.map(({ column }) => [column, 1] as const);
      if (power > held) to.row(rowName.least(order, period), 0, Infinity, [...more, [on, held - power]]);
    }
    if (isIncome) addStops(to, order, on, span);
  }
  if (order.loadGradient === undefined) return;
  const { up, down } = order.loadGradient;
  const stages = stagesOf(order, book);
  const powerIn = (period: number, factor: number): Map<Column, number> => {
    const terms = new Map<Column, number>();
    for (const step of steps) {
      if (step.period !== period) continue;
      terms.set(step.column, factor);
      if (on !== undefined && step.least > 0) terms.set(on, (terms.get(on) ?? 0) + factor * step.least);
    }
    return terms;
  };
  for (const { period, from } of stages.slice(1)) {
    const terms = powerIn(period, 1);
    for (const [column, factor] of powerIn(period - 1, -1)) terms.set(column, (terms.get(column) ?? 0) + factor);
    const name = (falling: boolean) => rowName.gradient(order, from + 1, falling);
    if (on === undefined) {
      to.row(name(false), -down * hours, up * hours, [...terms]);
      continue;
    }
    if (terms.size === 0) continue;
    // Limits of an order that is on or off hold in proportion in between.
    const own = terms.get(on) ?? 0;
    const others = [...terms].filter(([column]) => column !== on);
    to.row(name(false), -Infinity, 0, [...others, [on, own - up * hours]]);
    to.row(name(true), 0, Infinity, [...others, [on, own + down * hours]]);
  }
}

/** While the order is off, the best priced step of each of its first periods may trade. */
function addStops(to: Building, order: ComplexOrder & BookOrder, on: Column, span: number): void {
  for (const { from, price, power } of stopSteps(order, to.book)) {
    const period = from / span + 1;
    const sign = signOf(order);
    const column = to.column({
      name: columnName.stop(order, period),
      cells: to.cells(order, period).map((cell) => [cell, sign] as const),
      cost: sign * price * span,
      least: 0,
      most: power,
    });
    to.row(rowName.stop(order, period), -Infinity, power, [
      [column, 1],
      [on, power],
    ]);
  }
}
