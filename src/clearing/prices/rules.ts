/**
 * What an answer asks of prices (market rules, sections 2 and 3), as linear rules over cells and rows of the problem.
 *
 * Two kinds. That everybody who trades freely accepts the prices: what is executed between its limits has a gain of zero, what is at
 * its most must not want less, what is at its least must not want more. And that no decision that is on loses.
 */

import type { Column } from '../model/columns.ts';
import { pricesAt, sameMw, settledNet, supplyAt } from '../model/curves/net-curve.ts';
import type { Node, Part, Problem } from '../model/problem.ts';
import { type Answer, type Bounds, samePrice } from '../relaxation/master.ts';
import { inPower, inRatio } from '../tolerances.ts';

/**
 * What gives way, in this order, where no prices within the limits keep every rule (market rules, section 4): the shut direction of a
 * line with losses, orders over several MTUs that are executed less than their average price asks, tests of ramped flows, tests of
 * flow-based exchange.
 */
export const yieldingOrder = ['direction', 'span', 'ramp', 'exchange'] as const;
export type Yielding = (typeof yieldingOrder)[number];

/** A rule `low <= sum of factor * price <= high` over cells, and rows counted on from the cells. */
export interface Rule {
  readonly at: readonly number[];
  readonly factor: readonly number[];
  readonly low: number;
  readonly high: number;
  /** Absent: the rule never gives way. */
  readonly yields?: Yielding;
  /** The column that it is about; absent where it is about no one of them. */
  readonly column?: number;
}

/** Rules, and the range of each price: of cells within the market's limits, then of rows. */
export interface Rules {
  readonly rules: Rule[];
  readonly low: Float64Array;
  readonly high: Float64Array;
}

export const wholeOf = ({ nodes, columns, rows }: Problem): Part => ({
  nodes: [...nodes.keys()],
  columns: [...columns.keys()],
  rows: [...rows.keys()],
});

/** A ratio this near to its end is at it, if that is no more than a rounding error of MW. */
const sameRatio = inRatio.same;

/**
 * Presolve once the decisions are made: rows with one free column left become bounds of that column, rows with none are dropped.
 */
export function settled(problem: Problem, part: Part, bounds: Bounds): Bounds & { rows: readonly number[] } {
  const lower = bounds.lower.slice();
  const upper = bounds.upper.slice();
  const fixed = (c: number) => bounds.lower[c] === bounds.upper[c];
  const rows = part.rows.filter((r) => {
    const { entries, low, high } = problem.rows[r]!;
    const free = entries.filter(([c]) => !fixed(c));
    if (free.length > 1) return true;
    const done = entries.reduce((sum, [c, factor]) => sum + (fixed(c) ? factor * bounds.lower[c]! : 0), 0);
    for (const [c, factor] of free) {
      const ends = [(low - done) / factor, (high - done) / factor];
      lower[c] = Math.max(lower[c]!, Math.min(...ends));
      upper[c] = Math.max(lower[c]!, Math.min(upper[c]!, Math.max(...ends)));
    }
    return false;
  });
  return { lower, upper, rows };
}

/** Whether a value is at its lower bound (-1), at its upper bound (1), or between, as a basic variable is (0). */
export function standing(problem: Problem, c: number, { lower, upper }: Bounds, value: number): -1 | 0 | 1 {
  const { kind, cells } = problem.columns[c]!;
  const size = kind === 'ratio' ? cells.reduce((most, [, mw]) => Math.max(most, Math.abs(mw)), 0) : 1;
  const near = Math.min(sameRatio, inPower.balance / size);
  return value <= lower[c]! + near ? -1 : value >= upper[c]! - near ? 1 : 0;
}

/**
 * The rules of all that trades freely.
 *
 * @param shut  columns of the directions that lines with losses may not use: their tests hold where they can
 */
export function freeRules(
  problem: Problem,
  part: Part,
  free: Bounds & { readonly rows: readonly number[] },
  { net, value }: Pick<Answer, 'net' | 'value'>,
  shut: ReadonlySet<number> = new Set(),
): Rules {
  const { zones, periods, nodes, columns } = problem;
  const { min, max } = problem.book.priceLimits;
  const cells = zones * periods;
  const low = new Float64Array(cells + problem.rows.length);
  const high = new Float64Array(cells + problem.rows.length);
  low.fill(min, 0, cells);
  high.fill(max, 0, cells);
  const rules: Rule[] = [];
  const rowsOf = new Map<number, [row: number, factor: number][]>();
  const ramped = new Set(
    part.rows.flatMap((r) => (problem.rows[r]!.kind === 'ramp' ? problem.rows[r]!.entries.map(([c]) => c) : [])),
  );
  for (const r of free.rows) {
    const { entries, low: least, high: most } = problem.rows[r]!;
    const activity = entries.reduce((sum, [c, factor]) => sum + factor * value[c]!, 0);
    // Only a row that binds has a price: a load gradient of a watt leaves that watt.
    const limits = [least, most].filter((limit) => limit !== 0).map(Math.abs);
    const near = Math.min(samePrice, ...limits.map((limit) => inRatio.ofLimit * limit));
    if (activity >= most - near) high[cells + r] = Infinity;
    if (activity <= least + near) low[cells + r] = -Infinity;
    if (low[cells + r] === 0 && high[cells + r] === 0) continue;
    for (const [c, factor] of entries) rowsOf.set(c, [...(rowsOf.get(c) ?? []), [r, factor]]);
  }
  for (const i of part.nodes) {
    const node = nodes[i]!;
    const [least, most] = pricesAt(node.curve, settledNet(node.curve, net[i]!, samePrice));
    if (node.span === 1) {
      const cell = node.zone * periods + node.from;
      low[cell] = Math.max(min, least);
      high[cell] = Math.min(max, most);
    } else if (node.curve.power.length > 0) {
      const at = Array.from({ length: node.span }, (_, k) => node.zone * periods + node.from + k);
      const factor = at.map(() => 1);
      const [lowest, highest] = noLossRange(node, net[i]!);
      rules.push({ at, factor, low: lowest * node.span, high: highest * node.span });
      rules.push({ at, factor, low: least * node.span, high: most * node.span, yields: 'span' });
    }
  }
  for (const c of part.columns) {
    const isShut = shut.has(c);
    // One that could carry nothing anyway has no test, shut or not.
    const room = isShut ? columns[c]!.most - columns[c]!.least : free.upper[c]! - free.lower[c]!;
    if (room <= inPower.empty) continue;
    const stands = isShut ? -1 : standing(problem, c, free, value[c]!);
    const { cost, kind } = columns[c]!;
    const terms = mergedTerms(columns[c]!.cells);
    const own = rowsOf.get(c) ?? [];
    for (const [r, factor] of own) terms.push([cells + r, -factor]);
    const yields = yieldingOf(kind, isShut, ramped.has(c));
    const at = terms.map(([each]) => each);
    const factor = terms.map(([, each]) => each);
    const lowest = stands === -1 ? -Infinity : cost;
    const highest = stands === 1 ? Infinity : cost;
    if (kind === 'ratio' && at.length > 1) {
      // A block over several MTUs that nobody decides about: it may be executed less than its average price asks, at no loss.
      rules.push({ at, factor, low: lowest, high: Infinity });
      rules.push({ at, factor, low: -Infinity, high: highest, yields: 'span', column: c });
    } else rules.push({ at, factor, low: lowest, high: highest, ...(yields !== undefined && { yields }) });
  }
  return { rules, low, high };
}

/** @param isRamped  whether the flow is in a ramp, be it one that binds or not */
function yieldingOf(kind: Column['kind'], isShut: boolean, isRamped: boolean): Yielding | undefined {
  if (isShut) return 'direction';
  if (kind === 'exchange') return 'exchange';
  return kind === 'flow' && isRamped ? 'ramp' : undefined;
}

/** Mean prices at which nobody who is executed at a node loses. */
function noLossRange({ segments, curve }: Node, net: number): [low: number, high: number] {
  const [least, most] = pricesAt(curve, net);
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  const isAt = (limit: number) => Math.abs(limit - least) <= samePrice || Math.abs(limit - most) <= samePrice;
  const steps = segments.filter(({ first, last }) => first === last && isAt(first));
  // Of steps at the price some of either side may be executed; of one order that passes zero there the side that it trades on.
  let idle: 'buy' | 'sell' | 'both' | undefined;
  if (least === most && new Set(steps.map(({ order }) => order)).size === 1) {
    const bought = steps.reduce((sum, { side, power }) => sum + (side === 'buy' ? power : 0), 0);
    const rest = net - supplyAt(curve, least)[0] - bought;
    idle = Math.abs(rest) <= sameMw ? 'both' : rest > 0 ? 'buy' : 'sell';
  }
  for (const { side, first, last } of segments) {
    // A slope that begins at the price is not executed.
    const slack = first === last && idle !== 'both' && idle !== side ? samePrice : -samePrice;
    if (side === 'sell' && first <= least + slack) low = Math.max(low, Math.min(last, least));
    if (side === 'buy' && first >= most - slack) high = Math.min(high, Math.max(last, most));
  }
  return [low, high];
}

/** Terms of one cell come once. */
function mergedTerms(cells: readonly (readonly [cell: number, mw: number])[]): [number, number][] {
  const terms = new Map<number, number>();
  for (const [cell, mw] of cells) terms.set(cell, (terms.get(cell) ?? 0) + mw);
  return [...terms].filter(([, mw]) => mw !== 0);
}

export interface NoLoss extends Rule {
  readonly decision: number;
}

/** The rules that no decision that is on loses, its accepted descendants counted with it (market rules, 2.3 to 2.8). */
export function noLossRules(problem: Problem, on: readonly number[], { value }: Pick<Answer, 'value'>): NoLoss[] {
  const { columns, decisions } = problem;
  const children = new Map<number, number[]>();
  for (const d of on) {
    const { parent } = decisions[d]!;
    if (parent >= 0) children.set(parent, [...(children.get(parent) ?? []), d]);
  }
  const tested = on.filter((d) => decisions[d]!.test !== 'none');
  return tested.map((decision): NoLoss => {
    const terms = new Map<number, number>();
    let cost = 0;
    const add = (c: number) => {
      for (const [cell, mw] of columns[c]!.cells) terms.set(cell, (terms.get(cell) ?? 0) + mw * value[c]!);
      cost += columns[c]!.cost * value[c]!;
    };
    const family = (d: number): void => {
      const { column, steps, test, fixed, variable } = decisions[d]!;
      // What a program leaves of a ratio that is none is none: it would ask for prices as the whole block does.
      for (const c of [column, ...steps]) if (Math.abs(value[c]!) > inRatio.exact) add(c);
      if (test === 'income') {
        const traded = [...terms.values()].reduce((sum, mw) => sum + mw, 0);
        cost = fixed + variable * traded;
      }
      for (const child of children.get(d) ?? []) family(child);
    };
    family(decision);
    const kept = [...terms].filter(([, mw]) => mw !== 0);
    const at = kept.map(([cell]) => cell);
    return { decision, at, factor: kept.map(([, mw]) => mw), low: cost, high: Infinity };
  });
}

/** What a rule's sum comes to at these prices. */
export const sumAt = ({ at, factor }: Rule, price: ArrayLike<number>): number =>
  at.reduce((sum, i, k) => sum + factor[k]! * price[i]!, 0);
