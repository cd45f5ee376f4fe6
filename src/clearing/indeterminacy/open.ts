/**
 * What one set of supporting prices leaves open: orders exactly at the money, blocks and steps that gain nothing, flows without a spread; and
 * the clusters in which they have to be chosen together.
 */

import assert from 'node:assert/strict';
import { nearestStep, pricesAt, supplyAt } from '../model/curves/net-curve.ts';
import { shareAt } from '../model/curves/segments.ts';
import type { Node, Part, Problem } from '../model/problem.ts';
import { type Answer, gainsAt, samePrice } from '../relaxation/master.ts';
import { isTrade } from './balances.ts';
import type { Cluster, Free, Island, Kept, Marginal } from './cluster.ts';
import { balanceTolerance } from './flows.ts';
import { Joined } from './joined.ts';
import { atTheMoney } from './one-side.ts';

/** Price of a node: the mean over the MTUs it covers. */
export function meanPriceOf(problem: Problem, node: Node, prices: Float64Array): number {
  let sum = 0;
  for (let t = node.from; t < node.from + node.span; t++) sum += prices[node.zone * problem.periods + t]!;
  return sum / node.span;
}

/**
 * The prices of the linear program by node, without the rounding errors that would hide who is at the money.
 *
 * @param stepsAlone  whether a price is that of orders at one price only where what is traded is too: on a line that hardly rises the difference is volume
 */
export function exactPrices(problem: Problem, part: Part, found: Answer, stepsAlone = false): Float64Array {
  const prices = new Float64Array(problem.nodes.length);
  for (const i of part.nodes) {
    const node = problem.nodes[i]!;
    const price = meanPriceOf(problem, node, found.price);
    const net = found.net[i]!;
    const slack = 2 * samePrice;
    // The solver closes its rows to so many MW: on a steep slope that is more in price than `slack`.
    const [lowest] = pricesAt(node.curve, net - balanceTolerance);
    const [, highest] = pricesAt(node.curve, net + balanceTolerance);
    assert(price >= lowest - slack && price <= highest + slack, `node ${i} trades ${net} MW at ${price}`);
    const [low, high] = pricesAt(node.curve, net);
    // Where orders stand at the price, straight lines are to meet it exactly too.
    const step = nearestStep(node.curve, net, price, slack);
    const [least, most] = step === undefined ? [net, net] : supplyAt(node.curve, step);
    const isOff = stepsAlone && (net < least - balanceTolerance || net > most + balanceTolerance);
    prices[i] = step === undefined || isOff ? Math.min(high, Math.max(low, price)) : step;
  }
  return prices;
}

/** What is not open, and the clusters of what is. */
export interface Open {
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

export function openChoices(
  problem: Problem,
  part: Part,
  found: Answer,
  free: Free,
  price: Float64Array,
  kept: Kept,
  idleOpen: ReadonlySet<number> = new Set(),
): Open {
  const stays = new Set(
    [...kept.decisions].flatMap((d) => [problem.decisions[d]!.column, ...problem.decisions[d]!.steps]),
  );
  const { nodes, arcs, periods, zones, columns } = problem;
  const net = new Float64Array(nodes.length);
  const surplus = new Float64Array(zones * periods);
  const value = new Float64Array(columns.length);
  const joined = new Joined(zones * periods);

  const marginals: Marginal[] = [];
  for (const index of part.nodes) {
    const node = nodes[index]!;
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
    const rest = found.net[index]! - net[index]!;
    const at = (side: 'sell' | 'buy', volume: number, executed: number) => {
      if (volume > 0)
        marginals.push({
          node: index,
          side,
          volume,
          ...(kept.nodes.has(index) && { kept: Math.min(volume, Math.max(0, executed)) }),
        });
    };
    at('sell', sell, rest);
    at('buy', buy, -rest);
    for (let t = node.from; t < node.from + node.span; t++) surplus[node.zone * periods + t]! += net[index]!;
  }

  const open: number[] = [];
  const isBridge = bridgesOf(problem);
  const gain = gainsAt(problem, { columns: part.columns, rows: free.rows }, found);
  for (const c of part.columns) {
    const { cells, kind } = columns[c]!;
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
  }
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
