/** What the steps of the workflow share: each begins by looking where the auction is. */

import * as z from 'zod';
import { auctionId } from '../../market/book.ts';
import { type Auction, type AuctionState, auction as auctionSchema } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { findAuction, move, wrongState } from '../records/moves.ts';

/** Every step is told which run of which auction it works for. */
export const run = z.object({ auction: auctionId, run: auctionSchema.shape.run.unwrap() });

const stages = ['closed', 'clearing', 'preliminary', 'final', 'settled'] as const satisfies readonly AuctionState[];
export type Stage = (typeof stages)[number];

export const hasReached = (auction: Auction, stage: Stage): boolean =>
  stages.indexOf(auction.state as Stage) >= stages.indexOf(stage);

/** The auction, if it is on its way and this run is its current one. @throws AuctionError `wrong-state` */
export async function auctionInRun(ports: Ports, input: z.output<typeof run>, from: Stage): Promise<Auction> {
  const auction = await findAuction(ports, input.auction);
  if (auction.run !== input.run) throw wrongState(auction, `run ${input.run} was followed by run ${auction.run}`);
  if (!hasReached(auction, from)) throw wrongState(auction, `this step of its workflow begins at ${from}`);
  return auction;
}

/** Move on, or find that a twin of this step has done so. */
export async function moveOn(
  ports: Ports,
  auction: Auction,
  to: Stage,
  changes: Partial<Pick<Auction, 'book' | 'tree' | 'result' | 'pages'>> = {},
): Promise<Auction> {
  const moved = await move(ports, auction, to, changes);
  return moved ?? auctionInRun(ports, { auction: auction.id, run: auction.run }, to);
}
