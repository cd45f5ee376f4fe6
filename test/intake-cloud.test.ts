/**
 * The intake of the cloud over tables in memory, which hold a transaction up where a test says so: requests in flight at the gate,
 * functions that die, a rush on one shard, and what a call costs. `test/cloud/` tries the same against an emulator, with faults by chance.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rushOn } from '../bench/intake-cloud.ts';
import { openAuctionStore } from '../src/adapters/aws/auction-store.ts';
import type { Action } from '../src/adapters/aws/database.ts';
import { openOrderStore } from '../src/adapters/aws/order-store.ts';
import { cancelOrder } from '../src/auction/intake/cancel-order.ts';
import { findOrder, listOrders } from '../src/auction/intake/find-order.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import type { OrderStore, Ports } from '../src/auction/ports.ts';
import { chain, chainStart, entryDigest, shardOf } from '../src/book/intake.ts';
import { AuctionError } from '../src/market/errors.ts';
import type { BlockOrder, LimitOrder } from '../src/market/order.ts';
import { anAuction } from './ports/auction-store.cases.ts';
import { testMarket } from './support/house.ts';
import { openMemoryTables, realistic } from './support/memory-table.ts';
import { recordingMeter } from './support/meter.ts';

const anOrder = (record_id: string, changes: Partial<LimitOrder> = {}): LimitOrder => ({
  record_id,
  zone: 'Z',
  kind: 'limit',
  side: 'buy',
  period: 1,
  price: 50,
  power: 10,
  ...changes,
});
const many = (count: number, from = 0): LimitOrder[] =>
  Array.from({ length: count }, (_, i) => anOrder(`o${from + i}`));
const aBlock = (record_id: string, changes: Partial<BlockOrder> = {}): BlockOrder => ({
  record_id,
  zone: 'Z',
  kind: 'block',
  side: 'sell',
  price: 50,
  from: 1,
  to: 1,
  power: 10,
  minAcceptance: 1,
  ...changes,
});

/** The transaction that puts requests into the log, told by the head that it moves. */
const isCommit = (actions: readonly Action[]): boolean => actions.some((action) => 'set' in action && isHead(action));
const isHead = (action: Action): boolean => 'update' in action && action.update.sk === 'head';

/** An open auction, and functions that take orders for it. */
async function openHouse(shards = 1, latencies?: typeof realistic) {
  const clock = { time: '2025-04-01T10:30:00Z', now: () => new Date(clock.time) };
  let before: (actions: readonly Action[]) => Promise<void> | undefined = () => undefined;
  const database = openMemoryTables(latencies, (actions) => before(actions));
  const auctions = openAuctionStore(database, 'auctions', shards);
  const open = (budgetMs = 10_000): OrderStore =>
    openOrderStore({
      database,
      ordersTable: 'orders',
      intakeTable: 'intake',
      auctions,
      clock,
      patienceMs: 1000,
      budgetMs,
    });
  await auctions.create(anAuction());
  return {
    clock,
    database,
    auctions,
    open,
    orders: open(),
    close: () => auctions.advance(anAuction(), anAuction({ state: 'closed' })),
    /**
     * Hold the next commit up until it is released.
     *
     * @param givenUp  its sender is told at once that it timed out, though it is still on its way
     */
    hold(givenUp = false) {
      const sent = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const arrived = Promise.withResolvers<void>();
      before = (actions) => {
        if (!isCommit(actions)) return undefined;
        before = () => undefined;
        sent.resolve();
        if (!givenUp) return released.promise;
        void released.promise.then(() => database.transact(actions)).then(() => arrived.resolve());
        throw new AuctionError('unavailable', 'no answer in time');
      };
      return {
        sent: sent.promise,
        async release() {
          released.resolve();
          if (givenUp) await arrived.promise;
        },
      };
    },
    /** Commits find the tables down until they are mended. */
    breakCommits() {
      before = (actions) => {
        if (isCommit(actions)) throw new AuctionError('unavailable', 'the tables are down');
        return undefined;
      };
      return () => {
        before = () => undefined;
      };
    },
  };
}

const idsIn = async (orders: OrderStore) => (await orders.entries('a1')).map(({ order }) => order?.record_id);

/** Every chain is whole, every sequence is there once. */
async function checkChains(orders: OrderStore, shards: number): Promise<void> {
  const heads = Array.from({ length: shards }, (_, shard) => ({ hash: chainStart('a1', shard, shards), count: 0 }));
  const hashes = new Map((await orders.list('a1')).map(({ sequence, hash }) => [sequence, hash]));
  for (const entry of await orders.entries('a1')) {
    const head = heads[shardOf(entry.sequence, shards)]!;
    assert.equal(entry.sequence, head.count++ * shards + shardOf(entry.sequence, shards) + 1, 'a gap');
    head.hash = chain(head.hash, entryDigest(1, entry));
    if (entry.order !== undefined) assert.equal(hashes.get(entry.sequence), head.hash);
  }
}

test('in a rush on one shard nobody is refused, requests share transactions, and the chain is whole', async (t) => {
  const { open, database } = await openHouse(1, realistic);
  const requests = Array.from({ length: 120 }, (_, i) =>
    open().append('a1', `p${i % 3}`, i % 10 === 0 ? many(120, 1000 * i) : many(1 + (i % 4), 1000 * i)),
  );
  const before = { ...database.counts };
  const receipts = (await Promise.all(requests)).flat();
  t.diagnostic(`120 requests: ${database.counts.transact - before.transact} transactions`);
  assert.equal(new Set(receipts.map(({ sequence }) => sequence)).size, receipts.length);
  assert.equal((await open().list('a1')).length, receipts.length);
  await checkChains(open(), 1);
  const commits = database.items('intake').filter(({ sk }) => String(sk).startsWith('page#')).length;
  assert(commits >= 120, 'each request has a page of its own');
  assert.deepEqual(
    database.items('intake').filter(({ pk }) => String(pk).endsWith('#waiting')),
    [],
    'nothing waits any more',
  );
});

test('200 one-order requests a second into two shards: none is refused', async (t) => {
  const { refused, ...figures } = await rushOn({ requestsPerSecond: 200, ordersPerRequest: 1 }, 2, 1);
  t.diagnostic(JSON.stringify(figures));
  assert.deepEqual(refused, []);
});

test('cancellations and orders that come together in a rush come true together, each once', async () => {
  const { open, orders } = await openHouse(1, realistic);
  await orders.append('a1', 'p', many(30));
  const cancel = (i: number) => open().cancel('a1', 'p', `o${i}`);
  const all = await Promise.all([
    ...Array.from({ length: 30 }, (_, i) => cancel(i)),
    ...Array.from({ length: 30 }, (_, i) => cancel(i)),
    ...Array.from({ length: 30 }, (_, i) => open().append('a1', 'q', [anOrder(`o${i}`)])),
  ]);
  assert.deepEqual(all.slice(0, 30), all.slice(30, 60), 'cancelled twice, it has one receipt');
  assert.equal((await orders.entries('a1')).length, 90);
  assert.deepEqual(
    (await orders.list('a1')).map(({ participant, cancelled }) => cancelled === (participant === 'p')),
    Array.from({ length: 60 }, () => true),
  );
  await checkChains(orders, 1);
});

test('what a request left in the queue before its function died is committed by who comes next, once', async () => {
  const { open, orders, hold, breakCommits } = await openHouse();
  const first = hold();
  const slow = open().append('a1', 'p', [anOrder('slow')]);
  await first.sent; // so that the next one meets somebody, and gets into the queue
  const dying = open(200);
  const mend = breakCommits();
  const dead = dying.append('a1', 'p', [anOrder('left')]).catch((error: AuctionError) => error.code);
  await first.release();
  await slow;
  assert.equal(await dead, 'unavailable');
  mend();
  await orders.append('a1', 'p', [anOrder('next')]);
  // It was called off before its caller was told, so nobody brings it in any more.
  assert.deepEqual(await idsIn(orders), ['slow', 'next']);
  assert.equal((await orders.append('a1', 'p', [anOrder('left')])).length, 1);
});

test('an order acknowledged just before the gate is in the seal, one in flight then is refused and never will be', async () => {
  const { orders, open, hold, close } = await openHouse();
  await orders.append('a1', 'p', [anOrder('in-time')]);
  const held = hold();
  const late = open().append('a1', 'p', [anOrder('in-flight')]);
  await held.sent;
  await close();
  assert.deepEqual(await idsIn(orders), ['in-time']);
  await held.release();
  await assert.rejects(late, { code: 'gate-closed' });
  assert.deepEqual(await idsIn(orders), ['in-time']);
  assert.deepEqual(await orders.find('a1', 'p', ['in-flight']), []);
});

test('a write that was given up before the gate and arrives after it was refused puts nothing into the log', async () => {
  const { orders, open, hold, breakCommits, clock, close } = await openHouse();
  const held = hold(true);
  const late = open().append('a1', 'p', [anOrder('o1')]);
  late.catch(() => undefined);
  await held.sent;
  const mend = breakCommits();
  clock.time = '2025-04-01T11:00:00Z';
  await assert.rejects(late, { code: 'gate-closed' });
  mend();
  await held.release(); // before anybody seals
  await close();
  assert.deepEqual(await idsIn(orders), []);
});

test('a cancellation in the queue whose commit got no answer before the gate closed is told that it was taken', async () => {
  const { orders, database, auctions, clock, close } = await openHouse();
  await orders.append('a1', 'p', [anOrder('mine')]);
  let commits = 0;
  let sealed: (string | undefined)[] = [];
  const transact: typeof database.transact = async (actions) => {
    if (!isCommit(actions)) return database.transact(actions);
    commits++;
    // It meets somebody, and gets into the queue.
    if (commits === 1) await orders.append('a1', 'p', [anOrder('other')]);
    // Done, but the answer is lost; the client sends it again when the log is closed.
    if (commits === 2) {
      assert((await database.transact(actions)).done);
      await close();
      sealed = await idsIn(orders);
    }
    return database.transact(actions);
  };
  const options = {
    database: { ...database, transact },
    ordersTable: 'orders',
    intakeTable: 'intake',
    auctions,
    clock,
  };
  const receipt = await openOrderStore(options).cancel('a1', 'p', 'mine');
  assert.deepEqual(sealed, ['mine', 'other', undefined]);
  assert.deepEqual([receipt.record_id, receipt.sequence, commits], ['mine', 3, 2]);
});

test('requests that wait for their turn when the gate closes are refused, and their ids are nobody’s', async () => {
  const { orders, open, hold, clock, close } = await openHouse();
  const held = hold();
  const first = open().append('a1', 'p', [anOrder('o0')]);
  await held.sent;
  const mend = hold(); // the first that commits for all
  const waiting = Array.from({ length: 5 }, (_, i) => open().append('a1', 'p', [anOrder(`w${i}`)]));
  for (const each of waiting) each.catch(() => undefined);
  await held.release();
  await mend.sent;
  clock.time = '2025-04-01T11:00:00Z';
  await close();
  const sealed = await idsIn(orders);
  await mend.release();
  const told = await Promise.allSettled([first, ...waiting]);
  const acknowledged = told.flatMap((each) => (each.status === 'fulfilled' ? [each.value[0]!.record_id] : []));
  assert.deepEqual(sealed.toSorted(), acknowledged.toSorted());
  assert.deepEqual(await idsIn(orders), sealed);
  for (const each of told) if (each.status === 'rejected') assert.equal(each.reason.code, 'gate-closed');
});

test('a large request that died half-way is not there, and gives way to the next after a while', async () => {
  const { orders, open, hold, clock } = await openHouse();
  const held = hold();
  const first = open().append('a1', 'p', many(250));
  await held.sent;
  assert.deepEqual(await orders.find('a1', 'p', ['o7']), []);
  await assert.rejects(orders.cancel('a1', 'p', 'o7'), { code: 'not-found' });
  await assert.rejects(open(300).append('a1', 'p', [anOrder('o7', { price: 99 })]), { code: 'unavailable' });
  clock.time = '2025-04-01T10:30:02Z';
  const [receipt] = await orders.append('a1', 'p', [anOrder('o7', { price: 99 })]);
  assert.equal(receipt?.sequence, 1);
  await held.release();
  await assert.rejects(first, { code: 'conflict' });
  assert.deepEqual(await idsIn(orders), ['o7']);
});

test('findNaming() sees no order that is not in the log, none that was cancelled, and takes away what is dead', async () => {
  const { orders, open, hold, clock, database } = await openHouse();
  const names = () => database.items('intake').filter(({ pk }) => String(pk).includes('#names#'));
  const first = async () => (await orders.findNaming('a1', 'p', 'exclusiveGroup', ['g'])).get('g')?.order.record_id;
  const held = hold();
  const dying = open(0).append(
    'a1',
    'p',
    many(200).map(({ record_id }) => aBlock(record_id, { exclusiveGroup: 'g' })),
  );
  dying.catch(() => undefined);
  await held.sent;
  assert.equal(names().length, 200);
  assert.equal(await first(), undefined);
  clock.time = '2025-04-01T10:30:02Z'; // it is taken for dead
  await orders.append('a1', 'p', [aBlock('o0', { exclusiveGroup: 'g', price: 51 })]);
  await held.release();
  await assert.rejects(dying, { code: 'unavailable' });
  assert.equal(await first(), 'o0');
  assert.equal(await first(), 'o0');
  await orders.cancel('a1', 'p', 'o0');
  assert.equal(await first(), undefined);
  assert.deepEqual(names(), []);
});

test('findNaming() passes over any number of members that are still on their way', async () => {
  const { orders, open, hold, clock } = await openHouse();
  const held = hold();
  const dying = open().append(
    'a1',
    'p',
    many(50).map(({ record_id }) => aBlock(record_id, { exclusiveGroup: 'g' })),
  );
  await held.sent;
  await orders.append('a1', 'p', [aBlock('late', { exclusiveGroup: 'g' })]);
  const naming = await orders.findNaming('a1', 'p', 'exclusiveGroup', ['g', 'x'.repeat(5000), '']);
  assert.deepEqual(
    [...naming].map(([name, { order }]) => [name, order.record_id]),
    [['g', 'late']],
  );
  clock.time = '2025-04-01T10:30:01Z';
  await held.release();
  await dying;
});

test('no call costs more in a large auction than in a small one', async (t) => {
  const costs = await Promise.all([400, 4000].map((size) => costsIn(size)));
  for (const [call, cost] of costs[0]!) {
    const other = costs[1]!.get(call)!;
    t.diagnostic(`${call}: ${cost.read} items by ${cost.requests} requests; ${other.read} by ${other.requests}`);
    assert(other.read <= cost.read + 8 && other.requests <= cost.requests + 8, call);
    assert(other.read <= 60 && other.requests <= 60, call);
  }
});

/** Items read and requests made, by call, in an auction that has so many orders of others. */
async function costsIn(size: number): Promise<Map<string, { read: number; requests: number }>> {
  const { auctions, orders, database, clock } = await openHouse(8);
  const market = testMarket({ orderKinds: ['limit', 'block'] });
  const ports = {
    clock,
    markets: new Map([['test', market]]),
    auctions,
    orders,
    meter: recordingMeter(),
  } as unknown as Ports;
  for (let i = 0; i < 20; i++) await orders.append('a1', `p${i}`, many(size / 20));
  const submit = (...blocks: object[]) =>
    submitOrders(
      ports,
      { participant: 'm' },
      { auction: 'a1', orders: blocks.map((each) => ({ ...template, ...each })) },
    );
  const template = aBlock('');
  const costs = new Map<string, { read: number; requests: number }>();
  const cost = async (call: string, work: () => Promise<unknown>) => {
    const before = { ...database.counts };
    await work().catch((error: unknown) => assert(error instanceof AuctionError, String(error)));
    const { get, batchGet, query, put, batchWrite, transact, read } = database.counts;
    const requests = get + batchGet + query + put + batchWrite + transact;
    const earlier = before.get + before.batchGet + before.query + before.put + before.batchWrite + before.transact;
    costs.set(call, { read: read - before.read, requests: requests - earlier });
  };
  const ten = Array.from({ length: 10 }, (_, i) => i);
  await cost('POST of a block', () => submit({ record_id: 'b0' }));
  await cost('POST with a group', () => submit({ record_id: 'b1', exclusiveGroup: 'g' }));
  await cost('POST with the same group', () => submit({ record_id: 'b2', exclusiveGroup: 'g' }));
  await cost('POST with ten groups', () =>
    submit(...ten.map((i) => ({ record_id: `g${i}`, exclusiveGroup: `g${i}` }))),
  );
  await cost('POST with linkedTo', () => submit({ record_id: 'child', linkedTo: 'b0' }));
  await cost('POST with ten unknown parents', () =>
    submit(...ten.map((i) => ({ record_id: `c${i}`, linkedTo: `u${i}` }))),
  );
  await cost('DELETE of a parent', () => cancelOrder(ports, 'm', 'b0', 'a1'));
  await cost('DELETE of a block', () => cancelOrder(ports, 'm', 'child', 'a1'));
  await cost('GET of one order', () => findOrder(ports, 'm', 'b1', 'a1'));
  await cost('GET of one order, wherever it is', () => findOrder(ports, 'm', 'b1'));
  await cost('GET of ten orders', () => listOrders(ports, 'a1', { participant: 'm', limit: 10 }));
  return costs;
}

test('lists of auctions read what they answer, however many years there are behind them', async (t) => {
  const { auctions, database } = await openHouse();
  const gateAt = (hours: number) => new Date(Date.parse('2025-04-01T11:00:00Z') - hours * 3_600_000).toISOString();
  for (let hour = 1; hour <= 3000; hour++) {
    const state = hour % 100 === 0 ? 'cancelled' : 'settled';
    const market = hour % 24 === 0 ? 'day-ahead' : 'hourly';
    const auction = anAuction({ id: `h${hour}`, market, state, gateClosure: gateAt(hour) });
    await auctions.create(auction);
    if (hour > 24) await auctions.forget({ auction, shards: 1 });
  }
  const asked = async (filter?: Parameters<typeof auctions.list>[0]) => {
    const before = database.counts.read;
    const ids = (await auctions.list(filter)).map(({ id }) => id);
    t.diagnostic(`${JSON.stringify(filter)}: ${ids.length} auctions, ${database.counts.read - before} items`);
    return { ids, read: database.counts.read - before };
  };
  const one = await asked({ limit: 1 });
  assert.deepEqual([one.ids, one.read <= 4], [['a1'], true]);
  const cancelled = await asked({ states: ['cancelled'], limit: 10 });
  assert.deepEqual(
    cancelled.ids,
    Array.from({ length: 10 }, (_, i) => `h${(i + 1) * 100}`),
  );
  const daily = await asked({ market: 'day-ahead', limit: 20 });
  assert.deepEqual(
    daily.ids,
    Array.from({ length: 20 }, (_, i) => `h${(i + 1) * 24}`),
  );
  const both = await asked({ market: 'day-ahead', states: ['cancelled'], limit: 100 });
  assert.deepEqual(both.ids, ['h600', 'h1200', 'h1800', 'h2400', 'h3000']);
  assert.deepEqual((await asked({ states: ['failed'] })).ids, []);
  for (const { read } of [cancelled, daily, both]) assert(read <= 60);
});
