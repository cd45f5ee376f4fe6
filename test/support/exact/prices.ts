/**
 * Which prices support an answer: those at which every rule of sections 2 and 3 of the market rules holds.
 *
 * For orders and flows without decision the rules are the conditions under which an optimum of the program is one: what a variable would
 * still gain by a unit more, at the prices (and the multipliers of the other rows), is 0 between its bounds, not positive at its lower and
 * not negative at its upper one. For blocks, flexible and complex orders that are on, the rule is that they do not lose, as well.
 */

import { maximiseEach, type Program, type Variable } from './maximise.ts';
import type { Model } from './model.ts';
import {
  compare,
  least,
  minus,
  most,
  negated,
  one,
  over,
  plus,
  type Rational,
  rational,
  sign,
  times,
  zero,
} from './rational.ts';

/** How many kinds of rules give way (market rules, section 4): none; long orders; ramped lines too; flow-based exchange too. */
export type GivenWay = 0 | 1 | 2 | 3;

export interface Range {
  readonly min: Rational;
  readonly max: Rational;
}

/** Beyond so many idle directions only as few tests as can be are left out: there are too many ways to choose them. */
const mostIdle = 8;

/** currency/MWh, by cell: zone z * periods + MTU. Undefined: no prices support it. */
export function supportingPrices(model: Model, values: readonly Rational[], givenWay: GivenWay): Range[] | undefined {
  // A lossy line that carries nothing needs one direction whose test holds, and of one that carries power the shut direction is tested
  // (market rules, section 3.1): tests are left out where all of them cannot hold, and none more than it takes.
  const idle = [...model.variables.keys()].filter((j) => isIdleDirection(model, j, values[j]!));
  if (idle.length > 0 && priceRanges(priceProgram(model, values, givenWay, new Set(idle), new Set()), 0) === undefined)
    return undefined;
  const enough: (readonly number[])[] = [];
  const found: Range[][] = [];
  for (let size = 0; size <= idle.length; size++) {
    for (const dropped of subsets(idle, size)) {
      if (!isOneALine(model, dropped) || enough.some((fewer) => fewer.every((j) => dropped.includes(j)))) continue;
      const ranges = withoutTests(model, values, givenWay, dropped);
      if (ranges.length === 0) continue;
      enough.push(dropped);
      found.push(...ranges);
    }
    if (found.length > 0 && (size === 0 || idle.length > mostIdle)) break;
  }
  return found.length > 0 ? hullOf(found) : undefined;
}

const isOneALine = ({ roles }: Model, dropped: readonly number[]): boolean =>
  new Set(dropped.map((j) => `${roles[j]!.direction!.line} ${roles[j]!.direction!.mtu}`)).size === dropped.length;

/** Whether a direction of a lossy line carries nothing, although it could or because it is shut. */
function isIdleDirection({ roles, variables }: Model, j: number, value: Rational): boolean {
  const { direction, isShut } = roles[j]!;
  return direction !== undefined && value.n === 0n && (isShut === true || variables[j]!.upper!.n !== 0n);
}

export const hullOf = (all: readonly (readonly Range[])[]): Range[] =>
  all[0]!.map((_, cell) => ({
    min: all.map((ranges) => ranges[cell]!.min).reduce(least),
    max: all.map((ranges) => ranges[cell]!.max).reduce(most),
  }));

function subsets<T>(all: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return all.flatMap((first, i) => subsets(all.slice(i + 1), size - 1).map((rest) => [first, ...rest]));
}

/** The ranges of prices where these directions are not tested, each for one end of each of them at a price of at most 0. */
function withoutTests(
  model: Model,
  values: readonly Rational[],
  givenWay: GivenWay,
  dropped: readonly number[],
): Range[][] {
  const ends = dropped.reduce<number[][]>(
    (all, j) => {
      const { from, to } = model.roles[j]!.direction!;
      return all.flatMap((cells) => [
        [...cells, from],
        [...cells, to],
      ]);
    },
    [[]],
  );
  return ends.flatMap((cells) => {
    const ranges = priceRanges(priceProgram(model, values, givenWay, new Set(dropped), new Set(cells)), model.cells);
    return ranges === undefined ? [] : [ranges];
  });
}

function priceRanges(program: Program | undefined, cells: number): Range[] | undefined {
  if (program === undefined) return undefined;
  const ends = Array.from({ length: cells }, (_, cell) => [
    new Map([[cell, negated(one)]]),
    new Map([[cell, one]]),
  ]).flat();
  const values = maximiseEach(program, ends);
  if (values === undefined) return undefined;
  return Array.from({ length: cells }, (_, cell) => ({
    min: values[2 * cell]![cell]!,
    max: values[2 * cell + 1]![cell]!,
  }));
}

/** Which of "gains nothing by more" and "gains nothing by less" must hold for a variable. */
function testsOf(model: Model, j: number, value: Rational, givenWay: GivenWay): { more: boolean; less: boolean } {
  const { lower, upper } = model.variables[j]!;
  const role = model.roles[j]!;
  if ((givenWay >= 2 && role.isRamped) || (givenWay >= 3 && role.isExchange)) return { more: false, less: false };
  if (role.isShut) return { more: true, less: false };
  if (lower !== undefined && upper !== undefined && compare(lower, upper) === 0) return { more: false, less: false };
  const more = upper === undefined || compare(value, upper) < 0;
  const less = lower === undefined || compare(value, lower) > 0;
  return { more: more && !(givenWay >= 1 && role.isLong === true), less };
}

/** Variables: the multiplier of each row of the model, that of a balance being its price; then slacks. Undefined: plainly empty. */
function priceProgram(
  model: Model,
  values: readonly Rational[],
  givenWay: GivenWay,
  dropped: ReadonlySet<number>,
  notPositive: ReadonlySet<number>,
): Program | undefined {
  const { priceLimits } = model.book;
  const bounds = model.rows.map((_, row) => {
    const isPrice = row < model.cells;
    return {
      lower: isPrice ? rational(priceLimits.min) : undefined,
      upper: notPositive.has(row)
        ? least(zero, rational(priceLimits.max))
        : isPrice
          ? rational(priceLimits.max)
          : undefined,
    };
  });
  const conditions: { terms: Map<number, Rational>; right: Rational; slack: -1 | 0 | 1 }[] = [];
  for (const [j, variable] of model.variables.entries()) {
    const { more, less } = dropped.has(j) ? { more: false, less: false } : testsOf(model, j, values[j]!, givenWay);
    if (!more && !less) continue;
    const terms = new Map<number, Rational>();
    for (const [row, factor] of variable.column) terms.set(row, plus(terms.get(row) ?? zero, factor));
    for (const [row, factor] of terms) if (factor.n === 0n) terms.delete(row);
    // More gains nothing: sum(factor * multiplier) >= its own gain.
    const right = minus(variable.gain, times(variable.curvature ?? zero, values[j]!));
    conditions.push({ terms, right, slack: more && less ? 0 : more ? -1 : 1 });
  }
  for (const { terms, atLeast } of model.noLoss) {
    const sums = new Map<number, Rational>();
    let right = negated(atLeast);
    for (const [j, gain] of terms) {
      right = plus(right, times(values[j]!, gain));
      for (const [row, factor] of model.variables[j]!.column)
        if (row < model.cells) sums.set(row, plus(sums.get(row) ?? zero, times(values[j]!, factor)));
    }
    for (const [row, factor] of sums) if (factor.n === 0n) sums.delete(row);
    conditions.push({ terms: sums, right, slack: 1 });
  }
  const rows: Rational[] = [];
  const columns: [number, Rational][][] = bounds.map(() => []);
  const slacks: Variable[] = [];
  for (const { terms, right, slack } of conditions) {
    const [only] = terms;
    if (only === undefined) {
      if (slack === 0 ? right.n !== 0n : sign(right) * slack < 0) return undefined;
    } else if (terms.size === 1) {
      const [row, factor] = only;
      const value = over(right, factor);
      const isUpper = slack === 0 || (slack === 1) === sign(factor) > 0;
      const isLower = slack === 0 || !isUpper;
      const { lower, upper } = bounds[row]!;
      bounds[row] = {
        lower: isLower ? (lower === undefined ? value : most(lower, value)) : lower,
        upper: isUpper ? (upper === undefined ? value : least(upper, value)) : upper,
      };
    } else {
      const row = rows.push(right) - 1;
      for (const [multiplier, factor] of terms) columns[multiplier]!.push([row, factor]);
      if (slack !== 0) slacks.push({ lower: zero, gain: zero, column: [[row, slack === 1 ? one : negated(one)]] });
    }
  }
  if (bounds.some(({ lower, upper }) => lower !== undefined && upper !== undefined && compare(lower, upper) > 0))
    return undefined;
  const multipliers = bounds.map((each, row) => ({ ...each, gain: zero, column: columns[row]! }));
  return { variables: [...multipliers, ...slacks], rows };
}
