/**
 * Who gets how much at the money (market rules, sections 5.1, 5.3, 5.4).
 *
 * One set of prices that supports the answer is known: the linear program's. Orders in the money are full, those out of it get nothing, straight lines follow the price; arcs with a
 * spread are full or at their least. What is left open are the orders exactly at the money and the arcs without a spread.
 * Any way to fill them is worth the same, so the rules choose:
 *
 * 1. Trade the most.
 * 2. Then minimise sum(volume * c^2), c the share of an order's volume that is not executed. Orders of one side that reach each other get the
 *    same share, wherever they are; and at a price limit it is the rule for sharing curtailment. Where orders of one MTU trade over
 *    lines this trades the most by itself, for whatever a buyer and a seller at the money can still trade makes it smaller.
 * 3. Then minimise sum(flow^2), which makes flows unique, shares parallel lines equally and runs none in a ring.
 *
 * Most clusters (zone-MTUs that arcs without spread join) need neither program: their shares are one ratio a side, and where
 * the arcs form a tree the flows follow. The programs run where that would overload an arc, or where orders tie MTUs together.
 */

import assert from 'node:assert/strict';
import { type Segment, shareAt } from '../model/curves/segments.ts';
import type { Problem } from '../model/problem.ts';
import { settled, wholeOf } from '../prices/rules.ts';
import type { Equilibrium } from '../search/equilibrium.ts';
import type { Solver } from '../solver/highs.ts';
import { inPower } from '../tolerances.ts';
import { balances, isTrade } from './balances.ts';
import type { Cluster, Free, Island, Kept, Marginal } from './cluster.ts';
import { arcAt, leastFlows, nearestInTurn } from './flows.ts';
import { idleFlows, mostTraded } from './most-traded.ts';
import { atTheMoney, type Sides, sidesOf, tradesMore } from './one-side.ts';
import { exactPrices, openChoices } from './open.ts';

export interface Sharing {
  /** Prices (currency/MWh) by node that decide who is executed; they may lie beyond the market's limits. */
  readonly price: Float64Array;
  /** The same by zone * periods + MTU. */
  readonly dual: Float64Array;
  /** MW by node. */
  readonly net: Float64Array;
  /** Prices of the rows. */
  readonly rowPrice: Float64Array;
  /** What the decisions leave of the columns' bounds, and of the rows. */
  readonly free: Free;
  readonly islands: readonly Island[];
  /** Executed share of the orders at the money, by node. */
  readonly sellShare: Float64Array;
  readonly buyShare: Float64Array;
  /** Of orders that could trade on either side at the price, the segments of the side that they do not. */
  readonly otherSide: ReadonlySet<Segment>;
  /** By column: MW sent, ratios, MW of steps. */
  readonly value: Float64Array;
}

/** Executed share of a segment of node `index`, 0 to 1. */
export function executedShare(segment: Segment, sharing: Sharing, index: number): number {
  const price = sharing.price[index]!;
  if (!atTheMoney(segment, price)) return shareAt(segment, price);
  if (sharing.otherSide.has(segment)) return 0;
  return (segment.side === 'sell' ? sharing.sellShare : sharing.buyShare)[index]!;
}

export function shareAtTheMoney(problem: Problem, solver: Solver, found: Equilibrium, kept: Kept): Sharing {
  const idle = idleFlows(problem, solver, found, kept);
  let best: Sharing | undefined;
  for (const value of idle === undefined ? [found.value] : [idle, found.value])
    for (const stepsAlone of [false, true]) {
      const sharing = share(problem, solver, { ...found, value }, kept, stepsAlone);
      if (sharing === undefined) continue;
      if (openIn(problem, sharing) <= inPower.nothing) return sharing;
      if (best === undefined || openIn(problem, sharing) < openIn(problem, best)) best = sharing;
    }
  assert(best !== undefined, 'some sharing balances what the program found');
  return best;
}

/** MW by which the balance of a cell is open at most. */
function openIn({ nodes, columns, zones, periods }: Problem, { net, value }: Sharing): number {
  const left = new Float64Array(zones * periods);
  for (const [i, { zone, from, span }] of nodes.entries())
    for (let t = from; t < from + span; t++) left[zone * periods + t]! += net[i]!;
  for (const [c, { cells }] of columns.entries()) for (const [cell, mw] of cells) left[cell]! += mw * value[c]!;
  return left.reduce((most, mw) => Math.max(most, Math.abs(mw)), 0);
}

/** @param stepsAlone  see `exactPrices` */
function share(
  problem: Problem,
  solver: Solver,
  found: Equilibrium,
  kept: Kept,
  stepsAlone: boolean,
): Sharing | undefined {
  const whole = wholeOf(problem);
  const price = exactPrices(problem, whole, found, stepsAlone);
  const sellShare = new Float64Array(problem.nodes.length);
  const buyShare = new Float64Array(problem.nodes.length);
  const free = settled(problem, whole, found.bounds);
  const { net, surplus, value, islands, tied, clusters: all } = openChoices(problem, whole, found, free, price, kept);
  const withoutMarginals = net.slice();
  const otherSide = new Set<Segment>();
  // A rounding error, and less than half a lot.
  const off = Math.min(inPower.whole, problem.lot / 2);
  let left: Float64Array = surplus;
  for (const one of all) {
    const shared = (of: Cluster) =>
      oneRatio(problem, free, of, surplus, value) ??
      leastUnexecuted(problem, solver, free, found, of, surplus, value, withoutMarginals);
    const choices = sidesOf(problem, one, price);
    let best: { sides: Sides; volumes: Float64Array } | undefined;
    for (const sides of choices) {
      const tried = shared(sides.cluster);
      if (tried !== undefined && (best === undefined || tradesMore(sides, tried, best.sides, best.volumes)))
        best = { sides, volumes: tried };
    }
    const { cluster, out } = best?.sides ?? { cluster: one, out: [] };
    // The last choice that was tried has left its flows; those of the one that is taken count.
    const volumes = choices.length > 1 || best === undefined ? shared(cluster) : best.volumes;
    for (const segment of out) otherSide.add(segment);
    if (volumes === undefined) return undefined;
    cluster.marginals.forEach(({ node, side, volume }, k) => {
      const share = snapped(volumes[k]!, volume, off) / volume;
      (side === 'sell' ? sellShare : buyShare)[node] = share;
      net[node]! += (side === 'sell' ? share : -share) * volume;
    });
    left = afterVolumes(problem, left, cluster.marginals, volumes);
  }
  // What trades stands now; only flows are left to choose.
  const trades = new Set(all.flatMap(({ columns }) => columns.filter((c) => isTrade(problem, c))));
  if (trades.size > 0) left = left.slice();
  for (const c of trades) for (const [cell, mw] of problem.columns[c]!.cells) left[cell]! += mw * value[c]!;
  // Where the shares leave the flows no choice to the last digit, those found with the shares stand.
  for (const { cells, columns, rows } of tied) {
    leastFlows(problem, free, found, { cells, columns: columns.filter((c) => !trades.has(c)), rows }, left, value);
  }
  return {
    price,
    dual: found.price,
    rowPrice: found.rowPrice,
    net,
    value,
    free,
    islands,
    sellShare,
    buyShare,
    otherSide,
  };
}

/** So near to nothing, or to all, a volume is there. */
const snapped = (mw: number, all: number, off: number): number => (mw < off ? 0 : mw > all - off ? all : mw);

/** The easy answer: one ratio for all sells and one for all buys. Undefined where it may not be the answer. */
function oneRatio(
  problem: Problem,
  free: Free,
  { cells, marginals, columns, rows }: Cluster,
  surplus: Float64Array,
  value: Float64Array,
): Float64Array | undefined {
  if (marginals.some((m) => problem.nodes[m.node]!.span > 1) || rows.length > 0) return undefined;
  if (columns.some((c) => problem.columns[c]!.kind !== 'flow' || arcAt(problem, c).arc.loss > 0)) return undefined;
  let missing = 0; // MW that sells at the money have to bring beyond what buys at the money take
  for (const cell of cells) missing -= surplus[cell]!;
  const total = (side: string) => marginals.reduce((sum, m) => sum + (m.side === side ? m.volume : 0), 0);
  const sells = total('sell');
  const buys = total('buy');
  const sold = Math.min(sells, missing + buys);
  const volumes = Float64Array.from(marginals, (m) =>
    m.side === 'sell' ? (m.volume * sold) / sells : (m.volume * (sold - missing)) / buys,
  );
  const left = afterVolumes(problem, surplus, marginals, volumes);
  return leastFlows(problem, free, undefined, { cells, columns, rows }, left, value) ? volumes : undefined;
}

/** Surplus by cell once the orders at the money have these volumes. */
function afterVolumes(
  problem: Problem,
  surplus: Float64Array,
  marginals: readonly Marginal[],
  volumes: Float64Array,
): Float64Array {
  if (marginals.length === 0) return surplus;
  const left = surplus.slice();
  marginals.forEach(({ node, side }, k) => {
    const { zone, from, span } = problem.nodes[node]!;
    for (let t = from; t < from + span; t++)
      left[zone * problem.periods + t]! += side === 'sell' ? volumes[k]! : -volumes[k]!;
  });
  return left;
}

/** Rules 1 and 2 of the head of this file; undefined where nothing balances. */
function leastUnexecuted(
  problem: Problem,
  solver: Solver,
  free: Free,
  found: Equilibrium,
  cluster: Cluster,
  surplus: Float64Array,
  value: Float64Array,
  net: Float64Array,
): Float64Array | undefined {
  const { columns, marginals } = cluster;
  const program = balances(problem, free, found, cluster, surplus, value);
  // Over lines without losses least squares leave no way from a sell to a buy at the money: that is the most (max-flow, min-cut).
  const isPlain =
    cluster.rows.length === 0 &&
    marginals.every(({ node }) => problem.nodes[node]!.span === 1) &&
    columns.every((c) => problem.columns[c]!.kind === 'flow' && arcAt(problem, c).arc.loss === 0);
  const most = isPlain ? undefined : mostTraded(problem, solver, cluster, program);
  const shared = nearestInTurn(program, asFound(found, cluster, net), cluster.rows.length > 0);
  const isLess = most !== undefined && shared !== undefined && most.of(shared) < most.volume - volumeTolerance;
  const x = isLess ? (nearestInTurn(most.required()) ?? shared) : shared;
  if (x === undefined) return undefined;
  columns.forEach((c, k) => {
    value[c] = x[k]!;
  });
  return x.slice(columns.length, columns.length + marginals.length);
}

/** Values of the open columns, and MW of the orders at the money, as the linear program found them. */
function asFound(found: Equilibrium, { columns, marginals }: Cluster, net: Float64Array): Float64Array {
  const executed = marginals.map(({ node, side }) => {
    const rest = found.net[node]! - net[node]!;
    return Math.max(0, side === 'sell' ? rest : -rest);
  });
  return Float64Array.from([...columns.map((c) => found.value[c]!), ...executed]);
}

/** MW that count as more traded. */
const volumeTolerance = inPower.more;
