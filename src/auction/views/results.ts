/** What can be read of an auction: its sealed book, its result, the outcome of one order. */

import type { Book } from '../../market/book.ts';
import type { Result } from '../../market/result.ts';
import { type Auction, type AuctionState, published } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { readDocument, readJsonDocument } from '../records/documents.ts';
import { bookKey, pageKey, pagesKey, resultKey } from '../records/keys.ts';
import { findAuction, wrongState } from '../records/moves.ts';
import { type SettledOrder, settledOrders } from './settled-order.ts';

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

const readNamed = (ports: Ports, { key, hash }: Document) => readJsonDocument(ports, key, hash);

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

/** @throws AuctionError `wrong-state` before it is sealed; `damaged-data` when the archive has not the book that was sealed */
export const readSealedBook = async (ports: Ports, auction: Auction): Promise<Book> =>
  (await readNamed(ports, bookOf(auction))) as Book;

/** The result, final or not. @throws AuctionError `wrong-state` before it is there; `damaged-data` */
export const readUnpublished = async (ports: Ports, auction: Auction): Promise<Result> =>
  (await readNamed(ports, resultOf(auction))) as Result;

/**
 * A page of outcomes, of an auction that has a result; `undefined` where none of the book's orders lies in its span.
 *
 * @throws AuctionError `damaged-data`
 */
export async function readPage(ports: Ports, auction: Auction, key: string): Promise<SettledOrder[] | undefined> {
  if (auction.pages === undefined) {
    // A record of before its pages had hashes: they follow from book and result, which had them.
    const orders = settledOrders(await readSealedBook(ports, auction), await readUnpublished(ports, auction));
    const own = orders.filter(({ sequence }) => pageKey(auction, sequence) === key);
    return own.length === 0 ? undefined : own;
  }
  const { pages } = JSON.parse(await readDocument(ports, pagesKey(auction), auction.pages.hash)) as Pages;
  const hash = pages[key];
  if (hash === undefined) return undefined;
  return (JSON.parse(await readDocument(ports, key, hash)) as { orders: SettledOrder[] }).orders;
}

/** The pages of outcomes by their keys, each with its hash: a document that the auction's record names by its own. */
export interface Pages {
  readonly auction: string;
  readonly pages: Readonly<Record<string, string>>;
}
