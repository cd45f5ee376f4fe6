/** The intake over two tables: the log (`intake-log.ts`) says what was taken, the items (`order-items.ts`) where to find it. */

import type { Clock, OrderStore, StoredOrder } from '../../auction/ports.ts';
import type { Entry } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Order } from '../../market/order.ts';
import { type AuctionRecord, type AuctionRecords, hasEnded } from './auction-store.ts';
import type { Database } from './database.ts';
import { expireOrders } from './expiry.ts';
import { type LogEntry, openIntakeLog } from './intake-log.ts';
import { type IntakeOptions, openIntake } from './order-intake.ts';
import { asOrderItem, isCommitted, keyOf, type OrderItem, storedOrder, ttlOf } from './order-items.ts';

export interface OrderStoreOptions extends Pick<IntakeOptions, 'patienceMs' | 'budgetMs'> {
  readonly database: Database;
  readonly ordersTable: string;
  readonly intakeTable: string;
  readonly auctions: AuctionRecords;
  readonly clock: Clock;
}

type OrderEntry = LogEntry & { readonly order: Order };
const isOrder = (entry: LogEntry): entry is OrderEntry => entry.order !== undefined;

export function openOrderStore(options: OrderStoreOptions): OrderStore {
  const { database, ordersTable, intakeTable, auctions, clock } = options;
  const log = openIntakeLog(database, intakeTable);

  async function recordOf(id: string): Promise<AuctionRecord> {
    const record = await auctions.record(id);
    if (record === undefined) throw new AuctionError('not-found', `there is no auction ${id}`);
    return record;
  }

  /** Items linger after their time, in this table for days: readers do not wait for that. */
  const isExpired = ({ auction }: AuctionRecord): boolean =>
    hasEnded(auction.state) && ttlOf(auction) * 1000 < clock.now().getTime();

  const itemsOf = async (keys: readonly string[]): Promise<OrderItem[]> => {
    const items = await database.getMany(
      ordersTable,
      keys.map((record_id) => ({ record_id })),
    );
    return items.map(asOrderItem);
  };

  async function storedOrders(record: AuctionRecord, items: readonly OrderItem[]): Promise<StoredOrder[]> {
    const { auction, shards } = record;
    const requests = await log.records(
      auction.id,
      items.map(({ request_id }) => request_id),
    );
    const stored: StoredOrder[] = [];
    for (const item of items) {
      const request = requests.get(item.request_id);
      if (!isCommitted(request)) continue;
      const entry = (await log.entriesOf(auction.id, shards, request))
        .filter(isOrder)
        .find(({ order, participant }) => keyOf(auction.id, participant, order.record_id) === item.record_id);
      if (entry) stored.push(storedOrder(auction, entry, item.cancelled_by !== undefined));
    }
    return stored.sort((a, b) => b.sequence - a.sequence);
  }

  const store: OrderStore = {
    ...openIntake({ ...options, log }),

    async find(id, participant, record_ids) {
      const record = await auctions.record(id);
      if (record === undefined || isExpired(record)) return [];
      return storedOrders(record, await itemsOf(record_ids.map((each) => keyOf(id, participant, each))));
    },

    async findNewest(participant, record_id) {
      const records = [...(await auctions.records('live')), ...(await auctions.records('ended'))];
      const readable = records.filter((record) => !isExpired(record));
      readable.sort((a, b) => Date.parse(b.auction.gateClosure) - Date.parse(a.auction.gateClosure));
      const items = await itemsOf(readable.map(({ auction }) => keyOf(auction.id, participant, record_id)));
      const byAuction = new Map(items.map((item) => [item.auction, item]));
      for (const record of readable) {
        const item = byAuction.get(record.auction.id);
        const [stored] = item ? await storedOrders(record, [item]) : [];
        if (stored) return stored;
      }
      return undefined;
    },

    // Orders that name others are few, and asked for when one of them comes or goes: the log is read rather than indexed.
    async findNaming(id, participant, field, names) {
      const orders = await store.list(id, { participant });
      const found = names.flatMap((name): [string, StoredOrder][] => {
        const first = orders.find(
          ({ order, cancelled }) => !cancelled && order.kind === 'block' && order[field] === name,
        );
        return first ? [[name, first]] : [];
      });
      return new Map(found);
    },

    async list(id, { after = 0, limit = Number.POSITIVE_INFINITY, participant } = {}) {
      const record = await recordOf(id);
      if (isExpired(record)) return [];
      const { auction, shards } = record;
      const found: OrderEntry[] = [];
      for (let shard = 0; shard < shards; shard++) {
        // The first entry of this shard beyond `after`, counted from 1.
        const number = Math.max(0, Math.floor((after - 1 - shard) / shards) + 1) + 1;
        let count = 0;
        for await (const page of log.entriesFrom(id, shard, shards, number)) {
          const orders = page
            .filter(isOrder)
            .filter((entry) => entry.sequence > after && [undefined, entry.participant].includes(participant));
          found.push(...orders);
          count += orders.length;
          if (count >= limit) break;
        }
      }
      found.sort((a, b) => a.sequence - b.sequence);
      const wanted = found.slice(0, limit);
      const keys = wanted.map(({ participant, order }) => keyOf(id, participant, order.record_id));
      const cancelled = new Set(
        (await itemsOf(keys)).filter((item) => item.cancelled_by !== undefined).map((item) => item.record_id),
      );
      return wanted.map((entry, i) => storedOrder(auction, entry, cancelled.has(keys[i]!)));
    },

    async entries(id) {
      const { auction, shards } = await recordOf(id);
      // From here on nothing is added, whatever is still on its way.
      if (auction.state !== 'scheduled' && auction.state !== 'open') await log.close(id, shards);
      const entries: Entry[] = [];
      for (let shard = 0; shard < shards; shard++) {
        for await (const page of log.entriesFrom(id, shard, shards)) {
          for (const { hash: _, request: __, ...entry } of page) entries.push(entry);
        }
      }
      return entries.sort((a, b) => a.sequence - b.sequence);
    },

    async shards(id) {
      return (await recordOf(id)).shards;
    },

    expire: (now) => expireOrders({ database, ordersTable, intakeTable, auctions, log }, now),
  };
  return store;
}
