/** Receipts against a published book: whoever has one can see that the book is the one that took the order. */

import * as z from 'zod';
import type { Book } from '../market/book.ts';
import type { Problem } from '../market/errors.ts';
import { chainOf, entriesIn } from './book-chain.ts';
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
 * whoever has an order's receipt, and none of its cancellation (`order-withdrawn`) or of the version in its place (`order-replaced`), is told.
 */
export function receiptFaults(book: Book, receipts: readonly Receipt[]): Problem[] {
  const entries = entriesIn(book);
  const digests = new Map(entries.map(({ sequence, digest }) => [sequence, digest]));
  const { hashes } = chainOf(book, entries);
  const leftOut = (book.intake?.rule === 2 && book.intake.leftOut) || [];
  const orders = new Map([...book.orders, ...leftOut].map((order) => [order.sequence, order]));
  const withdrawn = new Map(book.intake?.rule === 2 ? book.intake.withdrawn.map((link) => [link.sequence, link]) : []);
  const held = new Set(receipts.map(({ sequence }) => sequence));
  return receipts.flatMap((each): Problem[] => {
    const { record_id } = each;
    const message = faultOf(each);
    if (message !== undefined) return [{ record_id, field: 'hash', code: 'receipt-broken', message }];
    return unknownWithdrawal(each);
  });

  function faultOf(receipt: Receipt): string | undefined {
    const { auction, sequence, hash } = receipt;
    if (auction !== book.auction) return `the receipt is of auction ${auction}, the book of ${book.auction}`;
    const found = hashes.get(sequence);
    if (found === undefined) return `the book has no entry ${sequence}`;
    if (found !== hash)
      return `the book gives the running hash ${found} after entry ${sequence}, the receipt has ${hash}`;
    const digest = digests.get(sequence);
    if (receipt.leaf !== undefined && digest !== receipt.leaf)
      return `the book gives entry ${sequence} the leaf ${digest}, the receipt has ${receipt.leaf}`;
    return orders.has(sequence) ? orderFault(receipt) : withdrawalFault(receipt);
  }

  function orderFault({ sequence, record_id, version, participant, received_at }: Receipt): string | undefined {
    const order = orders.get(sequence)!;
    const isOwn =
      order.record_id === record_id && order.participant === participant && order.received_at === received_at;
    if (!isOwn) return `entry ${sequence} of the book is order ${order.record_id} of ${order.participant}`;
    return versionFault(sequence, version, order.version);
  }

  /** Of an order that is not in the book, or of a cancellation. */
  function withdrawalFault({ sequence, record_id, version, participant, received_at }: Receipt): string | undefined {
    const link = withdrawn.get(sequence);
    if (link === undefined) return undefined; // by rule 1 nothing more is known of it
    const of = nameHash(participant, record_id);
    if (link.of !== of || link.received_at !== received_at)
      return `entry ${sequence} of the book is another ${link.kind}, of ${link.received_at}`;
    return versionFault(sequence, version, link.version);
  }

  function unknownWithdrawal({ sequence, record_id, version, participant }: Receipt): Problem[] {
    const kind = withdrawn.get(sequence)?.kind;
    if (kind === undefined || kind === 'cancellation') return [];
    const next = nextOf(nameHash(participant, record_id), version);
    if (next === undefined || held.has(next.sequence)) return [];
    const [code, what] =
      next.kind === 'cancellation' ? ['order-withdrawn', 'withdraws'] : ['order-replaced', 'replaces'];
    const message = `entry ${next.sequence} of ${next.received_at} ${what} it, and there is no receipt of that here`;
    return [{ record_id, field: 'record_id', code, message }];
  }

  /** What came after a version of an order: the next one, or its cancellation. */
  function nextOf(name: string, version: number) {
    const isNext = (each: { version?: number | undefined }) => each.version === version + 1;
    const shown = [...orders.values()].find(
      (each) => isNext(each) && nameHash(each.participant!, each.record_id) === name,
    );
    if (shown !== undefined)
      return { kind: 'replacement', sequence: shown.sequence!, received_at: shown.received_at! } as const;
    const links = [...withdrawn.values()].filter(({ of }) => of === name);
    return (
      links.find((each) => each.kind === 'replacement' && isNext(each)) ??
      links.find(({ kind }) => kind === 'cancellation')
    );
  }
}

const versionFault = (sequence: number, held: number, found = 1): string | undefined =>
  held === found ? undefined : `entry ${sequence} of the book is version ${found}, the receipt is of version ${held}`;
