/**
 * A book as the problem that clearing solves: net curves at nodes, joined by arcs.
 *
 * Reading order of the engine: `clear.ts` says the steps; this file makes the problem; `equilibrium.ts` finds who trades,
 * `pricing.ts` the prices among those that support it, `sharing.ts` who gets how much at the money, `rounding.ts` whole lots,
 * `outcomes.ts` what each order is told.
 */

import type { Book } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import type { BookOrder } from '../market/order.ts';
import { hoursOf, resolutionMinutes } from '../market/time.ts';
import { type NetCurve, netCurve } from './curves/net-curve.ts';
import { curveSegments, limitSegment, type Segment } from './curves/segments.ts';
import { type Arc, arcsOf } from './network/arcs.ts';

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
  readonly book: Book;
  readonly zones: number;
  readonly periods: number;
  /** Length of an MTU in hours. */
  readonly hours: number;
  /** First zone x MTU in the order zone * periods + MTU, empty ones too; then the nodes of longer spans. */
  readonly nodes: readonly Node[];
  readonly arcs: readonly Arc[];
  /** MTUs that longer orders tie together, as [first, after last): each group is a problem of its own. */
  readonly groups: readonly (readonly [number, number])[];
}

/** @param without  orders (by index) that take no part */
export function problemOf(book: Book, without: ReadonlySet<number> = new Set()): Problem {
  const periods = book.periods;
  const zoneIndex = new Map(book.zones.map((id, i) => [id, i]));
  const segments = new Map<string, { zone: number; from: number; span: number; list: Segment[] }>();
  const place = (zone: number, from: number, span: number) => {
    const key = `${zone}/${from}/${span}`;
    let node = segments.get(key);
    if (node === undefined) {
      node = { zone, from, span, list: [] };
      segments.set(key, node);
    }
    return node.list;
  };
  for (let zone = 0; zone < book.zones.length; zone++) for (let t = 0; t < periods; t++) place(zone, t, 1);
  // In an order of their own, so that nothing below depends on which came first.
  const taking = book.orders.map((_, index) => index).filter((index) => !without.has(index));
  const byId = taking.sort((a, b) => compareIds(book.orders[a]!, book.orders[b]!));
  for (const index of byId) {
    const order = book.orders[index]!;
    if (order.kind !== 'limit' && order.kind !== 'curve') {
      throw new AuctionError(
        'invalid-book',
        `order ${order.record_id}: clearing does not take orders of kind ${order.kind}`,
      );
    }
    const span = resolutionMinutes[order.resolution ?? book.resolution] / resolutionMinutes[book.resolution];
    const list = place(zoneIndex.get(order.zone)!, (order.period - 1) * span, span);
    if (order.kind === 'limit') list.push(limitSegment(index, order));
    else list.push(...curveSegments(index, order, book.priceLimits));
  }
  const nodes = [...segments.values()].map(({ zone, from, span, list }) => {
    return { zone, from, span, segments: list, curve: netCurve(list) };
  });
  const cells = book.zones.length * periods;
  const longer = nodes.slice(cells).sort((a, b) => a.zone - b.zone || a.span - b.span || a.from - b.from);
  nodes.splice(cells, nodes.length, ...longer);
  return {
    book,
    zones: book.zones.length,
    periods,
    hours: hoursOf(book.resolution),
    nodes,
    arcs: arcsOf(book.lines, zoneIndex, periods),
    groups: groupsOf(nodes, periods),
  };
}

/** By record_id, then participant: unique within a book. */
export function compareIds(a: BookOrder, b: BookOrder): number {
  if (a.record_id !== b.record_id) return a.record_id < b.record_id ? -1 : 1;
  return (a.participant ?? '') < (b.participant ?? '') ? -1 : 1;
}

function groupsOf(nodes: readonly Node[], periods: number): [number, number][] {
  // reach[t]: where the longest span that covers MTU t ends.
  const reach = Int32Array.from({ length: periods }, (_, t) => t + 1);
  for (const { from, span } of nodes) reach[from] = Math.max(reach[from]!, from + span);
  const groups: [number, number][] = [];
  for (let first = 0; first < periods; ) {
    let after = reach[first]!;
    for (let t = first; t < after; t++) after = Math.max(after, reach[t]!);
    groups.push([first, after]);
    first = after;
  }
  return groups;
}
