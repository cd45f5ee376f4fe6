/**
 * Writes down what the search finds, as a proof that can be checked without it (`market/proof.ts`, docs/proof.md): in megawatts and
 * currency/MWh, whatever the problem counts in.
 *
 * The search reserves a node for every branch when it divides, and fills it when it looks at it; a branch that it never looks at is
 * closed at the prices of the branch it came from.
 */

import assert from 'node:assert/strict';
import type { ProofGroup, ProofNode } from '../../market/proof.ts';
import { isOfRatios } from '../model/columns.ts';
import type { Part, Problem } from '../model/problem.ts';
import type { Answer, Bounds } from '../relaxation/master.ts';
import { Draft } from '../solver/draft.ts';
import type { Solver } from '../solver/highs.ts';

type Prices = Pick<Answer, 'price' | 'rowPrice'>;

/** A decision, or a flow, with the node of what lies behind it. */
export type Way = readonly [index: number, node: number];

export class Recorder {
  readonly #problem: Problem;
  readonly #part: Part;
  readonly #group: readonly [number, number];
  readonly #nodes: (ProofNode | undefined)[] = [];
  readonly #prices: ProofGroup['prices'] = [];

  constructor(problem: Problem, part: Part, group: readonly [number, number]) {
    this.#problem = problem;
    this.#part = part;
    this.#group = group;
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
      for (let t = first; t < after; t++) cells.push(price[z * periods + t]! / 10 ** units.price);
    }
    const rowPrices = this.#part.rows.flatMap((r): [string, number][] => {
      const scale = isOfRatios(rows[r]!) ? units.power + units.price : units.price;
      return rowPrice[r] === 0 ? [] : [[rows[r]!.name, rowPrice[r]! / 10 ** scale]];
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
    core: { readonly on: readonly number[]; readonly scaled?: Answer; readonly spare?: Float64Array },
    off: readonly Way[],
    on: readonly Way[],
  ): void {
    const ways = (of: readonly Way[]) => of.map(([d, way]): [string, number] => [this.#decision(d), way]);
    const rest = { at, core: core.on.map((d) => this.#decision(d)), off: ways(off), on: ways(on) };
    if (core.scaled === undefined) this.#fill(node, { kind: 'claimed', ...rest });
    else this.#fill(node, { kind: 'unsupported', ...rest, scaled: this.#volumes(core.scaled, core.spare) });
  }

  get group(): ProofGroup {
    const nodes = this.#nodes.map((node) => {
      assert(node !== undefined, 'every branch is closed at the end of a search');
      return node;
    });
    return { first: this.#group[0] + 1, last: this.#group[1], root: 0, nodes, prices: this.#prices };
  }

  #fill(node: number, content: ProofNode): void {
    assert(this.#nodes[node] === undefined);
    this.#nodes[node] = content;
  }

  #decision(d: number): string {
    const { columns, decisions } = this.#problem;
    return columns[decisions[d]!.column]!.name;
  }

  #volumes(answer: Answer, spare: Float64Array | undefined) {
    const { nodes, columns, book, periods, units } = this.#problem;
    const mw = (power: number): number => power / 10 ** units.power;
    const values = this.#part.columns.flatMap((c): [string, number][] => {
      const { name, kind } = columns[c]!;
      const value = answer.value[c]!;
      return value === 0 ? [] : [[name, kind === 'ratio' ? value : mw(value)]];
    });
    const nets = this.#part.nodes.flatMap((i): [string, number][] => {
      const { zone, from, span } = nodes[i]!;
      return span === 1 ? [] : [[`${book.zones[zone]}/${from + 1}-${from + span}`, mw(answer.net[i]!)]];
    });
    const left = Array.from(spare ?? []).flatMap((power, cell): [string, number][] =>
      power === 0 ? [] : [[`${book.zones[Math.floor(cell / periods)]}/${(cell % periods) + 1}`, mw(power)]],
    );
    return { at: this.prices(answer), values, nets, spare: left };
  }
}

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
  return { price: rowDual.slice(0, cells), rowPrice };
}
