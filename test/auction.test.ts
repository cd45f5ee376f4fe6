/** The use cases of `src/auction/` over the real adapters, with a clock that is turned by hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cancelAuction,
  closeGate,
  createAuction,
  findAuction,
  listAuctions,
  restartAuction,
} from '../src/auction/auctions.ts';
import { cancelOrder } from '../src/auction/intake/cancel-order.ts';
import { findOrder, listOrders } from '../src/auction/intake/find-order.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import { readBook, readResult } from '../src/auction/views/results.ts';
import type { Outcome } from '../src/market/result.ts';
import { hold, openTestHouse, reaches, submit, testMarket, tradingOrders, watchNotices } from './support/house.ts';

test('an auction settles: orders in, gate closed, outcome of each order with its reason', async (t) => {
  const { ports } = await openTestHouse(t);
  assert.equal((await hold(ports)).state, 'open');
  const { receipts } = await submit(ports);
  assert.deepEqual(
    receipts.map((receipt) => receipt.sequence),
    [1, 2, 3],
  );
  assert.equal((await findOrder(ports, 'p', 'load')).outcome, undefined);
  await closeGate(ports, 'a');
  const auction = await reaches(ports, 'a', 'settled', 'failed');
  assert.equal(auction.state, 'settled', auction.cause);

  assert.deepEqual((await readResult(ports, 'a')).prices, { Z: [45] });
  const { outcome } = await findOrder(ports, 'p', 'load');
  assert.deepEqual([outcome?.status, outcome?.power, outcome?.prices], ['accepted', 40, [45]]);
  const peaker = await findOrder(ports, 'p', 'peaker', 'a');
  assert.deepEqual([peaker.outcome?.status, peaker.outcome?.reason?.code], ['rejected', 'out_of_the_money']);
  assert.equal(peaker.outcome?.reason?.distance, 45);
  const accepted = JSON.parse((await ports.archive.read('orders/a/accepted/page-00001.json'))!);
  assert.deepEqual(
    accepted.orders.map((order: { record_id: string }) => order.record_id),
    ['plant', 'load'],
  );
});

test('an order that is executed in part is in the archive with its part, and its owner gets no notice of a rejection', async (t) => {
  const { ports } = await openTestHouse(t);
  const sent = watchNotices(ports);
  await hold(ports);
  const orders = [
    { record_id: 'half', side: 'buy', price: 50, power: 20 },
    { record_id: 'all', side: 'sell', price: 10, power: 10 },
    { record_id: 'none', side: 'sell', price: 90, power: 10 },
  ];
  await submit(ports, orders);
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'settled');
  const archived = JSON.parse((await ports.archive.read('orders/a/accepted/page-00001.json'))!);
  assert.deepEqual(
    archived.orders.map(({ record_id, status, power, ratio }: Outcome) => [record_id, status, power, ratio]),
    [
      ['half', 'partially_accepted', 10, 0.5],
      ['all', 'accepted', 10, 1],
    ],
  );
  assert.deepEqual(
    sent.filter(({ kind }) => kind === 'order-rejected').map((notice) => 'record_id' in notice && notice.record_id),
    ['none'],
  );
});

test('submitOrders() without an auction takes the default market’s open one with the next gate closure', async (t) => {
  const { ports } = await openTestHouse(t);
  const one = { orders: [tradingOrders[0]] };
  await assert.rejects(submitOrders(ports, { participant: 'p' }, one), { code: 'not-found' });
  await hold(ports, 'later', { gateOpening: '2025-04-01T10:45:00Z' });
  await assert.rejects(submitOrders(ports, { participant: 'p' }, one), { code: 'gate-not-open', message: /10:45/ });
  await hold(ports, 'b', { gateClosure: '2025-04-01T12:00:00Z' });
  await hold(ports, 'a');
  assert.equal((await submitOrders(ports, { participant: 'p' }, one)).auction, 'a');
});

test('submitOrders() takes no order of a list with a mistake, and names each mistake', async (t) => {
  const { ports } = await openTestHouse(t);
  await hold(ports);
  const orders = [...tradingOrders, { record_id: 'x', side: 'buy', price: 1.005, power: -1 }];
  await assert.rejects(
    submit(ports, orders),
    (error: { code: string; problems: { index: number; field: string }[] }) => {
      assert.equal(error.code, 'invalid-order');
      assert(error.problems.every((problem) => problem.index === 3));
      return true;
    },
  );
  assert.deepEqual(await listOrders(ports, 'a'), []);
});

test('submitOrders() after the gate: by the clock, and by the state', async (t) => {
  const { ports, clock } = await openTestHouse(t);
  await hold(ports);
  await hold(ports, 'b');
  clock.time = '2025-04-01T11:00:00Z';
  // Nobody has moved it yet, but the gate is an instant.
  assert.equal((await findAuction(ports, 'a')).state, 'open');
  await assert.rejects(submit(ports), { code: 'gate-closed' });
  clock.time = '2025-04-01T10:40:00Z';
  await closeGate(ports, 'b');
  await assert.rejects(submit(ports, tradingOrders, 'b'), { code: 'gate-closed' });
  await reaches(ports, 'b', 'settled');
  assert.deepEqual((await readBook(ports, 'b')).orders, []);
});

test('cancelOrder() takes an order back until the gate closes, and only one’s own', async (t) => {
  const { ports } = await openTestHouse(t);
  await hold(ports);
  await submit(ports);
  await assert.rejects(cancelOrder(ports, 'someone else', 'load'), { code: 'not-found' });
  const receipt = await cancelOrder(ports, 'p', 'load');
  assert.deepEqual(await cancelOrder(ports, 'p', 'load', 'a'), receipt);
  assert.equal((await findOrder(ports, 'p', 'load')).cancelled, true);
  await closeGate(ports, 'a');
  await assert.rejects(cancelOrder(ports, 'p', 'plant'), { code: 'gate-closed' });
  await reaches(ports, 'a', 'settled');
  const book = await readBook(ports, 'a');
  assert.deepEqual(
    book.orders.map((order) => order.record_id),
    ['plant', 'peaker'],
  );
  assert.equal(book.intake?.withdrawn.length, 2);
  assert.equal((await findOrder(ports, 'p', 'load')).outcome, undefined);
});

test('closeGate() by two at once closes once and starts one execution', async (t) => {
  const { ports } = await openTestHouse(t);
  await hold(ports);
  await submit(ports);
  await Promise.all([closeGate(ports, 'a'), closeGate(ports, 'a')]);
  await reaches(ports, 'a', 'settled');
  assert.equal((await closeGate(ports, 'a')).state, 'settled');
  assert.equal((await ports.workflow.list({ auction: 'a' })).length, 1);
});

test('closeGate() and restartAuction() refuse what is in no state for it', async (t) => {
  const { ports } = await openTestHouse(t);
  await assert.rejects(closeGate(ports, 'nowhere'), { code: 'not-found' });
  await hold(ports, 'a', { gateOpening: '2025-04-01T10:45:00Z' });
  await assert.rejects(closeGate(ports, 'a'), { code: 'wrong-state', message: /scheduled/ });
  await assert.rejects(restartAuction(ports, 'a'), { code: 'wrong-state' });
});

test('cancelAuction() before the book is sealed: no more orders, the cause is kept, twice is once', async (t) => {
  const { ports } = await openTestHouse(t);
  await hold(ports);
  await submit(ports);
  assert.equal((await cancelAuction(ports, 'a', 'storm')).cause, 'storm');
  assert.equal((await cancelAuction(ports, 'a', 'again')).cause, 'storm');
  await assert.rejects(submit(ports), { code: 'gate-closed' });
  await assert.rejects(closeGate(ports, 'a'), { code: 'wrong-state', message: /storm/ });
  await hold(ports, 'b');
  await closeGate(ports, 'b');
  await reaches(ports, 'b', 'settled');
  await assert.rejects(cancelAuction(ports, 'b', 'storm'), { code: 'wrong-state' });
});

test('createAuction() again is the same auction, another plan under its id a conflict', async (t) => {
  const { ports, clock } = await openTestHouse(t);
  const first = await hold(ports);
  await submit(ports);
  assert.deepEqual(await hold(ports), first);
  await assert.rejects(hold(ports, 'a', { periods: 2 }), { code: 'conflict' });
  await assert.rejects(hold(ports, 'a', { gateClosure: '2025-04-01T11:30:00Z' }), { code: 'conflict' });
  let ms = Date.parse(clock.time);
  clock.now = () => new Date(ms++); // so that the two records are not the same
  const racing = await Promise.all([hold(ports, 'b'), hold(ports, 'b')]);
  assert.deepEqual(racing[0], racing[1]);
});

test('createAuction() plans what the request leaves open', async (t) => {
  const { ports } = await openTestHouse(t);
  const auction = await createAuction(ports, { gateClosure: '2025-04-01T12:40:00+02:00' });
  assert.equal(auction.id, 'test-20250401t1100z');
  assert.deepEqual(auction.delivery, { start: '2025-04-01T11:00:00Z', resolution: 'PT60M', periods: 1 });
  assert.deepEqual([auction.gateOpening, auction.gateClosure], ['2025-04-01T10:30:00Z', '2025-04-01T10:40:00Z']);
  const past = await createAuction(ports, {
    start: '2020-01-01T00:00:00Z',
    periods: 24,
    gateClosure: '2025-04-01T11:00:00Z',
  });
  assert.deepEqual([past.id, past.delivery.periods], ['test-20200101t0000z', 24]);
});

test('createAuction() refuses what makes no auction, and names the field', async (t) => {
  const { ports } = await openTestHouse(t);
  const refuses = (request: object, field: string) =>
    assert.rejects(createAuction(ports, request), (error: { code: string; problems: { field: string }[] }) => {
      assert.equal(error.code, 'invalid-request');
      assert.equal(error.problems[0]?.field, field);
      return true;
    });
  const gateClosure = '2025-04-01T11:00:00Z';
  await refuses({}, 'gateClosure');
  await refuses({ gateClosure: '2025-04-01T10:00:00Z', gateOpening: '2025-04-01T09:00:00Z' }, 'gateClosure');
  await refuses({ gateClosure, gateOpening: gateClosure }, 'gateOpening');
  await refuses({ gateClosure, start: '2025-04-01T11:05:00Z' }, 'start');
  await refuses({ gateClosure, id: 'Not An Id' }, 'id');
  await refuses({ gateClosure, date: '2025-04-01' }, 'date');
  await assert.rejects(createAuction(ports, { market: 'elsewhere' }), { code: 'not-found' });
});

test('readBook() and readResult() say that it is too early', async (t) => {
  const { ports } = await openTestHouse(t);
  await hold(ports);
  await assert.rejects(readBook(ports, 'a'), { code: 'wrong-state' });
  await assert.rejects(readResult(ports, 'a'), { code: 'wrong-state' });
  await assert.rejects(readResult(ports, 'b'), { code: 'not-found' });
});

test('listOrders() pages by sequence, and has the outcomes once there are some', async (t) => {
  const { ports } = await openTestHouse(t);
  await hold(ports);
  await submit(ports);
  const ids = async (page: object) => (await listOrders(ports, 'a', page)).map((order) => order.record_id);
  assert.deepEqual(await ids({ limit: 2 }), ['plant', 'load']);
  assert.deepEqual(await ids({ after: 2 }), ['peaker']);
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'settled');
  const outcomes = (await listOrders(ports, 'a')).map((order) => order.outcome?.status);
  assert.deepEqual(outcomes, ['accepted', 'accepted', 'rejected']);
});

test('settlement lays accepted orders into the archive page by page, and any order is found', async (t) => {
  const { ports } = await openTestHouse(t, { markets: [testMarket()] });
  await hold(ports);
  const orders = Array.from({ length: 1500 }, (_, i) => ({
    record_id: `o-${i}`,
    side: i % 2 ? 'buy' : 'sell',
    price: i % 2 ? 50 : 20 + i / 100,
    power: 1,
  }));
  await submit(ports, orders);
  await closeGate(ports, 'a');
  const auction = await reaches(ports, 'a', 'settled', 'failed');
  assert.equal(auction.state, 'settled', auction.cause);
  assert.deepEqual(await ports.archive.list('orders/a/'), [
    'orders/a/accepted/page-00001.json',
    'orders/a/accepted/page-00002.json',
    'orders/a/page-00001.json',
    'orders/a/page-00002.json',
    'orders/a/pages.json',
  ]);
  const page = JSON.parse((await ports.archive.read('orders/a/accepted/page-00002.json'))!);
  assert.equal(page.orders.length, 500);
  assert.equal((await findOrder(ports, 'p', 'o-1499')).outcome?.status, 'accepted');
});

test('listAuctions() filters by state', async (t) => {
  const { ports } = await openTestHouse(t);
  await hold(ports);
  await hold(ports, 'b', { gateOpening: '2025-04-01T10:45:00Z' });
  const ids = async (filter: object) => (await listAuctions(ports, filter)).map((auction) => auction.id);
  assert.deepEqual(await ids({ states: ['open'] }), ['a']);
  assert.deepEqual((await ids({})).sort(), ['a', 'b']);
});
