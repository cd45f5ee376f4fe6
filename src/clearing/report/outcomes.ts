/**
 * What each order is told: status, volume, surplus, and a reason with its distance (market rules, section 12). Power and money in the
 * unit of the problem; `model/units.ts` rounds them to what is published.
 */

import type { Outcome, Reason } from '../../market/result.ts';
import { meanPriceOf } from '../indeterminacy/open.ts';
import type { Sharing } from '../indeterminacy/sharing.ts';
import { type Segment, shareAt } from '../model/curves/segments.ts';
import type { Problem } from '../model/problem.ts';
import { samePrice } from '../relaxation/master.ts';
import type { Lots } from '../rounding/rounding.ts';
import { clean } from '../rounding/traded.ts';
import { inMoney, inPower } from '../tolerances.ts';

/** An order's volume this near (MW) to what it asked for is all of it. */
const sameVolume = inPower.balance;

/** An order's segments of one side in merit order: of two that begin at one price, the step before the slope. */
function bestFirst(segments: readonly Segment[], side: 'buy' | 'sell'): readonly Segment[] {
  if (segments.length === 1) return segments[0]!.side === side ? segments : [];
  const own = segments.filter((segment) => segment.side === side);
  const sign = side === 'sell' ? 1 : -1;
  return own.length < 2 ? own : own.sort((a, b) => sign * (a.first - b.first || a.last - b.last));
}

/** Currency per hour that an order values `mw` of its segments at, best first: what buys would pay, what sells would ask. */
export function valueOfSide(segments: readonly Segment[], side: 'buy' | 'sell', mw: number): number {
  if (mw === 0) return 0;
  let left = mw;
  let value = 0;
  for (const { first, last, power } of bestFirst(segments, side)) {
    const share = Math.min(1, left / power);
    value += power * share * (first + ((last - first) * share) / 2);
    left -= power * share;
    if (left <= 0) break;
  }
  return value;
}

/** The price of the last of `mw` MW executed: an order loses when the market's price is on the wrong side of it. */
export function marginalLimit(segments: readonly Segment[], side: 'buy' | 'sell', mw: number): number {
  let left = mw;
  let limit = Number.NaN;
  for (const { first, last, power } of bestFirst(segments, side)) {
    if (left <= sameVolume) break;
    limit = first + (last - first) * Math.min(1, left / power);
    left -= power;
  }
  return limit;
}

/** The most (currency per hour) that segments can gain at a price, each executed where it gains. */
export function mostSurplus(segments: readonly Segment[], price: number): number {
  let gain = 0;
  for (const { side, first, last, power } of segments) {
    const best = side === 'sell' ? price - first : first - price;
    if (best <= 0) continue;
    const width = Math.abs(last - first);
    const share = width === 0 ? 1 : Math.min(1, best / width);
    gain += power * share * (best - (share * width) / 2);
  }
  return gain;
}

/** What stands of one order, and at which node; -1 for an order that asks for nothing. */
export interface OrderSegments {
  node: number;
  readonly segments: Segment[];
}

export function segmentsByOrder(problem: Problem): OrderSegments[] {
  const byOrder = problem.book.orders.map((): OrderSegments => ({ node: -1, segments: [] }));
  problem.nodes.forEach((node, index) => {
    for (const segment of node.segments) {
      const entry = byOrder[segment.order]!;
      entry.node = index;
      entry.segments.push(segment);
    }
  });
  return byOrder;
}

/**
 * @param exact      prices as found, by zone * periods + MTU: they decide who is at the money
 * @param published  the same on the tick: they are what an order is told
 * @param others     outcomes of orders that no curve has, by index
 */
export function outcomesOf(
  problem: Problem,
  byOrder: readonly OrderSegments[],
  sharing: Sharing,
  lots: Lots,
  exact: Float64Array,
  published: Float64Array,
  others: ReadonlyMap<number, Outcome>,
): Outcome[] {
  const { book, nodes, hours } = problem;
  const curtailedWith = curtailedZones(problem, sharing, exact);
  return byOrder.map(({ node: index, segments }, k): Outcome => {
    const order = book.orders[k]!;
    const node = nodes[index];
    const other = others.get(k);
    if (other !== undefined) return other;
    const { record_id, participant } = order;
    const head = participant === undefined ? { record_id } : { record_id, participant };
    // A curve that stands at zero everywhere asks for nothing and gets it.
    if (node === undefined) return { ...head, status: 'accepted', power: 0, surplus: 0 };
    const price = meanPriceOf(problem, node, published);
    const duration = hours * node.span;
    const net = clean(lots.bought[k]! - lots.sold[k]!);
    const volume = Math.abs(net);
    const isLimit = order.kind === 'limit';
    // A curve that sells to itself has only traded the difference.
    const open = isLimit ? segments : openSegments(segments, net);
    const done = isLimit ? volume >= order.power - sameVolume : open.length === 0;
    const status = done ? 'accepted' : volume <= sameVolume ? 'rejected' : 'partially_accepted';
    const gain = isLimit
      ? (order.side === 'sell' ? price - order.price : order.price - price) * order.power
      : mostSurplus(segments, price);
    const surplus = gain * duration;
    const power = isLimit ? (done ? order.power : volume) : net;
    const outcome: Outcome = isLimit
      ? { ...head, status, power, ratio: done ? 1 : volume / order.power, surplus }
      : { ...head, status, power, surplus };
    if (done) return outcome;
    const exactPrice = meanPriceOf(problem, node, exact);
    if (node.span > 1 && isParadox(problem, segments, net, exactPrice)) {
      const money = missedSurplus(segments, net, price) * duration;
      return { ...outcome, reason: { code: 'paradoxically_rejected', distance: 0, missedSurplus: money, binding: [] } };
    }
    const zones = curtailedWith(node.zone, node.from);
    return { ...outcome, reason: reasonOf(problem, open, exactPrice, price, zones) };
  });
}

/** Does it miss more than rounding to a lot explains? */
function isParadox({ lot }: Problem, segments: readonly Segment[], net: number, price: number): boolean {
  const total = segments.reduce((sum, { power }) => sum + power, 0);
  const best = segments.reduce((sum, segment) => {
    const mw = shareAt(segment, price) * segment.power;
    return segment.side === 'buy' ? sum + mw : sum - mw;
  }, 0);
  // Steps are executed by the price alone; of a slope rounding moves up to a lot.
  const rounding = segments.some(({ first, last }) => first !== last) ? 1 : 0.5;
  const isOff = Math.abs(best - net) > rounding * lot - sameVolume;
  return isOff && missedSurplus(segments, net, price) > inMoney.perMwhInLots * total;
}

/** Currency per hour that a net position gains less than the best one at a price. */
function missedSurplus(segments: readonly Segment[], net: number, price: number): number {
  const side = net > 0 ? 'buy' : 'sell';
  const value = valueOfSide(segments, side, Math.abs(net));
  return mostSurplus(segments, price) - (side === 'buy' ? value - price * net : -price * net - value);
}

/** The segments, of the side that trades, that are not executed to their end. */
function openSegments(segments: readonly Segment[], net: number): Segment[] {
  const open: Segment[] = [];
  for (const side of ['buy', 'sell'] as const) {
    if (net !== 0 && (side === 'buy') !== net > 0) continue;
    let left = Math.abs(net);
    for (const segment of bestFirst(segments, side)) {
      if (left < segment.power - sameVolume) open.push(segment);
      left = Math.max(0, left - segment.power);
    }
  }
  return open;
}

function reasonOf(
  { book }: Problem,
  open: readonly Segment[],
  exact: number,
  published: number,
  zones: readonly string[],
): Reason {
  const { min, max } = book.priceLimits;
  let nearest = open[0]!;
  let away = gap(nearest, exact);
  for (const segment of open) {
    if (gap(segment, exact) >= away) continue;
    nearest = segment;
    away = gap(segment, exact);
  }
  if (away > samePrice * 2) {
    const distance = gap(nearest, published);
    return { code: 'out_of_the_money', distance, missedSurplus: 0, binding: [] };
  }
  const atBound = nearest.side === 'buy' ? exact >= max - samePrice : exact <= min + samePrice;
  return atBound && zones.length > 0
    ? { code: 'curtailed_at_bound', distance: 0, missedSurplus: 0, binding: [...zones] }
    : { code: 'partial_at_the_money', distance: 0, missedSurplus: 0, binding: [] };
}

/** Ids of the zones that share a curtailment, by zone and MTU; empty where the price is at no limit. */
function curtailedZones({ book, periods }: Problem, sharing: Sharing, exact: Float64Array) {
  const { min, max } = book.priceLimits;
  const shared = new Map<number, string[]>();
  for (const { cells } of sharing.islands) {
    const first = exact[cells[0]!]!;
    if (first > min + samePrice && first < max - samePrice) continue;
    const ids = cells.map((cell) => book.zones[Math.floor(cell / periods)]!);
    for (const cell of cells) shared.set(cell, ids);
  }
  return (zone: number, t: number): readonly string[] => shared.get(zone * periods + t) ?? [];
}

/** How far the price is from executing one more megawatt. */
function gap({ side, first, last }: Segment, price: number): number {
  const away = side === 'sell' ? first - price : price - first;
  return away <= 0 && first !== last ? 0 : Math.abs(away);
}
