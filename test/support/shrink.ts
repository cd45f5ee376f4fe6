/** The smallest book that still fails: what a failing random book is printed as. */

import { checkBook } from '../../src/book/check-book.ts';
import { type Book, parseBook } from '../../src/market/book.ts';
import { AuctionError } from '../../src/market/errors.ts';

/**
 * Leave out orders, lines, constraints, ramps and fields of orders as long as it still fails; what is no book any more does not count.
 *
 * @param fails  may throw: that is no failure of this kind
 */
export function shrink(book: Book, fails: (book: Book) => boolean): Book {
  const still = (candidate: Book): boolean => {
    try {
      if (candidate.orders.length === 0) return false;
      checkBook(parseBook(candidate));
      return fails(candidate);
    } catch (error) {
      if (error instanceof AuctionError) return false;
      throw error;
    }
  };
  let best = book;
  for (let moved = true; moved; ) {
    moved = false;
    for (const candidate of smaller(best)) {
      if (!still(candidate)) continue;
      best = candidate;
      moved = true;
      break;
    }
  }
  return best;
}

function* smaller(book: Book): Generator<Book> {
  for (const field of ['orders', 'lines', 'constraints', 'rampSets', 'netPositionRamps'] as const) {
    const list: readonly unknown[] = book[field] ?? [];
    for (let half = list.length >> 1; half > 1; half >>= 1) {
      for (let at = 0; at < list.length; at += half) yield { ...book, [field]: list.toSpliced(at, half) };
    }
    for (let at = list.length - 1; at >= 0; at--) yield { ...book, [field]: list.toSpliced(at, 1) };
  }
  for (let at = 0; at < book.orders.length; at++) {
    const order = book.orders[at]!;
    const optional = [
      'linkedTo',
      'exclusiveGroup',
      'loadGradient',
      'scheduledStop',
      'minPower',
      'variableTerm',
    ] as const;
    const put = (fields: object) => ({
      ...book,
      orders: book.orders.with(at, { ...order, ...fields } as typeof order),
    });
    for (const field of optional)
      if (field in order && (order as Record<string, unknown>)[field]) {
        const { [field]: _, ...rest } = order as Record<string, unknown>;
        yield {
          ...book,
          orders: book.orders.with(
            at,
            (field === 'variableTerm' ? { ...rest, variableTerm: 0 } : rest) as typeof order,
          ),
        };
      }
    if (order.kind === 'block' && order.minAcceptance < 1) yield put({ minAcceptance: 1 });
    if (order.kind === 'block' && order.profile !== undefined)
      for (let k = 0; k < order.profile.length; k++) yield put({ profile: order.profile.toSpliced(k, 1) });
    if (order.kind !== 'complex') continue;
    for (let k = 0; k < order.steps.length; k++) yield put({ steps: order.steps.toSpliced(k, 1) });
  }
}
