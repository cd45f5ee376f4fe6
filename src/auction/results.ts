/** What can be read of an auction: its sealed book, its result, the outcome of one order. */

import { sha256 } from '../book/intake.ts';
import type { Book } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import type { Result } from '../market/result.ts';
import { type Auction, type AuctionState, published } from './auction.ts';
import { bookKey, resultKey } from './keys.ts';
import { findAuction, wrongState } from './moves.ts';
import type { Ports } from './ports.ts';
import type { SettledOrder } from './settled-order.ts';

export const isPublished = ({ state }: Auction): boolean => (published as readonly AuctionState[]).includes(state);

/** The published result. @throws AuctionError `not-found`; `wrong-state` before it is final */
export async function readResult(ports: Ports, id: string): Promise<Result> {
  const auction = await findAuction(ports, id);
  if (!isPublished(auction)) throw wrongState(auction, 'its result is public from final on');
  return readUnpublished(ports, auction);
}

/** The sealed book. @throws AuctionError `not-found`; `wrong-state` before it is sealed */
export async function readBook(ports: Ports, id: string): Promise<Book> {
  const auction = await findAuction(ports, id);
  if (auction.book === undefined) throw wrongState(auction, 'its book is not sealed');
  return readSealedBook(ports, auction);
}

/** @throws AuctionError `invalid-book` when the archive has not the book that was sealed */
export const readSealedBook = async (ports: Ports, auction: Auction): Promise<Book> =>
  (await readChecked(ports, bookKey(auction.id), auction.book, 'invalid-book')) as Book;

/** The result, final or not. @throws AuctionError `invalid-result` when the archive has not the one that was cleared */
export const readUnpublished = async (ports: Ports, auction: Auction): Promise<Result> =>
  (await readChecked(ports, resultKey(auction), auction.result, 'invalid-result')) as Result;

async function readChecked(
  ports: Ports,
  key: string,
  known: { hash: string } | undefined,
  code: 'invalid-book' | 'invalid-result',
) {
  const text = await ports.archive.read(key);
  if (text === undefined || known === undefined) throw new AuctionError(code, `${key} is missing from the archive`);
  const found = sha256(text);
  if (found !== known.hash) throw new AuctionError(code, `${key} was changed: its hash is ${found}, not ${known.hash}`);
  return JSON.parse(text) as unknown;
}

export async function readPage(ports: Ports, key: string): Promise<SettledOrder[] | undefined> {
  const text = await ports.archive.read(key);
  return text === undefined ? undefined : (JSON.parse(text) as { orders: SettledOrder[] }).orders;
}
