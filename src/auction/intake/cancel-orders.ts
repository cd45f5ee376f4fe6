/** All live orders of a participant in an auction are taken back, or those of one portfolio. */

import type { Receipt } from '../../book/intake.ts';
import type { Ports, StoredOrder } from '../ports.ts';
import { findAuction } from '../records/moves.ts';
import { stillNamed } from './cancel-order.ts';
import { checkNotExecuted } from './replace-order.ts';

export interface Cancellation {
  readonly auction: string;
  readonly portfolio?: string;
  /** So many orders at most; a partner in a loop more. */
  readonly limit: number;
}

const readTogether = 1000;

/**
 * Those that are there when it is asked: an order that comes in meanwhile may stay. Children go before their parents, and a leg of a loop takes the
 * other one with it, whatever its portfolio.
 *
 * @returns a receipt for each, and whether there are more than the limit
 * @throws AuctionError `not-found`, `order-executed`; `conflict` where an order of another portfolio has a parent among them; what
 *         `OrderStore.cancelAll` throws
 */
export async function cancelOrders(
  ports: Ports,
  participant: string,
  { auction: id, portfolio, limit }: Cancellation,
): Promise<{ auction: string; receipts: Receipt[]; more: boolean }> {
  const auction = await findAuction(ports, id);
  checkNotExecuted(auction, 'of yours');
  const live = await liveOrders(ports.orders, id, participant);
  const chosen = portfolio === undefined ? live : ofPortfolio(live, portfolio);
  const sorted = [...chosen.values()].sort((a, b) => generationOf(b, live) - generationOf(a, live));
  const wanted = new Set<string>();
  for (const { order } of sorted) {
    if (wanted.size >= limit) break;
    wanted.add(order.record_id);
    const partner = order.kind === 'block' ? order.loopWith : undefined;
    if (partner !== undefined && live.has(partner)) wanted.add(partner);
  }
  if (wanted.size === 0) return { auction: id, receipts: [], more: false };
  const receipts = await ports.orders.cancelAll(id, participant, [...wanted]);
  ports.meter.record('orders_cancelled', receipts.length);
  return { auction: id, receipts, more: [...chosen.keys()].some((record_id) => !wanted.has(record_id)) };
}

type Orders = ReadonlyMap<string, StoredOrder>;

async function liveOrders(store: Ports['orders'], auction: string, participant: string): Promise<Orders> {
  const live = new Map<string, StoredOrder>();
  for (let after = 0; ; ) {
    const page = await store.list(auction, { after, limit: readTogether, participant });
    for (const each of page) if (!each.cancelled) live.set(each.order.record_id, each);
    if (page.length < readTogether) return live;
    after = page.at(-1)!.sequence;
  }
}

function ofPortfolio(live: Orders, portfolio: string): Orders {
  const chosen = new Map([...live].filter(([, { order }]) => order.portfolio === portfolio));
  for (const [record_id, { order }] of live) {
    if (chosen.has(record_id) || order.kind !== 'block' || order.linkedTo === undefined) continue;
    if (chosen.has(order.linkedTo)) throw stillNamed(order.linkedTo, record_id);
  }
  return chosen;
}

/** How many parents an order has above it; a family has few generations. */
function generationOf({ order }: StoredOrder, live: Orders): number {
  let generation = 0;
  for (let at = order; at.kind === 'block' && at.linkedTo !== undefined && generation <= live.size; generation++) {
    const parent = live.get(at.linkedTo);
    if (parent === undefined) break;
    at = parent.order;
  }
  return generation;
}
