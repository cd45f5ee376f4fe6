/** That an order, or its cancellation, is in the sealed book: what its owner keeps beside the receipt. */

import { entriesIn } from '../../book/book-chain.ts';
import type { Evidence, SignedResult } from '../../book/evidence.ts';
import { nameHash } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Auction } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { findAuction } from '../records/moves.ts';
import { isPublished, readSealedBook } from '../views/results.ts';
import { intakeTree, placeOf, sealedHead } from './tree.ts';

/** Which of the entries about an order. */
export interface EntryName {
  readonly participant: string;
  readonly record_id: string;
  /** Without it the newest auction with an order of that id. */
  readonly auction?: string | undefined;
  /** As a receipt has it; without it that of the order. */
  readonly sequence?: number | undefined;
}

/** @throws AuctionError `not-found` where the participant has no such entry; `wrong-state` before the book is sealed */
export async function proveOrder(ports: Ports, name: EntryName): Promise<Evidence> {
  const { participant, record_id } = name;
  const found = await findEntry(ports, name);
  if (found === undefined) {
    const where = name.auction === undefined ? '' : ` in ${name.auction}`;
    const what = name.sequence === undefined ? '' : ` at sequence ${name.sequence}`;
    throw new AuctionError('not-found', `there is no order ${record_id}${where}${what}`);
  }
  const { auction, sequence, leaf } = found;
  const head = sealedHead(auction);
  const tree = await intakeTree(ports, auction);
  const index = placeOf(tree, sequence);
  if (index === undefined)
    throw new AuctionError('damaged-data', `entry ${sequence} of auction ${auction.id} is not in its sealed book`);
  const result = resultOf(auction);
  return {
    merit: 'evidence/1',
    ...{ auction: auction.id, participant, record_id, sequence, leaf, index },
    path: tree.tree.inclusion(index),
    tree: head,
    ...(result && { result }),
  };
}

/** The signed result, once it is binding; not of a result of before results were signed. */
function resultOf(auction: Auction): SignedResult | undefined {
  const { id, book, result } = auction;
  if (!isPublished(auction) || result?.at === undefined || result.signature === undefined) return undefined;
  return { auction: id, book: book!.hash, result: result.hash, at: result.at, signature: result.signature };
}

interface FoundEntry {
  readonly auction: Auction;
  readonly sequence: number;
  readonly leaf: string;
}

async function findEntry(ports: Ports, name: EntryName): Promise<FoundEntry | undefined> {
  const { participant, record_id } = name;
  const [stored] =
    name.auction === undefined
      ? [await ports.orders.findNewest(participant, record_id)]
      : await ports.orders.find(name.auction, participant, [record_id]);
  const id = name.auction ?? stored?.auction;
  if (id === undefined) return undefined;
  const auction = await findAuction(ports, id);
  const sequence = name.sequence ?? stored?.sequence;
  if (stored === undefined) return auction.book === undefined ? undefined : findInBook(ports, auction, name);
  const [leaf] = await ports.orders.leaves(id, sequence! - 1, 1);
  const isOwn = leaf?.sequence === sequence && leaf!.participant === participant && leaf!.record_id === record_id;
  return isOwn ? { auction, sequence: sequence!, leaf: leaf!.digest } : undefined;
}

/** Orders leave the store a day after their gate; the book stays. By rule 1 it does not say whose the withdrawn were. */
async function findInBook(ports: Ports, auction: Auction, name: EntryName): Promise<FoundEntry | undefined> {
  const of = nameHash(name.participant, name.record_id);
  const book = await readSealedBook(ports, auction);
  const own = entriesIn(book).filter(({ link }) => link?.of === of);
  const entry =
    name.sequence === undefined
      ? own.findLast(({ link }) => link!.kind !== 'cancellation')
      : own.find(({ sequence }) => sequence === name.sequence);
  return entry && { auction, sequence: entry.sequence, leaf: entry.digest };
}
