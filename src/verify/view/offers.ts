/**
 * What each order offers, seen from outside: runs of megawatts on one side with a price that does not change, or changes evenly.
 *
 * The verifier's own reading of market rules 2.1 and formats: it shares none of it with the engine.
 */

import type { Book } from '../../market/book.ts';
import { AuctionError } from '../../market/errors.ts';
import type { BookOrder, CurveOrder } from '../../market/order.ts';
import type { Outcome } from '../../market/result.ts';
import { resolutionMinutes } from '../../market/time.ts';
import { dust } from '../numbers/tolerances.ts';

export interface Offer {
  readonly side: 'buy' | 'sell';
  /** Price of the first and of the last megawatt, in the order in which they are executed. */
  readonly first: number;
  readonly last: number;
  /** MW */
  readonly power: number;
}

/** An order with where it stands, what it offers, and what became of it. */
export interface Position {
  readonly id: string;
  readonly order: BookOrder;
  readonly zone: number;
  /** First MTU, from 0, and how many it covers. */
  readonly from: number;
  readonly span: number;
  readonly offers: readonly Offer[];
  /** MW executed of each offer. */
  readonly executed: readonly number[];
  /** MW, positive buys. */
  readonly net: number;
  readonly outcome: Outcome;
}

export const keyOf = ({ participant, record_id }: { participant?: string | undefined; record_id: string }): string =>
  `${participant ?? ''}/${record_id}`;

/** @throws AuctionError `invalid-book` for an order of a kind that this verifier does not know */
export function offersOf(order: BookOrder, book: Book): Offer[] {
  if (order.kind === 'limit') {
    return [{ side: order.side, first: order.price, last: order.price, power: order.power }];
  }
  if (order.kind === 'curve') return curveOffers(order, book.priceLimits);
  throw new AuctionError(
    'invalid-book',
    `order ${order.record_id}: results with orders of kind ${order.kind} can't be verified`,
  );
}

function curveOffers({ points, shape }: CurveOrder, limits: { min: number; max: number }): Offer[] {
  const offers: Offer[] = [];
  /** The net position falls from `before` to `after` MW while the price goes from `low` to `high`. */
  const fall = (before: number, after: number, low: number, high: number) => {
    if (before <= after) return;
    // At its ends the price is that of the point, to the last digit: others may stand there.
    const priceAt = (mw: number) => (mw === after ? high : low + ((before - mw) / (before - after)) * (high - low));
    const stillBought = Math.max(after, 0);
    if (before > stillBought) {
      offers.push({ side: 'buy', first: priceAt(stillBought), last: low, power: before - stillBought });
    }
    const soldAlready = Math.min(before, 0);
    if (soldAlready > after) {
      offers.push({ side: 'sell', first: priceAt(soldAlready), last: high, power: soldAlready - after });
    }
  };
  const begin = points[0]!;
  const end = points[points.length - 1]!;
  fall(0, begin.power, limits.min, limits.min);
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1]!, points[i]!];
    fall(a.power, b.power, shape === 'step' ? b.price : a.price, b.price);
  }
  fall(end.power, 0, limits.max, limits.max);
  return offers;
}

/** Every limit and curve order of the book beside its outcome; the others are in `units.ts`. The result has exactly one for each (`checks/structure.ts` has checked it). */
export function positionsOf(book: Book, outcomes: ReadonlyMap<string, Outcome>): Position[] {
  const zones = new Map(book.zones.map((id, i) => [id, i]));
  const simple = book.orders.filter(({ kind }) => kind === 'limit' || kind === 'curve');
  return simple.map((order) => {
    const offers = offersOf(order, book);
    const outcome = outcomes.get(keyOf(order))!;
    const power = outcome.power as number;
    const net = order.kind === 'limit' && order.side === 'sell' ? -power : power;
    const span = resolutionMinutes[order.resolution ?? book.resolution] / resolutionMinutes[book.resolution];
    const period = order.kind === 'limit' || order.kind === 'curve' ? order.period : 1;
    const from = (period - 1) * span;
    const executed = fill(offers, net);
    return { id: order.record_id, order, zone: zones.get(order.zone)!, from, span, offers, executed, net, outcome };
  });
}

/**
 * A net position fills the offers of its side, best price first. Where a slope begins at the price of a step the step comes first: its
 * price holds to its last megawatt, the slope's is worse from the second on (2.1).
 */
function fill(offers: readonly Offer[], net: number): number[] {
  const executed = offers.map(() => 0);
  const side = net > 0 ? 'buy' : 'sell';
  const sign = side === 'buy' ? -1 : 1;
  const best = offers.map((_, i) => i).filter((i) => offers[i]!.side === side);
  best.sort((a, b) => sign * (offers[a]!.first - offers[b]!.first) || sign * (offers[a]!.last - offers[b]!.last));
  let left = Math.abs(net);
  for (const i of best) {
    executed[i] = Math.min(left, offers[i]!.power);
    left -= executed[i]!;
    // What a difference of decimals leaves is nothing.
    if (left < dust(net)) left = 0;
  }
  return executed;
}

/** What a megawatt more of the offer gains at a price, when `done` MW are executed (currency/MWh). */
export function gainAt({ side, first, last, power }: Offer, done: number, price: number): number {
  const limit = first + ((last - first) * done) / power;
  return side === 'sell' ? price - limit : limit - price;
}

/** MW that serve the offer best at a price. */
export function bestAt(offer: Offer, price: number): number {
  const gain = gainAt(offer, 0, price);
  const width = Math.abs(offer.last - offer.first);
  if (gain <= 0) return 0;
  return width === 0 ? offer.power : offer.power * Math.min(1, gain / width);
}

/** Currency per hour that `done` MW of the offer are worth to who made it: positive for a buy, a cost for a sell. */
export function valueOfOffer({ side, first, last, power }: Offer, done: number): number {
  const mean = first + ((last - first) * done) / (2 * power);
  return side === 'buy' ? mean * done : -mean * done;
}

/** Currency per hour that `done` MW of the offer gain at a price. */
export const surplusAt = (offer: Offer, done: number, price: number): number =>
  valueOfOffer(offer, done) + (offer.side === 'sell' ? price * done : -price * done);
