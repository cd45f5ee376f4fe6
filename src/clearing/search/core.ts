/**
 * A subset of the accepted orders that no prices support (a Madani-Van Vyve cut), found by the relaxation that scales each to [0, 1].
 *
 * Who is on and does not lose gains nothing by being scaled down. So where prices support an answer, it is worth no less than what the
 * free orders and some of its decisions make together when each may be scaled to anything between nothing and all. Decisions whose
 * scaled worth exceeds what a branch allows are therefore not all on in any supported answer of it. What has a minimum income may lose
 * by the welfare's measure: it stays as it is.
 */

import type { Problem } from '../model/problem.ts';
import { type Answer, gainsAt, type Master } from '../relaxation/master.ts';
import { boundsOf, emptyAnswer } from './answers.ts';
import { decisionsIn, type Made } from './made.ts';

/** Decisions that no supported answer has together, and what they are worth scaled down. */
export interface Core {
  readonly on: readonly number[];
  readonly scaled: Answer;
  /** MW left over by cell, where that is allowed (`Master.solveWithSpare`). */
  readonly spare?: Float64Array;
}

/**
 * Up to what ratio each decision can be scaled whatever ratio it has, and whatever the others do; 0 where that is not known. Who shares
 * a limit with others may have any ratio from its least on. A child that shares a limit may have less than its parent has, and repay the
 * parent's loss with all of it: scaled down together, the loss alone would shrink.
 *
 * @param rows  of the group
 */
export function scalableOf({ rows: all, decisions }: Problem, rows: readonly number[]): number[] {
  const limited = new Set(
    rows.flatMap((r) => {
      const { entries, low, high } = all[r]!;
      return [low, high].every((end) => end === 0 || !Number.isFinite(end)) ? [] : entries.map(([c]) => c);
    }),
  );
  return decisions.map(({ column, least, steps, parent }) =>
    steps.some((c) => limited.has(c)) ? 0 : !limited.has(column) ? 1 : steps.length === 0 && parent < 0 ? least : 0,
  );
}

/**
 * As few of these decisions as no supported answer can have together.
 *
 * @param own     decisions of the group
 * @param on      decisions that are on in an answer of the branch
 * @param enough  currency per hour: what no answer of the branch is worth
 * @param withSpare  power may be sold at the lowest price of the market and bought at the highest: there may be prices, but beyond its limits
 * @returns undefined where scaling does not say that there are any
 */
export function coreOf(
  problem: Problem,
  master: Master,
  own: readonly number[],
  scalable: readonly number[],
  branch: { readonly on: Made; readonly closed: Made },
  on: readonly number[],
  enough: number,
  withSpare = false,
): Core | undefined {
  const { decisions } = problem;
  const unscaled = on.filter((d) => decisions[d]!.test === 'none' || decisions[d]!.test === 'income');
  const scale = (kept: ReadonlySet<number>): Core & { readonly welfare: number } => {
    const off = own.filter((d) => !kept.has(d));
    const bounds = boundsOf(problem, unscaled, off, decisionsIn(branch.closed));
    for (const d of kept) {
      const { column, test } = decisions[d]!;
      if (test === 'surplus') bounds.upper[column] = Math.min(bounds.upper[column]!, scalable[d]!);
    }
    const scaled = emptyAnswer(problem);
    const worth = withSpare ? master.solveWithSpare(bounds, scaled) : master.solve(bounds, scaled);
    return { on: [...kept], scaled, welfare: -Infinity, ...worth };
  };
  const candidates = new Set(on.filter((d) => unscaled.includes(d) || scalable[d]! > 0));
  // Where limits leave no prices for the orders that no decision is about, it is not the decisions' doing.
  if (candidates.size === 0) return undefined;
  const all = scale(candidates);
  let slack = all.welfare - enough;
  if (slack <= 0) return undefined;
  if (withSpare) return all;
  // Greedy shrink of the cut: those with the smallest gains are left out while the rest is still worth more than `enough`.
  const gain = gainsAt(problem, master, all.scaled);
  const gainOf = (d: number) => Math.max(0, gain[decisions[d]!.column]!);
  const made = new Set([...decisionsIn(branch.on), ...unscaled]);
  const kept = new Set(candidates);
  for (const d of all.on.filter((each) => !made.has(each)).sort((a, b) => gainOf(a) - gainOf(b) || a - b)) {
    slack -= gainOf(d);
    if (slack <= 0) break;
    kept.delete(d);
  }
  if (kept.size === candidates.size || kept.size === 0) return all;
  const fewer = scale(kept);
  return fewer.welfare > enough ? fewer : all;
}
