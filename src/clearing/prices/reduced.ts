/**
 * Rules over prices, with equal prices made one and rules that cannot be broken left out.
 *
 * Zones that a line with room joins have one price, so a day of many zones has few prices to choose; that makes the programs over
 * them small.
 */

import { Joined } from '../indeterminacy/joined.ts';
import { inPrice, inSolver } from '../tolerances.ts';
import type { Rule, Rules } from './rules.ts';

export interface Reduced<R extends Rule> {
  /** The variable of each cell or row; -1 where no rule asks for it. */
  readonly variable: Int32Array;
  /** By variable: how many cells it stands for (rows count nothing), and its range. */
  readonly weight: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly rules: readonly { readonly rule: R; readonly at: readonly number[]; readonly factor: readonly number[] }[];
}

const isEqual = ({ at, factor, low, high }: Rule): boolean =>
  at.length === 2 && low === 0 && high === 0 && factor[0] === -factor[1]!;

/**
 * @param cells    how many of the prices are of cells; the others are of rows
 * @param elastic  kinds of rules that may be broken: their prices are not made one
 */
export function reduced<R extends Rule>(
  { rules, low, high }: Omit<Rules, 'rules'> & { rules: readonly R[] },
  cells: number,
  elastic: ReadonlySet<Rule['yields']> = new Set(),
): Reduced<R> {
  const joined = new Joined(low.length);
  const leastOf = low.slice();
  const mostOf = high.slice();
  for (const rule of rules) {
    const [one, other] = [joined.root(rule.at[0] ?? 0), joined.root(rule.at[1] ?? 0)];
    if (!isEqual(rule) || rule.at.some((i) => i >= cells) || elastic.has(rule.yields)) continue;
    const least = Math.max(leastOf[one]!, leastOf[other]!);
    const most = Math.min(mostOf[one]!, mostOf[other]!);
    // Ranges that exclude each other are the market limits' doing (midpoint.ts): then the two are not one.
    if (least > most) continue;
    joined.join(one, other);
    leastOf[joined.root(one)] = least;
    mostOf[joined.root(one)] = most;
  }
  const variable = new Int32Array(low.length).fill(-1);
  const roots: number[] = [];
  const variableOf = (i: number): number => {
    const root = joined.root(i);
    if (variable[root] === -1) variable[root] = roots.push(root) - 1;
    return variable[root]!;
  };
  const kept: { rule: R; at: number[]; factor: number[] }[] = [];
  for (const rule of rules) {
    if (canHold(rule, leastOf, mostOf, joined)) continue;
    const terms = new Map<number, number>();
    rule.at.forEach((i, k) => {
      const v = variableOf(i);
      terms.set(v, (terms.get(v) ?? 0) + rule.factor[k]!);
    });
    const entries = [...terms].filter(([, factor]) => Math.abs(factor) > inSolver.noFactor);
    if (entries.length === 0 && rule.low <= inPrice.moved && rule.high >= -inPrice.moved) continue;
    kept.push({ rule, at: entries.map(([v]) => v), factor: entries.map(([, factor]) => factor) });
  }
  const weight = new Float64Array(roots.length);
  for (let i = 0; i < low.length; i++) {
    variable[i] = variable[joined.root(i)]!;
    if (i < cells && variable[i]! >= 0) weight[variable[i]!]! += 1;
  }
  return {
    variable,
    weight,
    low: Float64Array.from(roots, (root) => leastOf[root]!),
    high: Float64Array.from(roots, (root) => mostOf[root]!),
    rules: kept,
  };
}

/** Does the rule hold whatever the prices are? */
function canHold(
  { at, factor, low, high }: Rule,
  leastOf: Float64Array,
  mostOf: Float64Array,
  joined: Joined,
): boolean {
  let least = 0;
  let most = 0;
  at.forEach((i, k) => {
    const root = joined.root(i);
    const f = factor[k]!;
    least += f * (f > 0 ? leastOf[root]! : mostOf[root]!);
    most += f * (f > 0 ? mostOf[root]! : leastOf[root]!);
  });
  return least >= low && most <= high;
}
