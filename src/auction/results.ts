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

/** A document of the archive that never changes. */
export interface Document {
  readonly key: string;
  readonly hash: string;
}

/** The sealed book of an auction. @throws AuctionError `wrong-state` before it is sealed */
export function bookOf(auction: Auction): Document {
  if (auction.book === undefined) throw wrongState(auction, 'its book is not sealed');
  return { key: bookKey(auction.id), hash: auction.book.hash };
}

/** The result, final or not. @throws AuctionError `wrong-state` before there is one */
export function resultOf(auction: Auction): Document {
  if (auction.result === undefined) throw wrongState(auction, 'it has no result yet');
  return { key: resultKey(auction), hash: auction.result.hash };
}

/** @throws AuctionError `damaged-data` when the archive has not the very document */
export async function readDocument({ archive }: Pick<Ports, 'archive'>, { key, hash }: Document): Promise<string> {
  const text = await archive.read(key);
  if (text === undefined) throw new AuctionError('damaged-data', `${key} is missing from the archive`);
  const found = sha256(text);
  if (found !== hash) throw new AuctionError('damaged-data', `${key} was changed: its hash is ${found}, not ${hash}`);
  return text;
}

/** The published result. @throws AuctionError `not-found`; `wrong-state` before it is final */
export async function readResult(ports: Ports, id: string): Promise<Result> {
  const auction = await findAuction(ports, id);
  if (!isPublished(auction)) throw wrongState(auction, 'its result is public from final on');
  return readUnpublished(ports, auction);
}

/** The sealed book. @throws AuctionError `not-found`; `wrong-state` before it is sealed */
export async function readBook(ports: Ports, id: string): Promise<Book> {
  return readSealedBook(ports, await findAuction(ports, id));
}

export const readSealedBook = async (ports: Ports, auction: Auction): Promise<Book> =>
  JSON.parse(await readDocument(ports, bookOf(auction))) as Book;

/** The result, final or not. */
export const readUnpublished = async (ports: Ports, auction: Auction): Promise<Result> =>
  JSON.parse(await readDocument(ports, resultOf(auction))) as Result;

export async function readPage(ports: Ports, key: string): Promise<SettledOrder[] | undefined> {
  const text = await ports.archive.read(key);
  return text === undefined ? undefined : (JSON.parse(text) as { orders: SettledOrder[] }).orders;
}
