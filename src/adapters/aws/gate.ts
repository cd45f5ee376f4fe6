/** The gate, as a writer sees it: by the auction's state when it was read, and by the clock. */

import type { Auction } from '../../auction/auction.ts';
import type { Clock } from '../../auction/ports.ts';
import { AuctionError } from '../../market/errors.ts';

/** @throws AuctionError `gate-not-open`, `gate-closed` */
export function checkGate(auction: Auction, now: Date): void {
  const { id, state, gateOpening, gateClosure } = auction;
  const isEarly = state === 'scheduled' || (state === 'open' && now.getTime() < Date.parse(gateOpening));
  if (isEarly) throw new AuctionError('gate-not-open', `auction ${id} takes orders from ${gateOpening}`);
  if (state !== 'open') throw new AuctionError('gate-closed', `auction ${id} is ${state}: it takes no more orders`);
  if (Date.parse(gateClosure) <= now.getTime()) throw gateClosed(auction);
}

export const gateClosed = ({ id, gateClosure }: Auction): AuctionError =>
  new AuctionError('gate-closed', `the gate of auction ${id} closed at ${gateClosure}`);

/** For the time of a write that is about to be made: it is taken, and the gate looked at, then. */
export const stampAt = (auction: Auction, clock: Clock) => (): string => {
  const now = clock.now();
  checkGate(auction, now);
  return now.toISOString();
};
