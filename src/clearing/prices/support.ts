/**
 * Do prices exist that support an answer (market rules, section 4)?
 *
 * A linear program over prices: everybody who trades freely accepts them, and what the decisions that are on would lose together is
 * least. It is zero when prices exist.
 */

import type { Part, Problem } from '../model/problem.ts';
import type { Answer, Bounds } from '../relaxation/master.ts';
import { Draft } from '../solver/draft.ts';
import type { Solver } from '../solver/highs.ts';
import { inPrice, inSolver } from '../tolerances.ts';
import { reduced } from './reduced.ts';
import { freeRules, type NoLoss, noLossRules, type Rule, settled, sumAt } from './rules.ts';

/** A loss per MWh this small (currency) is a rounding error. */
const noLoss = inPrice.noLoss;

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
  const draft = new Draft();
  program.low.forEach((low, v) => {
    draft.column(0, low, program.high[v]!);
  });
  const slacks: { rule: NoLoss; column: number }[] = [];
  for (const { rule, at, factor } of program.rules) {
    const scale = 'decision' in rule ? sizeOf(rule) : 1;
    const row = draft.row(rule.low / scale, rule.high / scale);
    at.forEach((v, k) => {
      draft.entry(v, row, factor[k]! / scale);
    });
    if ('decision' in rule) slacks.push({ rule, column: draft.column(1, 0, Infinity, [[row, 1]]) });
  }
  const { status, x } = solver.solve(draft.program);
  if (status !== 'optimal') return undefined;
  return slacks.flatMap(({ rule, column }) =>
    x[column]! > noLoss ? [{ decision: rule.decision, loss: x[column]! }] : [],
  );
}
