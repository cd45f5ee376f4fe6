/** An order's outcome as its participant sees it: the result's outcome, with the prices it met. */

import assert from 'node:assert/strict';
import type { Book } from '../../market/book.ts';
import type { BookOrder, OrderKind } from '../../market/order.ts';
import type { Outcome, Result } from '../../market/result.ts';
import { resolutionMinutes } from '../../market/time.ts';

export interface SettledOrder extends Outcome {
  readonly participant: string;
  readonly sequence: number;
  readonly zone: string;
  readonly kind: OrderKind;
  /** currency/MWh in the order's zone, one for each market time unit it covers. */
  readonly prices: readonly number[];
}

/** The orders of a sealed book with their outcomes, by sequence. */
export function settledOrders(book: Book, result: Result): SettledOrder[] {
  const outcomes = new Map(result.orders.map((outcome) => [nameOf(outcome), outcome]));
  return book.orders.map((order) => {
    const outcome = outcomes.get(nameOf(order));
    assert(outcome !== undefined, `order ${order.record_id} has no outcome`);
    const { participant, sequence, zone, kind } = order;
    assert(participant !== undefined && sequence !== undefined, `order ${order.record_id} did not come through intake`);
    const units = periodsOf(order, book, outcome).flatMap((period) => unitsOf(order, book, period));
    const prices = units.map((unit) => result.prices[zone]![unit - 1]!);
    return { ...outcome, participant, sequence, zone, kind, prices };
  });
}

/** A record_id is a participant's own. */
export const nameOf = (order: { participant?: string | undefined; record_id: string }): string =>
  `${order.participant ?? ''} ${order.record_id}`;

/**
 * The periods that an order covers, in its own resolution: as its list of powers has them. A flexible order where it started, or else
 * its window; a complex order has a power for each market time unit of the auction.
 */
export function periodsOf(order: BookOrder, { periods }: Book, { start }: Outcome): number[] {
  switch (order.kind) {
    case 'limit':
    case 'curve':
      return [order.period];
    case 'block':
      return order.profile?.map((step) => step.period) ?? range(order.from!, order.to!);
    case 'flexible':
      return start === undefined
        ? range(order.earliest, order.latest + order.duration - 1)
        : range(start, start + order.duration - 1);
    case 'complex':
      return range(1, periods);
  }
}

/** The market time units (1-based) of one of those periods. */
export function unitsOf(order: BookOrder, { resolution }: Book, period: number): number[] {
  if (order.kind === 'complex') return [period];
  const units = resolutionMinutes[order.resolution ?? resolution] / resolutionMinutes[resolution];
  return range((period - 1) * units + 1, period * units);
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
