/**
 * Orders that the operator left out because the auction could not be cleared with them: the result names them, and everything else is
 * checked on the book without them.
 *
 * A result may leave out whom it likes, and the rest can be right all the same. So whoever shows a verification shows who was left
 * out too.
 */

import type { Book } from '../../market/book.ts';
import type { Outcome, Result } from '../../market/result.ts';
import { type Check, Findings } from '../check.ts';
import { keyOf } from '../view/offers.ts';

/** Book and result without those orders. There is no check where nobody was left out. */
export function withoutExcluded(book: Book, result: Result): { book: Book; result: Result; checks: Check[] } {
  const isTold = ({ reason }: Outcome) => reason?.code === 'excluded';
  if (result.excluded === undefined && !result.orders.some(isTold)) return { book, result, checks: [] };
  const { excluded = [], ...rest } = result;
  const found = new Findings('EXCLUDED', 'orders that were left out are named, and nothing counts on them');
  const orders = new Map(book.orders.map((order) => [keyOf(order), order]));
  const out = new Set<string>();
  for (const name of excluded) {
    const key = keyOf(name);
    found.expect(orders.has(key), name.record_id, () => 'is left out and is no order of the book');
    found.expect(!out.has(key), name.record_id, () => 'is left out twice');
    out.add(key);
  }
  for (const order of book.orders) {
    if (order.kind !== 'block' || out.has(keyOf(order))) continue;
    for (const name of [order.linkedTo, order.loopWith]) {
      const isOut = name !== undefined && out.has(keyOf({ ...order, record_id: name }));
      found.expect(!isOut, order.record_id, () => `counts on ${name}, which is left out`);
    }
  }
  for (const outcome of result.orders) {
    const { record_id, status, power, ratio = 0, surplus } = outcome;
    const isOut = out.has(keyOf(outcome));
    found.expect(isOut === isTold(outcome), record_id, () => `is ${isOut ? '' : 'not '}left out and told otherwise`);
    if (!isOut) continue;
    const isNothing = [power, ratio, surplus].flat().every((value) => value === 0);
    found.expect(status === 'rejected' && isNothing, record_id, () => `is left out and ${status} with ${power} MW`);
  }
  const told = new Set(result.orders.map(keyOf));
  for (const name of excluded) found.expect(told.has(keyOf(name)), name.record_id, () => 'is left out and not told');
  return {
    book: { ...book, orders: book.orders.filter((order) => !out.has(keyOf(order))) },
    result: { ...rest, orders: result.orders.filter((outcome) => !out.has(keyOf(outcome))) },
    checks: [found.check],
  };
}
