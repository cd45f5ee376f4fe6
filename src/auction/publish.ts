/** The workflow's last step: every order has its outcome, and the house says so. */

import type { z } from 'zod';
import type { Ports } from './ports.ts';
import { auctionInRun, moveOn, type run } from './step.ts';

export async function publish(ports: Ports, input: z.output<typeof run>) {
  const auction = await auctionInRun(ports, input, 'final');
  if (auction.state === 'final') await moveOn(ports, auction, 'settled');
  const id = `auction-settled:${auction.id}`;
  await ports.notices.send([{ id, kind: 'auction-settled', auction: auction.id, orders: auction.book!.orders }]);
  return { settled: true };
}
