/**
 * Whole lots that still balance (market rules, section 5.5).
 *
 * Only what is executed in part gives way: orders at the money, and orders on a straight line. Their volumes are rounded
 * down to lots, and the lots that are then missing go to the largest remainders: first between the sides of an island's zones,
 * then between the orders of one side (equal remainders: by id). Net positions follow from the orders and flows from the
 * net positions, so every balance closes exactly.
 */

import { Joined } from './network/joined.ts';
import { compareIds, type Problem } from './problem.ts';
import { arcAt, executedShare, type Island, type Sharing, treeFlows } from './sharing.ts';

export interface Lots {
  /** MW executed, by order of the book. */
  readonly bought: Float64Array;
  readonly sold: Float64Array;
  /** MW, export positive, by zone * periods + MTU. */
  readonly netPosition: Float64Array;
  /** MW sent, by arc * periods + MTU. */
  readonly flow: Float64Array;
}

/** Volumes of a book that names no lot are published in watts. */
export const smallestLot = 1e-6;

/** A flow this near to its limit (MW) is at it. */
const full = 1e-5;

interface Part {
  readonly order: number;
  readonly ideal: number;
  readonly most: number;
}

/** The parts of one node's side that give way together. */
interface Side {
  readonly node: number;
  readonly sign: 1 | -1;
  readonly parts: Part[];
  ideal: number;
  /** Whole lots. */
  lots: number;
}

/** Numbers as people would write them: a millionth of a watt is an error of floating point. */
export const clean = (mw: number): number => Math.round(mw * 1e6) / 1e6 + 0;

export function roundToLots(problem: Problem, sharing: Sharing): Lots {
  const { nodes, periods, zones, book } = problem;
  const lot = book.lot ?? smallestLot;
  const bought = new Float64Array(book.orders.length);
  const sold = new Float64Array(book.orders.length);
  const netPosition = new Float64Array(zones * periods);
  const sides: Side[] = [];
  nodes.forEach((node, index) => {
    let full = 0;
    const giving: Partial<Record<'buy' | 'sell', Side>> = {};
    for (const segment of node.segments) {
      const { order, side, power } = segment;
      const share = executedShare(segment, sharing, index);
      if (share <= 1e-12 || share >= 1 - 1e-12) {
        const mw = share > 0.5 ? power : 0;
        (side === 'sell' ? sold : bought)[order]! += mw;
        full += side === 'sell' ? mw : -mw;
        continue;
      }
      giving[side] ??= { node: index, sign: side === 'sell' ? 1 : -1, parts: [], ideal: 0, lots: 0 };
      giving[side].parts.push({ order, ideal: share * power, most: power });
      giving[side].ideal += share * power;
    }
    for (const side of [giving.sell, giving.buy]) if (side !== undefined) sides.push(side);
    for (let k = 0; k < node.span; k++) netPosition[node.zone * periods + node.from + k]! += full;
  });

  const settle = (side: Side): number => {
    const node = nodes[side.node]!;
    const mw = distribute(problem, side, lot, side.sign === 1 ? sold : bought);
    for (let k = 0; k < node.span; k++) netPosition[node.zone * periods + node.from + k]! += side.sign * mw;
    return mw;
  };
  const sidesAt = new Map<number, Side[]>();
  // MW that longer orders sell too much by zone-MTU, for being rounded: the next one makes up for it.
  const over = new Float64Array(zones * periods);
  for (const side of sides) {
    const { zone, from, span } = nodes[side.node]!;
    if (span === 1) {
      const cell = zone * periods + from;
      sidesAt.set(cell, [...(sidesAt.get(cell) ?? []), side]);
    } else {
      const covered = over.subarray(zone * periods + from, zone * periods + from + span);
      const due = side.ideal - (side.sign * covered.reduce((sum, mw) => sum + mw, 0)) / span;
      side.lots = Math.max(0, Math.round(due / lot));
      const mw = settle(side);
      covered.forEach((before, k) => {
        covered[k] = before + side.sign * (mw - side.ideal);
      });
    }
  }
  const flow = sharing.flow.slice();
  const islands = sharing.islands.flatMap((island) => withoutFullArcs(problem, island, flow));
  const outflow = closedOutflow(problem, islands, flow);
  for (const island of islands) {
    const here = island.cells.flatMap((cell) => sidesAt.get(cell) ?? []);
    let missing = 0;
    for (const cell of island.cells) missing += outflow[cell]! - netPosition[cell]!;
    for (const at of island.arcs) missing += arcAt(problem, at).arc.loss * flow[at]!;
    largestRemainders(here, missing, lot);
    for (const side of here) settle(side);
    carry(problem, island, netPosition, outflow, lot, flow);
  }
  return { bought, sold, netPosition: netPosition.map(clean), flow: flow.map(clean) };
}

/** The parts of an island that arcs with room still join: a full arc must not be filled further by what rounding moves. */
function withoutFullArcs(problem: Problem, { cells, arcs }: Island, flow: Float64Array): Island[] {
  const { periods, zones } = problem;
  const joined = new Joined(zones * periods);
  const withRoom = arcs.filter((at) => {
    const { arc, t } = arcAt(problem, at);
    for (const end of [arc.least[t]!, arc.most[t]!]) {
      if (Math.abs(flow[at]! - end) > full) continue;
      flow[at] = end;
      return false;
    }
    joined.join(arc.from * periods + t, arc.to * periods + t);
    return true;
  });
  if (withRoom.length === arcs.length) return [{ cells, arcs }];
  const parts = new Map<number, { cells: number[]; arcs: number[] }>(
    cells.filter((cell) => joined.root(cell) === cell).map((cell) => [cell, { cells: [], arcs: [] }]),
  );
  for (const cell of cells) parts.get(joined.root(cell))!.cells.push(cell);
  for (const at of withRoom) {
    const { arc, t } = arcAt(problem, at);
    parts.get(joined.root(arc.from * periods + t))!.arcs.push(at);
  }
  return [...parts.values()];
}

/** MW that leave each cell over arcs that are full or at their least. */
function closedOutflow(
  { arcs, periods, zones }: Problem,
  islands: readonly Island[],
  flow: Float64Array,
): Float64Array {
  const outflow = new Float64Array(zones * periods);
  const open = new Set(islands.flatMap((island) => island.arcs));
  arcs.forEach((arc, a) => {
    for (let t = 0; t < periods; t++) {
      const at = a * periods + t;
      if (open.has(at)) continue;
      outflow[arc.from * periods + t]! += flow[at]!;
      outflow[arc.to * periods + t]! -= (1 - arc.loss) * flow[at]!;
    }
  });
  return outflow;
}

/** Give each side whole lots, so that sells less buys come to `missing` MW, each as near to its ideal as can be. */
function largestRemainders(sides: readonly Side[], missing: number, lot: number): void {
  let left = missing / lot;
  for (const side of sides) {
    side.lots = Math.floor(side.ideal / lot + 1e-6);
    left -= side.sign * side.lots;
  }
  const remainder = (side: Side) => side.ideal / lot - side.lots;
  // A lot too little is sold: sells by the largest remainder sell one more; where there are none, buys buy one less.
  const sign = left > 0 ? 1 : -1;
  const upward = sides
    .filter((side) => side.sign === sign)
    .sort((a, b) => remainder(b) - remainder(a) || a.node - b.node);
  const downward = sides
    .filter((side) => side.sign !== sign)
    .sort((a, b) => remainder(a) - remainder(b) || a.node - b.node);
  const turns = [...upward.map((side) => [side, 1] as const), ...downward.map((side) => [side, -1] as const)];
  for (let k = 0, n = Math.round(Math.abs(left)); k < n && turns.length > 0; k++) {
    const [side, step] = turns[k % turns.length]!;
    side.lots += step;
  }
}

/** Share a side's lots among its orders; the MW that were given. */
function distribute({ book }: Problem, side: Side, lot: number, executed: Float64Array): number {
  const given = side.parts.map((part) => Math.floor(part.ideal / lot + 1e-6));
  let left = side.lots - given.reduce((sum, lots) => sum + lots, 0);
  const remainder = (k: number) => side.parts[k]!.ideal / lot - given[k]!;
  const orderAt = (k: number) => book.orders[side.parts[k]!.order]!;
  const byRemainder = side.parts
    .map((_, k) => k)
    .sort((a, b) => Math.sign(left) * (remainder(b) - remainder(a)) || compareIds(orderAt(a), orderAt(b)));
  for (let k = 0; left !== 0; k = (k + 1) % byRemainder.length) {
    given[byRemainder[k]!]! += Math.sign(left);
    left -= Math.sign(left);
  }
  let total = 0;
  side.parts.forEach((part, k) => {
    const mw = Math.min(part.most, clean(Math.max(0, given[k]!) * lot));
    executed[part.order]! += mw;
    total += mw;
  });
  return total;
}

/** Flows of an island that carry exactly its net positions: those that close a ring in whole lots, the others follow. */
function carry(
  problem: Problem,
  { cells, arcs }: Island,
  netPosition: Float64Array,
  outflow: Float64Array,
  lot: number,
  flow: Float64Array,
): void {
  if (arcs.length === 0) return;
  const { periods, zones } = problem;
  const joined = new Joined(zones);
  const tree: number[] = [];
  const surplus = netPosition.map((mw, cell) => mw - outflow[cell]!);
  for (const at of arcs) {
    const { arc, t } = arcAt(problem, at);
    if (joined.join(arc.from, arc.to)) tree.push(at);
    else {
      const mw = Math.min(arc.most[t]!, Math.max(arc.least[t]!, Math.round(flow[at]! / lot) * lot));
      flow[at] = mw;
      surplus[arc.from * periods + t]! -= mw;
      surplus[arc.to * periods + t]! += (1 - arc.loss) * mw;
    }
  }
  treeFlows(problem, cells, tree, surplus, flow);
}
