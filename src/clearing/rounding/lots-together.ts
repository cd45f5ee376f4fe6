/**
 * Whole lots where lines have losses, or blocks are executed in part (market rules, section 5.5).
 *
 * What arrives over such a line is no whole lot, and a block has one ratio in all its MTUs. So lots that were chosen island by island may ask for
 * power that nobody sells, or for a flow that no line carries. Where that is so, the lots of an MTU and its flows are chosen together, by a small integer program, with the MTUs that
 * longer orders and blocks executed in part tie to it:
 *
 *   min   sum_giving |lot * k - ideal|  +  sum_block (fallen * (ideal - lot * k)^+ + risen * (lot * k - ideal)^+)
 *         +  little * (sum_flow |x - exact| + sum lost)
 *   s.t.  net position - what the flows take out = lost    for each zone and MTU; lost <= a lot for each line with a loss that carries
 *         |lot * k - ratio * q| <= lot / 2        for each block and MTU, k whole
 *         rows, limits; a flow that its price fills stays
 */

import type { Sharing } from '../indeterminacy/sharing.ts';
import type { Row } from '../model/columns.ts';
import type { Problem } from '../model/problem.ts';
import { Draft } from '../solver/draft.ts';
import type { Solver } from '../solver/highs.ts';
import { inRatio, weights } from '../tolerances.ts';
import type { Giving } from './giving.ts';
import { type Traded, toLots } from './traded.ts';

/** What is traded in lots, and where that may be changed. */
export interface InLots extends Pick<Traded, 'netPosition' | 'value'> {
  readonly giving: readonly Giving[];
  /** Columns of blocks that are executed in part, and their least ratios. */
  readonly blocks: ReadonlyMap<number, number>;
}

export interface Chosen {
  /** MW, or ratios, by column. */
  readonly value: readonly (readonly [column: number, value: number])[];
  /** Whole lots of what gives way, by index. */
  readonly lots: readonly (readonly [giving: number, lots: number])[];
}

/** Weights of a lot of flow, or lost, and of a block that falls or rises, beside a lot of an order. */
const { little } = weights;
const fallen = 10;
const risen = 100;

/** Sides and stages up to which a balance is closed to half a watt. */
const mostForWatts = 64;

/** What is to be traded otherwise, so that it balances; nothing where it does, or where nothing does. */
export function lotsTogether(problem: Problem, solver: Solver, sharing: Sharing, traded: InLots): Chosen[] {
  const { periods } = problem;
  const broken = Array.from({ length: periods }, (_, t) => t).filter((t) => !isBalanced(problem, sharing, traded, t));
  const done = new Set<number>();
  return broken.flatMap((t) => {
    if (done.has(t)) return [];
    const mtus = tiedTo(problem, traded, t);
    for (const each of mtus) done.add(each);
    for (const yielding of [0, problem.lot])
      for (const mayCarry of [false, true]) {
        const found = new Choice(problem, sharing, traded, mtus, yielding, mayCarry).solve(solver);
        if (found !== undefined) return found;
      }
    return [];
  });
}

/** MTUs that orders over several of them, executed in part, join to this one. */
function tiedTo({ columns, periods }: Problem, { giving, blocks }: InLots, t: number): Set<number> {
  const mtus = new Set([t]);
  const spans = [
    ...giving.map(({ cells }) => cells),
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
  const { periods, units, lot } = problem;
  const { value } = traded;
  // Published to the watt: half of it is none. Of many orders a watt is left over: the integer program of a whole day of them does not end in time.
  const digit = (traded.giving.length <= mostForWatts ? 0.5 : 1.001) * 10 ** (units.power - 6);
  const flows = flowsAt(problem, t);
  if (flows.some((c) => value[c]! < free.lower[c]! - digit || value[c]! > free.upper[c]! + digit)) return false;
  if (problem.rows.some((row) => row.kind === 'pool' && !isClosed(row, flows, value, digit))) return false;
  const left = leftIn(problem, traded, t);
  const lost = losses(problem, (c) => value[c] !== 0 && (hasLoss(problem, c) || !isWhole(value[c]!, lot)), lot, t);
  return left.every((mw, z) => mw >= -digit && mw <= lost(z * periods + t) + digit);
}

/** Do the exports of a region, if they are of this MTU, take each other in? */
function isClosed({ entries, low, high }: Row, flows: readonly number[], value: Float64Array, digit: number): boolean {
  if (!flows.includes(entries[0]![0])) return true;
  const sum = entries.reduce((total, [c, factor]) => total + factor * value[c]!, 0);
  return sum >= low - digit && sum <= high + digit;
}

/** MW by zone that are sold in an MTU and not taken out by flows. */
function leftIn(problem: Problem, { netPosition, value }: InLots, t: number): number[] {
  const { columns, zones, periods } = problem;
  const left = Array.from({ length: zones }, (_, z) => netPosition[z * periods + t]!);
  for (const c of flowsAt(problem, t))
    for (const [cell, mw] of columns[c]!.cells) left[Math.floor(cell / periods)]! += mw * value[c]!;
  return left;
}

/** The program of some MTUs: by how many lots what is traded is to change, so that its numbers are small whatever the lot. */
class Choice {
  readonly #problem: Problem;
  readonly #sharing: Sharing;
  readonly #traded: InLots;
  readonly #mtus: ReadonlySet<number>;
  /** Flows that are not at an end. */
  readonly #isOpen: ReadonlySet<number>;
  readonly #draft = new Draft();
  /** Columns of the draft that take whole numbers. */
  readonly #whole: number[] = [];
  /** Rows by cell: lots that are sold, less those that are bought and taken out, are lost. */
  readonly #balances = new Map<number, number>();
  /** Columns of the draft by column of the problem, with MW or ratio of a lot; and by what gives way. */
  readonly #at = new Map<number, { column: number; perLot: number }>();
  readonly #lots = new Map<number, number>();

  /**
   * @param yielding  MW by which flows may be less than their prices say
   * @param mayCarry  whether a line with a loss that carries nothing may, if lots need it
   */
  constructor(
    problem: Problem,
    sharing: Sharing,
    traded: InLots,
    mtus: ReadonlySet<number>,
    yielding: number,
    mayCarry: boolean,
  ) {
    this.#problem = problem;
    this.#sharing = sharing;
    this.#traded = traded;
    this.#mtus = mtus;
    this.#isOpen = new Set(sharing.islands.flatMap(({ columns }) => columns));
    for (const t of mtus) this.#addBalances(t);
    this.#addGiving();
    this.#addBlocks();
    for (const t of mtus) {
      this.#addFlows(t, yielding);
      this.#addLosses(t, mayCarry);
    }
    this.#addRows();
  }

  solve(solver: Solver): Chosen | undefined {
    const { status, x } = solver.solve(this.#draft.program, this.#whole);
    if (status !== 'optimal') return undefined;
    const { value, giving } = this.#traded;
    return {
      value: Array.from(this.#at, ([c, { column, perLot }]) => [c, value[c]! + x[column]! * perLot]),
      lots: Array.from(this.#lots, ([k, column]) => [k, giving[k]!.lots + Math.round(x[column]!)]),
    };
  }

  readonly #isHere = (cell: number): boolean => this.#mtus.has(cell % this.#problem.periods);

  /** A column of lots that counts what it is off its ideal, below it and above. */
  #near(ideal: number, lower: number, upper: number, below: number, above = below): number {
    const off = this.#draft.row(ideal, ideal);
    this.#draft.column(below, 0, Infinity, [[off, 1]]);
    this.#draft.column(above, 0, Infinity, [[off, -1]]);
    return this.#draft.column(0, lower, upper, [[off, 1]]);
  }

  #addBalances(t: number): void {
    const { periods, lot } = this.#problem;
    for (const [z, mw] of leftIn(this.#problem, this.#traded, t).entries())
      this.#balances.set(z * periods + t, this.#draft.row(-mw / lot, -mw / lot));
  }

  /** Of what a line with a loss carries, or one that is full at no whole lots, less than a lot is lost at its ends. */
  #addLosses(t: number, mayCarry: boolean): void {
    const { arcs, columns, periods, lot } = this.#problem;
    const { free, value: exact } = this.#sharing;
    const flows = arcs.map(({ line }, a) => ({ line, c: a * periods + t }));
    const losing = flows.filter(({ c }) =>
      hasLoss(this.#problem, c)
        ? exact[c]! > 0 || (mayCarry && free.upper[c]! > 0)
        : !this.#isOpen.has(c) && !isWhole(exact[c]!, lot),
    );
    for (const line of Map.groupBy(losing, (flow) => flow.line).values())
      for (const cell of new Set(line.flatMap(({ c }) => columns[c]!.cells.map(([at]) => at))))
        this.#draft.column(little, 0, 1, [[this.#balances.get(cell)!, -1]]);
  }

  #addGiving(): void {
    const { lot } = this.#problem;
    for (const [k, { cells, sign, ideal, least, most, lots }] of this.#traded.giving.entries()) {
      if (!this.#isHere(cells[0]!)) continue;
      const column = this.#near(ideal / lot - lots, least - lots, most - lots, 1);
      for (const cell of cells) this.#draft.entry(column, this.#balances.get(cell)!, sign);
      this.#whole.push(column);
      this.#lots.set(k, column);
    }
  }

  #addBlocks(): void {
    const { lot } = this.#problem;
    for (const [c, least] of this.#traded.blocks) {
      const parts = partsOf(this.#problem, c);
      if (!parts.some(([cell]) => this.#isHere(cell))) continue;
      const [now, exact] = [this.#traded.value[c]!, this.#sharing.value[c]!];
      const perLot = lot / parts.reduce((most, [, mw]) => Math.max(most, Math.abs(mw)), 0);
      const ratio = this.#draft.column(0, (least - now) / perLot, (1 - now) / perLot);
      this.#at.set(c, { column: ratio, perLot });
      for (const [cell, mw] of parts) {
        const size = Math.abs(mw) / lot;
        const lots = Math.round(toLots(size * now * lot, lot) / lot);
        // The largest ratio that fits is the next below.
        const column = this.#near(size * exact - lots, -lots, Math.ceil(size) - lots, fallen, risen);
        this.#whole.push(column);
        this.#draft.entry(column, this.#balances.get(cell)!, Math.sign(mw));
        const half = this.#draft.row(size * now - lots - 0.49, size * now - lots + 0.49);
        this.#draft.entry(column, half, 1);
        this.#draft.entry(ratio, half, -size * perLot);
      }
    }
  }

  #addFlows(t: number, yielding: number): void {
    const { free, value: exact } = this.#sharing;
    const { lot } = this.#problem;
    for (const c of flowsAt(this.#problem, t)) {
      const room = this.#isOpen.has(c) ? Infinity : yielding;
      const [lower, upper] = [Math.max(free.lower[c]!, exact[c]! - room), Math.min(free.upper[c]!, exact[c]! + room)];
      const now = this.#traded.value[c]!;
      const column = this.#near((exact[c]! - now) / lot, (lower - now) / lot, (upper - now) / lot, little);
      this.#at.set(c, { column, perLot: lot });
      for (const [cell, mw] of this.#problem.columns[c]!.cells)
        this.#draft.entry(column, this.#balances.get(cell)!, mw);
    }
  }

  #addRows(): void {
    const { lot } = this.#problem;
    const { value } = this.#traded;
    for (const { entries, low, high } of this.#problem.rows) {
      if (!entries.some(([c]) => this.#at.has(c))) continue;
      // Of ramps into other MTUs, and of families, the others stay.
      const now = entries.reduce((sum, [c, factor]) => sum + factor * value[c]!, 0);
      const row = this.#draft.row((low - now) / lot, (high - now) / lot);
      for (const [c, factor] of entries) {
        const own = this.#at.get(c);
        if (own !== undefined) this.#draft.entry(own.column, row, (factor * own.perLot) / lot);
      }
    }
  }
}

const hasLoss = ({ arcs, periods }: Problem, c: number): boolean => arcs[Math.floor(c / periods)]!.loss > 0;

const isWhole = (mw: number, lot: number): boolean => Math.abs(mw / lot - Math.round(mw / lot)) <= inRatio.lots;

const partsOf = ({ columns }: Problem, c: number) => columns[c]!.legs ?? columns[c]!.cells;
