/**
 * What a branch of the search divides by: a fractional decision, or the direction of a line with losses; and which decisions go together.
 */

import type { Part, Problem } from '../model/problem.ts';
import { type Answer, samePrice } from '../relaxation/master.ts';
import { inPower, inRatio } from '../tolerances.ts';

/**
 * A ratio this near to 0 or to its least counts as there: what is off is a rounding error of MW. A part of a lot is none: other decisions may
 * have been made for it.
 */
function wholeWithin({ decisions, columns }: Problem, d: number): number {
  const { column, steps } = decisions[d]!;
  let largest = 0;
  for (const [, mw] of columns[column]!.cells) largest = Math.max(largest, Math.abs(mw));
  for (const step of steps) largest = Math.max(largest, columns[step]!.most);
  return Math.max(inRatio.noise, Math.min(inRatio.whole, inPower.nothing / largest));
}

/** Decisions that are on. What the program leaves of those that are off is taken off, and a ratio within it of its least is there. */
export function decidedOn(problem: Problem, decisions: readonly number[], { value }: Answer): number[] {
  return decisions.filter((d) => {
    const { column, least } = problem.decisions[d]!;
    const [ratio, near] = [value[column]!, wholeWithin(problem, d)];
    if (ratio <= near) value[column] = 0;
    else if (Math.abs(ratio - least) <= near) value[column] = least;
    return ratio > near;
  });
}

/** Branching variable: the most fractional undecided decision, weighted by its MW; undefined when all are whole. */
export function mostFractional(problem: Problem, open: readonly number[], { value }: Answer): number | undefined {
  const { decisions, columns } = problem;
  let most = 0;
  let found: number | undefined;
  for (const d of open) {
    const { column, least } = decisions[d]!;
    // Without a minimum acceptance the ratio is continuous: nothing to branch on.
    const ratio = least === 0 ? 0 : value[column]! / least;
    const whole = wholeWithin(problem, d);
    if (ratio <= whole || ratio >= 1 - whole) continue;
    const size = columns[column]!.cells.reduce((sum, [, mw]) => sum + Math.abs(mw), 0);
    const doubt = (0.5 - Math.abs(ratio - 0.5)) * (1 + size);
    if (doubt <= most) continue;
    most = doubt;
    found = d;
  }
  return found;
}

/**
 * At negative prices a line with losses would gain from carrying both directions at once, burning power. It may not (INV-17).
 * The columns of the first line that does, the one that carries less first; undefined when none does.
 */
export function bothDirections({ arcs, periods }: Problem, part: Part, { value }: Answer): number[] | undefined {
  for (const at of part.columns) {
    const a = Math.floor(at / periods);
    if (a + 1 >= arcs.length || arcs[a]!.line !== arcs[a + 1]!.line) continue;
    const other = at + periods;
    if (Math.min(value[at]!, value[other]!) <= samePrice) continue;
    return value[at]! < value[other]! ? [at, other] : [other, at];
  }
  return undefined;
}

/**
 * The directions of a line with losses over which burning power would pay: while neither is shut both have to be tested, and no prices
 * within the limits may pass both tests (market rules, section 3.1; INV-18).
 */
export function undecidedDirection(
  { arcs, periods, columns }: Problem,
  part: Part,
  closed: readonly number[],
  { price }: Answer,
): number[] | undefined {
  const isClosed = new Set(closed);
  for (const at of part.columns) {
    const a = Math.floor(at / periods);
    if (a + 1 >= arcs.length || arcs[a]!.line !== arcs[a + 1]!.line || arcs[a]!.loss === 0) continue;
    const ways = [at, at + periods];
    if (ways.some((c) => isClosed.has(c) || columns[c]!.least > 0)) continue;
    if (ways.every((c) => columns[c]!.most === 0)) continue;
    // Sending power there and back pays where what is lost of it is worth less than the tariffs.
    const { loss, tariff, from, to } = arcs[a]!;
    const [one, other] = [from, to].map((zone) => price[zone * periods + (at % periods)]!) as [number, number];
    if (loss * (one + other) + 2 * tariff <= samePrice) return ways;
  }
  return undefined;
}

/** Must this decision, beside some of these, take a part of the unit that an exclusive group has, and is there room for it? */
export function takesPart({ decisions, rows }: Problem, part: Part, d: number, on: ReadonlySet<number>): boolean {
  const { column, least } = decisions[d]!;
  if (least === 0 || least === 1) return false;
  const leasts = new Map([...on].map((other) => [decisions[other]!.column, decisions[other]!.least]));
  return part.rows.some((r) => {
    const { entries, high } = rows[r]!;
    if (high !== 1 || !entries.some(([c]) => c === column)) return false;
    const beside = entries.flatMap(([c]) => leasts.get(c) ?? []);
    return beside.length > 0 && beside.reduce((sum, each) => sum + each, least) <= 1;
  });
}

/** May it be on beside these: its parent is, and its group has room? */
export function fitsBeside({ decisions, rows }: Problem, part: Part, d: number, on: ReadonlySet<number>): boolean {
  const { parent, column } = decisions[d]!;
  if (parent >= 0 && !on.has(parent)) return false;
  const columns = new Set([...on].map((other) => decisions[other]!.column));
  return part.rows.every((r) => {
    const { entries, high } = rows[r]!;
    if (high !== 1 || !entries.some(([c]) => c === column)) return true;
    return !entries.some(([c]) => columns.has(c));
  });
}

/** These without a decision and what is linked below it. */
export function withoutFamily({ decisions }: Problem, on: ReadonlySet<number>, gone: number): Set<number> {
  const left = new Set(on);
  const remove = (d: number): void => {
    left.delete(d);
    for (const child of on) if (decisions[child]!.parent === d) remove(child);
  };
  remove(gone);
  return left;
}
