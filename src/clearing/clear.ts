/**
 * Clearing: a sealed book in, a result out.
 *
 * A function of its arguments: no clock, no randomness, no input or output besides loading the solver. The same book gives
 * the same bytes on every machine. The steps, in the order of the market rules, section 4 and 5:
 *
 *   problem -> equilibrium (who trades) -> shares at the money -> prices -> whole lots -> outcome and reason of every order
 */

import assert from 'node:assert/strict';
import type { Book } from '../market/book.ts';
import { leastStep } from '../market/bounds.ts';
import type { BookOrder } from '../market/order.ts';
import type { Proof, ProofGroup } from '../market/proof.ts';
import type { OrderName, Result } from '../market/result.ts';
import { resolutionMinutes } from '../market/time.ts';
import { meanPriceOf } from './indeterminacy/open.ts';
import { type Sharing, shareAtTheMoney } from './indeterminacy/sharing.ts';
import { profileOf } from './model/blocks.ts';
import { compareIds, type Problem, problemOf } from './model/problem.ts';
import { moneyIn, priceIn, published as publishedIn, toCents } from './model/units.ts';
import { midpointPrices } from './prices/midpoint.ts';
import { noLossRules, sumAt, yieldingOrder } from './prices/rules.ts';
import { decidedOutcomes } from './report/decided-outcomes.ts';
import { withExcluded, withoutOrders } from './report/excluded.ts';
import { marginalLimit, type OrderSegments, outcomesOf, segmentsByOrder, valueOfSide } from './report/outcomes.ts';
import { type Lots, roundToLots } from './rounding/rounding.ts';
import { clean, toLots } from './rounding/traded.ts';
import { readCheckpoint, writeCheckpoint } from './search/checkpoint.ts';
import { type Equilibrium, findEquilibrium } from './search/equilibrium.ts';
import type { Budget } from './search/standing.ts';
import { loadSolver, type Solver } from './solver/highs.ts';
import { inMoney, inPrice } from './tolerances.ts';

/** Prices of a book that names no tick are published to a millionth. */
const finestTick = leastStep;

export interface Clearing {
  readonly result: Result;
  /** Whether the search stopped at its budget. */
  readonly stopped: boolean;
  /** Where it goes on then, where that was asked for and can be written down. */
  readonly checkpoint?: string;
  /** What shows that no answer is worth more than the bound, where it was asked for. */
  readonly proof?: Proof;
  /** For benchmarks and people; never part of the result. */
  readonly programs: number;
  /** Programs of all kinds by the settings of the solver that answered them (`solver/highs.ts`); last those whose answers were all off. */
  readonly solved: readonly number[];
}

/**
 * Clear a book.
 *
 * @param book  the sealed book; `book/check-book.ts` has found nothing wrong with it
 * @param hash  `sha256:...` of its canonical form; it goes into the result
 * @throws AuctionError `invalid-book` when the book asks for what clearing does not take, or forces flows that can't be served;
 *         `invalid-checkpoint` when the search can't go on from the budget's
 */
export async function clear(book: Book, hash: string, budget?: ClearingBudget): Promise<Clearing> {
  return clearWith(await loadSolver(), book, hash, budget);
}

/**
 * What a clearing may spend: at the end of it the best answer so far is the result, `feasible`, with its gap. In any case the search
 * goes on until there is an answer.
 */
export interface ClearingBudget {
  /** Branches of the search that may be looked at. The same count gives the same bytes on every machine. */
  readonly branches?: number;
  /** The search stops once this is true. For a caller with a clock, clearing has none; where it stops is then no machine's but the clock's. */
  readonly until?: () => boolean;
  /** Whether a search that stops is to say where it goes on. */
  readonly keeps?: boolean;
  /** Go on where the clearing that gave it stopped. */
  readonly checkpoint?: string;
  /** Write down the proof; of a whole search only, not of one that goes on. */
  readonly proves?: boolean;
  /** Orders that the operator leaves out: the result is of the book without them, and names them. */
  readonly excluded?: readonly OrderName[];
}

/** The same with a solver that is loaded already. */
export function clearWith(solver: Solver, book: Book, hash: string, budget: ClearingBudget = {}): Clearing {
  const { excluded = [], ...rest } = budget;
  const part = excluded.length === 0 ? book : withoutOrders(book, excluded);
  const before = solver.tally.slice();
  const found = clearProblem(solver, part, hash, rest, (without) => problemOf(part, without));
  const clearing = { ...found, solved: solver.tally.map((count, k) => count - before[k]!) };
  return excluded.length === 0 ? clearing : { ...clearing, result: withExcluded(book, excluded, clearing.result) };
}

/** @param problemWithout  the book's problem without these orders; another than its own asks what would be */
export function clearProblem(
  solver: Solver,
  book: Book,
  hash: string,
  budget: ClearingBudget,
  problemWithout: (orders: ReadonlySet<number>) => Problem,
): Omit<Clearing, 'solved'> {
  const problem = problemWithout(new Set());
  const answer = answerWithoutLoss(problem, hash, solver, budget, problemWithout);
  const { part, sharing, lots, exact, published, proven } = answer;
  const { periods, units } = problem;
  const { mw, outcome } = publishedIn(units);
  const byZone = (values: Float64Array, as: (value: number) => number) =>
    Object.fromEntries(
      book.zones.map((id, zone) => [id, Array.from(values.subarray(zone * periods, (zone + 1) * periods), as)]),
    );

  const byOrder = segmentsByOrder(problem);
  const welfare = toCents(moneyIn(units, welfareOf(part, part === problem ? byOrder : segmentsByOrder(part), lots)));
  const bound = Math.max(welfare, toCents(moneyIn(units, answer.bound)));
  const gap = (bound - welfare) / Math.max(1, Math.abs(bound));
  const others = decidedOutcomes(part, solver, lots, published, answer.less);
  const result: Result = {
    merit: 'result/1',
    auction: book.auction,
    book: hash,
    status: proven ? 'optimal' : 'feasible',
    welfare,
    bound,
    gap,
    prices: byZone(published, (price) => priceIn(units, price)),
    netPositions: byZone(lots.netPosition, mw),
    flows: flowsOf(problem, lots, mw),
    orders: outcomesOf(problem, byOrder, sharing, lots, exact, published, others).map(outcome),
  };
  const { programs, stopped, checkpoint, groups } = answer;
  const proof: Proof | undefined = groups && { merit: 'proof/2', auction: book.auction, book: hash, groups };
  return {
    result,
    programs,
    stopped,
    ...(checkpoint !== undefined && { checkpoint }),
    ...(proof !== undefined && { proof }),
  };
}

interface Cleared {
  /** The problem without the orders that were left out. */
  readonly part: Problem;
  readonly sharing: Sharing;
  readonly lots: Lots;
  /** Prices as found and on the tick, by zone * periods + MTU. */
  readonly exact: Float64Array;
  readonly published: Float64Array;
  /** Columns of orders over several MTUs that are executed less than their mean price asks. */
  readonly less: ReadonlySet<number>;
  /** Money that no answer can exceed. */
  readonly bound: number;
  readonly proven: boolean;
  readonly programs: number;
  readonly stopped: boolean;
  readonly checkpoint: string | undefined;
  readonly groups: readonly ProofGroup[] | undefined;
}

/**
 * The best answer in which nobody loses.
 *
 * Prices within the market's limits may support no answer at all when an order over several MTUs meets an MTU at a limit
 * (`prices/midpoint.ts`). A paradoxical rejection is allowed, a paradoxical acceptance is not. So orders that would lose are left
 * out, and the rest is cleared again. What that costs at most the bound of the first round says. A checkpoint is of the first
 * round that is not done: the later ones may come out otherwise.
 */
function answerWithoutLoss(
  problem: Problem,
  hash: string,
  solver: Solver,
  budget: ClearingBudget,
  makeProblem: (orders: ReadonlySet<number>) => Problem,
): Cleared {
  const { book } = problem;
  assert(!budget.proves || budget.checkpoint === undefined, 'the proof of a search begins with it');
  const problemWithout = (orders: ReadonlySet<number>) => (orders.size === 0 ? problem : makeProblem(orders));
  const left: Budget = { branches: budget.branches ?? Infinity, until: budget.until };
  const start = budget.checkpoint === undefined ? undefined : readCheckpoint(budget.checkpoint, hash, problemWithout);
  const without = new Set(start?.without);
  let from = start?.groups;
  let bound = start?.bound ?? 0;
  let programs = 0;
  let stopped = false;
  let checkpoint: string | undefined;
  let groups: ProofGroup[] | undefined;
  for (;;) {
    const part = from === undefined ? problemWithout(without) : start!.problem;
    // What the orders that lose would have made it worth bounds what is left without them: the proof is of the first round.
    const proves = budget.proves === true && groups === undefined;
    const found = findEquilibrium(part, solver, left, from, proves);
    if (proves) groups = found.groups.flatMap(({ proof }) => proof ?? []);
    from = undefined;
    const { sharing, exact, less } = sharesAndPrices(part, solver, found);
    const lots = roundToLots(part, solver, sharing);
    const published = exact.map((price) => onTick(price, book.priceLimits.tick ?? finestTick));
    programs += found.programs;
    if (without.size === 0) bound = found.bound;
    if (!stopped && found.groups.some(({ open }) => open.length > 0)) {
      stopped = true;
      if (budget.keeps) checkpoint = checkpointOf(part, hash, found.groups, { without, bound });
    }
    const losers = losingOrders(part, found, lots, exact);
    if (losers.length === 0) {
      const proven = found.proven && without.size === 0;
      return { part, sharing, lots, exact, published, less, bound, proven, programs, stopped, checkpoint, groups };
    }
    for (const order of losers) without.add(order);
  }
}

/** `undefined` where it would be longer than a text can be: the answer that was found does not depend on it. */
function checkpointOf(...of: Parameters<typeof writeCheckpoint>): string | undefined {
  try {
    return writeCheckpoint(...of);
  } catch (error) {
    if (error instanceof RangeError && /string length/.test(error.message)) return undefined;
    throw error;
  }
}

function sharesAndPrices(
  problem: Problem,
  solver: Solver,
  found: Equilibrium,
): { sharing: Sharing; exact: Float64Array; less: ReadonlySet<number> } {
  // A minimum income can depend on volumes at the money: then the order keeps those it was found with.
  const kept = { decisions: new Set<number>(), nodes: new Set<number>() };
  const size = () => kept.decisions.size + kept.nodes.size;
  for (;;) {
    const before = size();
    const sharing = shareAtTheMoney(problem, solver, found, kept);
    const { prices: exact, unsupported, less } = midpointPrices(problem, solver, found, sharing);
    for (const rule of noLossRules(problem, found.on, sharing))
      if (sumAt(rule, exact) < rule.low - inMoney.met) kept.decisions.add(rule.decision);
    // Orders over several MTUs that gave way stay as they are where they are at the money: no prices support more of them.
    for (const group of unsupported) keepLonger(problem, found, group, kept);
    if (size() === before) return { sharing, exact, less };
  }
}

function keepLonger(
  { nodes, columns, decisions }: Problem,
  found: Equilibrium,
  group: number,
  kept: { decisions: Set<number>; nodes: Set<number> },
): void {
  const { part, best } = found.groups[group]!;
  if (best!.level > yieldingOrder.length) return;
  const here = new Set(part.columns);
  for (const i of part.nodes) if (nodes[i]!.span > 1) kept.nodes.add(i);
  for (const [d, { column, test }] of decisions.entries())
    if (test === 'free' && here.has(column) && columns[column]!.cells.length > 1) kept.decisions.add(d);
}

/** Orders and blocks over several MTUs that are executed at a loss, where no prices keep even the rules that never give way. */
function losingOrders(problem: Problem, found: Equilibrium, lots: Lots, prices: Float64Array): number[] {
  const hard = found.groups.filter(({ best }) => best!.level > yieldingOrder.length);
  if (hard.length === 0) return [];
  const nodes = new Set(hard.flatMap(({ part }) => part.nodes));
  const columns = new Set(hard.flatMap(({ part }) => part.columns));
  const orders = segmentsByOrder(problem).flatMap(({ node: index, segments }, order) => {
    const node = problem.nodes[index];
    if (node === undefined || node.span === 1 || !nodes.has(index)) return [];
    const net = lots.bought[order]! - lots.sold[order]!;
    const side = net > 0 ? 'buy' : 'sell';
    const limit = marginalLimit(segments, side, Math.abs(net));
    const price = meanPriceOf(problem, node, prices);
    return (side === 'sell' ? limit - price : price - limit) > inPrice.loss ? [order] : [];
  });
  const blocks = problem.decisions.flatMap(({ test, column, orders: own }) => {
    if (test !== 'free' || !columns.has(column) || lots.value[column] === 0) return [];
    const { cells, cost } = problem.columns[column]!;
    const size = cells.reduce((sum, [, mw]) => sum + Math.abs(mw), 0);
    const gain = cells.reduce((sum, [cell, mw]) => sum + mw * prices[cell]!, -cost);
    return gain < -inPrice.loss * size ? [...own] : [];
  });
  const losers = [...orders, ...blocks];
  if (losers.length > 0) return losers;
  // Nobody loses, but a rule that never gives way is broken: of the orders over several MTUs the one that trades least goes.
  const longer = segmentsByOrder(problem).flatMap(({ node: index }, order) =>
    index >= 0 && problem.nodes[index]!.span > 1 && nodes.has(index)
      ? [{ order, mw: lots.bought[order]! + lots.sold[order]! }]
      : [],
  );
  const free = problem.decisions.flatMap(({ test, column, orders: own }) =>
    test === 'free' && columns.has(column) && problem.columns[column]!.cells.length > 1
      ? [{ order: own[0]!, mw: lots.value[column]! }]
      : [],
  );
  const byVolume = [...longer, ...free].sort(
    (a, b) => a.mw - b.mw || compareIds(problem.book.orders[a.order]!, problem.book.orders[b.order]!),
  );
  return byVolume.slice(0, 1).map(({ order }) => order);
}

/** Half away from zero; without the crumbs that a division by 0.01 leaves, or the solver that found the price. */
function onTick(price: number, tick: number): number {
  const ticks = Math.abs(price) / tick;
  const crumbs = Math.max(inPrice.halfTick, inPrice.found / tick);
  const rounded = Math.sign(price) * Math.floor(ticks + 0.5 + crumbs) * tick;
  const decimals = Math.max(0, Math.ceil(-Math.log10(tick)) + 2);
  return Number(rounded.toFixed(decimals)) + 0;
}

/** Money: what executed buys value less what executed sells ask, less the tariffs of the flows. */
function welfareOf(problem: Problem, byOrder: readonly OrderSegments[], lots: Lots): number {
  const { book, lot, nodes, hours, columns, decisions } = problem;
  let welfare = 0;
  byOrder.forEach(({ node, segments }, k) => {
    if (node < 0) return;
    const perHour = valueOfSide(segments, 'buy', lots.bought[k]!) - valueOfSide(segments, 'sell', lots.sold[k]!);
    welfare += perHour * hours * nodes[node]!.span;
  });
  const blocks = new Map(
    decisions.flatMap(({ column, steps, orders }) => (steps.length === 0 ? [[column, orders]] : [])),
  );
  columns.forEach(({ cost }, c) => {
    const ratio = lots.value[c]!;
    const orders = blocks.get(c);
    if (orders === undefined || ratio === 1) welfare -= cost * ratio * hours;
    else for (const order of orders) welfare += blockWorth(book, book.orders[order]!, ratio, lot) * hours;
  });
  return welfare;
}

/** Currency per hour that what is executed of a block is worth to its owner, in the whole lots it gets in each MTU. */
function blockWorth(book: Book, order: BookOrder, ratio: number, lot: number): number {
  if (order.kind !== 'block') return 0;
  const span = resolutionMinutes[order.resolution ?? book.resolution] / resolutionMinutes[book.resolution];
  const sign = order.side === 'buy' ? 1 : -1;
  return profileOf(order).reduce((sum, { power }) => sum + sign * order.price * toLots(power * ratio, lot) * span, 0);
}

/** Net flow of each line per MTU, in MW sent, from -> to positive. */
function flowsOf({ book, arcs, periods }: Problem, lots: Lots, mw: (flow: number) => number): Record<string, number[]> {
  const flows = new Map(book.lines.map(({ id }) => [id, new Array<number>(periods).fill(0)]));
  arcs.forEach((arc, a) => {
    const row = flows.get(book.lines[arc.line]!.id)!;
    for (let t = 0; t < periods; t++) row[t] = clean(row[t]! + arc.sign * lots.value[a * periods + t]!);
  });
  return Object.fromEntries([...flows].map(([id, row]) => [id, row.map(mw)]));
}
