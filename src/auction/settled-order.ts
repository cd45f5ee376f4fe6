/** An order's outcome as its participant sees it: the result's outcome, with the prices it met. */

import assert from 'node:assert/strict';
import type { Book } from '../market/book.ts';
import type { BookOrder, OrderKind } from '../market/order.ts';
import type { Outcome, Result } from '../market/result.ts';
import { type Resolution, resolutionMinutes } from '../market/time.ts';

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
    const prices = unitsOf(order, book, outcome).map((unit) => result.prices[zone]![unit - 1]!);
    return { ...outcome, participant, sequence, zone, kind, prices };
  });
}

/** A record_id is a participant's own. */
export const nameOf = (order: { participant?: string | undefined; record_id: string }): string =>
  `${order.participant ?? ''} ${order.record_id}`;

/** The market time units (1-based) that an order covers; a flexible order where it started, if it did. */
function unitsOf(order: BookOrder, { resolution, periods }: Book, { start }: Outcome): number[] {
  const units = (period: number) => coveredUnits(period, order.resolution ?? resolution, resolution);
  switch (order.kind) {
    case 'limit':
    case 'curve':
      return units(order.period);
    case 'block':
      return (order.profile?.map((step) => step.period) ?? range(order.from!, order.to!)).flatMap(units);
    case 'flexible':
      return start === undefined
        ? range(order.earliest, order.latest + order.duration - 1)
        : range(start, start + order.duration - 1);
    case 'complex':
      return range(1, periods);
  }
}

function coveredUnits(period: number, of: Resolution, unit: Resolution): number[] {
  const units = resolutionMinutes[of] / resolutionMinutes[unit];
  return range((period - 1) * units + 1, period * units);
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
