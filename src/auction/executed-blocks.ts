/** What was executed of the orders that the aggregated curves do not show: blocks, flexible and complex orders. */

import assert from 'node:assert/strict';
import type { Book } from '../market/book.ts';
import type { BookOrder } from '../market/order.ts';
import type { Outcome, Result } from '../market/result.ts';
import { nameOf, periodsOf, unitsOf } from './settled-order.ts';

/** MW by period. */
export interface Volumes {
  readonly buy: number[];
  readonly sell: number[];
}

/** Per zone; every order of several periods, with what was executed of it in each. */
export function executedBlocks(book: Book, result: Result): Record<string, Volumes> {
  const none = () => Array.from({ length: book.periods }, () => 0);
  const volumes = new Map(book.zones.map((zone) => [zone, { buy: none(), sell: none() }]));
  const outcomes = new Map(result.orders.map((outcome) => [nameOf(outcome), outcome]));
  for (const order of book.orders) {
    if (order.kind === 'limit' || order.kind === 'curve') continue;
    const outcome = outcomes.get(nameOf(order));
    assert(outcome !== undefined, `order ${order.record_id} has no outcome`);
    const column = volumes.get(order.zone)![order.side];
    for (const [unit, mw] of executedUnits(order, outcome, book)) column[unit - 1]! += mw;
  }
  // Sums of binary fractions are told to the watt.
  const toWatt = (mw: number) => Math.round(mw * 1e6) / 1e6;
  return Object.fromEntries(
    [...volumes].map(([zone, { buy, sell }]) => [zone, { buy: buy.map(toWatt), sell: sell.map(toWatt) }]),
  );
}

/** Market time units (1-based) with the MW that were executed in them. */
function executedUnits(order: BookOrder, outcome: Outcome, book: Book): [unit: number, mw: number][] {
  const { power, status } = outcome;
  if (status === 'rejected') return [];
  assert(Array.isArray(power), `order ${order.record_id}: the power of an order over several periods is a list`);
  const periods = periodsOf(order, book, outcome);
  assert(
    power.length === periods.length,
    `order ${order.record_id}: ${power.length} powers of ${periods.length} periods`,
  );
  return periods.flatMap((period, i) =>
    unitsOf(order, book, period).map((unit): [number, number] => [unit, power[i]!]),
  );
}
