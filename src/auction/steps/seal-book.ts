/** The workflow's first step: the intake becomes the sealed book, which nobody can change. */

import type { z } from 'zod';
import { canonical } from '../../book/canonical.ts';
import { checkBook } from '../../book/check-book.ts';
import { sha256 } from '../../book/intake.ts';
import { MerkleTree } from '../../book/merkle.ts';
import { leftOutOf, sealBook } from '../../book/seal.ts';
import type { Book } from '../../market/book.ts';
import { signTree } from '../evidence/statements.ts';
import type { News, Ports } from '../ports.ts';
import { bookKey } from '../records/keys.ts';
import { marketOf, termsIn } from '../records/moves.ts';
import { networkOf } from '../records/network.ts';
import { readSealedBook } from '../views/results.ts';
import { auctionInRun, moveOn, type run } from './step.ts';
import { tell } from './tell.ts';

/** @returns what the workflow counts with: the first attempt, and how many there may be */
export async function sealAuction(ports: Ports, input: z.output<typeof run>) {
  const auction = await auctionInRun(ports, input, 'closed');
  const market = marketOf(ports, auction.market);
  if (auction.state === 'closed') {
    await moveOn(ports, auction, 'clearing', await seal());
  }
  return { auction: auction.id, run: auction.run, attempt: 1, attempts: market.patience.attempts };

  async function seal() {
    // A restarted auction has its book already, and keeps it even if the market's file has changed since.
    if (auction.book !== undefined) {
      await readSealedBook(ports, auction);
      return {};
    }
    const entries = await ports.orders.entries(auction.id);
    const shards = await ports.orders.shards(auction.id);
    const terms = { ...termsIn(ports, auction), market: auction.market, ...(await networkOf(ports, auction)) };
    const leaves = new MerkleTree();
    const book = sealBook(terms, auction, entries, shards, leaves);
    checkBook(book);
    const text = canonical(book);
    await ports.archive.write(bookKey(auction.id), text);
    const notices = leftOutOf(entries).map(({ participant, record_id, cause }): News => {
      const id = `order-left-out:${auction.id}:${participant}:${record_id}`;
      return { id, kind: 'order-left-out', participant, record_id, cause };
    });
    await tell(ports, auction, notices);
    const hash = sha256(text);
    // Before it is cleared, so that nobody can choose the book by its result.
    const tree = await signTree(ports, { auction: auction.id, ...headOf(leaves, book), book: hash });
    return { book: { hash, orders: book.orders.length }, tree };
  }
}

const headOf = (leaves: MerkleTree, { intake }: Book) => ({
  size: leaves.size,
  root: leaves.root(),
  head: intake!.hash,
});
