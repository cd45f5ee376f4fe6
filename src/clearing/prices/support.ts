/**
 * Do prices exist that support an answer (market rules, section 4)?
 *
 * A linear program over prices: everybody who trades freely accepts them, and what the decisions that are on would lose together is
 * least. It is zero when prices exist.
 */

import type { Part, Problem } from '../model/problem.ts';
import type { Answer, Bounds } from '../relaxation/master.ts';
import type { Solver } from '../solver/highs.ts';
import { inPrice, inSolver } from '../tolerances.ts';
import { reduced } from './reduced.ts';
import { freeRules, type NoLoss, noLossRules, type Rule, settled, sumAt } from './rules.ts';

/** A loss per MWh this small (currency) is a rounding error. */
const noLoss = inPrice.same;

/** What prices say about an answer. */
export interface Support {
  /** Do prices within the market's limits support all that trades freely, and let no decision lose? */
  readonly exists: boolean;
  /** Who would lose how much a MWh (currency), the worst first. */
  readonly losers: readonly { readonly decision: number; readonly loss: number }[];
}

/** @param on  decisions that may not lose */
export function supportOf(
  problem: Problem,
  solver: Solver,
  part: Part,
  bounds: Bounds,
  on: readonly number[],
  answer: Answer,
): Support {
  const rules = noLossRules(problem, on, answer);
  const lost = (price: Float64Array) => rules.map((rule) => ({ decision: rule.decision, loss: lossAt(rule, price) }));
  if (supportsItself(problem, part, on, answer)) return { exists: true, losers: [] };
  const least = leastLosses(problem, solver, part, bounds, rules, answer);
  if (least?.length === 0) return { exists: true, losers: [] };
  // Not even who trades freely is supported: then anybody may be in the way, those the most who lose at prices cut to the limits.
  const { min, max } = problem.book.priceLimits;
  const losers = least ?? lost(answer.price.map((price) => Math.min(max, Math.max(min, price))));
  return { exists: false, losers: losers.sort((a, b) => b.loss - a.loss || a.decision - b.decision) };
}

/** Do the answer's own prices support it? Where not, others may. */
export function supportsItself(problem: Problem, part: Part, on: readonly number[], answer: Answer): boolean {
  if (!withinLimits(problem, part, answer.price)) return false;
  return noLossRules(problem, on, answer).every((rule) => lossAt(rule, answer.price) <= noLoss);
}

function withinLimits({ book, nodes, periods }: Problem, part: Part, price: Float64Array): boolean {
  const { min, max } = book.priceLimits;
  return part.nodes.every((i) => {
    const { zone, from, span } = nodes[i]!;
    const at = price[zone * periods + from]!;
    return span > 1 || (at >= min - noLoss && at <= max + noLoss);
  });
}

/** Currency/MWh that a decision loses at these prices. */
function lossAt(rule: NoLoss, price: Float64Array): number {
  return (rule.low - sumAt(rule, price)) / sizeOf(rule);
}

const sizeOf = ({ factor }: Rule): number =>
  Math.max(
    inSolver.leastDivisor,
    factor.reduce((sum, f) => sum + Math.abs(f), 0),
  );

/** Undefined when no prices within the limits support even what trades freely: orders over several MTUs can ask for too much. */
function leastLosses(
  problem: Problem,
  solver: Solver,
  part: Part,
  bounds: Bounds,
  noLossOf: readonly NoLoss[],
  answer: Answer,
): { decision: number; loss: number }[] | undefined {
  const cells = problem.zones * problem.periods;
  const free = freeRules(problem, part, settled(problem, part, bounds), answer);
  const program = reduced<Rule | NoLoss>({ ...free, rules: [...free.rules, ...noLossOf] }, cells);
  const prices = program.low.length;
  const slacks = program.rules.flatMap(({ rule }, row) => ('decision' in rule ? [{ rule, row }] : []));
  const columns = Array.from({ length: prices }, (): [number, number][] => []);
  program.rules.forEach(({ rule, at, factor }, row) => {
    const scale = 'decision' in rule ? sizeOf(rule) : 1;
    at.forEach((v, k) => {
      columns[v]!.push([row, factor[k]! / scale]);
    });
  });
  for (const { row } of slacks) columns.push([[row, 1]]);
  const starts = [0];
  for (const column of columns) starts.push(starts[starts.length - 1]! + column.length);
  const scaled = (end: (rule: Rule) => number) =>
    Float64Array.from(program.rules, ({ rule }) => end(rule) / ('decision' in rule ? sizeOf(rule) : 1));
  const filled = (of: Float64Array, rest: number) => Float64Array.from([...of, ...slacks.map(() => rest)]);
  const { status, x } = solver.solve({
    cost: filled(new Float64Array(prices), 1),
    lower: filled(program.low, 0),
    upper: filled(program.high, Infinity),
    rowLower: scaled(({ low }) => low),
    rowUpper: scaled(({ high }) => high),
    starts: Int32Array.from(starts),
    indices: Int32Array.from(columns.flat(), ([row]) => row),
    values: Float64Array.from(columns.flat(), ([, value]) => value),
  });
  if (status !== 'optimal') return undefined;
  return slacks.flatMap(({ rule }, k) =>
    x[prices + k]! > noLoss ? [{ decision: rule.decision, loss: x[prices + k]! }] : [],
  );
}
