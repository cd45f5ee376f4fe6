/**
 * The linear program of one group of MTUs: who trades, when every decision is left open within bounds.
 *
 * Columns: windows of the net curves (`window.ts`), then what else trades (`model/columns.ts`). Rows: a balance for each cell, then
 * the rows of the problem. It stays in the solver, so that the search, which only moves bounds, begins each solve where the
 * last one ended.
 *
 * An answer is exact when price and net supply of every node lie together on the node's true curve: then no better one exists
 * within the bounds. Where they do not, the window gets cuts there, and the program is solved again. Whatever the windows, what
 * everybody could gain at the program's prices is a bound on the welfare (Lagrange): that is what the search prunes by.
 */

import assert from 'node:assert/strict';
import { costOf, mostGain, pricesAt } from '../model/curves/net-curve.ts';
import type { Node, Part, Problem } from '../model/problem.ts';
import { Draft } from '../solver/draft.ts';
import type { Model, Solver } from '../solver/highs.ts';
import { inMoney, inPrice } from '../tolerances.ts';
import { closestCuts, meanPrice, refined, windowAround } from './window.ts';

/** Prices this near to each other (currency/MWh) are the same: a thousand times finer than the finest usual tick. */
export const samePrice = inPrice.same;
/** Straight lines need about eight rounds; steps one or two. */
const mostRounds = 60;
/** Once prices are that near to the curves, so many more for a tenth of it. */
const mostFiner = 3;
/** A gain this small is the rounding error of a column without limits. */
const noGain = inMoney.none;

/** Bounds of every column of the problem: the decisions as far as they are made. */
export interface Bounds {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** The program's answer; arrays are the whole problem's, filled in for this group. */
export interface Answer {
  /** MW, by node. */
  readonly net: Float64Array;
  /** By column of the problem. */
  readonly value: Float64Array;
  /** Currency/MWh by cell, and currency per hour and unit by row. */
  readonly price: Float64Array;
  readonly rowPrice: Float64Array;
}

/** Currency per hour. */
export interface Worth {
  readonly welfare: number;
  /** No answer within the bounds is worth more. */
  readonly bound: number;
}

export class Master {
  /** Nodes, columns and rows of the problem that belong to this group. */
  readonly nodes: readonly number[];
  readonly columns: readonly number[];
  readonly rows: readonly number[];
  /** Linear programs solved. */
  programs = 0;
  readonly #problem: Problem;
  readonly #first: number;
  readonly #width: number;
  readonly #model: Model;
  readonly #windows: Window[];
  /** First column of the model that is a column of the problem. */
  readonly #offset: number;
  #size: number;
  #bounds: Bounds;
  readonly #positions: Int32Array;
  /** Columns of the model for what is left over and what is missing, cell by cell; none until they are asked for. */
  readonly #spares: number[] = [];
  /** The model's own last answer. */
  #x: Float64Array = new Float64Array(0);

  constructor(
    problem: Problem,
    solver: Solver,
    guess: Float64Array,
    [first, after]: readonly [number, number],
    bounds: Bounds,
  ) {
    this.#problem = problem;
    this.#first = first;
    this.#width = after - first;
    this.#bounds = { lower: bounds.lower.slice(), upper: bounds.upper.slice() };
    const { nodes, columns, rows } = partOf(problem, [first, after]);
    this.nodes = nodes;
    this.columns = columns;
    this.rows = rows;
    this.#windows = this.nodes.map((i) => {
      const node = problem.nodes[i]!;
      return { cuts: windowAround(node.curve, meanOver(problem, guess, node)), columns: [] };
    });
    this.#positions = new Int32Array(problem.columns.length).fill(-1);

    const balances = problem.zones * this.#width;
    const draft = new Draft();
    const rightSide = new Float64Array(balances);
    this.nodes.forEach((i, k) => {
      const node = problem.nodes[i]!;
      const window = this.#windows[k]!;
      for (let t = node.from; t < node.from + node.span; t++) rightSide[this.#rowOf(node.zone, t)]! -= window.cuts[0]!;
      for (let c = 1; c < window.cuts.length; c++)
        window.columns.push(this.#draftPiece(draft, node, window.cuts[c - 1]!, window.cuts[c]!));
    });
    this.#offset = draft.count;
    const rowsOf = new Map<number, [number, number][]>();
    this.rows.forEach((r, k) => {
      for (const [column, factor] of problem.rows[r]!.entries) {
        const list = rowsOf.get(column);
        if (list === undefined) rowsOf.set(column, [[balances + k, factor]]);
        else list.push([balances + k, factor]);
      }
    });
    this.columns.forEach((c, k) => {
      const column = problem.columns[c]!;
      this.#positions[c] = this.#offset + k;
      const at = draft.column(column.cost, bounds.lower[c]!, bounds.upper[c]!, rowsOf.get(c));
      for (const [cell, mw] of column.cells) draft.entry(at, this.#rowOfCell(cell), mw);
    });
    // The solver does not solve what has no columns; one that does nothing keeps it going.
    if (draft.count === 0) draft.column(0, 0, 0);
    this.#size = draft.count;
    const side = (bound: (row: { low: number; high: number }) => number) =>
      Float64Array.from([...rightSide, ...this.rows.map((r) => bound(problem.rows[r]!))]);
    this.#model = solver.model({
      ...draft.columns,
      rowLower: side(({ low }) => low),
      rowUpper: side(({ high }) => high),
    });
  }

  dispose(): void {
    this.#model.dispose();
  }

  /**
   * Solve within bounds, and write the answer down.
   *
   * @param enough  welfare (currency per hour) that is not worth looking below: when the bound does not exceed it, the answer need
   *                not be exact
   * @returns undefined when nothing within the bounds balances
   */
  solve(bounds: Bounds, answer: Answer, enough = -Infinity): Worth | undefined {
    this.#moveTo(bounds);
    let finer = 0;
    for (let round = 1; ; round++) {
      assert(round <= mostRounds, `no exact answer after ${mostRounds} linear programs`);
      const { status, x, rowDual } = this.#model.solve();
      this.programs++;
      if (status === 'infeasible') return undefined;
      assert(status === 'optimal', `a linear program ended ${status}`);
      this.#writeDown(x, rowDual, answer);
      const worth = { welfare: this.#welfare(answer), bound: boundAt(this.#problem, this, bounds, answer) };
      if (worth.bound <= enough) return worth;
      const isNear = this.#offCurve(answer) <= samePrice;
      if (isNear && finer++ === mostFiner) return worth;
      if (!this.#refine(answer, isNear ? inPrice.onCurve : samePrice)) return worth;
    }
  }

  /**
   * The same, where what is left over in a cell may be sold at the lowest price of the market, and what is missing bought at the highest.
   *
   * @returns its welfare, and what is left over by cell (MW, below zero: missing); undefined when nothing balances even so
   */
  solveWithSpare(bounds: Bounds, answer: Answer): { welfare: number; spare: Float64Array } | undefined {
    const { min, max } = this.#problem.book.priceLimits;
    const balances = this.#problem.zones * this.#width;
    if (this.#spares.length === 0) {
      const draft = new Draft();
      for (let row = 0; row < balances; row++) {
        for (const [mw, cost] of [
          [-1, -min],
          [1, max],
        ] as const) {
          this.#spares.push(this.#size + draft.column(cost, 0, 0, [[row, mw]]));
        }
      }
      this.#model.add(draft.columns);
      this.#size += draft.count;
    }
    const open = (most: number) =>
      this.#model.bound(
        Int32Array.from(this.#spares),
        new Float64Array(this.#spares.length),
        new Float64Array(this.#spares.length).fill(most),
      );
    open(Infinity);
    try {
      const worth = this.solve(bounds, answer);
      if (worth === undefined) return undefined;
      const spare = new Float64Array(answer.price.length);
      let { welfare } = worth;
      for (let row = 0; row < balances; row++) {
        const left = this.#x[this.#spares[2 * row]!]! - this.#x[this.#spares[2 * row + 1]!]!;
        spare[this.#cellOf(row)] = left;
        welfare += Math.min(min * left, max * left);
      }
      return { welfare, spare };
    } finally {
      open(0);
    }
  }

  #cellOf(row: number): number {
    return Math.floor(row / this.#width) * this.#problem.periods + this.#first + (row % this.#width);
  }

  #rowOf(zone: number, t: number): number {
    return zone * this.#width + t - this.#first;
  }

  #rowOfCell(cell: number): number {
    const { periods } = this.#problem;
    return this.#rowOf(Math.floor(cell / periods), cell % periods);
  }

  #draftPiece(draft: Draft, { curve, zone, from, span }: Node, least: number, most: number): number {
    const column = draft.column(meanPrice(curve, least, most) * span, 0, most - least);
    for (let t = from; t < from + span; t++) draft.entry(column, this.#rowOf(zone, t), 1);
    return column;
  }

  #moveTo(bounds: Bounds): void {
    const now = this.#bounds;
    const moved = this.columns.filter((c) => bounds.lower[c] !== now.lower[c] || bounds.upper[c] !== now.upper[c]);
    if (moved.length === 0) return;
    this.#model.bound(
      Int32Array.from(moved, (c) => this.#positions[c]!),
      Float64Array.from(moved, (c) => bounds.lower[c]!),
      Float64Array.from(moved, (c) => bounds.upper[c]!),
    );
    for (const c of moved) {
      now.lower[c] = bounds.lower[c]!;
      now.upper[c] = bounds.upper[c]!;
    }
  }

  #writeDown(x: Float64Array, rowDual: Float64Array, answer: Answer): void {
    this.#x = x;
    this.nodes.forEach((i, k) => {
      const { cuts, columns } = this.#windows[k]!;
      let net = cuts[0]!;
      for (const column of columns) net += x[column]!;
      answer.net[i] = net;
    });
    for (const c of this.columns) answer.value[c] = x[this.#positions[c]!]!;
    const balances = this.#problem.zones * this.#width;
    for (let row = 0; row < balances; row++) {
      answer.price[this.#cellOf(row)] = rowDual[row]!;
    }
    // The solver's duals are costs; a row's price is what it charges whoever uses it.
    this.rows.forEach((r, k) => {
      answer.rowPrice[r] = -rowDual[balances + k]!;
    });
  }

  #welfare({ net, value }: Answer): number {
    const { nodes, columns } = this.#problem;
    let welfare = 0;
    for (const i of this.nodes) welfare -= costOf(nodes[i]!.curve, net[i]!) * nodes[i]!.span;
    for (const c of this.columns) welfare -= columns[c]!.cost * value[c]!;
    return welfare;
  }

  /** How far the price of a node is from its curve at most. */
  #offCurve({ net, price }: Answer): number {
    let most = 0;
    for (const i of this.nodes) {
      const node = this.#problem.nodes[i]!;
      const at = meanOver(this.#problem, price, node);
      const [low, high] = pricesNear(node, net[i]!);
      most = Math.max(most, low - at, at - high);
    }
    return most;
  }

  /** Cut the windows of nodes whose price and net supply do not lie on their curve; false when all do. */
  #refine({ net, price }: Answer, slack: number): boolean {
    const draft = new Draft();
    const gone = new Set<number>();
    this.nodes.forEach((i, k) => {
      const node = this.#problem.nodes[i]!;
      const at = meanOver(this.#problem, price, node);
      const [low, high] = pricesNear(node, net[i]!);
      if (at >= low - slack && at <= high + slack) return;
      const { cuts, columns } = this.#windows[k]!;
      const finer = refined(node.curve, cuts, net[i]!, at);
      const next: Window = { cuts: finer, columns: [] };
      for (let c = 1, old = 1; c < finer.length; c++) {
        while (cuts[old]! < finer[c]!) old++;
        if (cuts[old - 1] === finer[c - 1] && cuts[old] === finer[c]) {
          next.columns.push(columns[old - 1]!);
          continue;
        }
        gone.add(columns[old - 1]!);
        next.columns.push(this.#size + this.#draftPiece(draft, node, finer[c - 1]!, finer[c]!));
      }
      this.#windows[k] = next;
    });
    if (draft.count === 0) {
      assert(gone.size === 0);
      return false;
    }
    const closed = Int32Array.from(gone).sort();
    this.#model.bound(closed, new Float64Array(closed.length), new Float64Array(closed.length));
    this.#model.add(draft.columns);
    this.#size += draft.count;
    return true;
  }
}

/** Prices of a net supply, and of those that no cut tells from it: on a steep line they are apart. */
function pricesNear({ curve }: Node, net: number): [low: number, high: number] {
  return [pricesAt(curve, net - closestCuts)[0], pricesAt(curve, net + closestCuts)[1]];
}

/** Nodes, columns and rows of the problem that belong to a group of MTUs. */
export function partOf(problem: Problem, [first, after]: readonly [number, number]): Part {
  const inside = (t: number) => t >= first && t < after;
  const nodes = problem.nodes.flatMap((node, i) => (inside(node.from) ? [i] : []));
  const columns = problem.columns.flatMap(({ cells }, c) => (inside(cells[0]![0] % problem.periods) ? [c] : []));
  const own = new Set(columns);
  const rows = problem.rows.flatMap(({ entries }, r) => (own.has(entries[0]![0]) ? [r] : []));
  return { nodes, columns, rows };
}

/** Cuts of a curve in MW, and the model's columns between them. */
interface Window {
  readonly cuts: readonly number[];
  readonly columns: number[];
}

export function meanOver({ periods }: Problem, prices: Float64Array, node: Node): number {
  let sum = 0;
  for (let t = node.from; t < node.from + node.span; t++) sum += prices[node.zone * periods + t]!;
  return sum / node.span;
}

/** What a unit of each column gains (currency per hour; see `model/columns.ts`), by column of the problem. */
export function gainsAt(
  problem: Problem,
  { columns, rows }: { columns: readonly number[]; rows: readonly number[] },
  { price, rowPrice }: Pick<Answer, 'price' | 'rowPrice'>,
): Float64Array {
  const gain = new Float64Array(problem.columns.length);
  for (const c of columns) {
    const { cells, cost } = problem.columns[c]!;
    let sum = -cost;
    for (const [cell, mw] of cells) sum += mw * price[cell]!;
    gain[c] = sum;
  }
  for (const r of rows) {
    if (rowPrice[r] === 0) continue;
    for (const [column, factor] of problem.rows[r]!.entries) gain[column]! -= factor * rowPrice[r]!;
  }
  return gain;
}

/** Welfare (currency per hour) that no answer within the bounds exceeds: what everybody could gain at these prices. */
export function boundAt(
  problem: Problem,
  part: { nodes: readonly number[]; columns: readonly number[]; rows: readonly number[] },
  { lower, upper }: Bounds,
  answer: Pick<Answer, 'price' | 'rowPrice'>,
): number {
  let bound = 0;
  for (const i of part.nodes) {
    const node = problem.nodes[i]!;
    bound += mostGain(node.curve, meanOver(problem, answer.price, node)) * node.span;
  }
  const gain = gainsAt(problem, part, answer);
  for (const c of part.columns) {
    const end = gain[c]! > 0 ? upper[c]! : lower[c]!;
    bound += Number.isFinite(end) ? gain[c]! * end : Math.abs(gain[c]!) <= noGain ? 0 : Infinity;
  }
  for (const r of part.rows) {
    const y = answer.rowPrice[r]!;
    const end = y > 0 ? problem.rows[r]!.high : problem.rows[r]!.low;
    bound += Number.isFinite(end) ? y * end : Math.abs(y) <= noGain ? 0 : Infinity;
  }
  return bound;
}
