/** Bugs that a house may have, put there to see that the simulation finds each. */

import type { Store } from '../../src/adapters/local/stores.ts';
import type { Trade } from '../../src/auction/money/trades.ts';
import type { Ports } from '../../src/auction/ports.ts';
import type { Entry } from '../../src/book/intake.ts';
import type { Order } from '../../src/market/order.ts';

export interface Plant {
  /** By how much the clock that gates go by is late, in milliseconds. */
  readonly lateMs?: number;
  /** What it makes of the trades of an auction. */
  readonly trades?: (right: Trade[]) => Trade[];
  /** @param store  of one machine */
  readonly ports?: (right: Ports, store?: Store) => Ports;
}

const every = (count: number) => {
  let calls = 0;
  return () => ++calls % count === 0;
};

const withOrders = (change: (orders: Ports['orders'], store?: Store) => Partial<Ports['orders']>): Plant => ({
  ports: (right, store) => ({ ...right, orders: { ...right.orders, ...change(right.orders, store) } }),
});

export const plants = {
  'lost order': withOrders((orders) => ({
    entries: async (auction) => (await orders.entries(auction)).slice(0, -1),
  })),
  'settled twice': {
    ports: (right) => ({
      ...right,
      notices: {
        send: (notices) =>
          right.notices.send(notices.flatMap((notice) => [notice, { ...notice, id: `${notice.id}:again` }])),
      },
    }),
  },
  'order after the gate': { lateMs: 20_000 },
  'receipt for another body': withOrders((orders) => {
    const isTurn = every(3);
    const other = (order: Order): Order =>
      order.kind === 'limit' && isTurn() ? { ...order, side: order.side === 'buy' ? 'sell' : 'buy' } : order;
    return { append: (auction, participant, some) => orders.append(auction, participant, some.map(other)) };
  }),
  'dropped replacement': withOrders((orders) => ({
    async replace(auction, participant, order, expected) {
      const [before] = await orders.find(auction, participant, [order.record_id]);
      const receipt = await orders.replace(auction, participant, order, expected);
      if (before !== undefined) await orders.replace(auction, participant, before.order);
      return receipt;
    },
  })),
  'outcome shown to another participant': withOrders((orders) => ({
    list: (auction, { participant: _, ...page } = {}) => orders.list(auction, page),
  })),
  'money off by a cent': {
    trades: (trades) =>
      trades.map((trade, at) => (at === 0 ? { ...trade, amountCents: trade.amountCents + 1 } : trade)),
  },
  'an altered row accepted': withOrders((_, store) => ({
    entries: async (auction) => {
      const { database } = store!;
      const rows = database.prepare('SELECT * FROM entries WHERE auction = ? ORDER BY sequence').all(auction);
      return (rows as unknown as Row[]).map((row): Entry => {
        const { sequence, received_at, participant, record_id, version, body } = row;
        const stamps = { sequence, received_at, participant, ...(version > 1 && { version }) };
        return body === null ? { ...stamps, cancels: record_id } : { ...stamps, order: JSON.parse(body) as Order };
      });
    },
  })),
} as const satisfies Record<string, Plant>;

interface Row {
  readonly sequence: number;
  readonly received_at: string;
  readonly participant: string;
  readonly record_id: string;
  readonly version: number;
  readonly body: string | null;
}
