/**
 * Trades: what each order bought or sold in each contract, and for how much (market rules, section 8).
 *
 * A contract is one zone in one market time unit. An order has at most one trade in it, at the zone's price; a block too, whose mean
 * price is no price, and an order over an hour has one in each quarter. Nothing here knows storage or HTTP.
 */

import assert from 'node:assert/strict';
import { exact, exactHours, times, toCents, toNumber } from '../../market/amounts.ts';
import type { Book } from '../../market/book.ts';
import type { OrderKind } from '../../market/order.ts';
import type { Result } from '../../market/result.ts';
import { periodStart } from '../../market/time.ts';
import { executedUnits } from '../views/executed-volumes.ts';
import { nameOf } from '../views/settled-order.ts';

export interface Trade {
  readonly participant?: string;
  readonly portfolio?: string;
  readonly record_id: string;
  readonly kind: OrderKind;
  readonly zone: string;
  /** Market time unit, 1-based. */
  readonly period: number;
  /** First instant of delivery, and the first after it: UTC. */
  readonly start: string;
  readonly end: string;
  readonly side: 'buy' | 'sell';
  /** MW, above 0. */
  readonly power: number;
  /** Currency/MWh, of the zone. */
  readonly price: number;
  readonly hours: number;
  /** MWh: power times hours. */
  readonly energy: number;
  /** Price times power times hours in whole cents: what a buyer pays and a seller gets, or the other way where it is negative. */
  readonly amountCents: number;
}

/** The trades of an auction: by order as the book has them, then by market time unit. */
export function tradesOf(book: Book, result: Pick<Result, 'orders' | 'prices'>): Trade[] {
  const outcomes = new Map(result.orders.map((outcome) => [nameOf(outcome), outcome]));
  const hours = exactHours(book.resolution);
  const hoursNumber = toNumber(hours);
  const starts = Array.from({ length: book.periods + 1 }, (_, t) => periodStart(book, t + 1));
  const hourPrices = new Map(
    book.zones.map((zone) => [zone, result.prices[zone]!.map((price) => times(exact(price), hours))]),
  );
  return book.orders.flatMap((order) => {
    const outcome = outcomes.get(nameOf(order));
    assert(outcome !== undefined, `order ${order.record_id} has no outcome`);
    const { participant, portfolio, record_id, kind, zone } = order;
    const head = { ...(participant && { participant }), ...(portfolio && { portfolio }), record_id, kind, zone };
    return executedUnits(order, outcome, book)
      .filter(([, mw]) => mw !== 0)
      .map(([period, mw]): Trade => {
        const power = Math.abs(mw);
        return {
          ...head,
          period,
          start: starts[period - 1]!,
          end: starts[period]!,
          // A curve has no side: what it buys is positive.
          side: order.kind === 'curve' ? (mw > 0 ? 'buy' : 'sell') : order.side,
          power,
          price: result.prices[zone]![period - 1]!,
          hours: hoursNumber,
          energy: toNumber(times(exact(power), hours)),
          amountCents: toCents(times(hourPrices.get(zone)![period - 1]!, exact(power))),
        };
      });
  });
}
