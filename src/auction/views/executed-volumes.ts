/** What was executed in each zone and market time unit. */

import assert from 'node:assert/strict';
import type { Book } from '../../market/book.ts';
import type { BookOrder } from '../../market/order.ts';
import type { Outcome, Result } from '../../market/result.ts';
import { nameOf, periodsOf, unitsOf } from './settled-order.ts';

/** MW by period. */
export interface Volumes {
  readonly buy: number[];
  readonly sell: number[];
}

/** Of the orders that the aggregated curves do not show, per zone: blocks, flexible and complex orders. */
export const executedBlocks = (book: Book, result: Result): Record<string, Volumes> =>
  executedOf(book, result, ({ kind }) => kind !== 'limit' && kind !== 'curve');

/** Of all orders, per zone. */
export const executedVolumes = (book: Book, result: Result): Record<string, Volumes> =>
  executedOf(book, result, () => true);

function executedOf(book: Book, result: Result, counts: (order: BookOrder) => boolean): Record<string, Volumes> {
  const none = () => Array.from({ length: book.periods }, () => 0);
  const volumes = new Map(book.zones.map((zone) => [zone, { buy: none(), sell: none() }]));
  const outcomes = new Map(result.orders.map((outcome) => [nameOf(outcome), outcome]));
  for (const order of book.orders) {
    if (!counts(order)) continue;
    const outcome = outcomes.get(nameOf(order));
    assert(outcome !== undefined, `order ${order.record_id} has no outcome`);
    const ofZone = volumes.get(order.zone)!;
    for (const [unit, mw] of executedUnits(order, outcome, book)) {
      // A curve has no side: what it buys is positive.
      const side = order.kind === 'curve' ? (mw > 0 ? 'buy' : 'sell') : order.side;
      ofZone[side][unit - 1]! += Math.abs(mw);
    }
  }
  // Sums of binary fractions are told to the watt.
  const toWatt = (mw: number) => Math.round(mw * 1e6) / 1e6;
  return Object.fromEntries(
    [...volumes].map(([zone, { buy, sell }]) => [zone, { buy: buy.map(toWatt), sell: sell.map(toWatt) }]),
  );
}

/** Market time units (1-based) with the MW that were executed in them. */
export function executedUnits(order: BookOrder, outcome: Outcome, book: Book): [unit: number, mw: number][] {
  if (outcome.status === 'rejected') return [];
  const power = [outcome.power].flat();
  const periods = periodsOf(order, book, outcome);
  assert(
    power.length === periods.length,
    `order ${order.record_id}: ${power.length} powers of ${periods.length} periods`,
  );
  return periods.flatMap((period, i) =>
    unitsOf(order, book, period).map((unit): [number, number] => [unit, power[i]!]),
  );
}
