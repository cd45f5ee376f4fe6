/**
 * A canary: a small auction from gate to settlement, held to see whether the house works.
 *
 * It goes the way of every auction; only its gate closes as soon as its orders are in. Two orders trade, one cannot.
 */

import assert from 'node:assert/strict';
import type { Market } from '../../market/market.ts';
import { utc } from '../../market/time.ts';
import type { AuctionState } from '../auction.ts';
import { closeGate, createAuction } from '../auctions.ts';
import { submitOrders } from '../intake/submit-orders.ts';
import type { Ports } from '../ports.ts';
import { findAuction, marketOf } from '../records/moves.ts';
import { readResult } from '../views/results.ts';

export interface Canary {
  /** Of the auction; the same id again is the same canary. */
  readonly id: string;
  readonly market: string;
  /** How long it may take. */
  readonly seconds: number;
  readonly pause: (ms: number) => Promise<unknown>;
}

/** MW. */
const power = 1;

/** @throws Error saying what was not as it had to be; the meter has heard of it by then */
export async function holdCanary(ports: Ports, { id, market, seconds, pause }: Canary): Promise<{ auction: string }> {
  const { clock, meter } = ports;
  const began = clock.now().getTime();
  try {
    const closes = utc(new Date(began + 2 * seconds * 1000));
    await createAuction(ports, { id, market, gateClosure: closes });
    await submitOrders(ports, { participant: 'canary' }, { auction: id, orders: ordersOf(marketOf(ports, market)) });
    await closeGate(ports, id);
    for (;;) {
      const { state, cause } = await findAuction(ports, id);
      if (state === 'settled') break;
      if ((['failed', 'cancelled'] as readonly AuctionState[]).includes(state))
        throw new Error(`canary ${id} is ${state}: ${cause}`);
      if (clock.now().getTime() - began > seconds * 1000)
        throw new Error(`canary ${id} is ${state} after ${seconds} s`);
      await pause(500);
    }
    const { orders } = await readResult(ports, id);
    const status = Object.fromEntries(orders.map((order) => [order.record_id, order.status]));
    const { buyer, seller, dear } = status;
    assert.deepEqual({ buyer, seller, dear }, { buyer: 'accepted', seller: 'accepted', dear: 'rejected' });
  } catch (error) {
    meter.record('canary_auctions', 1, 'failed');
    throw error;
  }
  meter.record('canary_auctions', 1, 'settled');
  meter.record('canary_seconds', (clock.now().getTime() - began) / 1000);
  return { auction: id };
}

function ordersOf({ zones, priceLimits: { min, max } }: Market): object[] {
  const order = { kind: 'limit', zone: zones[0], period: 1, power };
  return [
    { ...order, record_id: 'buyer', side: 'buy', price: max },
    { ...order, record_id: 'seller', side: 'sell', price: min },
    { ...order, record_id: 'dear', side: 'sell', price: max },
  ];
}
