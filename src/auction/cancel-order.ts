/** An order is taken back while the gate is open. */

import type { Receipt } from '../book/intake.ts';
import { AuctionError } from '../market/errors.ts';
import type { Ports } from './ports.ts';

/**
 * Without `auction` the participant's newest order of that id.
 *
 * @throws AuctionError `not-found`; `gate-closed` and what else `OrderStore.cancel` throws
 */
export async function cancelOrder(
  ports: Ports,
  participant: string,
  record_id: string,
  auction?: string,
): Promise<Receipt> {
  const own = (await ports.orders.find(record_id, auction)).find((stored) => stored.participant === participant);
  if (own === undefined) throw new AuctionError('not-found', `there is no order ${record_id}`);
  return ports.orders.cancel(own.auction, participant, record_id);
}
