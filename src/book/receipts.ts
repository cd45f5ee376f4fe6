/** Receipts against a published book: whoever has one can see that the book is the one that took the order. */

import * as z from 'zod';
import type { Book } from '../market/book.ts';
import type { Problem } from '../market/errors.ts';
import { chain, chainStart, entryDigest, type Receipt, receipt, shardOf } from './intake.ts';

/** Receipts as an answer to `POST /orders` has them, or a list of them. */
export const receiptFile = z.union([
  z.array(receipt),
  z.object({ receipts: z.array(receipt) }).transform(({ receipts }) => receipts),
]);

/** The running hash of the intake after each entry, by its sequence, worked out from the book. */
export function runningHashes({ auction, intake, orders }: Book): Map<number, string> {
  const digests = new Map(intake?.withdrawn.map(({ sequence, digest }) => [sequence, digest]));
  for (const { participant, sequence, received_at, ...order } of orders) {
    if (participant === undefined || sequence === undefined || received_at === undefined) continue;
    digests.set(sequence, entryDigest({ participant, sequence, received_at, order }));
  }
  const shards = intake?.heads?.length ?? 1;
  const heads = Array.from({ length: shards }, (_, shard) => chainStart(auction, shard, shards));
  const hashes = new Map<number, string>();
  for (const sequence of [...digests.keys()].sort((a, b) => a - b)) {
    const shard = shardOf(sequence, shards);
    heads[shard] = chain(heads[shard]!, digests.get(sequence)!);
    hashes.set(sequence, heads[shard]!);
  }
  return hashes;
}

/** What of these receipts does not fit the book; receipts of other auctions do not. */
export function receiptFaults(book: Book, receipts: readonly Receipt[]): Problem[] {
  const hashes = runningHashes(book);
  const orders = new Map(book.orders.map((order) => [order.sequence, order]));
  return receipts.flatMap((each): Problem[] => {
    const message = faultOf(each);
    return message === undefined ? [] : [{ record_id: each.record_id, field: 'hash', code: 'receipt-broken', message }];
  });

  function faultOf({ auction, record_id, participant, sequence, received_at, hash }: Receipt): string | undefined {
    if (auction !== book.auction) return `the receipt is of auction ${auction}, the book of ${book.auction}`;
    const found = hashes.get(sequence);
    if (found === undefined) return `the book has no entry ${sequence}`;
    if (found !== hash)
      return `the book gives the running hash ${found} after entry ${sequence}, the receipt has ${hash}`;
    const order = orders.get(sequence); // without one it was withdrawn, or is a cancellation
    const isOwn =
      order === undefined ||
      (order.record_id === record_id && order.participant === participant && order.received_at === received_at);
    return isOwn ? undefined : `entry ${sequence} of the book is order ${order.record_id} of ${order.participant}`;
  }
}
