/** Islands whose balances close in lots, and flows that carry what they trade (market rules, section 5.5). */

import type { Island } from '../indeterminacy/cluster.ts';
import { treeFlows } from '../indeterminacy/flows.ts';
import { Joined } from '../indeterminacy/joined.ts';
import type { Sharing } from '../indeterminacy/sharing.ts';
import type { Problem } from '../model/problem.ts';
import { inPower, inRatio } from '../tolerances.ts';
import { clean, type Traded } from './traded.ts';

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
export function withoutFullArcs(
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
        if (Math.abs(value[c]! - end) > inPower.full) continue;
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
export function closedOutflow(
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

/** MW that have to be sold more in an island, or if negative less. */
export function missingIn(
  problem: Problem,
  { cells, columns }: Island,
  outflow: Float64Array,
  { netPosition, value }: Traded,
): number {
  const missing = cells.reduce((sum, cell) => sum + outflow[cell]! - netPosition[cell]!, 0);
  return missing - closedExports(problem, columns, value);
}

/** MW that its lines lose. */
export const lossesIn = ({ arcs, columns, periods }: Problem, { columns: open }: Island, value: Float64Array): number =>
  open.reduce((sum, c) => sum + (columns[c]!.kind === 'flow' ? arcs[Math.floor(c / periods)]!.loss * value[c]! : 0), 0);

/** Flows of an island that carry exactly its net positions: those that close a ring in whole lots, the others follow. */
export function carry(
  problem: Problem,
  { free }: Sharing,
  { cells, columns }: Island,
  outflow: Float64Array,
  { netPosition, value }: Traded,
): void {
  if (columns.length === 0) return;
  const { lot } = problem;
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
