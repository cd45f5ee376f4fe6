/** Receipts against a published book: whoever has one can see that the book is the one that took the order. */

import * as z from 'zod';
import type { Book } from '../market/book.ts';
import type { Problem } from '../market/errors.ts';
import { chainOf } from './book-chain.ts';
import { nameHash, type Receipt, receipt } from './intake.ts';

/** Receipts as an answer to `POST /orders` has them, or a list of them. */
export const receiptFile = z.union([
  receipt.transform((one) => [one]),
  z.array(receipt),
  z.object({ receipts: z.array(receipt) }).transform(({ receipts }) => receipts),
]);

/** The running hash of the intake after each entry, by its sequence, worked out from the book. */
export const runningHashes = (book: Book): Map<number, string> => chainOf(book).hashes;

/**
 * What of these receipts does not fit the book (`receipt-broken`); receipts of other auctions do not. By rule 2 a book also says what was withdrawn:
 * whoever has an order's receipt, and none of its cancellation, is told (`order-withdrawn`).
 */
export function receiptFaults(book: Book, receipts: readonly Receipt[]): Problem[] {
  const hashes = runningHashes(book);
  const leftOut = (book.intake?.rule === 2 && book.intake.leftOut) || [];
  const orders = new Map([...book.orders, ...leftOut].map((order) => [order.sequence, order]));
  const withdrawn = new Map(book.intake?.rule === 2 ? book.intake.withdrawn.map((link) => [link.sequence, link]) : []);
  const held = new Set(receipts.map(({ sequence }) => sequence));
  return receipts.flatMap((each): Problem[] => {
    const { record_id } = each;
    const message = faultOf(each);
    if (message !== undefined) return [{ record_id, field: 'hash', code: 'receipt-broken', message }];
    const unknown = unknownWithdrawal(each);
    return unknown === undefined ? [] : [{ record_id, field: 'record_id', code: 'order-withdrawn', message: unknown }];
  });

  function faultOf(receipt: Receipt): string | undefined {
    const { auction, sequence, hash } = receipt;
    if (auction !== book.auction) return `the receipt is of auction ${auction}, the book of ${book.auction}`;
    const found = hashes.get(sequence);
    if (found === undefined) return `the book has no entry ${sequence}`;
    if (found !== hash)
      return `the book gives the running hash ${found} after entry ${sequence}, the receipt has ${hash}`;
    return orders.has(sequence) ? orderFault(receipt) : withdrawalFault(receipt);
  }

  function orderFault({ sequence, record_id, participant, received_at }: Receipt): string | undefined {
    const order = orders.get(sequence)!;
    const isOwn =
      order.record_id === record_id && order.participant === participant && order.received_at === received_at;
    return isOwn ? undefined : `entry ${sequence} of the book is order ${order.record_id} of ${order.participant}`;
  }

  /** Of an order that is not in the book, or of a cancellation. */
  function withdrawalFault({ sequence, record_id, participant, received_at }: Receipt): string | undefined {
    const link = withdrawn.get(sequence);
    if (link === undefined) return undefined; // by rule 1 nothing more is known of it
    const of = nameHash(participant, record_id);
    if (link.of !== of || link.received_at !== received_at)
      return `entry ${sequence} of the book is another ${link.kind}, of ${link.received_at}`;
    return undefined;
  }

  function unknownWithdrawal({ sequence, record_id, participant }: Receipt): string | undefined {
    if (orders.has(sequence) || withdrawn.get(sequence)?.kind !== 'order') return undefined;
    const of = nameHash(participant, record_id);
    const other = [...withdrawn.values()].find((each) => each.of === of && each.kind === 'cancellation');
    if (other === undefined || held.has(other.sequence)) return undefined;
    return `entry ${other.sequence} of ${other.received_at} withdraws it, and there is no receipt of that here`;
  }
}
