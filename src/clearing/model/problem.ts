/**
 * A book as the problem that clearing solves: net curves at nodes, joined by arcs.
 *
 * Reading order of the engine: `clear.ts` says the steps; this file makes the problem; `search/equilibrium.ts` finds who trades,
 * `prices/midpoint.ts` the prices among those that support it, `indeterminacy/sharing.ts` who gets how much at the money, `rounding/` whole lots,
 * `report/` what each order is told.
 */

import type { Book } from '../../market/book.ts';
import { leastPower } from '../../market/bounds.ts';
import type { BookOrder } from '../../market/order.ts';
import { columnName } from '../../market/proof.ts';
import { hoursOf, resolutionMinutes } from '../../market/time.ts';
import { addBlocks, type Placement } from './blocks.ts';
import { type Column, Columns, type Decision, type Row, type Steps } from './columns.ts';
import { addComplex } from './complex.ts';
import { type NetCurve, netCurve } from './curves/net-curve.ts';
import { curveSegments, limitSegment, type Segment } from './curves/segments.ts';
import { addFlexible } from './flexible.ts';
import { addFlowBased } from './flow-based.ts';
import { type Arc, arcsOf } from './lines.ts';
import { addRamps } from './ramps.ts';
import { inUnits, type Units, unitsOf } from './units.ts';

/** One zone over one span of MTUs. Orders of a longer resolution have nodes of their own, over the MTUs they cover. */
export interface Node {
  readonly zone: number;
  /** First MTU, from 0. */
  readonly from: number;
  /** MTUs it covers: 1 for the market's own resolution. */
  readonly span: number;
  readonly segments: readonly Segment[];
  readonly curve: NetCurve;
}

export interface Problem {
  /** In the units of the problem, as all of it: volumes, prices, money. */
  readonly book: Book;
  readonly units: Units;
  /** MW. Volumes of a book that names no lot are published in watts. */
  readonly lot: number;
  readonly zones: number;
  readonly periods: number;
  /** Length of an MTU in hours. */
  readonly hours: number;
  /** First zone x MTU in the order zone * periods + MTU, empty ones too; then the nodes of longer spans. */
  readonly nodes: readonly Node[];
  readonly arcs: readonly Arc[];
  /** First the flow of each arc in each MTU (arc * periods + MTU), then what else trades or carries. */
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly decisions: readonly Decision[];
  readonly freeSteps: readonly Steps[];
  /** MTUs that something ties together, as [first, after last): each group is a problem of its own. */
  readonly groups: readonly (readonly [number, number])[];
}

/** Nodes, columns and rows that are looked at. */
export interface Part {
  readonly nodes: readonly number[];
  readonly columns: readonly number[];
  readonly rows: readonly number[];
}

/** @param without  orders (by index) that take no part */
export function problemOf(asGiven: Book, without: ReadonlySet<number> = new Set()): Problem {
  const units = unitsOf(asGiven);
  const book = inUnits(asGiven, units);
  const { periods } = book;
  const zoneIndex = new Map(book.zones.map((id, i) => [id, i]));
  const spanOf = (order: BookOrder) =>
    resolutionMinutes[order.resolution ?? book.resolution] / resolutionMinutes[book.resolution];
  const cells = book.zones.length * periods;
  const lists = Array.from({ length: cells }, (): Segment[] => []);
  const longer = new Map<string, { zone: number; from: number; span: number; list: Segment[] }>();
  const listAt = (zone: number, from: number, span: number): Segment[] => {
    if (span === 1) return lists[zone * periods + from]!;
    const key = `${zone}/${from}/${span}`;
    const node = longer.get(key) ?? { zone, from, span, list: [] };
    longer.set(key, node);
    return node.list;
  };
  const decided: { index: number; order: BookOrder }[] = [];
  book.orders.forEach((order, index) => {
    if (without.has(index)) return;
    if (order.kind !== 'limit' && order.kind !== 'curve') {
      decided.push({ index, order });
      return;
    }
    const span = spanOf(order);
    const list = listAt(zoneIndex.get(order.zone)!, (order.period - 1) * span, span);
    if (order.kind === 'limit') list.push(limitSegment(index, order));
    else list.push(...curveSegments(index, order, book.priceLimits));
  });
  // In an order of their own, so that nothing below depends on which came first.
  const byPrice = (a: Segment, b: Segment) =>
    a.first - b.first || a.last - b.last || compareIds(book.orders[a.order]!, book.orders[b.order]!);
  const nodeOf = (zone: number, from: number, span: number, list: Segment[]): Node => {
    const segments = list.sort(byPrice);
    return { zone, from, span, segments, curve: netCurve(segments) };
  };
  const nodes = lists.map((list, cell) => nodeOf(Math.floor(cell / periods), cell % periods, 1, list));
  const rest = [...longer.values()].sort((a, b) => a.zone - b.zone || a.span - b.span || a.from - b.from);
  for (const { zone, from, span, list } of rest) nodes.push(nodeOf(zone, from, span, list));
  decided.sort((a, b) => compareIds(a.order, b.order));
  const ofKind = <K extends BookOrder['kind']>(kind: K) =>
    decided.filter(
      (entry): entry is { index: number; order: Extract<BookOrder, { kind: K }> } => entry.order.kind === kind,
    );

  const hours = hoursOf(book.resolution);
  const arcs = arcsOf(book.lines, zoneIndex, periods);
  const to = new Columns();
  for (const arc of arcs) for (let t = 0; t < periods; t++) to.column(flowColumn(book, arc, t));
  addFlowBased(to, book, zoneIndex);
  addRamps(to, book, arcs, zoneIndex);
  const placement: Placement = {
    periods,
    cellsOf(order, period) {
      const span = spanOf(order);
      const first = zoneIndex.get(order.zone)! * periods + (period - 1) * span;
      return Array.from({ length: span }, (_, k) => first + k);
    },
  };
  addBlocks(to, ofKind('block'), placement);
  const highest = Math.max(Math.abs(book.priceLimits.min), Math.abs(book.priceLimits.max));
  for (const entry of ofKind('flexible')) addFlexible(to, entry, placement);
  for (const entry of ofKind('complex')) addComplex(to, entry, placement, hours, highest);
  const { columns, rows, decisions, free: freeSteps } = to;
  const groups = groupsOf(nodes, columns, rows, periods);
  return {
    book,
    units,
    lot: book.lot ?? leastPower,
    zones: book.zones.length,
    periods,
    hours,
    nodes,
    arcs,
    columns,
    rows,
    decisions,
    freeSteps,
    groups,
  };
}

function flowColumn(
  { lines, periods }: Book,
  { line, sign, from, to, loss, tariff, least, most }: Arc,
  t: number,
): Column {
  return {
    name: columnName.flow(lines[line]!.id, t + 1, sign === -1),
    cells: [
      [from * periods + t, -1],
      [to * periods + t, 1 - loss],
    ],
    cost: tariff,
    least: least[t]!,
    most: most[t]!,
    kind: 'flow',
  };
}

/** By record_id, then participant: unique within a book. */
export function compareIds(a: BookOrder, b: BookOrder): number {
  if (a.record_id !== b.record_id) return a.record_id < b.record_id ? -1 : 1;
  return (a.participant ?? '') < (b.participant ?? '') ? -1 : 1;
}

function groupsOf(
  nodes: readonly Node[],
  columns: readonly Column[],
  rows: readonly Row[],
  periods: number,
): [number, number][] {
  // reach[t]: where the furthest thing that begins in MTU t ends.
  const reach = Int32Array.from({ length: periods }, (_, t) => t + 1);
  const tie = (first: number, after: number) => {
    reach[first] = Math.max(reach[first]!, after);
  };
  for (const { from, span } of nodes) tie(from, from + span);
  const spans = columns.map(({ cells }) => {
    const at = cells.map(([cell]) => cell % periods);
    return at.length === 0 ? undefined : ([Math.min(...at), Math.max(...at) + 1] as const);
  });
  for (const span of spans) if (span !== undefined && span[1] > span[0] + 1) tie(...span);
  for (const { entries } of rows) {
    const tied = entries.flatMap(([column]) => (spans[column] === undefined ? [] : [spans[column]]));
    if (tied.length > 1) tie(Math.min(...tied.map(([first]) => first)), Math.max(...tied.map(([, after]) => after)));
  }
  const groups: [number, number][] = [];
  for (let first = 0; first < periods; ) {
    let after = reach[first]!;
    for (let t = first; t < after; t++) after = Math.max(after, reach[t]!);
    groups.push([first, after]);
    first = after;
  }
  return groups;
}
