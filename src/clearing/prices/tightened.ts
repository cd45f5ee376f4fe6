/**
 * Rules over prices that say the same whichever of the volumes of equal welfare they were read off.
 *
 * A row that happens to bind, or an order that happens to be full, where other volumes are worth as much, leaves a rule looser than it is: no
 * supporting prices use the slack. The ranges of prices (market rules, 5.2) would depend on the solver's choice then. So rules that hold as equations
 * at all supporting prices are made equations. A few linear programs find them: each raises all slacks together that none before could.
 */

import { Draft } from '../solver/draft.ts';
import type { Solver } from '../solver/highs.ts';
import { inPrice } from '../tolerances.ts';
import type { Rule, Rules } from './rules.ts';

/** One side of a rule or of a price's range. */
interface Side {
  readonly at: readonly number[];
  readonly factor: readonly number[];
  /** Sum of factors times prices, less what it is at least. */
  readonly least: number;
  tighten(): void;
}

/** A slack is asked for so much of it (currency/MWh) at the most. */
const enough = 1;

/** @param cells  how many of the prices are of cells */
export function tightened(solver: Solver, { rules, low, high }: Rules, cells: number): Rules {
  const result = { rules: [...rules], low: low.slice(), high: high.slice() };
  for (const part of partsOf(rules, low.length)) {
    // Rules between two cells leave each price the same range, however they are written.
    if (!part.some((r) => rules[r]!.at.length > 2 || rules[r]!.at.some((i) => i >= cells))) continue;
    for (const side of alwaysTight(solver, result, part)) side.tighten();
  }
  return result;
}

function partsOf(rules: readonly Rule[], count: number): number[][] {
  const label = Int32Array.from({ length: count }, (_, i) => i);
  const find = (i: number): number => {
    let at = i;
    while (label[at] !== at) at = label[at] = label[label[at]!]!;
    return at;
  };
  for (const { at } of rules) for (const i of at) label[find(i)] = find(at[0]!);
  return [...Map.groupBy(rules.keys(), (r) => find(rules[r]!.at[0] ?? 0)).values()];
}

function sidesOf({ rules, low, high }: Rules, part: readonly number[]): Side[] {
  const sides: Side[] = [];
  const add = (at: readonly number[], factor: readonly number[], least: number, tighten: () => void) =>
    sides.push({ at, factor, least, tighten });
  for (const r of part) {
    const rule = rules[r]!;
    const equal = (to: number) => () => {
      rules[r] = { ...rules[r]!, low: to, high: to };
    };
    const { at, factor, low: least, high: most } = rule;
    if (least === most || rule.yields === 'direction') continue;
    if (Number.isFinite(least)) add(at, factor, least, equal(least));
    const back = factor.map((f) => -f);
    if (Number.isFinite(most)) add(at, back, -most, equal(most));
  }
  for (const i of new Set(part.flatMap((r) => rules[r]!.at))) {
    const [least, most] = [low[i]!, high[i]!];
    if (least === most) continue;
    const equal = (to: number) => () => {
      low[i] = high[i] = to;
    };
    if (Number.isFinite(least)) add([i], [1], least, equal(least));
    if (Number.isFinite(most)) add([i], [-1], -most, equal(most));
  }
  return sides;
}

/** Sides whose slack no supporting prices use; none where no prices keep the rules. */
function alwaysTight(solver: Solver, rules: Rules, part: readonly number[]): Side[] {
  let left = sidesOf(rules, part);
  while (left.length > 0) {
    const draft = new Draft();
    const variables = new Map(
      [...new Set(part.flatMap((r) => rules.rules[r]!.at))].map((i) => [
        i,
        draft.column(0, rules.low[i]!, rules.high[i]!, []),
      ]),
    );
    for (const r of part) {
      const { at, factor, low, high } = rules.rules[r]!;
      const row = draft.row(low, high);
      at.forEach((i, k) => {
        draft.entry(variables.get(i)!, row, factor[k]!);
      });
    }
    const slacks = left.map(({ at, factor, least }) => {
      const size = Math.max(...factor.map(Math.abs));
      const row = draft.row(least / size, Infinity);
      at.forEach((i, k) => {
        draft.entry(variables.get(i)!, row, factor[k]! / size);
      });
      return draft.column(-1, 0, enough, [[row, -1]]);
    });
    const { status, x } = solver.solve(draft.program);
    if (status !== 'optimal') return [];
    const tight = left.filter((_, k) => x[slacks[k]!]! <= inPrice.held);
    if (tight.length === left.length) return tight;
    left = tight;
  }
  return [];
}
