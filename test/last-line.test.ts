/**
 * The last line: an auction whose book does not clear, or whose result the verifier rejects, does not end there.
 *
 * The faults are injected into the engine, so that the tests hold whatever the engine can do.
 */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createApp } from '../src/api/app.ts';
import { cancelAuction, closeGate, findAuction, restartAuction } from '../src/auction/auctions.ts';
import { findOrder } from '../src/auction/intake/find-order.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import type { Engine, Ports } from '../src/auction/ports.ts';
import { type Diagnosis, readDiagnosis } from '../src/auction/records/diagnosis.ts';
import { readBook, readResult } from '../src/auction/views/results.ts';
import { bookHash } from '../src/book/seal.ts';
import { clear } from '../src/clearing/clear.ts';
import type { Book } from '../src/market/book.ts';
import { verify } from '../src/verify/verify.ts';
import { until } from './ports/workflow.cases.ts';
import { hold, openTestHouse, reaches, testMarket, watchNotices } from './support/house.ts';

const market = testMarket({ orderKinds: ['limit', 'block'] });

/** An engine that cannot clear a book in which all orders of one of these sets are. */
const failingWith = (...sets: string[][]): Engine => ({
  async clear(book, hash, budget) {
    const out = new Set(budget?.excluded?.map(({ record_id }) => record_id));
    const there = new Set(book.orders.map(({ record_id }) => record_id).filter((id) => !out.has(id)));
    const broken = sets.find((set) => set.every((id) => there.has(id)));
    if (broken) throw new Error(`cannot do ${broken.join(' and ')}`);
    return clear(book, hash, budget);
  },
  verify: async (...of) => verify(...of),
});

async function openHouse(t: TestContext, engine: Engine, market_ = market) {
  const house = await openTestHouse(t, { markets: [market_] });
  Object.assign(house.ports, { engine });
  const sent = watchNotices(house.ports);
  await hold(house.ports);
  const send = (participant: string, ...orders: object[]) =>
    submitOrders(house.ports, { participant }, { auction: 'a', orders });
  await send('honest', { record_id: 's', side: 'sell', price: 20, power: 10 });
  await send('honest', { record_id: 'd', side: 'buy', price: 60, power: 10 });
  return { ...house, sent, send };
}

const limit = (record_id: string) => ({ record_id, side: 'sell', price: 30, power: 1 });
const block = (record_id: string, more: object = {}) => ({
  ...limit(record_id),
  kind: 'block',
  from: 1,
  to: 1,
  ...more,
});

const diagnosed = (ports: Ports) =>
  until('there is a diagnosis', async () => {
    const { failure } = await findAuction(ports, 'a');
    if (failure?.diagnosis === undefined) return undefined;
    const { hash, ...summary } = failure.diagnosis;
    assert.match(hash!, /^sha256:[0-9a-f]{64}$/);
    return summary;
  });
const namesIn = ({ without }: Pick<Diagnosis, 'without'>) => without.map(({ record_id }) => record_id);

test('an order that the engine cannot clear is found; left out by the operator it is told so, and everybody else settles', async (t) => {
  const { ports, sent, send } = await openHouse(t, failingWith(['poison']));
  await send('mallory', limit('poison'), limit('fine'));
  await closeGate(ports, 'a');
  const failed = await reaches(ports, 'a', 'failed');
  assert.match(failed.cause!, /cannot do poison/);
  assert.deepEqual(await diagnosed(ports), { found: 'orders', orders: 1 });
  const found = await readDiagnosis(ports, 'a');
  assert.deepEqual(found.without, [{ record_id: 'poison', participant: 'mallory' }]);
  assert.deepEqual(found.details, ['Error: cannot do poison']);

  // Nothing was left out by that: as it is, it fails again.
  await restartAuction(ports, 'a');
  await reaches(ports, 'a', 'failed');
  await restartAuction(ports, 'a', found.without);
  const settled = await reaches(ports, 'a', 'settled');
  assert.equal(settled.excluded?.orders, 1);
  assert.deepEqual([settled.cause, settled.failure], [undefined, undefined]);

  const [book, result] = [await readBook(ports, 'a'), await readResult(ports, 'a')];
  assert.deepEqual(result.excluded, found.without);
  assert.deepEqual(result.prices, { Z: [25] });
  assert.equal(bookHash(book), result.book);
  assert(verify(book, result.book, result).ok);
  const { outcome } = await findOrder(ports, 'mallory', 'poison', 'a');
  assert.deepEqual([outcome?.status, outcome?.reason?.code], ['rejected', 'excluded']);
  const told = sent.filter((notice) => 'record_id' in notice && notice.record_id === 'poison');
  assert.deepEqual(
    told.map((notice) => notice.kind),
    ['order-rejected'],
  );
  assert.deepEqual(
    sent.filter(({ kind }) => kind === 'auction-diagnosed').map(({ id }) => id),
    ['auction-diagnosed:a:1', 'auction-diagnosed:a:2'],
  );
});

test('as few orders as can be are found: whoever fails with everybody, and a family as a whole', async (t) => {
  const sets = [['bad', 's'], ['bad', 'd'], ['bad', 'x'], ['child']];
  const { ports, send } = await openHouse(t, failingWith(...sets));
  await send('mallory', limit('bad'), block('parent'), block('child', { linkedTo: 'parent' }), block('other'));
  await send('umbra', limit('x'));
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'failed');
  assert.deepEqual(await diagnosed(ports), { found: 'orders', orders: 3 });
  const found = await readDiagnosis(ports, 'a');
  assert.deepEqual(namesIn(found).sort(), ['bad', 'child', 'parent']);
  await restartAuction(ports, 'a', found.without);
  await reaches(ports, 'a', 'settled');
});

test('a result that the verifier rejects leads to the same, and the public cause names no order', async (t) => {
  const engine: Engine = {
    clear,
    async verify(book, hash, result) {
      const verification = verify(book, hash, result);
      const isThere = result.orders.some(({ record_id, reason }) => record_id === 'odd' && reason?.code !== 'excluded');
      if (!isThere) return verification;
      const violations = [{ where: 'odd', message: '1 MW of 2' }];
      return { ok: false, checks: [{ invariant: 'INV-02', title: 'a title', checked: 1, violations }] };
    },
  };
  const { ports, send } = await openHouse(t, engine);
  await send('p', limit('odd'));
  await closeGate(ports, 'a');
  assert.equal((await reaches(ports, 'a', 'failed')).cause, 'the verifier rejects the result: INV-02 (1)');
  await diagnosed(ports);
  const found = await readDiagnosis(ports, 'a');
  assert.deepEqual([namesIn(found), found.details], [['odd'], ['INV-02 odd: 1 MW of 2']]);
  await restartAuction(ports, 'a', [{ record_id: 'odd' }]);
  await reaches(ports, 'a', 'settled');
});

test('a fault that no order makes is told as such, and the auction can be called off', async (t) => {
  const never: Engine = {
    clear: async () => {
      throw new Error('the network');
    },
    verify: async (...of) => verify(...of),
  };
  const { ports, sent } = await openHouse(t, never);
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'failed');
  assert.deepEqual(await diagnosed(ports), { found: 'nothing', orders: 0 });
  const cancelled = await cancelAuction(ports, 'a', 'the network cannot be cleared');
  assert.deepEqual([cancelled.state, cancelled.cause], ['cancelled', 'the network cannot be cleared']);
  assert.equal(sent.at(-1)?.kind, 'auction-cancelled');
  assert.deepEqual(await ports.auctions.list({ states: ['failed'] }), []);
});

test('a fault that has passed is told as such: the same book clears', async (t) => {
  let calls = 0;
  const once: Engine = {
    async clear(...of) {
      if (calls++ === 0) throw new Error('once');
      return clear(...of);
    },
    verify: async (...of) => verify(...of),
  };
  const { ports } = await openHouse(t, once);
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'failed');
  assert.deepEqual(await diagnosed(ports), { found: 'clears', orders: 0 });
  await restartAuction(ports, 'a');
  await reaches(ports, 'a', 'settled');
});

test('restartAuction() refuses orders that the book has not, that are not told apart, or that others count on', async (t) => {
  const { ports, send } = await openHouse(t, failingWith(['poison']));
  await send('p', limit('poison'), limit('twin'), block('parent'), block('child', { linkedTo: 'parent' }));
  await send('q', limit('twin'));
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'failed');
  const refused = (names: { record_id: string; participant?: string }[], message: RegExp) =>
    assert.rejects(restartAuction(ports, 'a', names), { code: 'invalid-request', message });
  await refused([{ record_id: 'nobody' }], /the book has no order nobody$/);
  await refused([{ record_id: 'poison', participant: 'q' }], /no order poison of q/);
  await refused([{ record_id: 'twin' }], /p, q have an order twin each: say whose/);
  await refused([{ record_id: 'parent' }], /order child of p counts on parent: leave it out too/);
  assert.equal((await findAuction(ports, 'a')).state, 'failed');
});

test('a result that was verified is binding: a restart goes on with it, and leaves nobody out', async (t) => {
  const { ports } = await openHouse(t, failingWith());
  const { write } = ports.archive;
  let isBroken = true;
  ports.archive.write = async (key, text) => {
    if (isBroken && key.includes('/accepted/')) throw new Error('no more');
    await write.call(ports.archive, key, text);
  };
  await closeGate(ports, 'a');
  const failed = await reaches(ports, 'a', 'failed');
  assert.equal(failed.failure?.from, 'final');
  const { hash } = failed.result!;
  Object.assign(ports, { engine: failingWith([]) }); // it would clear nothing now
  await assert.rejects(restartAuction(ports, 'a', [{ record_id: 's' }]), { code: 'wrong-state', message: /binding/ });
  isBroken = false;
  await restartAuction(ports, 'a');
  const settled = await reaches(ports, 'a', 'settled');
  assert.deepEqual([settled.run, settled.result?.hash], [2, hash]);
  assert.equal((await findOrder(ports, 'honest', 's', 'a')).outcome?.status, 'accepted');
  assert.deepEqual((await readResult(ports, 'a')).prices, { Z: [40] });
});

test('POST /auctions/{id}/restart takes the orders to leave out, GET /auctions/{id}/diagnosis says which', async (t) => {
  const { ports, send } = await openHouse(t, failingWith(['poison']));
  await send('mallory', limit('poison'));
  const app = createApp(ports, { log: () => undefined });
  assert.equal((await app.request('/auctions/a/diagnosis')).status, 409);
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'failed');
  await diagnosed(ports);
  const { without } = (await (await app.request('/auctions/a/diagnosis')).json()) as Diagnosis;
  const shown = (await (await app.request('/auctions/a')).json()) as object;
  assert(!JSON.stringify(shown).includes('mallory'), 'the public record names nobody');
  const restart = (body: object) =>
    app.request('/auctions/a/restart', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  assert.equal((await restart({ without: ['poison'] })).status, 400);
  assert.equal((await restart({ without })).status, 200);
  await reaches(ports, 'a', 'settled');
});

test('verify() refuses a result that leaves out whom it does not name, or names whom it does not leave out', async () => {
  const names = ['a', 'b', 'c'].map((record_id) => ({ ...limit(record_id), kind: 'limit', zone: 'Z', period: 1 }));
  const book = {
    merit: 'book/1',
    auction: 'x',
    currency: 'EUR',
    start: '2025-04-01T00:00:00Z',
    resolution: 'PT60M',
    periods: 1,
    priceLimits: { min: -500, max: 4000, tick: 0.01 },
    lot: 0.1,
    zones: ['Z'],
    lines: [],
    constraints: [],
    orders: [...names, { ...limit('d'), kind: 'limit', zone: 'Z', period: 1, side: 'buy', price: 50, power: 2 }],
  } as unknown as Book;
  const hash = bookHash(book);
  const excluded = [{ record_id: 'b' }];
  const { result } = await clear(book, hash, { excluded });
  assert(verify(book, hash, result).ok);
  assert.deepEqual(result.excluded, excluded);
  const broken = (changes: object) =>
    verify(book, hash, { ...result, ...changes })
      .checks.filter(({ violations }) => violations.length > 0)
      .map(({ invariant }) => invariant);
  assert(broken({ excluded: undefined }).includes('EXCLUDED'));
  assert(broken({ excluded: [] }).includes('EXCLUDED'));
  assert(broken({ excluded: [...excluded, { record_id: 'nobody' }] }).includes('EXCLUDED'));
  assert(broken({ excluded: [...excluded, ...excluded] }).includes('EXCLUDED'));
  assert(broken({ excluded: [{ record_id: 'c' }] }).includes('EXCLUDED'));
  const told = (change: object) => ({
    orders: result.orders.map((outcome) => (outcome.record_id === 'b' ? { ...outcome, ...change } : outcome)),
  });
  assert(broken(told({ power: 1 })).includes('EXCLUDED'));
  assert(broken(told({ status: 'accepted' })).includes('EXCLUDED'));
  assert(broken({ orders: result.orders.filter(({ record_id }) => record_id !== 'b') }).includes('EXCLUDED'));
});
