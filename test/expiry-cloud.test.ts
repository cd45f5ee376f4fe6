/** The end of orders in the cloud, over tables in memory: auctions of any size are kept and deleted page by page, over several calls. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAuctionStore } from '../src/adapters/aws/auction-store.ts';
import { openOrderStore } from '../src/adapters/aws/order-store.ts';
import { AuctionError } from '../src/market/errors.ts';
import type { LimitOrder } from '../src/market/order.ts';
import { anAuction } from './ports/auction-store.cases.ts';
import { type MemoryTables, openMemoryTables } from './support/memory-table.ts';

const many = (count: number, from = 0): LimitOrder[] =>
  Array.from({ length: count }, (_, i) => ({
    record_id: `o${from + i}`,
    zone: 'Z',
    kind: 'limit',
    side: 'buy',
    period: 1,
    price: 50,
    power: 10,
  }));

/** A closed auction with many orders, some of them cancelled, whose gate closed at 11. */
async function openClosed(size: number) {
  const clock = { time: '2025-04-01T10:30:00Z', now: () => new Date(clock.time) };
  const database = openMemoryTables();
  const auctions = openAuctionStore(database, 'auctions', 2);
  const open = (database: MemoryTables) =>
    openOrderStore({ database, ordersTable: 'orders', intakeTable: 'intake', auctions, clock });
  const orders = open(database);
  await auctions.create(anAuction());
  for (let from = 0; from < size; from += 10_000)
    await orders.append('a1', 'p', many(Math.min(10_000, size - from), from));
  for (let i = 0; i < 10; i++) await orders.cancel('a1', 'p', `o${i * 7}`);
  await auctions.advance(anAuction(), anAuction({ state: 'closed' }));
  await auctions.advance(anAuction({ state: 'closed' }), anAuction({ state: 'failed' }));
  return { clock, database, auctions, orders, open };
}

const later = (items: readonly { readonly ttl?: unknown }[], than: string): number =>
  items.filter(({ ttl }) => Number(ttl) >= Date.parse(than) / 1000).length;

test('expire() keeps the orders of a large auction that is not settled over several calls, each going on where the last ended', async (t) => {
  const size = 45_000;
  const { clock, database, orders, open } = await openClosed(size);
  clock.time = '2025-04-01T23:00:01Z';
  const kept: number[] = [];
  for (let call = 0; kept.at(-1) !== size || call < 4; call++) {
    assert(call < 8, `${kept.at(-1)} of ${size} are kept after ${call} calls`);
    const before = database.counts.batchWrite;
    assert.equal(await orders.expire(clock.now()), 0);
    assert(database.counts.batchWrite - before <= 1300, 'a call has an end');
    kept.push(later(database.items('orders'), '2025-04-02T23:00:00Z'));
    // Another process goes on: nothing of it is kept in memory.
    await open(database).expire(clock.now());
    clock.time = new Date(clock.now().getTime() + 60_000).toISOString();
  }
  t.diagnostic(`kept after each two calls: ${kept.join(', ')}`);
  const before = database.counts.batchWrite;
  await orders.expire(clock.now());
  assert.equal(database.counts.batchWrite, before, 'once kept, nothing is written for half a day');
  assert.equal(database.items('orders').filter(({ cancelled_by }) => cancelled_by !== undefined).length, 10);
});

test('expire() brings back what the table has deleted, cancelled orders as cancelled', async () => {
  const { clock, database, auctions, orders } = await openClosed(500);
  for (const { record_id } of database.items('orders'))
    await database.deleteMany('orders', [{ record_id: record_id as string }]);
  clock.time = '2025-04-05T12:00:00Z';
  await orders.expire(clock.now());
  assert.deepEqual(
    (await orders.list('a1')).filter(({ cancelled }) => cancelled).map(({ order }) => order.record_id),
    Array.from({ length: 10 }, (_, i) => `o${i * 7}`),
  );
  await auctions.advance(anAuction({ state: 'failed' }), anAuction({ state: 'settled' }));
  assert.equal(await orders.expire(clock.now()), 500);
  const left = database.items('intake').filter(({ ttl }) => ttl === undefined);
  assert.deepEqual(left, [], 'what stays has a time to live');
});

test('expire() deletes the log of a large auction over several calls, and goes on after one that was cut', async () => {
  const { clock, database, auctions, open } = await openClosed(45_000);
  await auctions.advance(anAuction({ state: 'failed' }), anAuction({ state: 'settled' }));
  clock.time = '2025-04-02T11:00:01Z';
  let batches = 0;
  const cut: MemoryTables = {
    ...database,
    async deleteMany(table, keys) {
      if (++batches === 2) throw new AuctionError('unavailable', 'the tables are down');
      return database.deleteMany(table, keys);
    },
  };
  await assert.rejects(open(cut).expire(clock.now()), { code: 'unavailable' });
  let calls = 0;
  while (database.items('intake').length > 0) {
    assert(++calls < 8);
    await open(cut).expire(clock.now());
  }
  assert(calls > 1);
  assert.deepEqual(await auctions.records('ended'), []);
});
