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
import { balances, isTrade } from './balances.ts';
import type { Cluster, Free, Island, Marginal } from './cluster.ts';
import { nearestStep, pricesAt } from './curves/net-curve.ts';
import { type Segment, shareAt } from './curves/segments.ts';
import type { Equilibrium } from './equilibrium.ts';
import type { Arc } from './network/arcs.ts';
import { Joined } from './network/joined.ts';
import { cancelRings } from './network/rings.ts';
import { atTheMoney, type Sides, sidesOf, tradesMore } from './one-side.ts';
import { settled, wholeOf } from './prices/rules.ts';
import type { Node, Problem } from './problem.ts';
import { type Bounds, gainsAt, samePrice } from './search/master.ts';
import type { Solver } from './solver/highs.ts';
import { type NearestProgram, nearestAnywhere, nearestPoint } from './solver/nearest.ts';

/** How far a flow may pass its limit (MW) before a sharing counts as impossible. */
const flowSlack = 1e-7;
/** Balances that close to this (MW) are closed; whole lots are made of what is left. */
const balanceTolerance = 1e-7;

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

/** Price of a node: the mean over the MTUs it covers. */
export function meanPriceOf(problem: Problem, node: Node, prices: Float64Array): number {
  let sum = 0;
  for (let t = node.from; t < node.from + node.span; t++) sum += prices[node.zone * problem.periods + t]!;
  return sum / node.span;
}

/** The prices of the linear program by node, without the rounding errors that would hide who is at the money. */
function exactPrices(problem: Problem, found: Equilibrium): Float64Array {
  return Float64Array.from(problem.nodes, (node, i) => {
    const price = meanPriceOf(problem, node, found.price);
    const net = found.net[i]!;
    const slack = 2 * samePrice;
    // The solver closes its rows to so many MW: on a steep slope that is more in price than `slack`.
    const [lowest] = pricesAt(node.curve, net - balanceTolerance);
    const [, highest] = pricesAt(node.curve, net + balanceTolerance);
    assert(price >= lowest - slack && price <= highest + slack, `node ${i} trades ${net} MW at ${price}`);
    const [low, high] = pricesAt(node.curve, net);
    // Where orders stand at the price, straight lines are to meet it exactly too.
    return nearestStep(node.curve, price, slack) ?? Math.min(high, Math.max(low, price));
  });
}

/** Executed share of a segment of node `index`, 0 to 1. */
export function executedShare(segment: Segment, sharing: Sharing, index: number): number {
  const price = sharing.price[index]!;
  if (!atTheMoney(segment, price)) return shareAt(segment, price);
  if (sharing.otherSide.has(segment)) return 0;
  return (segment.side === 'sell' ? sharing.sellShare : sharing.buyShare)[index]!;
}

/** What is not open, and the clusters of what is. */
interface Open {
  /** MW by node, without its orders at the money. */
  readonly net: Float64Array;
  /** MW net supply by cell: all that is not open. */
  readonly surplus: Float64Array;
  readonly value: Float64Array;
  readonly islands: readonly Island[];
  /** Islands that rows tie together. */
  readonly tied: readonly Cluster[];
  readonly clusters: readonly Cluster[];
}

/**
 * @param kept  decisions whose ratio and steps stay where the program has them: they would lose with others
 * @param solver  asked where lines with losses carry power that costs nothing
 */
export function shareAtTheMoney(
  problem: Problem,
  solver: Solver,
  found: Equilibrium,
  kept: readonly number[] = [],
): Sharing {
  const idle = idleFlows(problem, solver, found, kept);
  const sharing = idle === undefined ? undefined : share(problem, { ...found, value: idle }, kept);
  const asFound = sharing ?? share(problem, found, kept);
  assert(asFound !== undefined, 'some sharing balances what the program found');
  return asFound;
}

/**
 * Flows over lines with losses where power costs nothing. No welfare says how much they carry: what trades most then, and loses least.
 *
 * @returns values by column, the others as found; undefined where there are no such flows
 */
function idleFlows(
  problem: Problem,
  solver: Solver,
  found: Equilibrium,
  kept: readonly number[],
): Float64Array | undefined {
  const { arcs, periods, columns } = problem;
  const idle = new Set<number>();
  for (const [a, { loss }] of arcs.entries())
    for (let c = a * periods; loss > 0 && c < (a + 1) * periods; c++)
      if (columns[c]!.cells.every(([cell]) => Math.abs(found.price[cell]!) <= samePrice * 10)) idle.add(c);
  if (idle.size === 0) return undefined;
  const free = settled(problem, wholeOf(problem), found.bounds);
  const { surplus, value, clusters } = openChoices(problem, found, free, exactPrices(problem, found), kept, idle);
  const values = found.value.slice();
  for (const cluster of clusters) {
    const { columns: open, marginals } = cluster;
    if (!open.some((c) => idle.has(c))) continue;
    const { lower, upper, rightSide, ...matrix } = balances(problem, free, found, cluster, surplus, value);
    const cost = new Float64Array(lower.length);
    open.forEach((c, k) => {
      // What a block or step takes is traded; what a line loses is not.
      const taken = isTrade(problem, c) ? columns[c]!.cells.reduce((mw, [, each]) => mw + Math.min(0, each), 0) : 0;
      cost[k] = idle.has(c) ? lossWeight * arcAt(problem, c).arc.loss : taken;
    });
    marginals.forEach(({ node, side }, k) => {
      if (side === 'buy') cost[open.length + k] = -problem.nodes[node]!.span;
    });
    const { status, x } = solver.solve({ cost, lower, upper, rowLower: rightSide, rowUpper: rightSide, ...matrix });
    if (status !== 'optimal') return undefined;
    open.forEach((c, k) => {
      if (idle.has(c)) values[c] = x[k]!;
    });
  }
  return values;
}

/** Of a MW that is lost, beside one that is traded. */
const lossWeight = 1e-3;

function share(problem: Problem, found: Equilibrium, kept: readonly number[]): Sharing | undefined {
  const price = exactPrices(problem, found);
  const sellShare = new Float64Array(problem.nodes.length);
  const buyShare = new Float64Array(problem.nodes.length);
  const free = settled(problem, wholeOf(problem), found.bounds);
  const { net, surplus, value, islands, tied, clusters: all } = openChoices(problem, found, free, price, kept);
  const otherSide = new Set<Segment>();
  let left: Float64Array = surplus;
  for (const whole of all) {
    const shared = (of: Cluster) =>
      oneRatio(problem, free, of, surplus, value) ?? leastUnexecuted(problem, free, found, of, surplus, value);
    const choices = sidesOf(problem, whole, price);
    let best: { sides: Sides; volumes: Float64Array } | undefined;
    for (const sides of choices) {
      const tried = shared(sides.cluster);
      if (tried !== undefined && (best === undefined || tradesMore(sides, tried, best.sides, best.volumes)))
        best = { sides, volumes: tried };
    }
    const { cluster, out } = best?.sides ?? { cluster: whole, out: [] };
    // The last choice that was tried has left its flows; those of the one that is taken count.
    const volumes = choices.length > 1 || best === undefined ? shared(cluster) : best.volumes;
    for (const segment of out) otherSide.add(segment);
    if (volumes === undefined) return undefined;
    cluster.marginals.forEach(({ node, side, volume }, k) => {
      const share = snapped(volumes[k]!, volume) / volume;
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

/** A millionth of a MW short of nothing or all is a rounding error. */
const snapped = (mw: number, all: number): number => (mw < 2e-6 ? 0 : mw > all - 2e-6 ? all : mw);

function openChoices(
  problem: Problem,
  found: Equilibrium,
  free: Free,
  price: Float64Array,
  kept: readonly number[],
  idleOpen: ReadonlySet<number> = new Set(),
): Open {
  const stays = new Set(kept.flatMap((d) => [problem.decisions[d]!.column, ...problem.decisions[d]!.steps]));
  const { nodes, arcs, periods, zones, columns } = problem;
  const net = new Float64Array(nodes.length);
  const surplus = new Float64Array(zones * periods);
  const value = new Float64Array(columns.length);
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

  const open: number[] = [];
  const isBridge = bridgesOf(problem);
  const gain = gainsAt(problem, { columns: [...columns.keys()], rows: free.rows }, found);
  columns.forEach(({ cells, kind }, c) => {
    const least = free.lower[c]!;
    const most = free.upper[c]!;
    const size = kind === 'ratio' ? cells.reduce((sum, [, mw]) => sum + Math.abs(mw), 0) : 1;
    const side = Math.abs(gain[c]!) <= samePrice * 10 * Math.max(size, 1) ? 0 : Math.sign(gain[c]!);
    // Where power costs nothing, running it to and fro or in a ring over lines with losses would look like trade: those flows stay.
    const arc = kind === 'flow' ? arcs[Math.floor(c / periods)]! : undefined;
    const idle =
      !idleOpen.has(c) &&
      (arc?.loss ?? 0) > 0 &&
      cells.some(([cell]) => found.price[cell]! <= samePrice * 10) &&
      !(found.value[c]! > balanceTolerance && isBridge(arc!.line));
    if (most > least && !idle && !stays.has(c) && (side === 0 || !Number.isFinite(side > 0 ? most : least))) {
      open.push(c);
      if (arc !== undefined || kind === 'exchange') for (const [cell] of cells) joined.join(cells[0]![0], cell);
    } else {
      value[c] = side === 0 ? found.value[c]! : side > 0 ? most : least;
      for (const [cell, mw] of cells) surplus[cell]! += mw * value[c]!;
    }
  });
  const isOpen = new Set(open);
  const rows = free.rows.filter((r) => problem.rows[r]!.entries.some(([c]) => isOpen.has(c)));
  // Zones of a flow-based region are one island: what one exports another takes.
  for (const r of rows) {
    if (problem.rows[r]!.kind !== 'pool') continue;
    const entries = problem.rows[r]!.entries.filter(([c]) => isOpen.has(c));
    for (const [c] of entries) joined.join(columns[entries[0]![0]]!.cells[0]![0], columns[c]!.cells[0]![0]);
  }
  const flows = open.filter((c) => !isTrade(problem, c));
  const islands = gather(problem, joined, [], flows, []);
  for (const r of rows) joinRow(problem, joined, r, isOpen);
  const tied =
    rows.length > 0 ? gather(problem, joined, [], open, rows) : islands.map((i) => ({ ...i, marginals: [], rows: [] }));
  for (const { node } of marginals) {
    const { zone, from, span } = nodes[node]!;
    for (let k = 1; k < span; k++) joined.join(zone * periods + from, zone * periods + from + k);
  }
  for (const c of open) for (const [cell] of columns[c]!.cells) joined.join(columns[c]!.cells[0]![0], cell);
  return { net, surplus, value, islands, tied, clusters: gather(problem, joined, marginals, open, rows) };
}

/** Which lines are in no ring of lines and flow-based exchange. */
function bridgesOf({ book: { lines, constraints }, zones, arcs }: Problem): (line: number) => boolean {
  const known = new Map<number, boolean>();
  return (line) => {
    const before = known.get(line);
    if (before !== undefined) return before;
    const joined = new Joined(zones);
    for (const arc of arcs) if (arc.line !== line) joined.join(arc.from, arc.to);
    const own = arcs.find((arc) => arc.line === line)!;
    const is = constraints.length === 0 && lines.length > 0 && joined.root(own.from) !== joined.root(own.to);
    known.set(line, is);
    return is;
  };
}

function joinRow({ rows, columns }: Problem, joined: Joined, r: number, isOpen: ReadonlySet<number>): void {
  let first: number | undefined;
  for (const [c] of rows[r]!.entries) {
    if (!isOpen.has(c)) continue;
    for (const [cell] of columns[c]!.cells) {
      first ??= cell;
      joined.join(first, cell);
    }
  }
}

function gather(
  { nodes, columns, rows, periods }: Problem,
  joined: Joined,
  marginals: readonly Marginal[],
  open: readonly number[],
  openRows: readonly number[],
): Cluster[] {
  const clusters = new Map<number, { cells: number[]; marginals: Marginal[]; columns: number[]; rows: number[] }>();
  for (let cell = 0; cell < joined.size; cell++) {
    const cluster = clusters.get(joined.root(cell));
    if (cluster === undefined) clusters.set(joined.root(cell), { cells: [cell], marginals: [], columns: [], rows: [] });
    else cluster.cells.push(cell);
  }
  const at = (cell: number) => clusters.get(joined.root(cell))!;
  for (const m of marginals) {
    const { zone, from } = nodes[m.node]!;
    at(zone * periods + from).marginals.push(m);
  }
  const isOpen = new Set(open);
  for (const c of open) at(columns[c]!.cells[0]![0]).columns.push(c);
  for (const r of openRows) {
    const [c] = rows[r]!.entries.find(([column]) => isOpen.has(column)) ?? [];
    if (c !== undefined) at(columns[c]!.cells[0]![0]).rows.push(r);
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

/** Find the flows that carry each cell's surplus away with the least sum of squares; false where they can't. */
function leastFlows(
  problem: Problem,
  free: Free,
  found: Equilibrium | undefined,
  { cells, columns, rows }: Pick<Cluster, 'cells' | 'columns' | 'rows'>,
  surplus: Float64Array,
  value: Float64Array,
): boolean {
  if (columns.length === 0) return true;
  const plain = rows.length === 0 && columns.every((c) => problem.columns[c]!.kind === 'flow');
  if (plain && columns.length < cells.length) return treeFlows(problem, free, cells, columns, surplus, value);
  // What rounding errors have left over must not make the balances contradict each other.
  if (plain && columns.every((c) => arcAt(problem, c).arc.loss === 0)) {
    const over = cells.reduce((sum, cell) => sum + surplus[cell]!, 0) / cells.length;
    surplus = surplus.slice();
    for (const cell of cells) surplus[cell]! -= over;
  }
  const program = balances(problem, free, found, { cells, columns, rows, marginals: [] }, surplus, value);
  // Of shares that are only tried, limits that bind say enough.
  const x = found === undefined ? nearestAnywhere(program, balanceTolerance) : nearestInTurn(program);
  if (x === undefined) return false;
  columns.forEach((c, k) => {
    value[c] = x[k]!;
  });
  const bound = new Set(rows.flatMap((r) => problem.rows[r]!.entries.map(([c]) => c)));
  const loose = columns.filter((c) => problem.columns[c]!.kind === 'flow' && !bound.has(c));
  cancelRings(
    problem,
    free,
    loose.filter((c) => arcAt(problem, c).arc.loss === 0),
    value,
  );
  return true;
}

/**
 * Flows where the arcs form a tree: from its leaves inwards, each arc carries what lies behind it.
 *
 * @param roots  cells where whatever arrives may stay
 */
export function treeFlows(
  problem: Problem,
  { lower, upper }: Bounds,
  cells: readonly number[],
  arcs: readonly number[],
  surplus: Float64Array,
  flow: Float64Array,
  roots: { has(cell: number): boolean } = new Set<number>(),
): boolean {
  const touching = new Map<number, Set<number>>(cells.map((cell) => [cell, new Set()]));
  for (const at of arcs) for (const [cell] of problem.columns[at]!.cells) touching.get(cell)!.add(at);
  const left = new Map(cells.map((cell) => [cell, surplus[cell]!]));
  const isLeaf = (cell: number) => touching.get(cell)!.size === 1 && !roots.has(cell);
  const leaves = cells.filter(isLeaf);
  let done = 0;
  let carried = true;
  for (let cell = leaves.pop(); cell !== undefined; cell = leaves.pop()) {
    const [at] = touching.get(cell)!;
    if (at === undefined) continue;
    const [[from], [to, arrives]] = problem.columns[at]!.cells as [
      readonly [number, number],
      readonly [number, number],
    ];
    const mw = cell === from ? left.get(cell)! : -left.get(cell)! / arrives;
    if (mw < lower[at]! - flowSlack || mw > upper[at]! + flowSlack) carried = false;
    flow[at] = mw;
    const other = cell === from ? to : from;
    left.set(other, left.get(other)! + (cell === from ? arrives * mw : -mw));
    touching.get(other)!.delete(at);
    touching.get(cell)!.delete(at);
    if (isLeaf(other)) leaves.push(other);
    done++;
  }
  assert(done <= arcs.length);
  return carried && done === arcs.length;
}

/** Rule 1 of the head of this file; undefined where nothing balances. */
function leastUnexecuted(
  problem: Problem,
  free: Free,
  found: Equilibrium,
  cluster: Cluster,
  surplus: Float64Array,
  value: Float64Array,
): Float64Array | undefined {
  const { columns, marginals } = cluster;
  const program = balances(problem, free, found, cluster, surplus, value);
  const x = nearestInTurn(program);
  if (x === undefined) return undefined;
  columns.forEach((c, k) => {
    value[c] = x[k]!;
  });
  return x.slice(columns.length, columns.length + marginals.length);
}

/**
 * To a millionth of a MW, also where orders are large and each MW counts little.
 *
 * What binds was found by a solver that closes its rows to a tenth of a millionth: together they may contradict each other by more,
 * or leave no inside, and then this gives way by a little. Rounding closes the balances in any case.
 */
function nearestInTurn(program: NearestProgram): Float64Array | undefined {
  const lightest = program.weight.reduce((least, w) => (w > 0 ? Math.min(least, w) : least), 1);
  const product = 1e-12 * lightest;
  for (const looser of [1, 100, 1000]) {
    const x = nearestPoint(program, looser * balanceTolerance, product);
    if (x !== undefined) return x;
  }
  return undefined;
}
