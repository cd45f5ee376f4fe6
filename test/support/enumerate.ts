/**
 * The oracle: the best of all yes/no decisions that prices support.
 *
 * Decisions are tried in falling order of their welfare, each by the whole linear program (`whole-model.ts`); the first for
 * which a program over prices finds some is the answer. A set of decisions is left untried only when less is promised even with the
 * open ones taken in part, so it is an enumeration, only lazy. Slow, and simple enough to be believed.
 */

import assert from 'node:assert/strict';
import type { Program } from '../../src/clearing/solver/draft.ts';
import type { Solver } from '../../src/clearing/solver/highs.ts';
import type { Book } from '../../src/market/book.ts';
import { type Column, type Row, type Stake, type WholeModel, wholeModel } from './whole-model.ts';

export interface BestDecisions {
  /** Money. */
  readonly welfare: number;
  /** The decisions that are on: the record_id, with `/2` behind it for the second start. */
  readonly on: readonly string[];
  /** Prices that support it, by zone and MTU; some of those that do. */
  readonly prices: readonly (readonly number[])[];
}

const undecided = -1;
/** MW, or a share: nearer to a bound is at it. */
const near = 1e-6;

/**
 * @param order  `all`: solve all decisions before the first is asked for prices; the same answer, only slower
 * @returns undefined when no decisions have supporting prices
 */
export function bestDecisions(book: Book, solver: Solver, order: 'lazy' | 'all' = 'lazy'): BestDecisions | undefined {
  const whole = wholeModel(book);
  const { columns, decisions, hours } = whole;
  const { min, max } = book.priceLimits;
  const model = solver.model(programOf(columns, whole.rows, (column) => boundsOf(column, undefined)));
  const all = Int32Array.from(columns.keys());
  const solve = (state: readonly number[], closed: readonly number[] = []) => {
    const bounds = columns.map((column, c) => boundsOf(closed.includes(c) ? closedOf(column) : column, state));
    model.bound(
      all,
      Float64Array.from(bounds, ([low]) => low),
      Float64Array.from(bounds, ([, high]) => high),
    );
    const { status, x } = model.solve();
    assert(status === 'optimal' || status === 'infeasible', `the whole program is ${status}`);
    if (status === 'infeasible') return undefined;
    return { state, closed, x, worth: columns.reduce((sum, column, c) => sum + column.worth * x[c]!, 0) };
  };
  try {
    const roots = order === 'all' ? allOf(decisions) : [decisions.map(() => undecided)];
    const open = roots.map((state) => solve(state)).filter((node) => node !== undefined);
    while (open.length > 0) {
      open.sort((a, b) => a.worth - b.worth);
      const { state, closed, x, worth } = open.pop()!;
      const next = state.indexOf(undecided);
      const both = whole.opposites.find(([c, other]) => Math.min(x[c]!, x[other]!) > near);
      if (next < 0 && both === undefined) {
        const shut = columns.map((column, c) => (closed.includes(c) ? closedOf(column) : column));
        const prices = supportingPrices({ ...whole, columns: shut }, state, x, worth, [min, max], solver);
        if (prices === undefined) continue;
        const on = decisions.flatMap(({ id, options }, d) =>
          state[d] === 0 ? [] : [options > 2 ? `${id}/${state[d]}` : id],
        );
        const rows = book.zones.map((_, z) => Array.from(prices.subarray(z * book.periods, (z + 1) * book.periods)));
        return { welfare: worth * hours, on, prices: rows };
      }
      // A line that carries both ways at once carries one way only; then what is not decided yet.
      const children =
        both !== undefined
          ? both.map((c) => solve(state, [...closed, c]))
          : Array.from({ length: decisions[next]!.options }, (_, option) => solve(state.with(next, option), closed));
      open.push(...children.filter((child) => child !== undefined));
    }
    return undefined;
  } finally {
    model.dispose();
  }
}

/** Every choice of an option for each decision. */
const allOf = (decisions: WholeModel['decisions']): number[][] =>
  decisions.reduce<number[][]>(
    (states, { options }) =>
      states.flatMap((state) => Array.from({ length: options }, (_, option) => [...state, option])),
    [[]],
  );

/** Bounds of a column where some decisions are made; anything between off and on while its own is not. */
export function boundsOf(
  { lower, upper, when }: Column,
  state: readonly number[] | undefined,
): readonly [number, number] {
  if (when === undefined) return [lower, upper];
  const taken = state?.[when.decision] ?? undecided;
  if (taken === undecided) return [Math.min(0, lower), upper];
  return taken === when.option ? [lower, upper] : [0, 0];
}

const closedOf = (column: Column): Column => ({ ...column, upper: column.lower });

export type Bounds = (column: Column) => readonly [number, number];

export function programOf(columns: readonly Column[], rows: readonly Row[], bounds: Bounds): Program {
  const starts = [0];
  for (const { entries } of columns) starts.push(starts.at(-1)! + entries.length);
  return {
    cost: Float64Array.from(columns, ({ worth }) => -worth),
    lower: Float64Array.from(columns, (column) => bounds(column)[0]),
    upper: Float64Array.from(columns, (column) => bounds(column)[1]),
    rowLower: Float64Array.from(rows, ({ low }) => low),
    rowUpper: Float64Array.from(rows, ({ high }) => high),
    starts: Int32Array.from(starts),
    indices: Int32Array.from(columns.flatMap(({ entries }) => entries.map(([row]) => row))),
    values: Float64Array.from(columns.flatMap(({ entries }) => entries.map(([, factor]) => factor))),
  };
}

/** A linear rule `low <= sum of factor * variable <= high`. */
interface Rule {
  readonly terms: readonly (readonly [variable: number, factor: number])[];
  readonly low: number;
  readonly high: number;
}

/**
 * Prices (one for each row, the balances' first) at which everybody wants what the program gave them, and no stake loses.
 *
 * Which of several equally good volumes the program gave does not matter to who wants what, nor to what an order gains. Only a
 * minimum income asks for more: it is paid for volumes, also those that gain nothing. So where it fails with these volumes, others of the
 * same welfare are looked for together with the prices. That is still linear: what an order earns is what it gains, the same for
 * all these volumes, and what its volumes cost.
 */
export function supportingPrices(
  whole: WholeModel,
  state: readonly number[],
  x: Float64Array,
  worth: number,
  limits: readonly [number, number],
  solver: Solver,
): Float64Array | undefined {
  const { columns, rows, balances } = whole;
  const bounds = columns.map((column) => boundsOf(column, state));
  const activity = new Float64Array(rows.length);
  columns.forEach(({ entries }, c) => {
    for (const [row, factor] of entries) activity[row]! += factor * x[c]!;
  });
  // More of what binds from above can only cost, more of what binds from below can only help.
  const ranges = rows.map(({ low, high }, r): [number, number] => {
    if (r < balances) return [limits[0], limits[1]];
    return [activity[r]! >= high - near ? -Infinity : 0, activity[r]! <= low + near ? Infinity : 0];
  });
  const wants = columns.flatMap(({ worth: own, entries }, c): Rule[] => {
    const [lower, upper] = bounds[c]!;
    if (lower === upper) return [];
    const low = x[c]! > lower + near ? -own : -Infinity;
    const high = x[c]! < upper - near ? -own : Infinity;
    return low === -Infinity && high === Infinity ? [] : [{ terms: entries, low, high }];
  });
  const taken = whole.stakes.filter(({ when }) => state[when.decision] === when.option);
  const sure = [...wants, ...taken.map((stake) => noLoss(whole, stake, x))];
  const prices = solveRules(sure, ranges, solver);
  if (prices !== undefined || !taken.some(({ income }) => income)) return prices;

  const n = rows.length;
  const volumes = rows.map(({ low, high }): { terms: [number, number][]; low: number; high: number } => {
    return { terms: [], low, high };
  });
  columns.forEach(({ entries }, c) => {
    for (const [row, factor] of entries) volumes[row]!.terms.push([n + c, factor]);
  });
  const best: Rule = {
    terms: columns.map((column, c) => [n + c, column.worth] as const),
    low: worth - near * (1 + Math.abs(worth)) * 1e-3,
    high: Infinity,
  };
  const together = taken.map((stake): Rule => {
    const { income, columns: own, fixed } = stake;
    const rule = noLoss(whole, { columns: own, fixed: 0, when: stake.when }, x);
    if (income === undefined) return { ...rule, low: rule.low + fixed };
    // Earned: gain at the prices, which `rule` asks to be at least 0, and -worth, the cost, of each unit.
    const costs = own.map((c, i) => [n + c, -columns[c]!.worth - income[i]!] as const);
    return { terms: [...rule.terms, ...costs], low: rule.low + fixed, high: Infinity };
  });
  return solveRules([...wants, ...volumes, best, ...together], [...ranges, ...bounds], solver)?.subarray(0, n);
}

/** What a stake earns at the balances' prices must cover its costs: its volumes times (worth + prices) >= fixed. */
function noLoss({ columns, balances }: WholeModel, { columns: own, fixed, income }: Stake, x: Float64Array): Rule {
  const terms = new Map<number, number>();
  let low = fixed;
  own.forEach((c, i) => {
    const { worth, entries } = columns[c]!;
    low += x[c]! * (income === undefined ? -worth : income[i]!);
    for (const [row, factor] of entries) if (row < balances) terms.set(row, (terms.get(row) ?? 0) + factor * x[c]!);
  });
  return { terms: [...terms], low, high: Infinity };
}

/** Variables within their ranges that keep all rules, or undefined. A rule may be off by a millionth of its size. */
function solveRules(
  rules: readonly Rule[],
  ranges: readonly (readonly [number, number])[],
  solver: Solver,
): Float64Array | undefined {
  const columns = ranges.map(([lower, upper]): Column & { entries: [number, number][] } => {
    return { worth: 0, lower, upper, entries: [] };
  });
  const rows = rules.map(({ terms, low, high }, r): Row => {
    const size = terms.reduce((sum, [, factor]) => Math.max(sum, Math.abs(factor)), 1e-9);
    for (const [variable, factor] of terms) columns[variable]!.entries.push([r, factor / size]);
    return { low: low / size - near, high: high / size + near };
  });
  const { status, x } = solver.solve(programOf(columns, rows, ({ lower, upper }) => [lower, upper]));
  assert(status !== 'stopped', 'the program of prices stopped');
  return status === 'infeasible' ? undefined : x;
}
