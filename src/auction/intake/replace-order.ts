/** An order gets a new version while the gate is open, under the same checks as a new order, and those of whoever counts on it. */

import { admit } from '../../book/admission.ts';
import type { Receipt } from '../../book/intake.ts';
import type { Owner } from '../../book/portfolio-rules.ts';
import { relationFaults } from '../../book/relations.ts';
import { AuctionError, type Problem } from '../../market/errors.ts';
import type { Order } from '../../market/order.ts';
import type { Once, Ports, StoredOrder } from '../ports.ts';
import { findAuction } from '../records/moves.ts';
import { isPublished } from '../views/results.ts';
import { noOrder } from './find-order.ts';
import { earlierOf, knownTerms, refusal } from './submit-orders.ts';

export interface Replacement {
  readonly record_id: string;
  /** The order as its participant sends it. */
  readonly order: object;
  /** Without it the participant's newest order of that id. */
  readonly auction?: string;
  /** The version that it replaces; without it whichever is the last. */
  readonly expected?: number;
}

/**
 * @throws AuctionError `not-found`; `order-executed` once there is a result; `invalid-order` and `forbidden` as for a new order, and where a
 *         child, a partner or a group would not fit any more; what `OrderStore.replace` throws
 */
export async function replaceOrder(
  ports: Ports,
  owner: Owner,
  replacement: Replacement,
  once?: Once,
): Promise<Receipt> {
  const { record_id, auction: named, expected } = replacement;
  const { participant } = owner;
  const answered = once && (await ports.orders.recall(participant, once));
  if (answered !== undefined) return answered[0]!;
  const [own] =
    named === undefined
      ? [await ports.orders.findNewest(participant, record_id)]
      : await ports.orders.find(named, participant, [record_id]);
  if (own === undefined) throw noOrder(record_id, named);
  const auction = await findAuction(ports, own.auction);
  checkNotExecuted(auction, record_id);
  const submission = { record_id, ...replacement.order };
  if (submission.record_id !== record_id)
    throw new AuctionError('invalid-request', `the address says order ${record_id}, the body another one`);
  const earlier = await earlierOf(ports, auction.id, participant, [submission], record_id);
  const admitted = admit([submission], knownTerms(ports, auction), earlier, owner);
  if ('problems' in admitted) throw refusal(admitted.problems);
  const [order] = admitted.orders as [Order];
  const naming = own.cancelled ? [] : await namingOf(ports.orders, own, order);
  const faults = naming.length === 0 ? [] : relationFaults([order, ...naming.map((each) => each.order)], earlier);
  if (faults.length > 0) throw refusal(faults.map((fault): Problem => ({ index: 0, ...fault })));
  const receipt = await ports.orders.replace(auction.id, participant, order, expected, once);
  if (receipt.version > own.version) ports.meter.record('orders_replaced', 1);
  return receipt;
}

/** @throws AuctionError `order-executed` */
export function checkNotExecuted(auction: Parameters<typeof isPublished>[0] & { id: string }, record_id: string): void {
  if (!isPublished(auction)) return;
  const message = `auction ${auction.id} is ${auction.state}: order ${record_id} has its outcome`;
  throw new AuctionError('order-executed', message);
}

/**
 * Who names an order: its children and its partner. Their children too, and so on, where it gets another parent: their family gets deeper, or
 * would run in a circle.
 */
async function namingOf(store: Ports['orders'], own: StoredOrder, next: Order): Promise<StoredOrder[]> {
  const { auction, participant, order } = own;
  if (order.kind !== 'block') return [];
  const childrenOf = (name: string) => store.allNaming(auction, participant, 'linkedTo', name);
  const partners = await store.allNaming(auction, participant, 'loopWith', order.record_id);
  const children = await childrenOf(order.record_id);
  const isMoved = next.kind === 'block' && next.linkedTo !== undefined && next.linkedTo !== order.linkedTo;
  const family = new Map(children.map((child) => [child.order.record_id, child]));
  for (let last = isMoved ? children : []; last.length > 0; ) {
    const below = (await Promise.all(last.map((child) => childrenOf(child.order.record_id)))).flat();
    last = below.filter((child) => !family.has(child.order.record_id));
    for (const child of last) family.set(child.order.record_id, child);
  }
  return [...partners, ...family.values()];
}
