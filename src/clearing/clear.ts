/**
 * Clearing: a sealed book in, a result out.
 *
 * A function of its arguments: no clock, no randomness, no input or output besides loading the solver. The same book gives
 * the same bytes on every machine. The steps, in the order of the market rules, section 4 and 5:
 *
 *   problem -> equilibrium (who trades) -> shares at the money -> prices -> whole lots -> outcome and reason of every order
 */

import type { Book } from '../market/book.ts';
import type { Result } from '../market/result.ts';
import { findEquilibrium } from './equilibrium.ts';
import { spreadOf } from './network/arcs.ts';
import {
  marginalLimit,
  mostSurplus,
  type OrderSegments,
  outcomesOf,
  segmentsByOrder,
  toCents,
  valueOfSide,
} from './outcomes.ts';
import { midpointPrices } from './pricing.ts';
import { type Problem, problemOf } from './problem.ts';
import { clean, type Lots, roundToLots } from './rounding.ts';
import { meanPriceOf, type Sharing, shareAtTheMoney } from './sharing.ts';
import { loadSolver, type Solver } from './solver/highs.ts';

/** Prices of a book that names no tick are published to a millionth. */
const finestTick = 1e-6;

export interface Clearing {
  readonly result: Result;
  /** For benchmarks and people; never part of the result. */
  readonly programs: number;
}

/**
 * Clear a book.
 *
 * @param book  the sealed book; `book/check-book.ts` has found nothing wrong with it
 * @param hash  `sha256:...` of its canonical form; it goes into the result
 * @throws AuctionError `invalid-book` when the book asks for what clearing does not take, or forces flows that can't be served
 */
export async function clear(book: Book, hash: string): Promise<Clearing> {
  return clearWith(await loadSolver(), book, hash);
}

/** The same with a solver that is loaded already. */
export function clearWith(solver: Solver, book: Book, hash: string): Clearing {
  const problem = problemOf(book);
  const answer = answerWithoutLoss(problem, solver);
  const { sharing, lots, exact, published, proven } = answer;
  const { periods } = problem;
  const rows = (values: Float64Array) => (zone: number) =>
    Array.from(values.subarray(zone * periods, (zone + 1) * periods));
  const byZone = (row: (zone: number) => number[]) => Object.fromEntries(book.zones.map((id, zone) => [id, row(zone)]));

  const byOrder = segmentsByOrder(problem);
  const welfare = toCents(welfareOf(problem, byOrder, lots));
  const bound = Math.max(welfare, toCents(answer.bound));
  const gap = (bound - welfare) / Math.max(1, Math.abs(bound));
  const result: Result = {
    merit: 'result/1',
    auction: book.auction,
    book: hash,
    status: proven ? 'optimal' : 'feasible',
    welfare,
    bound,
    gap,
    prices: byZone(rows(published)),
    netPositions: byZone(rows(lots.netPosition)),
    flows: flowsOf(problem, lots),
    orders: outcomesOf(problem, byOrder, sharing, lots, exact, published),
  };
  return { result, programs: answer.programs };
}

interface Answer {
  readonly sharing: Sharing;
  readonly lots: Lots;
  /** Prices as found and on the tick, by zone * periods + MTU. */
  readonly exact: Float64Array;
  readonly published: Float64Array;
  /** Money that no answer can exceed. */
  readonly bound: number;
  readonly proven: boolean;
  readonly programs: number;
}

/**
 * The best answer in which nobody loses.
 *
 * Prices within the market's limits may support no answer at all when an order over several MTUs meets an MTU at a limit
 * (`pricing.ts`). Not to be executed then is hard luck; to be executed at a loss is forbidden. So orders that would lose are left
 * out, and the rest is cleared again. What that costs at most the bound of the first round says.
 */
function answerWithoutLoss(problem: Problem, solver: Solver): Answer {
  const { book } = problem;
  const without = new Set<number>();
  let bound = 0;
  let programs = 0;
  for (;;) {
    const part = without.size === 0 ? problem : problemOf(book, without);
    const found = findEquilibrium(part, solver);
    const sharing = shareAtTheMoney(part, found);
    const exact = midpointPrices(part, found);
    const lots = roundToLots(part, sharing);
    const published = exact.map((price) => onTick(price, book.priceLimits.tick ?? finestTick));
    programs += found.programs;
    if (without.size === 0) {
      // What closed directions could have carried is in every bound by prices; there the search itself is the proof.
      const searched = found.proven && found.closed.includes(1);
      const byPrices = Math.min(boundAt(part, exact), boundAt(part, found.dual));
      bound = searched ? welfareOf(part, segmentsByOrder(part), lots) : byPrices;
    }
    const losers = losingOrders(part, lots, exact);
    if (losers.length === 0) {
      return { sharing, lots, exact, published, bound, proven: found.proven && without.size === 0, programs };
    }
    for (const order of losers) without.add(order);
  }
}

/** Orders over several MTUs that are executed beyond what the prices support. */
function losingOrders(problem: Problem, lots: Lots, prices: Float64Array): number[] {
  if (problem.nodes.length === problem.zones * problem.periods) return [];
  return segmentsByOrder(problem).flatMap(({ node: index, segments }, order) => {
    const node = problem.nodes[index];
    if (node === undefined || node.span === 1) return [];
    const net = lots.bought[order]! - lots.sold[order]!;
    const side = net > 0 ? 'buy' : 'sell';
    const limit = marginalLimit(segments, side, Math.abs(net));
    const price = meanPriceOf(problem, node, prices);
    return (side === 'sell' ? limit - price : price - limit) > 1e-4 ? [order] : [];
  });
}

/** Half away from zero; without the crumbs that a division by 0.01 leaves. */
function onTick(price: number, tick: number): number {
  const ticks = Math.abs(price) / tick;
  const rounded = Math.sign(price) * Math.floor(ticks + 0.5 + 1e-7) * tick;
  const decimals = Math.max(0, Math.ceil(-Math.log10(tick)) + 2);
  return Number(rounded.toFixed(decimals)) + 0;
}

/** Money: what executed buys value less what executed sells ask, less the tariffs of the flows. */
function welfareOf(problem: Problem, byOrder: readonly OrderSegments[], lots: Lots): number {
  const { nodes, arcs, hours, periods } = problem;
  let welfare = 0;
  byOrder.forEach(({ node, segments }, k) => {
    if (node < 0) return;
    const perHour = valueOfSide(segments, 'buy', lots.bought[k]!) - valueOfSide(segments, 'sell', lots.sold[k]!);
    welfare += perHour * hours * nodes[node]!.span;
  });
  arcs.forEach((arc, a) => {
    if (arc.tariff > 0) for (let t = 0; t < periods; t++) welfare -= arc.tariff * lots.flow[a * periods + t]! * hours;
  });
  return welfare;
}

/** Money that no answer can exceed: what everybody could gain at these prices, orders and arcs (Lagrangian bound). */
function boundAt(problem: Problem, prices: Float64Array): number {
  const { nodes, arcs, hours, periods } = problem;
  let bound = 0;
  for (const node of nodes) bound += mostSurplus(node.segments, meanPriceOf(problem, node, prices)) * hours * node.span;
  for (const arc of arcs) {
    for (let t = 0; t < periods; t++) {
      const spread = spreadOf(arc, prices[arc.from * periods + t]!, prices[arc.to * periods + t]!);
      bound += Math.max(spread * arc.least[t]!, spread * arc.most[t]!) * hours;
    }
  }
  return bound;
}

/** Net flow of each line per MTU, in MW sent, from -> to positive. */
function flowsOf({ book, arcs, periods }: Problem, lots: Lots): Record<string, number[]> {
  const flows = Object.fromEntries(book.lines.map(({ id }) => [id, new Array<number>(periods).fill(0)]));
  arcs.forEach((arc, a) => {
    const row = flows[book.lines[arc.line]!.id]!;
    for (let t = 0; t < periods; t++) row[t] = clean(row[t]! + arc.sign * lots.flow[a * periods + t]!);
  });
  return flows;
}
