/** Orders that an operator leaves out of a run, because the auction cannot be cleared with them. */

import * as z from 'zod';
import { canonical } from '../../book/canonical.ts';
import { sha256 } from '../../book/intake.ts';
import { auctionId, type Book } from '../../market/book.ts';
import { AuctionError, type Problem } from '../../market/errors.ts';
import type { BookOrder } from '../../market/order.ts';
import { type OrderName, orderName } from '../../market/result.ts';
import type { Auction } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { readSealedBook } from '../views/results.ts';
import { readDocument } from './documents.ts';
import { exclusionKey } from './keys.ts';

const exclusion = z.strictObject({ auction: auctionId, orders: z.array(orderName) });

/**
 * Write down whom a run leaves out.
 *
 * @param auction  with the number of that run
 * @param names    without a participant where the book has one such order only
 * @returns what the auction's record names the document by
 * @throws AuctionError `invalid-request` with each name that is none, and each order that counts on one of them
 */
export async function exclude(
  ports: Ports,
  auction: Auction,
  names: readonly OrderName[],
): Promise<NonNullable<Auction['excluded']>> {
  const book = await readSealedBook(ports, auction);
  const orders = ordersNamed(book, names).map(({ participant, record_id }) => ({ participant, record_id }));
  const text = canonical({ auction: auction.id, orders });
  await ports.archive.write(exclusionKey(auction), text);
  return { hash: sha256(text), orders: orders.length };
}

/** Whom the current run of an auction leaves out. @throws AuctionError `damaged-data` where the archive has not the document */
export async function excludedFrom(ports: Pick<Ports, 'archive'>, auction: Auction): Promise<OrderName[]> {
  if (auction.excluded === undefined) return [];
  const text = await readDocument(ports, exclusionKey(auction), auction.excluded.hash);
  return exclusion.parse(JSON.parse(text)).orders;
}

/** What an order names that has to be in the book with it. */
const countsOn = (order: BookOrder): string[] =>
  order.kind === 'block' ? [order.linkedTo, order.loopWith].filter((name) => name !== undefined) : [];

const keyOf = ({ participant, record_id }: OrderName): string => `${participant}/${record_id}`;

function ordersNamed({ orders }: Book, names: readonly OrderName[]): BookOrder[] {
  const byId = Map.groupBy(orders, ({ record_id }) => record_id);
  const problems: Problem[] = [];
  const found = names.flatMap(({ record_id, participant }, i) => {
    const fitting = (byId.get(record_id) ?? []).filter((each) => [undefined, each.participant].includes(participant));
    if (fitting.length === 1) return fitting;
    const whose = fitting.map((each) => each.participant).join(', ');
    const message =
      fitting.length === 0
        ? `the book has no order ${record_id}${participant === undefined ? '' : ` of ${participant}`}`
        : `${whose} have an order ${record_id} each: say whose`;
    problems.push({ field: `without.${i}`, record_id, code: 'unknown-order', message });
    return [];
  });
  const out = new Set(found.map(keyOf));
  for (const order of orders) {
    const { record_id, participant } = order;
    const name = countsOn(order).find((each) => out.has(keyOf({ record_id: each, participant })));
    if (name === undefined || out.has(keyOf(order))) continue;
    const message = `order ${record_id} of ${participant} counts on ${name}: leave it out too`;
    problems.push({ field: 'without', record_id, code: 'counts-on-it', message });
  }
  if (problems.length > 0) throw new AuctionError('invalid-request', problems[0]!.message, problems);
  return orders.filter((order) => out.has(keyOf(order)));
}

/**
 * The orders of a book in sets that can be left out one by one: a family of linked blocks, and the two legs of a loop, go together.
 * By their first order, as the book has them.
 */
export function separable({ orders }: Book): BookOrder[][] {
  const sets = new Map<string, BookOrder[]>(orders.map((order) => [keyOf(order), [order]]));
  for (const order of orders) {
    for (const name of countsOn(order)) {
      const [own, other] = [sets.get(keyOf(order))!, sets.get(keyOf({ ...order, record_id: name }))!];
      if (own === other) continue;
      const [small, large] = own.length < other.length ? [own, other] : [other, own];
      for (const each of small) sets.set(keyOf(each), large);
      large.push(...small);
    }
  }
  return [...new Set(sets.values())];
}
