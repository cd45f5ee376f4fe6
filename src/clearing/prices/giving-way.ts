/**
 * Which rules give way where no prices within the limits keep every one (market rules, section 4).
 *
 * An elastic linear program: the kinds of rules that may yield do so one after another, each only if those before are not enough,
 * and of the last one as little as can be (currency/MWh, summed). A rule that need not yield stays.
 */

import { Draft } from '../solver/draft.ts';
import type { Solver } from '../solver/highs.ts';
import { inPrice, inSolver } from '../tolerances.ts';
import { reduced } from './reduced.ts';
import { type Rule, type Rules, type Yielding, yieldingOrder } from './rules.ts';

/** What the rules that stay may be broken by, and what counts as yielding (currency/MWh): far below a tick, above the noise of volumes. */
const { held, yielded } = inPrice;

export interface GivingWay {
  /** How many kinds of `yieldingOrder` had to yield: 0, none. */
  readonly level: number;
  /** What becomes of the rules that do not hold: as much looser as they must be, or undefined where they are off. */
  readonly instead: ReadonlyMap<Rule, Rule | undefined>;
}

/** Up to this level every rule holds but for directions of lines that are shut. */
export const supportedLevel = 1;

/** @returns undefined where no prices within the limits do even so */
export function givingWay(solver: Solver, rules: Rules, cells: number): GivingWay | undefined {
  for (let level = 0; level <= yieldingOrder.length; level++) {
    const elastic = new Set<Yielding | undefined>(yieldingOrder.slice(0, level));
    if (level > 0 && !rules.rules.some(({ yields }) => yields === yieldingOrder[level - 1])) continue;
    const instead = leastBroken(solver, rules, cells, elastic);
    if (instead !== undefined) return { level, instead: withFewestOff(solver, rules, cells, elastic, instead) };
  }
  return undefined;
}

/** A direction that is shut is tested wherever it can be: of those that were left out no more than need be, found one after another. */
function withFewestOff(
  solver: Solver,
  rules: Rules,
  cells: number,
  elastic: ReadonlySet<Yielding | undefined>,
  instead: GivingWay['instead'],
): GivingWay['instead'] {
  let best = instead;
  const off = new Set([...instead].flatMap(([rule, looser]) => (looser === undefined ? [rule] : [])));
  if (off.size < 2) return instead;
  for (const rule of [...off]) {
    off.delete(rule);
    const { yields: _, ...kept } = rule;
    const others = rules.rules.flatMap((each) => (off.has(each) ? [] : [each === rule ? kept : each]));
    const found = leastBroken(solver, { ...rules, rules: others }, cells, elastic);
    if (found === undefined) off.add(rule);
    else best = new Map([...found, ...[...off].map((each) => [each, undefined] as const)]);
  }
  return best;
}

function leastBroken(
  solver: Solver,
  rules: Rules,
  cells: number,
  elastic: ReadonlySet<Yielding | undefined>,
): GivingWay['instead'] | undefined {
  const { rules: kept, low, high } = reduced(rules, cells, elastic);
  const draft = new Draft();
  const prices = Array.from(low, (least, v) => draft.column(0, least - held, high[v]! + held, []));
  const slacks: { rule: Rule; size: number; columns: number[] }[] = [];
  for (const { rule, at, factor } of kept) {
    const size = Math.max(
      inSolver.leastDivisor,
      factor.reduce((sum, f) => sum + Math.abs(f), 0),
    );
    const isElastic = elastic.has(rule.yields);
    const slack = isElastic ? 0 : held;
    const row = draft.row(rule.low / size - slack, rule.high / size + slack);
    at.forEach((v, k) => {
      draft.entry(prices[v]!, row, factor[k]! / size);
    });
    if (!isElastic) continue;
    const columns = [1, -1].map((sign) => draft.column(1, 0, Infinity, [[row, sign]]));
    slacks.push({ rule, size, columns });
  }
  const { status, x } = solver.solve(draft.program);
  if (status !== 'optimal') return undefined;
  const instead = new Map<Rule, Rule | undefined>();
  for (const { rule, size, columns } of slacks) {
    const [below, above] = columns.map((c) => (x[c]! > yielded ? (x[c]! + yielded) * size : 0)) as [number, number];
    if (below + above === 0) continue;
    // Of a direction that is shut nothing is asked then.
    const looser = { ...rule, low: rule.low - below, high: rule.high + above };
    instead.set(rule, rule.yields === 'direction' ? undefined : looser);
  }
  return instead;
}
