/**
 * Whole lots that still balance (market rules, section 5.5).
 *
 * Only what is executed in part gives way: orders at the money, and orders on a straight line. Their volumes are rounded
 * down to lots, and the lots that are then missing go to the largest remainders: first between the sides of an island's zones,
 * then between the orders of one side (equal remainders: by id). Net positions follow from the orders and flows from the
 * net positions, so every balance closes exactly.
 */

import { isTrade } from '../indeterminacy/balances.ts';
import type { Island } from '../indeterminacy/cluster.ts';
import { arcAt, treeFlows } from '../indeterminacy/flows.ts';
import { Joined } from '../indeterminacy/joined.ts';
import { executedShare, type Sharing } from '../indeterminacy/sharing.ts';
import { compareIds, type Problem } from '../model/problem.ts';
import type { Solver } from '../solver/highs.ts';
import { inPower, inRatio } from '../tolerances.ts';
import { lotsTogether } from './lots-together.ts';
import { fillStage, giveWay, type Stage, stageInLots, stagesOf } from './step-lots.ts';

export interface Lots {
  /** MW executed, by order of the book. */
  readonly bought: Float64Array;
  readonly sold: Float64Array;
  /** MW, export positive, by zone * periods + MTU. */
  readonly netPosition: Float64Array;
  /** By column: MW sent, ratios, MW of steps. */
  readonly value: Float64Array;
}

/** A flow this near to its limit (MW) is at it. */
const full = inPower.full;

interface Part {
  readonly order: number;
  readonly ideal: number;
  readonly most: number;
  /** MW that it has been given. */
  given: number;
}

/** The parts of one node's side that give way together. */
interface Side {
  readonly node: number;
  readonly sign: 1 | -1;
  readonly parts: Part[];
  ideal: number;
  /** MW of all parts. */
  most: number;
  /** Whole lots. */
  lots: number;
}

/** Numbers as people would write them: a millionth of a watt is an error of floating point. */
export const clean = (mw: number): number => Math.round(mw * 1e6) / 1e6 + 0;

export function roundToLots(problem: Problem, solver: Solver, sharing: Sharing): Lots {
  const { nodes, periods, zones, lot, book } = problem;
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
      if (share <= inRatio.share || share >= 1 - inRatio.share) {
        const mw = share > 0.5 ? power : 0;
        (side === 'sell' ? sold : bought)[order]! += mw;
        full += side === 'sell' ? mw : -mw;
        continue;
      }
      giving[side] ??= { node: index, sign: side === 'sell' ? 1 : -1, parts: [], ideal: 0, most: 0, lots: 0 };
      giving[side].parts.push({ order, ideal: share * power, most: power, given: 0 });
      giving[side].ideal += share * power;
      giving[side].most += power;
    }
    for (const side of [giving.sell, giving.buy]) if (side !== undefined) sides.push(side);
    for (let k = 0; k < node.span; k++) netPosition[node.zone * periods + node.from + k]! += full;
  });

  const settle = (side: Side) => {
    const node = nodes[side.node]!;
    const mw = distribute(problem, side, lot, side.sign === 1 ? sold : bought);
    for (let k = 0; k < node.span; k++) netPosition[node.zone * periods + node.from + k]! += side.sign * mw;
  };
  const value = sharing.value.slice();
  const { columns } = problem;
  const isBlock = new Set(problem.decisions.flatMap(({ column, steps }) => (steps.length === 0 ? [column] : [])));
  columns.forEach(({ kind }, c) => {
    if (kind === 'ratio' && value[c]! > 1 - inRatio.exact) value[c] = 1;
  });
  for (const { column, least, steps } of problem.decisions) {
    const parts = columns[column]!.legs ?? columns[column]!.cells;
    // What is not half a lot anywhere is nothing.
    if (steps.length === 0 && least === 0 && parts.every(([, mw]) => toLots(mw * value[column]!, lot) === 0))
      value[column] = 0;
  }
  const stages = stagesOf(problem, sharing, value);
  const told = new Map(stages.map((stage) => [stage, stageInLots(stage, lot)]));
  for (const [stage, mw] of told) fillStage(stage, mw, value);
  columns.forEach(({ kind, cells }, c) => {
    if (kind !== 'ratio' && kind !== 'step') return;
    const parts = columns[c]!.legs ?? cells;
    for (const [cell, mw] of parts)
      netPosition[cell]! += isBlock.has(c) && value[c] !== 1 ? toLots(mw * value[c]!, lot) : mw * value[c]!;
  });
  const islands = sharing.islands.flatMap((island) => withoutFullArcs(problem, sharing, island, value));
  const outflow = closedOutflow(problem, islands, value);
  // Longest first: what they leave open the shorter ones close.
  const spanOf = (side: Side) => nodes[side.node]!.span;
  const cellOf = ({ node }: Side) => nodes[node]!.zone * periods + nodes[node]!.from;
  const islandOf = new Int32Array(zones * periods);
  islands.forEach(({ cells }, k) => {
    for (const cell of cells) islandOf[cell] = k;
  });
  const shortest = new Float64Array(islands.length).fill(Infinity);
  for (const side of sides) {
    const span = spanOf(side);
    for (let k = 0; k < span; k++) {
      const island = islandOf[cellOf(side) + k]!;
      shortest[island] = Math.min(shortest[island]!, span);
    }
  }
  const lossesIn = ({ columns: flows }: Island) =>
    flows.reduce((sum, c) => sum + (columns[c]!.kind === 'flow' ? arcAt(problem, c).arc.loss * value[c]! : 0), 0);
  const missingIn = ({ cells, columns: flows }: Island) => {
    let missing = 0;
    for (const cell of cells) missing += outflow[cell]! - netPosition[cell]!;
    return missing - closedExports(problem, flows, value);
  };
  const waiting = new Set(sides);
  const close = (group: readonly Side[], island: number) => {
    for (const side of group) waiting.delete(side);
    let missing = missingIn(islands[island]!);
    let isLast = true;
    // Others of the same length have their turn later, in another island that they close: about as they are.
    for (const side of waiting) {
      const reaches = Array.from({ length: spanOf(side) }, (_, k) => islandOf[cellOf(side) + k]).includes(island);
      if (reaches) {
        missing -= side.sign * side.ideal;
        isLast = false;
      }
    }
    nearestLots(group, missing, lossesIn(islands[island]!), lot, isLast);
    group.forEach(settle);
  };
  for (const span of [...new Set(sides.map(spanOf))].sort((a, b) => b - a)) {
    const groups = new Map<number, Side[]>();
    for (const side of sides) {
      if (spanOf(side) !== span) continue;
      // Where nothing shorter trades, these have to close the balance themselves.
      const cell = cellOf(side);
      const last = Array.from({ length: span }, (_, k) => islandOf[cell + k]!).find((k) => shortest[k] === span);
      if (last === undefined) {
        side.lots = Math.round(side.ideal / lot);
        waiting.delete(side);
        settle(side);
      } else groups.set(last, [...(groups.get(last) ?? []), side]);
    }
    for (const [island, group] of groups) close(group, island);
  }
  // What is then still open, where nobody at the money has a limit or curve order there, complex orders close.
  const giving = new Map<number, Stage[]>();
  for (const stage of stages) {
    const island = islandOf[stage.cells[0]![0]]!;
    if (stage.gives && stage.cells.length === 1) giving.set(island, [...(giving.get(island) ?? []), stage]);
  }
  for (const [island, here] of giving) {
    const before = here.map((stage) => told.get(stage)!);
    giveWay(here, told, missingIn(islands[island]!) + lossesIn(islands[island]!), lot);
    here.forEach((stage, k) => {
      const mw = told.get(stage)!;
      const [[cell, sign]] = stage.cells as [readonly [number, number]];
      netPosition[cell]! += sign * (mw - before[k]!);
      fillStage(stage, mw, value);
    });
  }
  const blocks = [...isBlock].filter((c) => columns[c]!.cells.length === 1 && value[c]! > 0 && value[c]! < 1);
  islands.forEach((island, k) => {
    const here = blocks.filter((c) => islandOf[columns[c]!.cells[0]![0]] === k);
    if (here.length > 0)
      blockGivesWay(
        problem,
        here,
        Math.ceil((missingIn(island) + lossesIn(island)) / lot - inRatio.lots) * lot,
        lot,
        netPosition,
        value,
      );
  });
  for (const island of islands) carry(problem, sharing, island, netPosition, outflow, lot, value);
  chooseTogether(problem, solver, sharing, { sides, isBlock, bought, sold, netPosition, value });
  return {
    bought,
    sold,
    netPosition: netPosition.map(clean),
    value: value.map((each, c) => (isTrade(problem, c) ? each : clean(each))),
  };
}

/**
 * Close a balance by a block that is executed in part and trades in this MTU alone: its ratio falls to the largest that fits, or rises
 * where that is all there is (market rules, section 5.5).
 *
 * @param missing  MW that have to be sold more, or if negative less
 */
function blockGivesWay(
  { columns, decisions, rows }: Problem,
  blocks: readonly number[],
  missing: number,
  lot: number,
  netPosition: Float64Array,
  value: Float64Array,
): void {
  if (missing === 0) return;
  const leastOf = new Map(decisions.map(({ column, least }) => [column, least]));
  const moves = blocks.flatMap((c) => {
    const [[cell, mw]] = columns[c]!.cells as [readonly [number, number]];
    const now = toLots(mw * value[c]!, lot);
    const ratio = (now + missing) / mw;
    const fits =
      ratio >= leastOf.get(c)! - inRatio.exact &&
      ratio <= 1 &&
      rows.every(({ entries, low, high }) => {
        const own = entries.find(([other]) => other === c);
        if (own === undefined) return true;
        const sum = entries.reduce(
          (total, [other, factor]) => total + factor * (other === c ? ratio : value[other]!),
          0,
        );
        return sum >= low - inRatio.exact && sum <= high + inRatio.exact;
      });
    return fits ? [{ c, cell, ratio }] : [];
  });
  moves.sort((a, b) => {
    const rises = (move: typeof a) => Number(move.ratio > value[move.c]!);
    return rises(a) - rises(b) || Math.abs(a.ratio - value[a.c]!) - Math.abs(b.ratio - value[b.c]!) || a.c - b.c;
  });
  const [best] = moves;
  if (best === undefined) return;
  value[best.c] = best.ratio;
  netPosition[best.cell]! += missing;
}

/** What is traded so far; all of it is changed in place. */
interface Traded {
  readonly sides: readonly Side[];
  /** Columns of blocks. */
  readonly isBlock: ReadonlySet<number>;
  readonly bought: Float64Array;
  readonly sold: Float64Array;
  readonly netPosition: Float64Array;
  readonly value: Float64Array;
}

/** Where a balance is still open, lots and flows are chosen together. */
function chooseTogether(
  problem: Problem,
  solver: Solver,
  sharing: Sharing,
  { sides, isBlock, bought, sold, netPosition, value }: Traded,
): void {
  const { nodes, columns, decisions, periods, lot } = problem;
  const inPart = new Map(
    decisions.flatMap(({ column, least }) => {
      const exact = sharing.value[column]!;
      return isBlock.has(column) && exact > inRatio.exact && exact < 1 - inRatio.exact
        ? [[column, least] as const]
        : [];
    }),
  );
  const cellsOf = ({ node }: Side) => {
    const { zone, from, span } = nodes[node]!;
    return Array.from({ length: span }, (_, k) => zone * periods + from + k);
  };
  const together = lotsTogether(problem, solver, sharing, {
    sides: sides.map((side) => ({ ...side, cells: cellsOf(side) })),
    blocks: inPart,
    netPosition,
    value,
    lot,
  });
  for (const chosen of together) {
    for (const [c, ratio] of chosen.value) {
      if (inPart.has(c))
        for (const [cell, mw] of columns[c]!.legs ?? columns[c]!.cells)
          netPosition[cell]! += toLots(mw * ratio, lot) - toLots(mw * value[c]!, lot);
      value[c] = ratio;
    }
    for (const [k, lots] of chosen.lots) {
      const side = sides[k]!;
      const executed = side.sign === 1 ? sold : bought;
      const before = takeBack(side, executed);
      side.lots = lots;
      const more = distribute(problem, side, lot, executed) - before;
      for (const cell of cellsOf(side)) netPosition[cell]! += side.sign * more;
    }
  }
}

/** The power of a block in one MTU, in whole lots: a fraction of what it asked for, rounded once for everybody. */
export const toLots = (mw: number, lot: number): number => clean(Math.sign(mw) * Math.round(Math.abs(mw) / lot) * lot);

/** A flow at its end in whole lots, so that what is sold for it is bought; what a line with losses delivers is no whole lot in any case. */
function lotsWithin(
  { arcs, periods, book }: Problem,
  { lower, upper }: Sharing['free'],
  c: number,
  end: number,
): number {
  const { lot } = book;
  if (lot === undefined || arcs[Math.floor(c / periods)]!.loss > 0) return end;
  const lots = end === upper[c] ? Math.floor(end / lot + inRatio.lots) : Math.ceil(end / lot - inRatio.lots);
  const mw = clean(lots * lot);
  return mw >= lower[c]! && mw <= upper[c]! ? mw : end;
}

/** The parts of an island that flows with room still join: a full arc must not be filled further by what rounding moves. */
function withoutFullArcs(
  problem: Problem,
  { free }: Sharing,
  { cells, columns }: Island,
  value: Float64Array,
): Island[] {
  const joined = new Joined(problem.zones * problem.periods);
  const withRoom = columns.filter((c) => {
    const { kind, cells: ends } = problem.columns[c]!;
    if (kind === 'flow') {
      for (const end of [free.lower[c]!, free.upper[c]!]) {
        if (Math.abs(value[c]! - end) > full) continue;
        value[c] = lotsWithin(problem, free, c, end);
        return false;
      }
    }
    for (const [cell] of ends) joined.join(ends[0]![0], cell);
    return true;
  });
  joinPools(problem, withRoom, joined);
  if (withRoom.length === columns.length) return [{ cells, columns }];
  const parts = new Map<number, { cells: number[]; columns: number[] }>(
    cells.filter((cell) => joined.root(cell) === cell).map((cell) => [cell, { cells: [], columns: [] }]),
  );
  for (const cell of cells) parts.get(joined.root(cell))!.cells.push(cell);
  for (const c of withRoom) parts.get(joined.root(problem.columns[c]!.cells[0]![0]))!.columns.push(c);
  return [...parts.values()];
}

/** What one zone of a flow-based region exports another takes. */
function joinPools({ rows, columns }: Problem, open: readonly number[], joined: Joined): void {
  const isOpen = new Set(open);
  for (const row of rows) {
    if (row.kind !== 'pool') continue;
    const pool = row.entries.filter(([c]) => isOpen.has(c));
    for (const [c] of pool) joined.join(columns[pool[0]![0]]!.cells[0]![0], columns[c]!.cells[0]![0]);
  }
}

/** MW that the zones of a flow-based region export whose exports are not among these open ones: the open ones take them in. */
function closedExports({ rows }: Problem, open: readonly number[], value: Float64Array): number {
  const isOpen = new Set(open);
  let exports = 0;
  for (const { kind, entries } of rows) {
    if (kind !== 'pool' || !entries.some(([c]) => isOpen.has(c))) continue;
    for (const [c] of entries) if (!isOpen.has(c)) exports += value[c]!;
  }
  return exports;
}

/** MW that leave each cell over flows that are full or at their least. */
function closedOutflow(
  { columns, periods, zones }: Problem,
  islands: readonly Island[],
  value: Float64Array,
): Float64Array {
  const outflow = new Float64Array(zones * periods);
  const open = new Set(islands.flatMap((island) => island.columns));
  columns.forEach(({ kind, cells }, c) => {
    if ((kind !== 'flow' && kind !== 'exchange') || open.has(c)) return;
    for (const [cell, mw] of cells) outflow[cell]! -= mw * value[c]!;
  });
  return outflow;
}

/**
 * Give each side whole lots, so that sells less buys come to `missing` MW and to what lines lose, with the least sum of distances to their
 * ideals. What of a lot can't be closed is sold too much rather than bought: nothing is created.
 *
 * @param losses  MW of the exact flows; where less is traded in lots as much less
 * @param isLast  whether nobody closes the balance after these
 */
function nearestLots(sides: readonly Side[], missing: number, losses: number, lot: number, isLast: boolean): void {
  let traded = 0;
  let ideal = 0;
  let left = 0;
  for (const side of sides) {
    side.lots = Math.round(side.ideal / lot);
    left -= side.sign * side.lots;
    traded += side.lots * lot;
    ideal += side.ideal;
  }
  const share = ideal > 0 ? Math.min(1, traded / ideal) : 1;
  const due = (missing + losses * share) / lot;
  left += isLast ? Math.ceil(due - inRatio.lots) : Math.round(due);
  // A lot too little is sold: a sell more or a buy less, whichever comes least further away from its ideal.
  const step = (side: Side) => (left > 0 ? side.sign : -side.sign);
  const cost = (side: Side) => {
    const off = side.ideal / lot - side.lots;
    return Math.abs(off - step(side)) - Math.abs(off);
  };
  const canMove = (side: Side) =>
    side.lots + step(side) >= 0 && side.lots + step(side) <= side.most / lot + inRatio.lots;
  while (left !== 0) {
    let best: Side | undefined;
    for (const side of sides)
      if (canMove(side) && (best === undefined || cost(side) < cost(best) - inRatio.exact)) best = side;
    if (best === undefined) return;
    const moved = step(best);
    best.lots += moved;
    left -= best.sign * moved;
  }
}

/** Share a side's lots among its orders; the MW that were given. */
function distribute({ book }: Problem, side: Side, lot: number, executed: Float64Array): number {
  const given = side.parts.map((part) => Math.floor(part.ideal / lot + inRatio.lots));
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
    part.given = mw;
    total += mw;
  });
  return total;
}

/** Undo `distribute`; the MW that were given. */
function takeBack({ parts }: Side, executed: Float64Array): number {
  let total = 0;
  for (const { order, given } of parts) {
    executed[order]! -= given;
    total += given;
  }
  return total;
}

/** Flows of an island that carry exactly its net positions: those that close a ring in whole lots, the others follow. */
function carry(
  problem: Problem,
  { free }: Sharing,
  { cells, columns }: Island,
  netPosition: Float64Array,
  outflow: Float64Array,
  lot: number,
  value: Float64Array,
): void {
  if (columns.length === 0) return;
  const joined = new Joined(problem.zones * problem.periods);
  const tree: number[] = [];
  const surplus = netPosition.map((mw, cell) => mw - outflow[cell]!);
  const take = (c: number) => {
    for (const [cell, mw] of problem.columns[c]!.cells) surplus[cell]! += mw * value[c]!;
  };
  // A net position by itself exports what is left; whatever else joins two zones is a flow.
  const isExport = (c: number) => problem.columns[c]!.cells.length === 1;
  const pool = new Map(columns.filter(isExport).map((c) => [problem.columns[c]!.cells[0]![0], c]));
  for (const cell of pool.keys()) joined.join([...pool.keys()][0]!, cell);
  for (const c of columns) {
    if (isExport(c)) continue;
    const [[from], [to]] = problem.columns[c]!.cells as [readonly [number, number], readonly [number, number]];
    if (joined.join(from, to)) tree.push(c);
    else {
      value[c] = Math.min(free.upper[c]!, Math.max(free.lower[c]!, Math.round(value[c]! / lot) * lot));
      take(c);
    }
  }
  treeFlows(problem, free, cells, tree, surplus, value, pool);
  tree.forEach(take);
  for (const [cell, c] of pool) value[c] = surplus[cell]!;
}
