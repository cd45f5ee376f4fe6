/** Settlement of one page of outcomes: accepted orders into the archive, a notice with the reason for each rejected one. */

import assert from 'node:assert/strict';
import * as z from 'zod';
import { canonical } from '../../book/canonical.ts';
import type { News, Ports } from '../ports.ts';
import { acceptedKey } from '../records/keys.ts';
import { readPage } from '../views/results.ts';
import { auctionInRun, run } from './step.ts';
import { tell } from './tell.ts';

export const settlePageInput = run.extend({ key: z.string() });

/** @returns how many orders went which way */
export async function settlePage(ports: Ports, input: z.output<typeof settlePageInput>) {
  const auction = await auctionInRun(ports, input, 'final');
  const orders = await readPage(ports, auction, input.key);
  assert(orders !== undefined, `page ${input.key} is none of auction ${auction.id}`);
  const accepted = orders.filter((order) => order.status !== 'rejected');
  if (accepted.length > 0) {
    await ports.archive.write(acceptedKey(auction, input.key), canonical({ auction: auction.id, orders: accepted }));
  }
  const notices = orders
    .filter((order) => order.status === 'rejected')
    .map(({ participant, record_id, status, reason }): News => {
      assert(reason !== undefined, `order ${record_id} was rejected without a reason`);
      // The result's hash: settling the same result again tells nobody twice, another result is news.
      const id = `order-rejected:${auction.id}:${participant}:${record_id}:${auction.result!.hash}`;
      return { id, kind: 'order-rejected', participant, record_id, status, reason };
    });
  await tell(ports, auction, notices);
  ports.meter.record('orders_accepted', accepted.length);
  const rejected = orders.filter((order) => order.status === 'rejected');
  for (const [reason, some] of Map.groupBy(rejected, ({ reason }) => reason!.code))
    ports.meter.record('orders_rejected', some.length, reason);
  return { accepted: accepted.length, rejected: notices.length };
}
