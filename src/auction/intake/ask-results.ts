/**
 * "Are there results yet?", asked from outside the workflow: the smallest case of what clearing answers. It only looks.
 *
 * Together with `steps/settle-order.ts` this is the contract of the system that came before: a function that says `results` and the
 * orders, and one that settles such an order.
 */

import * as z from 'zod';
import { auctionId } from '../../market/book.ts';
import { AuctionError } from '../../market/errors.ts';
import { type Auction, inWorkflow, published } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { findAuction } from '../records/moves.ts';
import { isPublished, readSealedBook, readUnpublished } from '../views/results.ts';
import { type SettledOrder, settledOrders } from '../views/settled-order.ts';

export const question = z.object({ auction: auctionId.exactOptional() });

export type ResultsAnswer =
  | { readonly results: false; readonly auction?: string }
  | { readonly results: true; readonly auction: string; readonly orders: SettledOrder[] };

/**
 * @param auction  without it the one of the default market whose gate closed last
 * @throws AuctionError `not-found`; `too-large` when the orders fit no answer of a function
 */
export async function askResults(ports: Ports, { auction: id }: z.output<typeof question>): Promise<ResultsAnswer> {
  const auction = id === undefined ? await lastClosed(ports) : await findAuction(ports, id);
  if (auction === undefined) return { results: false };
  if (!isPublished(auction)) return { results: false, auction: auction.id };
  if (auction.book!.orders > mostOrders)
    throw new AuctionError('too-large', `auction ${auction.id} has ${auction.book!.orders} orders; read its result`);
  const orders = settledOrders(await readSealedBook(ports, auction), await readUnpublished(ports, auction));
  return { results: true, auction: auction.id, orders };
}

const mostOrders = 10_000;

async function lastClosed(ports: Ports): Promise<Auction | undefined> {
  const [market] = ports.markets.keys();
  const states = [...inWorkflow, ...published];
  const [last] = await ports.auctions.list({ ...(market && { market }), states, limit: 1 });
  return last;
}
