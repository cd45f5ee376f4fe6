/** How an auction moves from state to state: by the table `states`, and by compare-and-set. */

import assert from 'node:assert/strict';
import { AuctionError } from '../../market/errors.ts';
import type { Market } from '../../market/market.ts';
import type { AuctionTerms } from '../../market/terms.ts';
import { utc } from '../../market/time.ts';
import { type Auction, type AuctionState, mayFollow } from '../auction.ts';
import type { Ports } from '../ports.ts';

/** @throws AuctionError `not-found` */
export async function findAuction(ports: Pick<Ports, 'auctions'>, id: string): Promise<Auction> {
  const auction = await ports.auctions.find(id);
  if (auction === undefined) throw new AuctionError('not-found', `there is no auction ${id}`);
  return auction;
}

/** @throws AuctionError `not-found` when the market's file is gone */
export function marketOf(ports: Pick<Ports, 'markets'>, id: string): Market {
  const market = ports.markets.get(id);
  if (market === undefined) throw new AuctionError('not-found', `there is no market ${id}`);
  return market;
}

/** What an auction takes. @throws AuctionError `not-found` for one of before auctions kept their terms, whose market is gone */
export const termsIn = (ports: Pick<Ports, 'markets'>, auction: Auction): AuctionTerms =>
  auction.terms ?? marketOf(ports, auction.market);

/** What of an auction holds in its next state, if nothing else is said. */
function lasting({ cause: _, failure, ...auction }: Auction, next: AuctionState): Omit<Auction, 'cause'> {
  if (next === 'cancelled' && failure !== undefined) return { ...auction, failure };
  if (next !== 'closed') return auction;
  const { result: _result, pages: _pages, excluded: _excluded, ...rest } = auction;
  return rest;
}

/**
 * Move an auction on. What does not hold beyond its state is dropped: a cause; with a restart what the run before had found.
 *
 * @returns `undefined` when another writer changed it first: look again
 */
export async function move(
  ports: Pick<Ports, 'auctions' | 'clock'>,
  known: Auction,
  state: AuctionState,
  changes: Partial<Pick<Auction, 'book' | 'tree' | 'result' | 'pages' | 'cause' | 'failure' | 'excluded' | 'run'>> = {},
): Promise<Auction | undefined> {
  assert(mayFollow(known.state, state), `auction ${known.id} cannot go from ${known.state} to ${state}`);
  const next = { ...lasting(known, state), ...changes, state, updatedAt: utc(ports.clock.now()) };
  return (await ports.auctions.advance(known, next)) ? next : undefined;
}

export const wrongState = (auction: Auction, wanted: string): AuctionError =>
  new AuctionError('wrong-state', `auction ${auction.id} is ${auction.state}${because(auction)}: ${wanted}`);

const because = ({ cause }: Auction): string => (cause === undefined ? '' : ` (${cause})`);
