/** The end of a workflow that failed: the auction gets its cause, and the operator a notice. */

import * as z from 'zod';
import { type Auction, type AuctionState, mayFollow } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { findAuction, move } from '../records/moves.ts';
import { run } from './step.ts';
import { tell } from './tell.ts';

export const notifyFailureInput = run.extend({
  /** What `Catch` hands over: the error's name, and its message (in the cloud a JSON text with `errorMessage`). */
  failure: z.object({ Error: z.string(), Cause: z.string().default('') }),
});

/** @returns the error's name and the cause, which the execution ends with */
export async function notifyFailure(ports: Ports, input: z.output<typeof notifyFailureInput>) {
  const { Error: error, Cause } = input.failure;
  const cause = messageOf(Cause);
  await failAuction(ports, input.auction, input.run, error === 'AuctionError' ? cause : `${error}: ${cause}`);
  return { error, cause };
}

/** Set `failed` with the cause and tell. A run that is not the auction's current one has nothing to say any more. */
export async function failAuction(ports: Ports, id: string, run: number, cause: string): Promise<void> {
  const auction = await findAuction(ports, id);
  if (auction.run !== run) return;
  let failed: Auction | undefined = auction;
  if (mayFollow(auction.state, 'failed')) {
    const failure = { from: auction.state };
    failed = await move(ports, auction, 'failed', { cause, failure });
    if (failed === undefined) return failAuction(ports, id, run, cause);
    ports.meter.record('auctions_failed', 1);
  } else if ((auction.state satisfies AuctionState) !== 'failed') return;
  // The state first: if we die before the notice, the workflow runs again and comes here again.
  await tell(ports, failed, [
    { id: `auction-failed:${id}:${run}`, kind: 'auction-failed', cause: failed.cause ?? cause },
  ]);
}

function messageOf(cause: string): string {
  try {
    const { errorMessage } = JSON.parse(cause) as { errorMessage?: unknown };
    return typeof errorMessage === 'string' ? errorMessage : cause;
  } catch {
    return cause; // it is the message itself
  }
}
