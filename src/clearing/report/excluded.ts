/** A book without the orders that its operator leaves out, and what those orders are told. */

import type { Book } from '../../market/book.ts';
import type { BookOrder } from '../../market/order.ts';
import type { OrderName, Outcome, Result } from '../../market/result.ts';

const keyOf = ({ record_id, participant }: OrderName): string => `${participant ?? ''}/${record_id}`;

/** The book without these orders: the same auction otherwise. */
export function withoutOrders(book: Book, excluded: readonly OrderName[]): Book {
  const out = new Set(excluded.map(keyOf));
  return { ...book, orders: book.orders.filter((order) => !out.has(keyOf(order))) };
}

/** The result of the book without these orders as a result of the whole book, which names them. */
export function withExcluded(book: Book, excluded: readonly OrderName[], result: Result): Result {
  const out = new Set(excluded.map(keyOf));
  const cleared = new Map(result.orders.map((outcome) => [keyOf(outcome), outcome]));
  const named = book.orders.filter((order) => out.has(keyOf(order)));
  return {
    ...result,
    excluded: named.map(nameOf),
    orders: book.orders.map((order) => cleared.get(keyOf(order)) ?? excludedOutcome(order, book)),
  };
}

const nameOf = ({ record_id, participant }: OrderName): OrderName => ({
  record_id,
  ...(participant !== undefined && { participant }),
});

/** It met no prices: there is nothing that it could have gained. */
function excludedOutcome(order: BookOrder, book: Book): Outcome {
  return {
    ...nameOf(order),
    status: 'rejected',
    power: nothingOf(order, book),
    ...(order.kind !== 'curve' && { ratio: 0 }),
    surplus: 0,
    reason: { code: 'excluded', distance: 0, missedSurplus: 0, binding: [] },
  };
}

function nothingOf(order: BookOrder, { periods }: Book): number | number[] {
  switch (order.kind) {
    case 'limit':
    case 'curve':
      return 0;
    case 'block':
      return new Array<number>(order.profile?.length ?? order.to! - order.from! + 1).fill(0);
    case 'flexible':
      return new Array<number>(order.duration).fill(0);
    case 'complex':
      return new Array<number>(periods).fill(0);
  }
}
