/** Orders as their participants see them: body, stamps, and the outcome once the auction is final. */

import assert from 'node:assert/strict';
import { AuctionError } from '../../market/errors.ts';
import type { Order } from '../../market/order.ts';
import type { AuctionState } from '../auction.ts';
import type { OrderPage, Ports, StoredOrder } from '../ports.ts';
import { pageKey } from '../records/keys.ts';
import { findAuction } from '../records/moves.ts';
import { isPublished, readPage } from '../views/results.ts';
import type { SettledOrder } from '../views/settled-order.ts';

export interface OrderView extends Omit<StoredOrder, 'ttl'> {
  readonly record_id: string;
  /** State of its auction. */
  readonly state: AuctionState;
  /** With the prices it met; from `final` on, and never for a cancelled order. */
  readonly outcome?: SettledOrder;
  /** Why the sealed book does without it, though nobody cancelled it; it has no outcome then. */
  readonly leftOut?: string;
}

/** The participant's order of that id; without `auction` its newest one. @throws AuctionError `not-found` */
export async function findOrder(
  ports: Ports,
  participant: string,
  record_id: string,
  auction?: string,
): Promise<OrderView> {
  const [stored] =
    auction === undefined
      ? [await ports.orders.findNewest(participant, record_id)]
      : await ports.orders.find(auction, participant, [record_id]);
  if (stored === undefined) throw noOrder(record_id, auction);
  const [view] = await viewsOf(ports, stored.auction, [stored]);
  return view!;
}

/**
 * All versions of an order, the first one first; without `auction` of its newest one.
 *
 * @throws AuctionError `not-found`
 */
export async function findVersions(
  { orders }: Pick<Ports, 'orders'>,
  participant: string,
  record_id: string,
  auction?: string,
): Promise<Omit<StoredOrder, 'ttl'>[]> {
  const id = auction ?? (await orders.findNewest(participant, record_id))?.auction;
  const versions = id === undefined ? [] : await orders.versions(id, participant, record_id);
  if (versions.length === 0) throw noOrder(record_id, auction);
  return versions.map(({ ttl: _, ...version }) => version);
}

export const noOrder = (record_id: string, auction?: string): AuctionError =>
  new AuctionError('not-found', `there is no order ${record_id}${auction === undefined ? '' : ` in ${auction}`}`);

/** The orders of an auction by sequence, live and cancelled. @throws AuctionError `not-found` */
export async function listOrders(ports: Ports, auction: string, page?: OrderPage): Promise<OrderView[]> {
  return viewsOf(ports, auction, await ports.orders.list(auction, page));
}

async function viewsOf(ports: Ports, id: string, orders: readonly StoredOrder[]): Promise<OrderView[]> {
  const auction = await findAuction(ports, id);
  const outcomes = new Map<number, SettledOrder>();
  const settled = new Set<string>();
  if (isPublished(auction)) {
    for (const key of new Set(orders.map((stored) => pageKey(auction, stored.sequence)))) {
      const page = await readPage(ports, auction, key);
      if (page === undefined) continue;
      settled.add(key);
      for (const outcome of page) outcomes.set(outcome.sequence, outcome);
    }
  }
  return orders.map(({ ttl: _, ...stored }) => {
    const { record_id } = stored.order;
    const outcome = outcomes.get(stored.sequence);
    const isDone = outcome !== undefined || stored.cancelled || !settled.has(pageKey(auction, stored.sequence));
    const why = isDone ? {} : { leftOut: whyLeftOut(stored.order) };
    return { record_id, ...stored, state: auction.state, ...(outcome && { outcome }), ...why };
  });
}

/** The seal leaves out only who names an order that is not in the book: `book/relations.ts`. */
function whyLeftOut(order: Order): string {
  const { linkedTo, loopWith, exclusiveGroup } = order.kind === 'block' ? order : {};
  const named = linkedTo ?? loopWith;
  if (named === undefined) {
    assert(exclusiveGroup !== undefined, `order ${order.record_id} is not in the sealed book and names nobody`);
    return `its group ${exclusiveGroup} lies in another zone`;
  }
  return `it names ${named}, which is not in the book: it was cancelled, or left out itself`;
}
