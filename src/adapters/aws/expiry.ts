/**
 * The end of orders: a day after their gate has closed, and never before their auction is settled or cancelled.
 *
 * The table deletes items by itself once their time to live has passed, and knows nothing of auctions. So the items of an
 * auction that is not settled half a day after its gate are written anew, from the log, with a later time. The log has no time
 * to live: it is deleted here, when its auction has ended and the day is over.
 */

import type { Auction } from '../../auction/auction.ts';
import { canonical } from '../../book/canonical.ts';
import type { AuctionRecord, AuctionRecords } from './auction-store.ts';
import type { Database, Item, Key } from './database.ts';
import { type IntakeLog, type LogEntry, requestKey } from './intake-log.ts';
import { keyOf, lifetimeSeconds, type OrderItem, ttlOf } from './order-items.ts';

export interface Tables {
  readonly database: Database;
  readonly ordersTable: string;
  readonly intakeTable: string;
  readonly auctions: AuctionRecords;
  readonly log: IntakeLog;
}

/** @returns how many orders went for good */
export async function expireOrders(tables: Tables, now: Date): Promise<number> {
  const seconds = now.getTime() / 1000;
  for (const record of await tables.auctions.records('live')) {
    if (seconds > ttlOf(record.auction) - lifetimeSeconds / 2) await keepLonger(tables, record, seconds);
  }
  let deleted = 0;
  for (const record of await tables.auctions.records('ended')) {
    if (seconds <= ttlOf(record.auction)) continue;
    deleted += await deleteLog(tables, record);
    await tables.auctions.forget(record);
  }
  return deleted;
}

const keptKey = ({ id }: Auction): Key => ({ pk: `${id}#kept`, sk: 'kept' });

async function keepLonger({ database, ordersTable, intakeTable, log }: Tables, record: AuctionRecord, now: number) {
  const { auction, shards } = record;
  const kept = await database.get(intakeTable, keptKey(auction));
  if (kept !== undefined && (kept.ttl_seconds as number) - now > lifetimeSeconds / 2) return;
  const ttl = Math.ceil(now + lifetimeSeconds);
  await log.close(auction.id, shards); // so that nothing changes these items any more
  const entries = await allEntries(log, record);
  const cancellations = new Map(
    entries.flatMap((entry) => (entry.cancels ? [[`${entry.participant}/${entry.cancels}`, entry.request]] : [])),
  );
  const items = entries.flatMap(({ order, participant, request, received_at }): Item[] => {
    if (order === undefined) return [];
    const cancelled_by = cancellations.get(`${participant}/${order.record_id}`);
    const item: OrderItem = {
      record_id: keyOf(auction.id, participant, order.record_id),
      auction: auction.id,
      participant,
      order: canonical(order),
      request_id: request,
      claimed_at: Date.parse(received_at),
      ttl,
      ...(cancelled_by && { cancelled_by }),
    };
    return [{ ...item }];
  });
  await database.putMany(ordersTable, items);
  await database.put(intakeTable, { ...keptKey(auction), ttl_seconds: ttl });
}

async function deleteLog({ database, intakeTable, log }: Tables, record: AuctionRecord): Promise<number> {
  const { auction, shards } = record;
  const keys: Key[] = [keptKey(auction)];
  const entries = await allEntries(log, record);
  for (const request of new Set(entries.map((entry) => entry.request))) keys.push(requestKey(auction.id, request));
  for (let shard = 0; shard < shards; shard++) {
    for await (const key of log.keys(auction.id, shard)) keys.push(key);
  }
  await database.deleteMany(intakeTable, keys);
  return entries.filter(({ order }) => order !== undefined).length;
}

async function allEntries(log: IntakeLog, { auction, shards }: AuctionRecord): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let shard = 0; shard < shards; shard++) {
    for await (const page of log.entriesFrom(auction.id, shard, shards)) entries.push(...page);
  }
  return entries;
}
