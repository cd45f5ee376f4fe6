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
import { mostSurplus, type OrderSegments, outcomesOf, segmentsByOrder, toCents, valueOfSide } from './outcomes.ts';
import { midpointPrices } from './pricing.ts';
import { type Problem, problemOf } from './problem.ts';
import { clean, type Lots, roundToLots } from './rounding.ts';
import { meanPriceOf, shareAtTheMoney } from './sharing.ts';
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
  const found = findEquilibrium(problem, solver);
  const sharing = shareAtTheMoney(problem, found);
  const exact = midpointPrices(problem, sharing);
  const lots = roundToLots(problem, sharing);
  const published = exact.map((price) => onTick(price, book.priceLimits.tick ?? finestTick));
  const { periods } = problem;
  const rows = (values: Float64Array) => (zone: number) =>
    Array.from(values.subarray(zone * periods, (zone + 1) * periods));
  const byZone = (row: (zone: number) => number[]) => Object.fromEntries(book.zones.map((id, zone) => [id, row(zone)]));

  const byOrder = segmentsByOrder(problem);
  const welfare = toCents(welfareOf(problem, byOrder, lots));
  // What closed directions could have carried is in no bound by prices; there the search itself is the proof.
  const bound =
    found.proven && found.closed.includes(1)
      ? welfare
      : Math.max(welfare, toCents(Math.min(boundAt(problem, exact), boundAt(problem, found.dual))));
  const gap = (bound - welfare) / Math.max(1, Math.abs(bound));
  const result: Result = {
    merit: 'result/1',
    auction: book.auction,
    book: hash,
    status: found.proven ? 'optimal' : 'feasible',
    welfare,
    bound,
    gap,
    prices: byZone(rows(published)),
    netPositions: byZone(rows(lots.netPosition)),
    flows: flowsOf(problem, lots),
    orders: outcomesOf(problem, byOrder, sharing, lots, exact, published),
  };
  return { result, programs: found.programs };
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
