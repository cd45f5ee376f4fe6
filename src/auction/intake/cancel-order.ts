/** An order is taken back while the gate is open, unless another one counts on it. */

import type { Receipt } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Once, Ports } from '../ports.ts';
import { findAuction } from '../records/moves.ts';
import { noOrder } from './find-order.ts';
import { checkNotExecuted } from './replace-order.ts';

/**
 * Without `auction` the participant's newest order of that id.
 *
 * A parent stays as long as it has children: they are cancelled first. The two legs of a loop go together, the other leg first.
 *
 * @throws AuctionError `not-found`; `conflict` for the parent of a live order; `order-executed`; `gate-closed` and what else `OrderStore.cancel`
 *         throws
 */
export async function cancelOrder(
  ports: Ports,
  participant: string,
  record_id: string,
  auction?: string,
  once?: Once,
): Promise<Receipt> {
  const answered = once && (await ports.orders.recall(participant, once));
  if (answered !== undefined) return answered.at(-1)!;
  const [own] =
    auction === undefined
      ? [await ports.orders.findNewest(participant, record_id)]
      : await ports.orders.find(auction, participant, [record_id]);
  if (own === undefined) throw noOrder(record_id, auction);
  const { auction: id, order } = own;
  if (!own.cancelled) checkNotExecuted(await findAuction(ports, id), record_id);
  if (order.kind === 'block' && !own.cancelled) {
    const child = (await ports.orders.findNaming(id, participant, 'linkedTo', [record_id])).get(record_id);
    if (child !== undefined) throw stillNamed(record_id, child.order.record_id);
  }
  const partner = order.kind === 'block' && !own.cancelled ? order.loopWith : undefined;
  const together = partner === undefined ? [record_id] : [partner, record_id];
  const receipt = (await ports.orders.cancelAll(id, participant, together, once)).at(-1)!;
  if (!own.cancelled) ports.meter.record('orders_cancelled', 1);
  return receipt;
}

export function stillNamed(parent: string, child: string): AuctionError {
  const message = `order ${parent} is the parent of ${child}: cancel ${child} first`;
  return new AuctionError('conflict', message, [
    { record_id: child, field: 'linkedTo', code: 'parent-in-use', message },
  ]);
}
