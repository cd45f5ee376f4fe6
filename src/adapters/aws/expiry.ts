/**
 * The end of orders: a day after their gate has closed, and never before their auction is settled or cancelled.
 *
 * The table deletes items by itself once their time to live has passed, and knows nothing of auctions. So the items of an
 * auction that is not settled half a day after its gate are written anew, from the log, with a later time. The log has no time
 * to live: it is deleted here, when its auction has ended and the day is over.
 *
 * Both go page by page and note how far they have come, so that an auction of any size takes a few calls more and no more memory.
 */

import type { Auction } from '../../auction/auction.ts';
import { canonical } from '../../book/canonical.ts';
import type { AuctionRecord, AuctionRecords } from './auction-store.ts';
import type { Database, Item, Key } from './database.ts';
import { type IntakeLog, keysOfShard } from './intake-log.ts';
import { contentOf, type LogEntry, ownKey } from './log-pages.ts';
import { placesOf, requestKey } from './log-readers.ts';
import { asOrderItem, keyOf, lifetimeSeconds, type OrderItem, ttlOf, versionKey } from './order-items.ts';

export interface Tables {
  readonly database: Database;
  readonly ordersTable: string;
  readonly intakeTable: string;
  readonly auctions: AuctionRecords;
  readonly log: IntakeLog;
}

/** Entries of the log that one call goes through: it takes some seconds, and the next call comes in a minute. */
const mostEntries = 20_000;
/** Pages whose keys are deleted together. */
const pagesTogether = 8;

interface Budget {
  entries: number;
}

/** @returns how many orders went for good */
export async function expireOrders(tables: Tables, now: Date): Promise<number> {
  const seconds = now.getTime() / 1000;
  const budget: Budget = { entries: mostEntries };
  for (const record of await tables.auctions.records('live')) {
    if (budget.entries > 0 && seconds > ttlOf(record.auction) - lifetimeSeconds / 2)
      await keepLonger(tables, record, seconds, budget);
  }
  let deleted = 0;
  for (const record of await tables.auctions.records('ended')) {
    if (budget.entries <= 0 || seconds <= ttlOf(record.auction)) continue;
    const { orders, isDone } = await deleteLog(tables, record, budget);
    deleted += orders;
    if (isDone) await tables.auctions.forget(record);
  }
  return deleted;
}

const keptKey = ({ id }: Auction): Key => ({ pk: `${id}#kept`, sk: 'kept' });

/** How far the items of an auction have been written anew. Cancellations come last: they may lie in the log before their order does. */
interface Kept {
  /** The time to live that is being written. */
  readonly ttl_seconds: number;
  readonly at?: { readonly pass: 'orders' | 'cancellations'; readonly shard: number; readonly number: number };
}

async function keepLonger(tables: Tables, record: AuctionRecord, now: number, budget: Budget): Promise<void> {
  const { database, intakeTable, log } = tables;
  const { auction, shards } = record;
  const note = (kept: Kept) => database.put(intakeTable, { ...keptKey(auction), ...kept });
  let kept = (await database.get(intakeTable, keptKey(auction))) as Kept | undefined;
  if (kept !== undefined && kept.at === undefined && kept.ttl_seconds - now > lifetimeSeconds / 2) return;
  if (kept?.at === undefined) {
    await log.close(auction.id, shards); // so that nothing changes these items any more
    kept = { ttl_seconds: Math.ceil(now + lifetimeSeconds), at: { pass: 'orders', shard: 0, number: 1 } };
  }
  const { ttl_seconds, at: from } = kept;
  for (const pass of ['orders', 'cancellations'] as const) {
    if (pass === 'orders' && from!.pass === 'cancellations') continue;
    const begun = pass === from!.pass ? from! : { shard: 0, number: 1 };
    for (const place of placesOf(record).slice(begun.shard)) {
      let number = place.shard === begun.shard ? begun.number : 1;
      for await (const page of log.entriesFrom(place, number)) {
        if (budget.entries <= 0) return note({ ttl_seconds, at: { pass, shard: place.shard, number } });
        if (pass === 'orders') await keepItems(tables, auction, page, ttl_seconds);
        else await keepCancellations(tables, auction, page);
        budget.entries -= page.length;
        number += page.length;
      }
    }
  }
  await note({ ttl_seconds });
}

/** Items that are there keep what they say; those that the table has deleted come back from the log. */
async function keepItems(
  { database, ordersTable }: Tables,
  { id: auction }: Auction,
  page: readonly LogEntry[],
  ttl: number,
): Promise<void> {
  const items = page.flatMap(({ order, participant, request, received_at, version }, position): OrderItem[] => {
    if (order === undefined) return [];
    const item: OrderItem = {
      record_id: keyOf(auction, participant, order.record_id),
      auction,
      participant,
      order: canonical(order),
      request_id: request,
      claimed_at: Date.parse(received_at),
      position,
      ttl,
      ...(version !== undefined && { version }),
    };
    return [item];
  });
  const known = await database.getMany(
    ordersTable,
    items.map(({ record_id }) => ({ record_id })),
  );
  const byKey = new Map(known.map(asOrderItem).map((item) => [item.record_id, item]));
  const isNewer = (item: OrderItem, than: OrderItem) => (item.version ?? 1) > (than.version ?? 1);
  await database.putMany(
    ordersTable,
    items.map((item) => {
      const there = byKey.get(item.record_id);
      return { ...(there === undefined || isNewer(item, there) ? item : there), ttl };
    }),
  );
}

async function keepCancellations(
  { database, ordersTable }: Tables,
  { id }: Auction,
  page: readonly LogEntry[],
): Promise<void> {
  const requests = new Map(
    page.flatMap(({ cancels, participant, request }): [string, string][] =>
      cancels === undefined ? [] : [[keyOf(id, participant, cancels), request]],
    ),
  );
  const keys = [...requests.keys()].map((record_id) => ({ record_id }));
  for (const { record_id, cancelled_by } of await database.getMany(ordersTable, keys)) {
    if (cancelled_by !== undefined) continue;
    const set = { text: 'SET cancelled_by = :by', values: { ':by': requests.get(record_id as string) } };
    await database.update(ordersTable, { record_id: record_id as string }, set);
  }
}

/** Pages go last: what belongs to a page is found by it, also by a call that follows one which was cut. */
async function deleteLog(
  { database, intakeTable: table, log }: Tables,
  record: AuctionRecord,
  budget: Budget,
): Promise<{ orders: number; isDone: boolean }> {
  const { auction } = record;
  let orders = 0;
  for (const place of placesOf(record)) {
    let pages: Item[] = [];
    const deletePages = async () => {
      await database.deleteMany(
        table,
        pages.flatMap(({ participant, request, first, content }) => [
          requestKey(auction.id, request as string),
          ownKey(auction.id, participant as string, place.shard, first as number),
          ...replacedIn(auction.id, participant as string, contentOf(content as Uint8Array)),
        ]),
      );
      await database.deleteMany(
        table,
        pages.map(({ pk, sk }) => ({ pk: pk as string, sk: sk as string })),
      );
      pages = [];
    };
    for await (const page of log.pagesOf(place)) {
      if (budget.entries <= 0) break;
      const entries = contentOf(page.content as Uint8Array);
      orders += entries.filter(({ order, version = 1 }) => order !== undefined && version === 1).length;
      budget.entries -= entries.length;
      if (pages.push(page) === pagesTogether) await deletePages();
    }
    await deletePages();
    if (budget.entries <= 0) return { orders, isDone: false };
    await database.deleteMany(table, await keysOfShard(database, table, place));
  }
  await database.deleteMany(table, [keptKey(auction)]);
  return { orders, isDone: true };
}

/** The notes of the versions that these entries replaced. */
const replacedIn = (auction: string, participant: string, entries: ReturnType<typeof contentOf>): Key[] =>
  entries.flatMap(({ order, version = 1 }) =>
    order === undefined || version === 1 ? [] : [versionKey(auction, participant, order.record_id, version - 1)],
  );
