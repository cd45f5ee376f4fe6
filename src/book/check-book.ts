/** What a book has to be beyond its shape, before anybody clears it: names that exist, lengths that fit, orders within the terms. */

import type { Book } from '../market/book.ts';
import { mostPower } from '../market/bounds.ts';
import { AuctionError, type Problem } from '../market/errors.ts';
import { type Fault, fault } from '../market/fault.ts';
import { networkFaults } from '../market/network-rules.ts';
import { orderKinds } from '../market/order.ts';
import { type Resolution, resolutionMinutes } from '../market/time.ts';
import { orderChecker } from './order-rules.ts';
import { relationChecker } from './relations.ts';

/** @throws AuctionError `invalid-book`, with each field and order that is wrong */
export function checkBook(book: Book): void {
  const problems: Problem[] = [...networkFaults(book)];
  const check = orderChecker({
    delivery: book,
    zones: book.zones,
    priceLimits: book.priceLimits,
    powerLimits: { ...(book.lot === undefined ? {} : { lot: book.lot }), max: mostPower },
    orderKinds,
    orderResolutions: (Object.keys(resolutionMinutes) as Resolution[]).filter(
      (resolution) => resolutionMinutes[resolution] > resolutionMinutes[book.resolution],
    ),
  });
  const families = Map.groupBy(book.orders, ({ participant }) => participant ?? '');
  const relations = new Map([...families].map(([participant, orders]) => [participant, relationChecker(orders)]));
  const seen = new Set<string>();
  book.orders.forEach((order, index) => {
    const found: Fault[] = [];
    check(order, found);
    const key = `${order.participant ?? ''}/${order.record_id}`;
    if (seen.has(key)) found.push(fault('record_id', 'duplicate', `record_id ${order.record_id} is there twice`));
    seen.add(key);
    relations.get(order.participant ?? '')!(order, found);
    for (const each of found) problems.push({ index, record_id: order.record_id, ...each });
  });
  if (problems.length === 0) return;
  const first = problems[0]!;
  const whose = first.record_id === undefined ? '' : `order ${first.record_id}: `;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  throw new AuctionError('invalid-book', `${whose}${first.field}: ${first.message}${more}`, problems);
}
