/** Orders as their participants see them: body, stamps, and the outcome once the auction is final. */

import { AuctionError } from '../market/errors.ts';
import type { AuctionState } from './auction.ts';
import { pageKey } from './keys.ts';
import { findAuction } from './moves.ts';
import type { Ports, StoredOrder } from './ports.ts';
import { isPublished, readPage } from './results.ts';
import type { SettledOrder } from './settled-order.ts';

export interface OrderView extends Omit<StoredOrder, 'ttl'> {
  readonly record_id: string;
  /** State of its auction. */
  readonly state: AuctionState;
  /** With the prices it met; from `final` on, and never for a cancelled order. */
  readonly outcome?: SettledOrder;
}

/** The newest order of that id. @throws AuctionError `not-found` */
export async function findOrder(ports: Ports, record_id: string, auction?: string): Promise<OrderView> {
  const [stored] = await ports.orders.find(record_id, auction);
  if (stored === undefined) {
    throw new AuctionError(
      'not-found',
      `there is no order ${record_id}${auction === undefined ? '' : ` in ${auction}`}`,
    );
  }
  const [view] = await viewsOf(ports, stored.auction, [stored]);
  return view!;
}

/** The orders of an auction by sequence, live and cancelled. @throws AuctionError `not-found` */
export async function listOrders(
  ports: Ports,
  auction: string,
  page?: { after?: number; limit?: number },
): Promise<OrderView[]> {
  return viewsOf(ports, auction, await ports.orders.list(auction, page));
}

async function viewsOf(ports: Ports, id: string, orders: readonly StoredOrder[]): Promise<OrderView[]> {
  const auction = await findAuction(ports, id);
  const outcomes = new Map<number, SettledOrder>();
  if (isPublished(auction)) {
    for (const key of new Set(orders.map((stored) => pageKey(auction, stored.sequence)))) {
      for (const outcome of (await readPage(ports, key)) ?? []) outcomes.set(outcome.sequence, outcome);
    }
  }
  return orders.map(({ ttl: _, ...stored }) => {
    const outcome = outcomes.get(stored.sequence);
    return { record_id: stored.order.record_id, ...stored, state: auction.state, ...(outcome && { outcome }) };
  });
}
