/**
 * Whole lots where lines have losses, or blocks are executed in part (market rules, section 5.5).
 *
 * What arrives over such a line is no whole lot, and a block has one ratio in all its MTUs. So lots that were chosen island by island may ask for
 * power that nobody sells, or for a flow that no line carries. Where that is so, the lots of an MTU and its flows are chosen together, by a small integer program, with the MTUs that
 * longer orders and blocks executed in part tie to it:
 *
 *   min   sum_side |lot * k - ideal|  +  much * sum_block |lot * k - ideal|  +  little * (sum_flow |x - exact| + sum_zone lost)
 *   s.t.  net position - what the flows take out = lost, 0 <= lost <= a lot for each line with a loss    for each zone and MTU
 *         |lot * k - ratio * q| <= lot / 2        for each block and MTU, k whole
 *         rows, limits; a flow that its price fills stays
 */

import type { Sharing } from '../indeterminacy/sharing.ts';
import type { Problem } from '../model/problem.ts';
import { Draft } from '../solver/draft.ts';
import type { Solver } from '../solver/highs.ts';
import { inRatio, weights } from '../tolerances.ts';

/** Orders at the money of one zone and side, over the same MTUs. */
export interface Giving {
  readonly cells: readonly number[];
  readonly sign: 1 | -1;
  readonly ideal: number;
  readonly most: number;
  /** Whole lots that it has now. */
  readonly lots: number;
}

/** What is traded in lots, and where that is changed. */
export interface InLots {
  readonly sides: readonly Giving[];
  /** Columns of blocks that are executed in part, and their least ratios. */
  readonly blocks: ReadonlyMap<number, number>;
  /** MW by cell, of what is traded now. */
  readonly netPosition: Float64Array;
  /** MW, or ratios, by column. */
  readonly value: Float64Array;
  readonly lot: number;
}

export interface Chosen {
  /** MW, or ratios, by column. */
  readonly value: readonly (readonly [column: number, value: number])[];
  /** Whole lots by side, as indices. */
  readonly lots: readonly (readonly [side: number, lots: number])[];
}

/** Weights of a MW of flow, or lost, and of a block, beside a MW of an order. */
const { little } = weights;
const much = 10;

/** What is to be traded otherwise, so that it balances; nothing where it does, or where nothing does. */
export function lotsTogether(problem: Problem, solver: Solver, sharing: Sharing, traded: InLots): Chosen[] {
  const { periods } = problem;
  const broken = Array.from({ length: periods }, (_, t) => t).filter((t) => !isBalanced(problem, sharing, traded, t));
  const done = new Set<number>();
  return broken.flatMap((t) => {
    if (done.has(t)) return [];
    const mtus = tiedTo(problem, traded, t);
    for (const each of mtus) done.add(each);
    const found =
      chosenTogether(problem, solver, sharing, traded, mtus, 0) ??
      chosenTogether(problem, solver, sharing, traded, mtus, traded.lot);
    return found ?? [];
  });
}

/** MTUs that orders over several of them, executed in part, join to this one. */
function tiedTo({ columns, periods }: Problem, { sides, blocks }: InLots, t: number): Set<number> {
  const mtus = new Set([t]);
  const spans = [
    ...sides.map(({ cells }) => cells),
    ...[...blocks.keys()].map((c) => columns[c]!.cells.map(([cell]) => cell)),
  ].map((cells) => cells.map((cell) => cell % periods));
  for (let size = 0; size < mtus.size; ) {
    size = mtus.size;
    for (const span of spans) if (span.some((each) => mtus.has(each))) for (const each of span) mtus.add(each);
  }
  return mtus;
}

/** MW that may be lost by cell: of what a line with a loss, or one that is full at no whole lots, takes or brings, less than a lot. */
function losses({ arcs, columns, periods }: Problem, counts: (column: number) => boolean, lot: number, t: number) {
  const lines = new Map<number, Set<number>>();
  for (const [a, { line }] of arcs.entries()) {
    const c = a * periods + t;
    if (!counts(c)) continue;
    for (const [cell] of columns[c]!.cells) lines.set(cell, (lines.get(cell) ?? new Set()).add(line));
  }
  return (cell: number): number => (lines.get(cell)?.size ?? 0) * lot;
}

/** Columns of flows and exchange in an MTU. */
const flowsAt = ({ columns, periods }: Problem, t: number): number[] =>
  columns.flatMap(({ kind, cells }, c) =>
    (kind === 'flow' || kind === 'exchange') && cells[0]![0] % periods === t ? [c] : [],
  );

function isBalanced(problem: Problem, { free }: Sharing, traded: InLots, t: number): boolean {
  const { columns, zones, periods, units } = problem;
  const { netPosition, value, lot } = traded;
  // Published to the watt.
  const digit = 10 ** (units.power - 6);
  const flows = flowsAt(problem, t);
  if (flows.some((c) => value[c]! < free.lower[c]! - digit || value[c]! > free.upper[c]! + digit)) return false;
  const left = Array.from({ length: zones }, (_, z) => netPosition[z * periods + t]!);
  for (const c of flows)
    for (const [cell, mw] of columns[c]!.cells) left[Math.floor(cell / periods)]! += mw * value[c]!;
  const lost = losses(problem, (c) => value[c] !== 0 && (hasLoss(problem, c) || !isWhole(value[c]!, lot)), lot, t);
  return left.every((mw, z) => mw >= -digit && mw <= lost(z * periods + t) + digit);
}

/** @param yielding  MW by which flows may be less than their prices say */
function chosenTogether(
  problem: Problem,
  solver: Solver,
  { free, islands, value: exact }: Sharing,
  { sides, blocks, netPosition, value, lot }: InLots,
  mtus: ReadonlySet<number>,
  yielding: number,
): Chosen | undefined {
  const { columns, rows, zones, periods } = problem;
  const draft = new Draft();
  const isOpen = new Set(islands.flatMap((island) => island.columns));
  const whole: number[] = [];
  const balances = new Map<number, number>();
  /** What stands of the net positions without what is chosen here. */
  const fixed = netPosition.slice();
  /** A column, with the cost of what it is off. */
  const near = (weight: number, at: number, lower: number, upper: number, scale: number): number => {
    const x = draft.column(0, lower, upper, []);
    const off = draft.row(at, at);
    draft.entry(x, off, scale);
    draft.column(weight, 0, Infinity, [[off, 1]]);
    draft.column(weight, 0, Infinity, [[off, -1]]);
    return x;
  };
  const here = [...sides.keys()].filter((k) => mtus.has(sides[k]!.cells[0]! % periods));
  for (const { cells, sign, lots } of here.map((k) => sides[k]!))
    for (const cell of cells) fixed[cell]! -= sign * lots * lot;
  const open = [...blocks].filter(([c]) => columns[c]!.cells.some(([cell]) => mtus.has(cell % periods)));
  for (const [c] of open) for (const [cell, mw] of partsOf(problem, c)) fixed[cell]! -= inLots(mw * value[c]!, lot);
  for (const t of mtus) {
    const mayLose = (c: number) =>
      hasLoss(problem, c) ? free.upper[c]! > 0 : !isOpen.has(c) && !isWhole(exact[c]!, lot);
    const lost = losses(problem, mayLose, lot, t);
    for (let z = 0; z < zones; z++) {
      const cell = z * periods + t;
      const row = draft.row(-fixed[cell]!, -fixed[cell]!);
      draft.column(little, 0, lost(cell), [[row, -1]]);
      balances.set(cell, row);
    }
  }
  const at = new Map<number, number>();
  const lots = here.map((k): [number, number] => {
    const { cells, sign, ideal, most } = sides[k]!;
    const x = near(1, ideal, 0, Math.floor(most / lot + inRatio.lots), lot);
    for (const cell of cells) draft.entry(x, balances.get(cell)!, sign * lot);
    whole.push(x);
    return [k, x];
  });
  for (const [c, least] of open) {
    const ratio = draft.column(0, least, 1, []);
    at.set(c, ratio);
    for (const [cell, mw] of partsOf(problem, c)) {
      const k = near(much, Math.abs(mw) * exact[c]!, 0, Math.ceil(Math.abs(mw) / lot), lot);
      whole.push(k);
      draft.entry(k, balances.get(cell)!, Math.sign(mw) * lot);
      const half = draft.row(-0.49 * lot, 0.49 * lot);
      draft.entry(k, half, lot);
      draft.entry(ratio, half, -Math.abs(mw));
    }
  }
  for (const c of [...mtus].flatMap((t) => flowsAt(problem, t))) {
    const room = isOpen.has(c) ? Infinity : yielding;
    const [lower, upper] = [Math.max(free.lower[c]!, exact[c]! - room), Math.min(free.upper[c]!, exact[c]! + room)];
    const x = near(little, exact[c]!, lower, upper, 1);
    at.set(c, x);
    for (const [cell, mw] of columns[c]!.cells) draft.entry(x, balances.get(cell)!, mw);
  }
  for (const { entries, low, high } of rows) {
    if (!entries.some(([c]) => at.has(c))) continue;
    // Of ramps into other MTUs, and of families, the others stay.
    const rest = entries.reduce((sum, [c, factor]) => (at.has(c) ? sum : sum + factor * value[c]!), 0);
    const row = draft.row(low - rest, high - rest);
    for (const [c, factor] of entries) if (at.has(c)) draft.entry(at.get(c)!, row, factor);
  }
  const { status, x } = solver.solve(draft.program, whole);
  if (status !== 'optimal') return undefined;
  return {
    value: [...at].map(([c, k]) => [c, x[k]!]),
    lots: lots.map(([k, j]) => [k, Math.round(x[j]!)]),
  };
}

const hasLoss = ({ arcs, periods }: Problem, c: number): boolean => arcs[Math.floor(c / periods)]!.loss > 0;

const isWhole = (mw: number, lot: number): boolean => Math.abs(mw / lot - Math.round(mw / lot)) <= inRatio.lots;

const partsOf = ({ columns }: Problem, c: number) => columns[c]!.legs ?? columns[c]!.cells;

const inLots = (mw: number, lot: number): number => Math.sign(mw) * Math.round(Math.abs(mw) / lot) * lot;
