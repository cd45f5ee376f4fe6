/**
 * What shows that a branch has no answer that prices support and that is worth more than the best one, orders of a minimum income included: prices
 * and scaled volumes together, and how much rests on the volumes (docs/proof.md, Unsupported).
 *
 * What such an order must gain is linear in what is executed of it, and all it takes to bound the welfare of supported answers is one linear program:
 *
 *   min  gains of everybody at p, less w * (1 - r_d) times what each income must gain, less the worth of the volumes v, less (1 - w) * target
 *   p any prices, 0 <= w <= 1, v within w times their rows and bounds, r_d = v_d / w
 *
 * At 0 or less the bound of the branch is the target. Curves are cut where prices and volumes come to lie; whatever the cuts, what is
 * found is worked out again on the whole curves.
 */

import assert from 'node:assert/strict';
import { costOf, supplyAt } from '../model/curves/net-curve.ts';
import type { Part, Problem } from '../model/problem.ts';
import { type Answer, type Bounds, boundAt, gainsAt, meanOver } from '../relaxation/master.ts';
import { Draft } from '../solver/draft.ts';
import type { Solver } from '../solver/highs.ts';
import type { Keeping, Range } from './exact-volumes.ts';

/** A branch in which all of `core` are on. */
export interface Leaf {
  readonly core: readonly number[];
  readonly off: ReadonlySet<number>;
  readonly closed: ReadonlySet<number>;
  readonly bounds: Bounds;
  /** Up to what ratio each decision can be scaled (`scalableOf`). */
  readonly scalable: readonly number[];
}

export interface Certificate extends Answer {
  readonly weight: number;
  /** Currency per hour that it bounds supported answers by, by the program's own account. */
  readonly bound: number;
}

/** Programs solved at the most for one leaf, each with finer cuts. */
const mostRounds = 6;
/** Currency/MWh from the leaf's price at which curves are cut first. */
const firstCuts = [0, 1, 3, 10, 30, 100, 300];

/**
 * @param guess  prices of the leaf
 * @param target  currency per hour that it is to show
 * @returns undefined where there is none
 */
export function certificateOf(
  problem: Problem,
  solver: Solver,
  part: Part,
  leaf: Leaf,
  guess: Float64Array,
  target: number,
): Certificate | undefined {
  const cuts = new Map(part.nodes.map((i) => [i, firstCutsOf(problem, i, guess)]));
  for (let round = 0; round < mostRounds; round++) {
    const found = new Certifying(problem, part, leaf, cuts, target).solve(solver);
    if (found === undefined || found.objective > 0) return undefined;
    if (found.certificate.bound <= target) return found.certificate;
    if (!refine(problem, part, cuts, found.certificate)) return undefined;
  }
  return undefined;
}

type Cuts = ReadonlyMap<number, Set<number>>;

function firstCutsOf(problem: Problem, i: number, guess: Float64Array): Set<number> {
  const { curve } = problem.nodes[i]!;
  const at = meanOver(problem, guess, problem.nodes[i]!);
  const near = firstCuts.flatMap((by) => [...supplyAt(curve, at - by), ...supplyAt(curve, at + by)]);
  return new Set([curve.least, ...near, curve.most]);
}

/** Cut where prices and volumes lie; false where all cuts are there already. */
function refine(problem: Problem, part: Part, cuts: Cuts, { price, net }: Certificate): boolean {
  let isFiner = false;
  for (const i of part.nodes) {
    const own = cuts.get(i)!;
    const { curve } = problem.nodes[i]!;
    const inside = Math.min(curve.most, Math.max(curve.least, net[i]!));
    for (const cut of [...supplyAt(curve, meanOver(problem, price, problem.nodes[i]!)), inside]) {
      isFiner ||= !own.has(cut);
      own.add(cut);
    }
  }
  return isFiner;
}

type Entries = (readonly [variable: number, factor: number])[];

class Certifying {
  readonly #problem: Problem;
  readonly #part: Part;
  readonly #leaf: Leaf;
  readonly #target: number;
  readonly #draft = new Draft();
  readonly #weight: number;
  /** Variables: prices by cell and by row (at its high end, at its low end), volumes by column, shares of cuts by node. */
  readonly #cells = new Map<number, number>();
  readonly #rows = new Map<number, readonly [high: number, low: number]>();
  readonly #volumes = new Map<number, number>();
  readonly #shares = new Map<number, [cut: number, variable: number][]>();
  /** Rows of the program: where volumes balance, by cell. */
  readonly #balances = new Map<number, number>();
  /** What an income must gain by unit of its columns, and whose it is. */
  readonly #incomes: ReadonlyMap<number, readonly [decision: number, perUnit: number]>;

  constructor(problem: Problem, part: Part, leaf: Leaf, cuts: Cuts, target: number) {
    [this.#problem, this.#part, this.#leaf, this.#target] = [problem, part, leaf, target];
    this.#incomes = incomesOf(problem, leaf.core);
    this.#weight = this.#draft.column(target, 0, 1);
    for (const i of part.nodes) for (const cell of this.#cellsOf(i)) this.#addCell(cell);
    for (const c of part.columns) for (const [cell] of problem.columns[c]!.cells) this.#addCell(cell);
    for (const r of part.rows) {
      const { low, high } = problem.rows[r]!;
      const paid = (end: number) =>
        this.#draft.column(Number.isFinite(end) ? end : 0, 0, Number.isFinite(end) ? Infinity : 0);
      this.#rows.set(r, [paid(high), paid(-low)]);
    }
    for (const [i, own] of cuts) this.#addCurve(i, own);
    this.#addVolumes();
    this.#addGains();
    for (const r of part.rows) this.#keep(r);
  }

  /** With the program's least value: above 0 there is no certificate. */
  solve(solver: Solver): { readonly objective: number; readonly certificate: Certificate } | undefined {
    const { program } = this.#draft;
    const { status, x } = solver.solve(program);
    if (status !== 'optimal') return undefined;
    const objective = x.reduce((sum, value, k) => sum + value * program.cost[k]!, -this.#target);
    const weight = Number(Math.min(1, Math.max(0, x[this.#weight]!)).toFixed(weightDigits));
    return {
      objective,
      certificate: withBound(this.#problem, this.#part, this.#leaf, this.#incomes, this.#read(x, weight)),
    };
  }

  #read(x: Float64Array, weight: number): Answer & { weight: number } {
    const { nodes, columns, rows, zones, periods } = this.#problem;
    const [price, rowPrice] = [new Float64Array(zones * periods), new Float64Array(rows.length)];
    const [net, value] = [new Float64Array(nodes.length), new Float64Array(columns.length)];
    for (const [cell, variable] of this.#cells) price[cell] = x[variable]!;
    for (const [r, [high, low]] of this.#rows) rowPrice[r] = x[high]! - x[low]!;
    if (weight > 0) {
      for (const [c, variable] of this.#volumes) value[c] = x[variable]! / weight;
      for (const [i, own] of this.#shares)
        net[i] = own.reduce((sum, [cut, share]) => sum + cut * x[share]!, 0) / weight;
    }
    const answer = { price, rowPrice, net, value, weight };
    // Steps of orders that are off are paid for by the rows that keep them off.
    const gain = gainsAt(this.#problem, this.#part, answer);
    for (const r of this.#part.rows) {
      const { kind, entries } = rows[r]!;
      if (kind === 'step' && this.#isOff(entries[1]![0]))
        rowPrice[r] = Math.max(0, gain[entries[0]![0]]! + rowPrice[r]!);
    }
    return answer;
  }

  #isOff(column: number): boolean {
    return this.#leaf.bounds.upper[column] === 0 && this.#problem.columns[column]!.kind === 'ratio';
  }

  #cellsOf(i: number): number[] {
    const { zone, from, span } = this.#problem.nodes[i]!;
    return Array.from({ length: span }, (_, k) => zone * this.#problem.periods + from + k);
  }

  /** What is left over is sold at the lowest price of the market, what is missing is bought at the highest. */
  #addCell(cell: number): void {
    if (this.#cells.has(cell)) return;
    const { min, max } = this.#problem.book.priceLimits;
    const balance = this.#draft.row(0, 0);
    this.#balances.set(cell, balance);
    this.#cells.set(cell, this.#draft.column(0, -Infinity, Infinity));
    this.#draft.column(max, 0, Infinity, [[balance, 1]]);
    this.#draft.column(-min, 0, Infinity, [[balance, -1]]);
  }

  #addCurve(i: number, cuts: ReadonlySet<number>): void {
    const { curve, span } = this.#problem.nodes[i]!;
    const cells = this.#cellsOf(i);
    const gain = this.#draft.column(1, -Infinity, Infinity);
    const whole = this.#draft.row(0, 0);
    this.#draft.entry(this.#weight, whole, -1);
    const shares: [number, number][] = [];
    for (const cut of cuts) {
      const cost = costOf(curve, cut) * span;
      const row = this.#draft.row(-cost, Infinity);
      this.#draft.entry(gain, row, 1);
      for (const cell of cells) this.#draft.entry(this.#cells.get(cell)!, row, -cut);
      const balances = cells.map((cell) => [this.#balances.get(cell)!, cut] as const);
      shares.push([cut, this.#draft.column(cost, 0, Infinity, [[whole, 1], ...balances])]);
    }
    this.#shares.set(i, shares);
  }

  /** Volumes of the core and of all that is free. */
  #addVolumes(): void {
    const { columns, decisions } = this.#problem;
    const rangeOf = rangesOf(this.#problem, this.#part, this.#leaf);
    for (const c of this.#part.columns) {
      const { least, most } = rangeOf(c);
      if (least === 0 && most === 0) continue;
      const { cells, cost } = columns[c]!;
      const balances = cells.map(([cell, mw]) => [this.#balances.get(cell)!, mw] as const);
      const volume = this.#draft.column(cost, least >= 0 ? 0 : -Infinity, Infinity, balances);
      this.#volumes.set(c, volume);
      if (Number.isFinite(most)) this.#atMost([[volume, 1]], most);
      if (least !== 0 && Number.isFinite(least)) this.#atMost([[volume, -1]], -least);
    }
    for (const group of wholeGroups(this.#problem, this.#part, this.#leaf)) {
      for (const d of group) {
        const { column, least } = decisions[d]!;
        const entries = group.map(
          (other) => [this.#volumes.get(decisions[other]!.column)!, other === d ? least - 1 : least] as const,
        );
        assert(this.#volumes.has(column), 'who is of the core has a volume');
        this.#atMost(entries, 0);
      }
    }
  }

  /** The sum is at most the weight times this. */
  #atMost(entries: Entries, most: number): void {
    const row = this.#draft.row(-Infinity, 0);
    for (const [variable, factor] of entries) this.#draft.entry(variable, row, factor);
    this.#draft.entry(this.#weight, row, -most);
  }

  #keep(r: number): void {
    const { entries, low, high } = this.#problem.rows[r]!;
    const own = entries.flatMap(
      ([c, factor]): Entries => (this.#volumes.has(c) ? [[this.#volumes.get(c)!, factor]] : []),
    );
    if (own.length === 0 && low <= 0 && high >= 0) return;
    if (Number.isFinite(high)) this.#atMost(own, high);
    if (Number.isFinite(low))
      this.#atMost(
        own.map(([variable, factor]) => [variable, -factor] as const),
        -low,
      );
  }

  /** What each column that may be executed gains: its most where that is above 0, and its least where it is below. */
  #addGains(): void {
    const { columns, rows, decisions } = this.#problem;
    const { lower, upper } = this.#leaf.bounds;
    const rowOf = new Map<number, number>();
    const isKept = new Set<number>();
    for (const { column, steps } of decisions)
      if (this.#isOff(column)) for (const c of [column, ...steps]) isKept.add(c);
    for (const c of this.#part.columns) {
      if (isKept.has(c)) continue;
      const { cells, cost } = columns[c]!;
      const row = this.#draft.row(cost, cost);
      rowOf.set(c, row);
      for (const [cell, mw] of cells) this.#draft.entry(this.#cells.get(cell)!, row, mw);
      const end = (value: number, factor: number) =>
        this.#draft.column(Number.isFinite(value) ? value * factor : 0, 0, Number.isFinite(value) ? Infinity : 0, [
          [row, -factor],
        ]);
      end(upper[c]!, 1);
      end(lower[c]!, -1);
      const income = this.#incomes.get(c);
      if (income === undefined) continue;
      this.#draft.entry(this.#weight, row, -income[1]);
      this.#draft.entry(this.#volumes.get(decisions[income[0]]!.column)!, row, income[1]);
    }
    for (const r of this.#part.rows) {
      const [high, low] = this.#rows.get(r)!;
      for (const [c, factor] of rows[r]!.entries) {
        const row = rowOf.get(c);
        if (row === undefined) continue;
        this.#draft.entry(high, row, -factor);
        this.#draft.entry(low, row, factor);
      }
    }
  }
}

/** What each column may be among scaled volumes. */
export function rangesOf(problem: Problem, part: Part, leaf: Leaf): (column: number) => Range {
  const { columns, rows, decisions } = problem;
  const { core, scalable, closed, bounds } = leaf;
  const decided = new Map(decisions.flatMap(({ column, test }, d) => (test === 'free' ? [] : [[column, d] as const])));
  const inCore = new Set(core);
  const shared = new Set(wholeGroups(problem, part, leaf).flat());
  const shut = new Set([...closed, ...lossyWithoutDirection(problem, part, closed)]);
  for (const r of part.rows) {
    const { kind, entries } = rows[r]!;
    // What trades while an order is off.
    if (kind === 'stop' && bounds.lower[entries[1]![0]]! > 0) shut.add(entries[0]![0]);
  }
  return (c) => {
    const { least, most } = columns[c]!;
    const d = decided.get(c);
    if (d === undefined) return { least, most: shut.has(c) ? least : most };
    if (!inCore.has(d)) return { least: 0, most: 0 };
    const { test } = decisions[d]!;
    const whole = test === 'income' || shared.has(d);
    return { least: 0, most: whole ? most : Math.min(most, scalable[d]!) };
  };
}

/** Digits behind the point of a weight. */
const weightDigits = 9;

/** What an order of a minimum income gains at the least, by unit of its columns: its terms less what its steps ask. */
function incomesOf(
  { columns, decisions }: Problem,
  core: readonly number[],
): Map<number, readonly [decision: number, perUnit: number]> {
  const perUnit = (c: number, variable: number): number =>
    columns[c]!.cells.reduce((sum, [, mw]) => sum + variable * mw, -columns[c]!.cost);
  return new Map(
    core.flatMap((d) => {
      const { test, column, steps, fixed, variable } = decisions[d]!;
      if (test !== 'income') return [];
      return [
        [column, [d, fixed + perUnit(column, variable)] as const] as const,
        ...steps.map((c) => [c, [d, perUnit(c, variable)] as const] as const),
      ];
    }),
  );
}

/** Exclusive groups whose members are all of the core or off, and have neither parent nor children: they can be scaled as a whole. */
function wholeGroups({ rows, decisions }: Problem, part: Part, { core, off }: Leaf): number[][] {
  const at = new Map(decisions.map(({ column }, d) => [column, d]));
  const parents = new Set(decisions.map(({ parent }) => parent));
  const inCore = new Set(core);
  return part.rows.flatMap((r) => {
    if (rows[r]!.kind !== 'group') return [];
    const members = rows[r]!.entries.map(([c]) => at.get(c)!);
    const isWhole = members.every((d) => (inCore.has(d) || off.has(d)) && decisions[d]!.parent < 0 && !parents.has(d));
    return isWhole ? [members.filter((d) => inCore.has(d))] : [];
  });
}

/** That no member of a group that is scaled as a whole has less of what they have together than its least ratio. */
export function groupShares(problem: Problem, part: Part, leaf: Leaf): Keeping[] {
  const { decisions } = problem;
  return wholeGroups(problem, part, leaf).flatMap((group) =>
    group.map((d): Keeping => {
      const { column, least } = decisions[d]!;
      const others = group.flatMap((other) => (other === d ? [] : [[decisions[other]!.column, -least] as const]));
      return { kind: 'group', entries: [[column, 1 - least], ...others], low: 0, high: Infinity };
    }),
  );
}

/** Flows of lines with losses, both directions of which are open: where prices may be below 0 they say nothing of answers that have one closed. */
function lossyWithoutDirection({ arcs, periods, book }: Problem, part: Part, closed: ReadonlySet<number>): number[] {
  if (book.priceLimits.min >= 0) return [];
  return part.columns.filter((c) => {
    const a = Math.floor(c / periods);
    if (a >= arcs.length || arcs[a]!.loss === 0) return false;
    const other = arcs[a + 1]?.line === arcs[a]!.line ? c + periods : c - periods;
    return !closed.has(c) && !closed.has(other);
  });
}

/** The bound that it shows, worked out on the whole curves. */
function withBound(
  problem: Problem,
  part: Part,
  { bounds }: Leaf,
  incomes: ReadonlyMap<number, readonly [decision: number, perUnit: number]>,
  answer: Answer & { readonly weight: number },
): Certificate {
  const { columns, decisions, nodes } = problem;
  const { value, net, weight } = answer;
  let most = boundAt(problem, part, bounds, answer);
  const gain = gainsAt(problem, part, answer);
  const over = (g: number, c: number) => g * (g > 0 ? bounds.upper[c]! : bounds.lower[c]!);
  for (const [c, [d, perUnit]] of incomes) {
    const less = weight * (1 - value[decisions[d]!.column]!) * perUnit;
    most += over(gain[c]! - less, c) - over(gain[c]!, c);
  }
  let cost = part.columns.reduce((sum, c) => sum + columns[c]!.cost * value[c]!, 0);
  for (const i of part.nodes) {
    const { curve, span } = nodes[i]!;
    const inside = Math.min(curve.most, Math.max(curve.least, net[i]!));
    cost += costOf(curve, inside) * span;
  }
  const { min, max } = problem.book.priceLimits;
  const left = leftOver(problem, part, answer);
  for (const mw of left.values()) cost += mw > 0 ? -min * mw : -max * mw;
  const rest = most + weight * cost;
  const bound = weight < 1 ? rest / (1 - weight) : rest < 0 ? -Infinity : Infinity;
  return { ...answer, bound };
}

/** MW left over by cell, below 0 where they are missing. */
function leftOver({ columns, nodes, periods }: Problem, part: Part, { value, net }: Answer): Map<number, number> {
  const left = new Map<number, number>();
  const add = (cell: number, mw: number) => left.set(cell, (left.get(cell) ?? 0) + mw);
  for (const c of part.columns) for (const [cell, mw] of columns[c]!.cells) add(cell, mw * value[c]!);
  for (const i of part.nodes) {
    const { zone, from, span } = nodes[i]!;
    for (let t = from; t < from + span; t++) add(zone * periods + t, net[i]!);
  }
  return left;
}
