/**
 * Who gets how much at the money (market rules, sections 5.1, 5.3, 5.4).
 *
 * One set of prices that supports the answer is known: the linear program's. Orders in the money are full, those out of it get nothing, straight lines follow the price; arcs with a
 * spread are full or at their least. What is left open are the orders exactly at the money and the arcs without a spread.
 * Any way to fill them is worth the same, so the rules choose:
 *
 * 1. Minimise sum(volume * c^2), c the share of an order's volume that is not executed. Whatever a buyer and a seller at the
 *    money can still trade makes it smaller, so this trades the most; orders of one side that reach each other get the same
 *    share, wherever they are; and at a price limit it is the rule for sharing curtailment.
 * 2. Then minimise sum(flow^2), which makes flows unique, shares parallel lines equally and runs none in a ring.
 *
 * Most clusters (zone-MTUs that arcs without spread join) need neither program: their shares are one ratio a side, and where
 * the arcs form a tree the flows follow. The programs run where that would overload an arc, or where orders tie MTUs together.
 */

import assert from 'node:assert/strict';
import { nearestStep, pricesAt } from './curves/net-curve.ts';
import type { Segment } from './curves/segments.ts';
import { type Equilibrium, samePrice } from './equilibrium.ts';
import { type Arc, spreadOf } from './network/arcs.ts';
import { Joined } from './network/joined.ts';
import type { Node, Problem } from './problem.ts';
import { type NearestProgram, nearestPoint } from './solver/nearest.ts';

/** How far a flow may pass its limit (MW) before a sharing counts as impossible. */
const flowSlack = 1e-7;
/** Balances that close to this (MW) are closed; whole lots are made of what is left. */
const balanceTolerance = 1e-7;

/** A node's orders at the money on one side. */
export interface Marginal {
  readonly node: number;
  readonly side: 'buy' | 'sell';
  /** MW submitted at this price. */
  readonly volume: number;
}

/** Zone-MTUs (zone * periods + MTU) that arcs without spread, or orders at the money over several MTUs, join. */
export interface Cluster {
  readonly cells: readonly number[];
  readonly marginals: readonly Marginal[];
  /** Arcs without spread, as arc * periods + MTU. */
  readonly arcs: readonly number[];
}

/** Zones of one MTU that arcs without spread join. */
export type Island = Pick<Cluster, 'cells' | 'arcs'>;

export interface Sharing {
  /** Prices (currency/MWh) by node that decide who is executed; they may lie beyond the market's limits. */
  readonly price: Float64Array;
  /** MW by node. */
  readonly net: Float64Array;
  readonly islands: readonly Island[];
  /** Executed share of the orders at the money, by node. */
  readonly sellShare: Float64Array;
  readonly buyShare: Float64Array;
  /** MW sent, by arc * periods + MTU. */
  readonly flow: Float64Array;
}

/** Price of a node: the mean over the MTUs it covers. */
export function meanPriceOf(problem: Problem, node: Node, prices: Float64Array): number {
  let sum = 0;
  for (let t = node.from; t < node.from + node.span; t++) sum += prices[node.zone * problem.periods + t]!;
  return sum / node.span;
}

/** The prices of the linear program by node, without the rounding errors that would hide who is at the money. */
function exactPrices(problem: Problem, found: Equilibrium): Float64Array {
  return Float64Array.from(problem.nodes, (node, i) => {
    const price = meanPriceOf(problem, node, found.dual);
    const [low, high] = pricesAt(node.curve, found.net[i]!);
    const slack = 2 * samePrice;
    assert(price >= low - slack && price <= high + slack, `node ${i} trades ${found.net[i]} MW at ${price}`);
    // Where orders stand at the price, straight lines are to meet it exactly too.
    return nearestStep(node.curve, price, slack) ?? Math.min(high, Math.max(low, price));
  });
}

export const atTheMoney = (segment: Segment, price: number): boolean =>
  segment.first === segment.last && Math.abs(segment.first - price) <= samePrice * 2;

/** Executed share of a segment that is not at the money, 0 to 1. */
export function shareAt({ side, first, last }: Segment, price: number): number {
  const gain = side === 'sell' ? price - first : first - price;
  const width = Math.abs(last - first);
  return width === 0 ? (gain > 0 ? 1 : 0) : Math.min(1, Math.max(0, gain / width));
}

/** Does the arc's spread leave its flow free (market rules, section 3.1)? +1: full, -1: least, 0: anything between. */
function sideOf(problem: Problem, a: number, t: number, prices: Float64Array): -1 | 0 | 1 {
  const arc = problem.arcs[a]!;
  const spread = spreadOf(arc, prices[arc.from * problem.periods + t]!, prices[arc.to * problem.periods + t]!);
  return spread > samePrice * 10 ? 1 : spread < -samePrice * 10 ? -1 : 0;
}

/** Executed share of a segment of node `index`, 0 to 1. */
export function executedShare(segment: Segment, sharing: Sharing, index: number): number {
  const price = sharing.price[index]!;
  if (!atTheMoney(segment, price)) return shareAt(segment, price);
  return (segment.side === 'sell' ? sharing.sellShare : sharing.buyShare)[index]!;
}

/** What is not open, and the clusters of what is. */
interface Open {
  /** MW by node, without its orders at the money. */
  readonly net: Float64Array;
  /** MW net supply by cell: orders that are not at the money, less the flows that are not open. */
  readonly surplus: Float64Array;
  readonly flow: Float64Array;
  readonly islands: readonly Island[];
  readonly clusters: readonly Cluster[];
}

export function shareAtTheMoney(problem: Problem, found: Equilibrium): Sharing {
  const price = exactPrices(problem, found);
  const sellShare = new Float64Array(problem.nodes.length);
  const buyShare = new Float64Array(problem.nodes.length);
  const { net, surplus, flow, islands, clusters } = openChoices(problem, found, price);
  let left: Float64Array = surplus;
  for (const cluster of clusters) {
    const volumes = oneRatio(problem, cluster, surplus, flow) ?? leastUnexecuted(problem, cluster, surplus, flow);
    cluster.marginals.forEach(({ node, side, volume }, k) => {
      const share = Math.min(1, Math.max(0, volumes[k]! / volume));
      (side === 'sell' ? sellShare : buyShare)[node] = share;
      net[node]! += (side === 'sell' ? share : -share) * volume;
    });
    left = afterVolumes(problem, left, cluster.marginals, volumes);
  }
  // Where the shares leave the flows no choice to the last digit, those found with the shares stand.
  for (const island of islands) leastFlows(problem, island.cells, island.arcs, left, flow);
  return { price, net, flow, islands, sellShare, buyShare };
}

function openChoices(problem: Problem, found: Equilibrium, price: Float64Array): Open {
  const { nodes, arcs, periods, zones } = problem;
  const net = new Float64Array(nodes.length);
  const surplus = new Float64Array(zones * periods);
  const flow = new Float64Array(arcs.length * periods);
  const joined = new Joined(zones * periods);

  const marginals: Marginal[] = [];
  nodes.forEach((node, index) => {
    let sell = 0;
    let buy = 0;
    for (const segment of node.segments) {
      const { side, power } = segment;
      if (!atTheMoney(segment, price[index]!))
        net[index]! += shareAt(segment, price[index]!) * (side === 'sell' ? power : -power);
      else if (side === 'sell') sell += power;
      else buy += power;
    }
    // Without orders at the money the node's net supply is known exactly; on a straight line better than its price says.
    if (sell + buy === 0) net[index] = found.net[index]!;
    if (sell > 0) marginals.push({ node: index, side: 'sell', volume: sell });
    if (buy > 0) marginals.push({ node: index, side: 'buy', volume: buy });
    for (let t = node.from; t < node.from + node.span; t++) surplus[node.zone * periods + t]! += net[index]!;
  });

  const openArcs: number[] = [];
  arcs.forEach((arc, a) => {
    for (let t = 0; t < periods; t++) {
      const at = a * periods + t;
      const [from, to] = [arc.from * periods + t, arc.to * periods + t];
      const least = arc.least[t]!;
      const most = found.closed[at] ? least : arc.most[t]!;
      const side = sideOf(problem, a, t, found.dual);
      // Where power costs nothing, running it in a ring over lines with losses would look like trade: those flows stay.
      const idle = arc.loss > 0 && Math.min(found.dual[from]!, found.dual[to]!) <= samePrice * 10;
      if (side === 0 && most > least && !idle) {
        openArcs.push(at);
        joined.join(from, to);
      } else {
        flow[at] = side === 0 ? found.flow[at]! : side === 1 ? most : least;
        surplus[from]! -= flow[at]!;
        surplus[to]! += (1 - arc.loss) * flow[at]!;
      }
    }
  });

  const islands = gather(problem, joined, [], openArcs);
  for (const { node } of marginals) {
    const { zone, from, span } = nodes[node]!;
    for (let k = 1; k < span; k++) joined.join(zone * periods + from, zone * periods + from + k);
  }
  return { net, surplus, flow, islands, clusters: gather(problem, joined, marginals, openArcs) };
}

function gather(
  { nodes, arcs, periods }: Problem,
  joined: Joined,
  marginals: readonly Marginal[],
  openArcs: readonly number[],
) {
  const clusters = new Map<number, { cells: number[]; marginals: Marginal[]; arcs: number[] }>();
  for (let cell = 0; cell < joined.size; cell++) {
    const cluster = clusters.get(joined.root(cell));
    if (cluster === undefined) clusters.set(joined.root(cell), { cells: [cell], marginals: [], arcs: [] });
    else cluster.cells.push(cell);
  }
  for (const m of marginals) {
    const { zone, from } = nodes[m.node]!;
    clusters.get(joined.root(zone * periods + from))!.marginals.push(m);
  }
  for (const at of openArcs) {
    const from = arcs[Math.floor(at / periods)]!.from * periods + (at % periods);
    clusters.get(joined.root(from))!.arcs.push(at);
  }
  return [...clusters.values()];
}

export const arcAt = (problem: Problem, at: number): { arc: Arc; t: number } => ({
  arc: problem.arcs[Math.floor(at / problem.periods)]!,
  t: at % problem.periods,
});

/** The easy answer: one ratio for all sells and one for all buys. Undefined where it may not be the answer. */
function oneRatio(
  problem: Problem,
  { cells, marginals, arcs }: Cluster,
  surplus: Float64Array,
  flow: Float64Array,
): Float64Array | undefined {
  if (marginals.some((m) => problem.nodes[m.node]!.span > 1)) return undefined;
  if (arcs.some((at) => arcAt(problem, at).arc.loss > 0)) return undefined;
  const isTree = arcs.length < cells.length;
  if (!isTree && marginals.length > 0) return undefined;
  let missing = 0; // MW that sells at the money have to bring beyond what buys at the money take
  for (const cell of cells) missing -= surplus[cell]!;
  const total = (side: string) => marginals.reduce((sum, m) => sum + (m.side === side ? m.volume : 0), 0);
  const sells = total('sell');
  const buys = total('buy');
  const sold = Math.min(sells, missing + buys);
  const volumes = Float64Array.from(marginals, (m) =>
    m.side === 'sell' ? (m.volume * sold) / sells : (m.volume * (sold - missing)) / buys,
  );
  return leastFlows(problem, cells, arcs, afterVolumes(problem, surplus, marginals, volumes), flow)
    ? volumes
    : undefined;
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

/** Find the flows that carry each cell's surplus away with the least sum of squares; false where the arcs can't. */
function leastFlows(
  problem: Problem,
  cells: readonly number[],
  arcs: readonly number[],
  surplus: Float64Array,
  flow: Float64Array,
): boolean {
  if (arcs.length === 0) return true;
  if (arcs.length < cells.length) return treeFlows(problem, cells, arcs, surplus, flow);
  // What rounding errors have left over must not make the balances contradict each other.
  if (arcs.every((at) => arcAt(problem, at).arc.loss === 0)) {
    const over = cells.reduce((sum, cell) => sum + surplus[cell]!, 0) / cells.length;
    surplus = surplus.slice();
    for (const cell of cells) surplus[cell]! -= over;
  }
  const x = nearestPoint(balances(problem, cells, arcs, surplus, []), balanceTolerance, 1e-11);
  if (x === undefined) return false;
  arcs.forEach((at, k) => {
    flow[at] = x[k]!;
  });
  return true;
}

/** Flows where the arcs form a tree: from its leaves inwards, each arc carries what lies behind it. */
export function treeFlows(
  problem: Problem,
  cells: readonly number[],
  arcs: readonly number[],
  surplus: Float64Array,
  flow: Float64Array,
): boolean {
  const { periods } = problem;
  const touching = new Map<number, Set<number>>(cells.map((cell) => [cell, new Set()]));
  const ends = new Map<number, readonly [from: number, to: number]>();
  for (const at of arcs) {
    const { arc, t } = arcAt(problem, at);
    const [from, to] = [arc.from * periods + t, arc.to * periods + t];
    ends.set(at, [from, to]);
    touching.get(from)!.add(at);
    touching.get(to)!.add(at);
  }
  const left = new Map(cells.map((cell) => [cell, surplus[cell]!]));
  const leaves = cells.filter((cell) => touching.get(cell)!.size === 1);
  let done = 0;
  let carried = true;
  for (let cell = leaves.pop(); cell !== undefined; cell = leaves.pop()) {
    const [at] = touching.get(cell)!;
    if (at === undefined) continue;
    const { arc, t } = arcAt(problem, at);
    const [from, to] = ends.get(at)!;
    const mw = cell === from ? left.get(cell)! : -left.get(cell)! / (1 - arc.loss);
    if (mw < arc.least[t]! - flowSlack || mw > arc.most[t]! + flowSlack) carried = false;
    flow[at] = mw;
    const other = cell === from ? to : from;
    left.set(other, left.get(other)! + (cell === from ? (1 - arc.loss) * mw : -mw));
    touching.get(other)!.delete(at);
    touching.get(cell)!.delete(at);
    if (touching.get(other)!.size === 1) leaves.push(other);
    done++;
  }
  assert(done <= arcs.length);
  return carried && done === arcs.length;
}

/** Rule 1 of the head of this file. */
function leastUnexecuted(
  problem: Problem,
  { cells, marginals, arcs }: Cluster,
  surplus: Float64Array,
  flow: Float64Array,
): Float64Array {
  const x = nearestPoint(balances(problem, cells, arcs, surplus, marginals), balanceTolerance, 1e-11);
  assert(x !== undefined, `no sharing balances the ${cells.length} zone-MTUs around ${cellName(problem, cells[0]!)}`);
  const volumes = x.slice(arcs.length);
  arcs.forEach((at, k) => {
    flow[at] = x[k]!;
  });
  return volumes;
}

const cellName = ({ book, periods }: Problem, cell: number): string =>
  `${book.zones[Math.floor(cell / periods)]}/${(cell % periods) + 1}`;

/**
 * Columns: a flow for each arc, then the executed MW of each order at the money. Rows: the balance of each cell.
 * With orders, volume * c^2 counts and flows are free; without, the flows count.
 */
function balances(
  problem: Problem,
  cells: readonly number[],
  arcs: readonly number[],
  surplus: Float64Array,
  marginals: readonly Marginal[],
): NearestProgram {
  const { periods, nodes } = problem;
  const row = new Map(cells.map((cell, i) => [cell, i]));
  const starts = [0];
  const indices: number[] = [];
  const values: number[] = [];
  for (const at of arcs) {
    const { arc, t } = arcAt(problem, at);
    indices.push(row.get(arc.from * periods + t)!, row.get(arc.to * periods + t)!);
    values.push(-1, 1 - arc.loss);
    starts.push(indices.length);
  }
  for (const { node, side } of marginals) {
    const { zone, from, span } = nodes[node]!;
    for (let t = from; t < from + span; t++) {
      indices.push(row.get(zone * periods + t)!);
      values.push(side === 'sell' ? 1 : -1);
    }
    starts.push(indices.length);
  }
  const columns = (ofArc: (arc: Arc, t: number, at: number) => number, ofOrder: (m: Marginal) => number) =>
    Float64Array.from([
      ...arcs.map((at) => {
        const { arc, t } = arcAt(problem, at);
        return ofArc(arc, t, at);
      }),
      ...marginals.map(ofOrder),
    ]);
  return {
    // volume * (1 - mw / volume)^2 = (mw - volume)^2 / volume
    weight: columns(
      () => (marginals.length > 0 ? 0 : 1),
      (m) => (2 * nodes[m.node]!.span) / m.volume,
    ),
    target: columns(
      () => 0,
      (m) => m.volume,
    ),
    lower: columns(
      (arc, t) => arc.least[t]!,
      () => 0,
    ),
    upper: columns(
      (arc, t) => arc.most[t]!,
      (m) => m.volume,
    ),
    rightSide: Float64Array.from(cells, (cell) => -surplus[cell]!),
    starts: Int32Array.from(starts),
    indices: Int32Array.from(indices),
    values: Float64Array.from(values),
  };
}
