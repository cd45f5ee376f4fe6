/**
 * Writes down what the search finds, as a proof that can be checked without it (`market/proof.ts`, docs/proof.md): in megawatts and
 * currency/MWh, whatever the problem counts in.
 *
 * The search reserves a node for every branch when it divides, and fills it when it looks at it; a branch that it never looks at is
 * closed at the prices of the branch it came from.
 */

import assert from 'node:assert/strict';
import type { ProofGroup, ProofNode } from '../../market/proof.ts';
import { netName, proofDigits } from '../../market/proof.ts';
import { isOfRatios } from '../model/columns.ts';
import type { Part, Problem } from '../model/problem.ts';
import { type Answer, type Bounds, boundAt } from '../relaxation/master.ts';
import { Draft } from '../solver/draft.ts';
import type { Solver } from '../solver/highs.ts';
import { boundsOf } from './answers.ts';
import { certificateOf, groupShares, rangesOf } from './certificate.ts';
import { scalableOf } from './core.ts';
import { type Keeping, type Range, settle } from './exact-volumes.ts';
import { decisionsIn } from './made.ts';
import { reachOf } from './reach.ts';
import type { Branch } from './standing.ts';

type Prices = Pick<Answer, 'price' | 'rowPrice'>;

/** A decision, or a flow, with the node of what lies behind it. */
export type Way = readonly [index: number, node: number];

/** A leaf that was claimed. */
interface Claimed extends Prices {
  readonly node: number;
  /** All decisions that are on. */
  readonly core: readonly number[];
  readonly off: ReadonlySet<number>;
  readonly closed: ReadonlySet<number>;
}

export class Recorder {
  readonly #problem: Problem;
  readonly #part: Part;
  readonly #group: readonly [number, number];
  readonly #nodes: (ProofNode | undefined)[] = [];
  readonly #prices: ProofGroup['prices'] = [];
  /** Of each decision, by its column. */
  readonly #decisionAt: ReadonlyMap<number, number>;
  readonly #scalable: readonly number[];
  /** MW by cell. */
  readonly #reach: Float64Array;
  readonly #claims: Claimed[] = [];

  constructor(problem: Problem, part: Part, group: readonly [number, number]) {
    this.#problem = problem;
    this.#part = part;
    this.#group = group;
    this.#decisionAt = new Map(
      problem.decisions.flatMap(({ column, test }, d) => (test === 'free' ? [] : [[column, d]])),
    );
    this.#scalable = scalableOf(problem, part.rows);
    this.#reach = reachOf(problem);
  }

  /** A node that is filled later. */
  reserve(): number {
    return this.#nodes.push(undefined) - 1;
  }

  /** @returns their place in the list of prices */
  prices({ price, rowPrice }: Prices): number {
    const { zones, periods, rows, units } = this.#problem;
    const [first, after] = this.#group;
    const cells: number[] = [];
    for (let z = 0; z < zones; z++) {
      for (let t = first; t < after; t++) cells.push(decimal(price[z * periods + t]!, units.price));
    }
    const rowPrices = this.#part.rows.flatMap((r): [string, number][] => {
      const { name, low, high } = rows[r]!;
      const value = decimal(rowPrice[r]!, isOfRatios(rows[r]!) ? units.power + units.price : units.price);
      // What a row without such a limit costs is a rounding error of the solver's.
      return value === 0 || !Number.isFinite(value > 0 ? high : low) ? [] : [[name, value]];
    });
    return this.#prices.push({ cells, rows: rowPrices }) - 1;
  }

  bound(node: number, at: number): void {
    this.#fill(node, { kind: 'bound', at });
  }

  /** Nothing balances within these bounds: find the prices that show it. */
  infeasible(node: number, solver: Solver, bounds: Bounds): void {
    this.#fill(node, { kind: 'infeasible', at: this.prices(rayOf(this.#problem, this.#part, solver, bounds)) });
  }

  decide(node: number, decision: number, on: number, off: number): void {
    this.#fill(node, { kind: 'decide', decision: this.#decision(decision), on, off });
  }

  direction(node: number, ways: readonly Way[]): void {
    const closed = ways.map(([column, way]): [string, number] => [this.#problem.columns[column]!.name, way]);
    this.#fill(node, { kind: 'direction', closed });
  }

  /** @returns the node of what is left; the same when nothing was fixed */
  fixed(node: number, at: number, on: readonly number[], off: readonly number[]): number {
    if (on.length + off.length === 0) return node;
    const rest = this.reserve();
    const names = (of: readonly number[]) => of.map((d) => this.#decision(d));
    this.#fill(node, { kind: 'fixed', at, on: names(on), off: names(off), rest });
    return rest;
  }

  /** @param core  with the volumes that show that it has no prices; without them only the engine says so */
  unsupported(
    node: number,
    at: number,
    core: { readonly on: readonly number[]; readonly scaled?: Answer },
    off: readonly Way[],
    on: readonly Way[],
    leaf: { readonly branch: Pick<Branch, 'on' | 'off' | 'closed'>; readonly answer: Answer },
  ): void {
    const ways = (of: readonly Way[]) => of.map(([d, way]): [string, number] => [this.#decision(d), way]);
    const rest = { at, core: core.on.map((d) => this.#decision(d)), off: ways(off), on: ways(on) };
    const closed = new Set(decisionsIn(leaf.branch.closed));
    const scaled = core.scaled && this.#volumes(core.scaled, (c) => this.#rangeOf(c, new Set(core.on), closed));
    if (scaled !== undefined) {
      this.#fill(node, { kind: 'unsupported', ...rest, scaled });
      return;
    }
    this.#fill(node, { kind: 'claimed', ...rest });
    const decided = (of: readonly Way[]) => of.map(([d]) => d);
    this.#claims.push({
      node,
      core: [...new Set([...decisionsIn(leaf.branch.on), ...decided(off), ...core.on])],
      off: new Set([...decisionsIn(leaf.branch.off), ...decided(on)]),
      closed,
      price: leaf.answer.price.slice(),
      rowPrice: leaf.answer.rowPrice.slice(),
    });
  }

  /**
   * The whole proof. What was only claimed so far is shown, where a certificate is found.
   *
   * @param enough  currency per hour that no answer is worth by all the rest of the proof; undefined where there is none that prices support
   */
  finish(solver: Solver, enough: number | undefined): ProofGroup {
    for (const claim of this.#claims) {
      if ((enough !== undefined && this.#certify(solver, claim, enough)) || claim.core.length > 0) continue;
      // Of no decision there is nothing to claim.
      const { at } = this.#nodes[claim.node] as Extract<ProofNode, { kind: 'claimed' }>;
      this.#nodes[claim.node] = { kind: 'bound', at };
    }
    const nodes = this.#nodes.map((node) => {
      assert(node !== undefined, 'every branch is closed at the end of a search');
      return node;
    });
    return { first: this.#group[0] + 1, last: this.#group[1], root: 0, nodes, prices: this.#prices };
  }

  /** @returns whether the claim is shown now */
  #certify(solver: Solver, claim: Claimed, enough: number): boolean {
    const bounds = boundsOf(this.#problem, claim.core, claim.off, claim.closed);
    // What is within the bound anyway claims nothing.
    if (boundAt(this.#problem, this.#part, bounds, claim) <= enough) return false;
    const leaf = { ...claim, bounds, scalable: this.#scalable };
    const found = certificateOf(this.#problem, solver, this.#part, leaf, claim.price, enough);
    if (found === undefined) return false;
    const ranges = rangesOf(this.#problem, this.#part, leaf);
    const scaled = this.#volumes(found, ranges, groupShares(this.#problem, this.#part, leaf));
    if (scaled === undefined) return false;
    const { off, on } = this.#nodes[claim.node] as Extract<ProofNode, { kind: 'claimed' }>;
    this.#nodes[claim.node] = {
      kind: 'unsupported',
      at: this.prices(found),
      core: claim.core.map((d) => this.#decision(d)),
      scaled,
      ...(found.weight < 1 && { weight: found.weight }),
      off,
      on,
    };
    return true;
  }

  #fill(node: number, content: ProofNode): void {
    assert(this.#nodes[node] === undefined);
    this.#nodes[node] = content;
  }

  #decision(d: number): string {
    const { columns, decisions } = this.#problem;
    return columns[decisions[d]!.column]!.name;
  }

  /** Volumes as decimals that keep every row; undefined where none were found. */
  #volumes(
    { value: found, net }: Pick<Answer, 'value' | 'net'>,
    rangeOf: (column: number) => Range,
    more: readonly Keeping[] = [],
  ) {
    const { nodes, columns, book, units } = this.#problem;
    const value = found.slice();
    if (!settle(this.#problem, this.#part, value, (c) => this.#withinReach(c, rangeOf(c)), more)) return undefined;
    const values = this.#part.columns.flatMap((c): [string, number][] => {
      const { name, kind } = columns[c]!;
      return value[c] === 0 ? [] : [[name, decimal(value[c]!, kind === 'ratio' ? 0 : units.power)]];
    });
    const nets = this.#part.nodes.flatMap((i): [string, number][] => {
      const { zone, from, span } = nodes[i]!;
      return span === 1 ? [] : [[netName(book.zones[zone]!, from + 1, from + span), decimal(net[i]!, units.power)]];
    });
    return { values, nets };
  }

  /** What a zone exports by itself is no more than it can trade otherwise. */
  #withinReach(column: number, range: Range): Range {
    const { kind, cells } = this.#problem.columns[column]!;
    if (kind !== 'exchange' || cells.length > 1) return range;
    const reach = this.#reach[cells[0]![0]]!;
    return { least: Math.max(range.least, -reach), most: Math.min(range.most, reach) };
  }

  #rangeOf(column: number, on: ReadonlySet<number>, closed: ReadonlySet<number>): Range {
    const { columns, decisions } = this.#problem;
    const { least, most } = columns[column]!;
    const d = this.#decisionAt.get(column);
    if (d === undefined) return { least, most: closed.has(column) ? least : most };
    if (!on.has(d)) return { least: 0, most: 0 };
    return decisions[d]!.test === 'income'
      ? { least: 1, most: 1 }
      : { least: 0, most: Math.min(most, this.#scalable[d]!) };
  }
}

/** In the book's units, as a decimal of as many digits as a proof has. @param shift  digits that the problem's unit is smaller */
function decimal(value: number, shift: number): number {
  const rounded = Number((value / 10 ** shift).toPrecision(proofDigits.significant));
  return Number(rounded.toFixed(Math.min(proofDigits.decimals, digits + shift))) + 0;
}

/** Digits behind the point of a price or a volume in the problem's units. */
const digits = 12;

/**
 * Prices at which all together would lose though nothing costs anything: the least that balances and rows have to be left open by, and
 * its duals (Farkas).
 */
function rayOf(problem: Problem, part: Part, solver: Solver, { lower, upper }: Bounds): Prices {
  const { nodes, columns, rows, zones, periods } = problem;
  const cells = zones * periods;
  const rowAt = new Map(part.rows.map((r, k) => [r, cells + k]));
  const rowsOf = new Map<number, [number, number][]>();
  for (const r of part.rows) {
    for (const [c, factor] of rows[r]!.entries) rowsOf.set(c, [...(rowsOf.get(c) ?? []), [rowAt.get(r)!, factor]]);
  }
  const draft = new Draft();
  for (let cell = 0; cell < cells; cell++) draft.row(0, 0);
  for (const r of part.rows) draft.row(rows[r]!.low, rows[r]!.high);
  for (const i of part.nodes) {
    const { zone, from, span, curve } = nodes[i]!;
    const entries = Array.from({ length: span }, (_, k): [number, number] => [zone * periods + from + k, 1]);
    draft.column(0, curve.least, curve.most, entries);
  }
  for (const c of part.columns) draft.column(0, lower[c]!, upper[c]!, [...columns[c]!.cells, ...(rowsOf.get(c) ?? [])]);
  for (let row = 0; row < cells + part.rows.length; row++)
    for (const sign of [1, -1]) draft.column(1, 0, Infinity, [[row, sign]]);
  const { status, rowDual } = solver.solve(draft.program);
  assert(status === 'optimal');
  const rowPrice = new Float64Array(rows.length);
  part.rows.forEach((r, k) => {
    rowPrice[r] = -rowDual[cells + k]!;
  });
  // Larger numbers have more digits that count.
  const most = rowDual.reduce((max, each) => Math.max(max, Math.abs(each)), 0);
  const larger = (each: number) => (each / most) * rayMost;
  return { price: rowDual.slice(0, cells).map(larger), rowPrice: rowPrice.map(larger) };
}

/** The largest price of those that show that nothing balances. */
const rayMost = 1000;
