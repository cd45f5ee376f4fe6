/**
 * Net curves that pass zero at the price: they trade on one side of it (market rules, section 2.1).
 *
 * Which one is not for pro rata to say: the one on which the cluster trades more, and of two that trade as much the one on which these
 * orders trade less. So a book and its mirror image choose alike.
 */

import type { Segment } from '../model/curves/segments.ts';
import { compareIds, type Problem } from '../model/problem.ts';
import { inPower, inPrice } from '../tolerances.ts';
import type { Cluster } from './cluster.ts';

/** @param price  of its node, which is a step's own where one is near (`exactPrices`) */
export const atTheMoney = (segment: Segment, price: number): boolean =>
  segment.first === segment.last && Math.abs(segment.first - price) <= inPrice.moved;

/** So many orders of a cluster are tried on either side; further ones sell. */
const mostTwoSided = 4;
/** MW */
const nothing = inPower.balance;

export interface Sides {
  readonly cluster: Cluster;
  /** Segments that do not trade then. */
  readonly out: ReadonlySet<Segment>;
  /** By order at the money of the cluster: the share of it that is of orders that chose their side. */
  readonly chosen: readonly number[];
}

/** A cluster with each choice of sides; as it is where there is nothing to choose. */
export function sidesOf({ nodes, book }: Problem, cluster: Cluster, price: Float64Array): Sides[] {
  const twoSided = [...Map.groupBy(cluster.marginals, ({ node }) => node).values()].flatMap((sides) => {
    if (sides.length < 2) return [];
    const index = sides[0]!.node;
    const open = nodes[index]!.segments.filter((segment) => atTheMoney(segment, price[index]!));
    return [...Map.groupBy(open, ({ order }) => order)].flatMap(([order, segments]) => {
      const { sell = [], buy = [] } = Object.groupBy(segments, ({ side }) => side);
      return sell.length > 0 && buy.length > 0 ? [{ order, sell, buy }] : [];
    });
  });
  if (twoSided.length === 0) return [{ cluster, out: new Set(), chosen: cluster.marginals.map(() => 0) }];
  twoSided.sort((a, b) => compareIds(book.orders[a.order]!, book.orders[b.order]!));
  const own = new Set(twoSided.flatMap(({ sell, buy }) => [...sell, ...buy]));
  return Array.from({ length: 2 ** Math.min(twoSided.length, mostTwoSided) }, (_, choice) => {
    const sells = (k: number) => k >= mostTwoSided || ((choice >> k) & 1) === 0;
    const out = new Set(twoSided.flatMap(({ sell, buy }, k) => (sells(k) ? buy : sell)));
    const chosen: number[] = [];
    const marginals = cluster.marginals.flatMap((m) => {
      const here = nodes[m.node]!.segments.filter((segment) => segment.side === m.side && own.has(segment));
      const sum = (of: readonly Segment[]) => of.reduce((total, { power }) => total + power, 0);
      const volume = m.volume - sum(here.filter((segment) => out.has(segment)));
      if (volume <= nothing) return [];
      chosen.push(sum(here.filter((segment) => !out.has(segment))) / volume);
      return [{ ...m, volume }];
    });
    return { cluster: { ...cluster, marginals }, out, chosen };
  });
}

/** Does one choice of sides, with what it trades (MW by order at the money), come before another? */
export function tradesMore(one: Sides, volumes: Float64Array, other: Sides, others: Float64Array): boolean {
  const sum = (of: Float64Array) => of.reduce((total, mw) => total + mw, 0);
  const own = ({ chosen }: Sides, of: Float64Array) => of.reduce((total, mw, k) => total + mw * chosen[k]!, 0);
  const more = sum(volumes) - sum(others);
  return Math.abs(more) > nothing ? more > 0 : own(one, volumes) < own(other, others) - nothing;
}
