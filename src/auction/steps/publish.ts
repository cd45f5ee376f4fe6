/** The workflow's last step: every order has its outcome, and the house says so. */

import type { z } from 'zod';
import type { Ports } from '../ports.ts';
import { auctionInRun, moveOn, type run } from './step.ts';
import { tell } from './tell.ts';

export async function publish(ports: Ports, input: z.output<typeof run>) {
  const auction = await auctionInRun(ports, input, 'final');
  const isFirst = auction.state === 'final';
  const settled = isFirst ? await moveOn(ports, auction, 'settled') : auction;
  if (isFirst) {
    const waited = ports.clock.now().getTime() - Date.parse(auction.gateClosure);
    ports.meter.record('gate_to_result_seconds', Math.max(0, waited) / 1000);
    ports.meter.record('auctions_settled', 1);
  }
  const id = `auction-settled:${auction.id}`;
  await tell(ports, settled, [{ id, kind: 'auction-settled', orders: auction.book!.orders }]);
  return { settled: true };
}
