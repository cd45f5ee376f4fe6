/**
 * What would have been with an order in: the book cleared again with the order on, whatever it loses.
 *
 * All other rules hold: nobody else may lose, and everybody who trades freely accepts the prices. So the answer says what the order's
 * acceptance would have done to welfare, prices and others, and who would have paid for it: the order itself, the other leg of its
 * loop, or the parents that have to be on for it.
 */

import type { Book } from '../../market/book.ts';
import { AuctionError } from '../../market/errors.ts';
import type { BookOrder } from '../../market/order.ts';
import type { Outcome, Result } from '../../market/result.ts';
import { hoursOf } from '../../market/time.ts';
import { type ClearingBudget, clearProblem } from '../clear.ts';
import { type Problem, problemOf } from '../model/problem.ts';
import { toCents } from '../model/units.ts';
import { loadSolver } from '../solver/highs.ts';
import { inPrice } from '../tolerances.ts';

export interface Counterfactual {
  /** `feasible`: the search stopped at its budget, and there may be a better answer with the order in. */
  readonly status: Result['status'];
  /** Money; the difference is to the published result, negative where the order's acceptance costs more than it brings. */
  readonly welfare: number;
  readonly welfareDifference: number;
  readonly gap: number;
  /** What would have become of the order, and the money it would have gained; negative: lost. */
  readonly outcome: Outcome;
  readonly gain: number;
  /** Who would have lost, and how much money: the order itself, its partner, its parents. */
  readonly losers: readonly { readonly record_id: string; readonly loss: number }[];
  readonly prices: readonly PriceChange[];
  /** Orders that would have got another outcome, or gained less or more; who would have gained least of it first. */
  readonly others: readonly Change[];
}

export interface PriceChange {
  readonly zone: string;
  readonly period: number;
  readonly published: number;
  readonly instead: number;
}

export interface Change {
  readonly record_id: string;
  readonly participant?: string;
  readonly published: Outcome['status'];
  readonly instead: Outcome['status'];
  /** Money that it would have gained more. */
  readonly difference: number;
}

/**
 * @param result  the published result of the book
 * @param index  of an order under a yes or no (block, flexible, complex), rejected by the result
 * @returns undefined when no choice of the other orders serves it
 */
export async function withOrderIn(
  book: Book,
  result: Result,
  index: number,
  budget: ClearingBudget = {},
): Promise<Counterfactual | undefined> {
  const solver = await loadSolver();
  let instead: Result;
  try {
    instead = clearProblem(solver, book, result.book, budget, (without) =>
      forcedOn(problemOf(book, without), index, result),
    ).result;
  } catch (error) {
    if (error instanceof AuctionError && error.code === 'invalid-book') return undefined;
    throw error;
  }
  const { status, welfare, gap, orders } = instead;
  const published = new Map(result.orders.map((outcome) => [keyOf(outcome), outcome]));
  const gains = orders.map((outcome, k) => gainOf(book, book.orders[k]!, outcome, instead));
  const others = orders.flatMap((outcome, k): Change[] => {
    const before = published.get(keyOf(outcome));
    if (before === undefined || k === index) return [];
    const { record_id, participant } = outcome;
    const difference = toCents(gains[k]! - gainOf(book, book.orders[k]!, before, result));
    if (difference === 0 && outcome.status === before.status) return [];
    const who = { record_id, ...(participant !== undefined && { participant }) };
    return [{ ...who, published: before.status, instead: outcome.status, difference }];
  });
  const inAnyCase = forcedOn(problemOf(book), index, result).decisions.flatMap(({ test, orders }) =>
    test === 'none' ? orders : [],
  );
  return {
    status,
    welfare,
    welfareDifference: toCents(welfare - result.welfare),
    gap,
    outcome: orders[index]!,
    gain: toCents(gains[index]!),
    losers: inAnyCase
      .filter((k) => toCents(gains[k]!) < 0)
      .map((k) => ({ record_id: orders[k]!.record_id, loss: toCents(-gains[k]!) })),
    prices: priceChanges(result, instead),
    others: others.sort((a, b) => a.difference - b.difference),
  };
}

const keyOf = ({ record_id, participant }: Pick<Outcome, 'record_id' | 'participant'>): string =>
  `${participant ?? ''}/${record_id}`;

/** Money gained at the result's prices by what is executed. What is executed in part is at the money, or a block in its ratio. */
function gainOf(book: Book, order: BookOrder, { surplus, ratio, power }: Outcome, { prices }: Result): number {
  if (order.kind !== 'complex') return surplus * (ratio ?? 1);
  // The surplus of a complex order is that of the schedule it would choose; what it is given may be less.
  if (ratio !== 1) return 0;
  const hours = hoursOf(book.resolution);
  const sign = order.side === 'sell' ? 1 : -1;
  const span = hoursOf(order.resolution ?? book.resolution) / hours;
  let [income, asked, mwh] = [0, 0, 0];
  [power].flat().forEach((mw, t) => {
    const steps = order.steps
      .filter(({ period }) => Math.ceil((t + 1) / span) === period)
      .sort((a, b) => sign * (a.price - b.price));
    // Each step's least first, then by merit.
    let left = mw - steps.reduce((sum, step) => sum + (step.minAcceptance ?? 0) * step.power, 0);
    for (const { price, power, minAcceptance = 0 } of steps) {
      const more = Math.min(Math.max(0, left), (1 - minAcceptance) * power);
      left -= more;
      asked += price * (minAcceptance * power + more) * hours;
    }
    income += mw * prices[order.zone]![t]! * hours;
    mwh += mw * hours;
  });
  const terms = order.condition === undefined ? 0 : order.fixedTerm + order.variableTerm * mwh;
  return order.condition === 'minimum-income' ? income - terms : sign * (income - asked) - terms;
}

/**
 * The problem with an order on, and its parents, which are on whenever it is. Of a flexible order the start that gains most; an order
 * with minimum acceptance 0 is on in full.
 */
function forcedOn(problem: Problem, index: number, { prices }: Result): Problem {
  const { decisions, columns, book, periods, units } = problem;
  const gain = (d: number): number => {
    const { cells, cost } = columns[decisions[d]!.column]!;
    const price = (cell: number) =>
      prices[book.zones[Math.floor(cell / periods)]!]![cell % periods]! * 10 ** units.price;
    return cells.reduce((sum, [cell, mw]) => sum + mw * price(cell), -cost);
  };
  const own = [...decisions.keys()].filter((d) => decisions[d]!.orders.includes(index));
  const [best] = own.sort((a, b) => gain(b) - gain(a) || a - b);
  const forced = new Set<number>();
  for (let d = best ?? -1; d >= 0; d = decisions[d]!.parent) forced.add(d);
  return {
    ...problem,
    decisions: decisions.map((one, d) => (forced.has(d) ? { ...one, test: 'none', least: one.least || 1 } : one)),
  };
}

const priceChanges = (published: Result, instead: Result): PriceChange[] =>
  Object.entries(published.prices).flatMap(([zone, series]) =>
    series.flatMap((price, t) => {
      const other = instead.prices[zone]![t]!;
      return Math.abs(other - price) < inPrice.moved ? [] : [{ zone, period: t + 1, published: price, instead: other }];
    }),
  );
