/** The intake over two tables: the log (`intake-log.ts`) says what was taken, the items (`order-items.ts`) where to find it. */

import type { Clock, OrderStore, StoredLeaf, StoredOrder } from '../../auction/ports.ts';
import { chainFault } from '../../book/chain-fault.ts';
import { type Entry, entryDigest, ruleOf, seedOf, sequenceOf } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import { type Order, recordId } from '../../market/order.ts';
import { type AuctionRecord, type AuctionRecords, hasEnded } from './auction-store.ts';
import type { Database } from './database.ts';
import { expireOrders } from './expiry.ts';
import { openIntakeLog } from './intake-log.ts';
import type { LogEntry } from './log-pages.ts';
import { isCommitted, type Place, placesOf } from './log-readers.ts';
import { type IntakeOptions, openIntake } from './order-intake.ts';
import { asOrderItem, keyOf, type OrderItem, storedOrder, ttlOf, versionsPartition } from './order-items.ts';
import { allNaming, firstNaming } from './order-names.ts';

export interface OrderStoreOptions extends Pick<IntakeOptions, 'patienceMs' | 'budgetMs'> {
  readonly database: Database;
  readonly ordersTable: string;
  readonly intakeTable: string;
  readonly auctions: AuctionRecords;
  readonly clock: Clock;
}

type OrderEntry = LogEntry & { readonly order: Order };
const isOrder = (entry: LogEntry): entry is OrderEntry => entry.order !== undefined;

/** The number, from 1, of the first entry of a shard beyond a sequence. */
const numberAfter = (after: number, { shard, shards }: Place): number =>
  Math.max(0, Math.floor((after - 1 - shard) / shards) + 1) + 1;

const leafOf = ({ sequence, digest, hash, participant, order, cancels }: LogEntry): StoredLeaf => ({
  ...{ sequence, digest, hash, participant },
  record_id: order?.record_id ?? cancels!,
});

/** What is no id is nobody's, and may be longer than a key can be. */
const isId = (name: string): boolean => recordId.safeParse(name).success;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a scope: its methods, each short, share the tables of one store
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
    const records = await log.records(
      auction.id,
      items.map(({ request_id }) => request_id),
    );
    const byKey = new Map(items.map((item) => [item.record_id, item]));
    const entries = await log.entriesOfAll(auction.id, shards, [...records.values()].filter(isCommitted));
    const stored = entries.flat().flatMap((entry): StoredOrder[] => {
      if (!isOrder(entry)) return [];
      const item = byKey.get(keyOf(auction.id, entry.participant, entry.order.record_id));
      return item?.request_id === entry.request ? [storedOrder(auction, entry, item.cancelled_by !== undefined)] : [];
    });
    return stored.sort((a, b) => b.sequence - a.sequence);
  }

  const store: OrderStore = {
    ...openIntake({ ...options, log }),

    async find(id, participant, record_ids) {
      const record = await auctions.record(id);
      if (record === undefined || isExpired(record)) return [];
      return storedOrders(record, await itemsOf(record_ids.filter(isId).map((each) => keyOf(id, participant, each))));
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

    async findNaming(id, participant, field, names) {
      const record = await auctions.record(id);
      if (record === undefined || isExpired(record)) return new Map();
      const tables = { database, ordersTable, intakeTable, log };
      const items = await firstNaming(tables, id, participant, field, names.filter(isId));
      const stored = await storedOrders(record, [...items.values()]);
      const byId = new Map(stored.map((each) => [keyOf(id, participant, each.order.record_id), each]));
      return new Map([...items].map(([name, { record_id }]) => [name, byId.get(record_id)!]));
    },

    async allNaming(id, participant, field, name) {
      const record = await auctions.record(id);
      if (record === undefined || isExpired(record) || !isId(name)) return [];
      const tables = { database, ordersTable, intakeTable, log };
      return storedOrders(record, await allNaming(tables, id, participant, field, name));
    },

    async versions(id, participant, record_id) {
      const record = await auctions.record(id);
      if (record === undefined || isExpired(record) || !isId(record_id)) return [];
      const [item] = await itemsOf([keyOf(id, participant, record_id)]);
      if (item === undefined) return [];
      const requests = [item.request_id];
      for await (const note of database.query(intakeTable, versionsPartition(id, participant, record_id)))
        requests.push(note.request_id as string);
      const records = [...(await log.records(id, requests)).values()].filter(isCommitted);
      const entries = (await log.entriesOfAll(id, record.shards, records)).flat().filter(isOrder);
      const own = entries.filter(({ order }) => order.record_id === record_id);
      const last = item.version ?? 1;
      return own
        .map((entry) =>
          storedOrder(record.auction, entry, (entry.version ?? 1) === last && item.cancelled_by !== undefined),
        )
        .sort((a, b) => a.version - b.version);
    },

    async list(id, { after = 0, limit = Number.POSITIVE_INFINITY, participant } = {}) {
      const record = await recordOf(id);
      if (isExpired(record)) return [];
      const { auction } = record;
      const orders: StoredOrder[] = [];
      // Versions that were replaced are none of them: the more there are the more is read.
      for (let from = after; ; ) {
        const { last, found } = await someAfter(from, limit - orders.length);
        orders.push(...found);
        if (last === undefined || orders.length >= limit) return orders;
        from = last;
      }

      /** Entries that follow a sequence, `wanted` of them if there are, as far as they are the last version; `last` where there may be more. */
      async function someAfter(from: number, wanted: number): Promise<{ last?: number; found: StoredOrder[] }> {
        const ofEach = await Promise.all(
          placesOf(record).map((place) => ordersAfter(place, from, wanted, participant)),
        );
        const entries = ofEach.flat().sort((a, b) => a.sequence - b.sequence);
        const some = entries.slice(0, wanted);
        const keys = some.map(({ participant, order }) => keyOf(id, participant, order.record_id));
        const items = new Map((await itemsOf(keys)).map((item) => [item.record_id, item]));
        const found = some.flatMap((entry, i): StoredOrder[] => {
          const { version = 1, cancelled_by } = items.get(keys[i]!) ?? {};
          return version > (entry.version ?? 1) ? [] : [storedOrder(auction, entry, cancelled_by !== undefined)];
        });
        return { ...(entries.length >= wanted && some.length > 0 && { last: some.at(-1)!.sequence }), found };
      }

      /** The orders of a shard beyond a sequence, those of one participant where one is named; `limit` of them at least, if there are. */
      async function ordersAfter(place: Place, after: number, limit: number, participant?: string) {
        const number = numberAfter(after, place);
        const pages =
          participant === undefined
            ? log.entriesFrom(place, number)
            : log.ownEntriesFrom(place, participant, number, limit);
        const orders: OrderEntry[] = [];
        for await (const page of pages) {
          orders.push(...page.filter(isOrder).filter(({ sequence }) => sequence > after));
          if (orders.length >= limit) break;
        }
        return orders;
      }
    },

    async entries(id) {
      const { auction, shards } = await recordOf(id);
      // From here on nothing is added, whatever is still on its way.
      const isClosed = auction.state !== 'scheduled' && auction.state !== 'open';
      if (isClosed) await log.close(id, shards);
      const entries: Entry[] = [];
      for (const place of placesOf({ auction, shards })) {
        const kept: LogEntry[] = [];
        for await (const page of log.entriesFrom(place)) kept.push(...page);
        if (isClosed && !hasEnded(auction.state)) await checkChain(place, kept);
        for (const { hash: _, digest: __, request: ___, ...entry } of kept) entries.push(entry);
      }
      return entries.sort((a, b) => a.sequence - b.sequence);

      /** Pages say which hash they begin at, and the head where all of them lead. */
      async function checkChain(place: Place, kept: readonly LogEntry[]): Promise<void> {
        const { entries, chain } = await log.headOf(place);
        const { shard } = place;
        const head = entries === 0 ? undefined : { sequence: sequenceOf(shard, entries, shards), hash: chain };
        const chained = kept.map(({ hash, digest: _, request: __, ...entry }) => {
          return { sequence: entry.sequence, hash, digest: entryDigest(ruleOf(auction), entry) };
        });
        const fault = chainFault(seedOf(auction), chained, { shard, shards, head });
        if (fault !== undefined)
          throw new AuctionError('damaged-data', `the intake of auction ${id} is damaged: ${fault}`);
      }
    },

    async leaves(id, after, limit) {
      const record = await recordOf(id);
      const { auction } = record;
      const found = (await Promise.all(placesOf(record).map(leavesAfter))).flat();
      const leaves = found.sort((a, b) => a.sequence - b.sequence).slice(0, limit);
      if (auction.book !== undefined) return leaves;
      const gap = leaves.findIndex(({ sequence }, at) => sequence !== after + at + 1);
      return gap < 0 ? leaves : leaves.slice(0, gap);

      async function leavesAfter(place: Place): Promise<StoredLeaf[]> {
        const some: StoredLeaf[] = [];
        for await (const page of log.entriesFrom(place, numberAfter(after, place))) {
          for (const entry of page) if (entry.sequence > after) some.push(leafOf(entry));
          if (some.length >= limit) break;
        }
        return some;
      }
    },

    async shards(id) {
      return (await recordOf(id)).shards;
    },

    expire: (now) => expireOrders({ database, ordersTable, intakeTable, auctions, log }, now),
  };
  return store;
}
