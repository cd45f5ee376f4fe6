/** What every `OrderStore` keeps of its promises. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { AuctionStore, OrderPage, OrderStore } from '../../src/auction/ports.ts';
import { canonical } from '../../src/book/canonical.ts';
import { chain, chainStart, entryDigest, sha256 } from '../../src/book/intake.ts';
import { mostCharacters } from '../../src/market/bounds.ts';
import { AuctionError } from '../../src/market/errors.ts';
import type { BlockOrder, ComplexOrder, LimitOrder } from '../../src/market/order.ts';
import { anAuction } from './auction-store.cases.ts';

export interface OpenedStore {
  readonly auctions: AuctionStore;
  readonly orders: OrderStore;
  /** Turned by the cases; starts while the gate of `anAuction()` is open. */
  readonly clock: { time: string };
  /** The same store as a new process would find it. */
  reopen(): Promise<OpenedStore>;
}

export const anOrder = (record_id: string, changes: Partial<LimitOrder> = {}): LimitOrder => ({
  record_id,
  zone: 'Z',
  kind: 'limit',
  side: 'buy',
  period: 1,
  price: 50,
  power: 10,
  ...changes,
});

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

export function orderStoreCases(name: string, open: (t: TestContext) => Promise<OpenedStore>): void {
  const withAuction = async (t: TestContext) => {
    const store = await open(t);
    await store.auctions.create(anAuction());
    return store;
  };

  test(`${name}: append() stamps orders one after another, chained by their hash`, async (t) => {
    const { orders } = await withAuction(t);
    const receipts = await orders.append('a1', 'p', [anOrder('o1'), anOrder('o2')]);
    receipts.push(...(await orders.append('a1', 'q', [anOrder('o1')])));
    assert.deepEqual(
      receipts.map(({ sequence, participant, record_id }) => [sequence, participant, record_id]),
      [
        [1, 'p', 'o1'],
        [2, 'p', 'o2'],
        [3, 'q', 'o1'],
      ],
    );
    const entries = await orders.entries('a1');
    let hash = chainStart('a1');
    entries.forEach((entry, i) => {
      hash = chain(hash, entryDigest(1, entry));
      assert.equal(receipts[i]?.hash, hash);
    });
  });

  test(`${name}: leaves() are the digests of all entries, those of the receipts, from any sequence on`, async (t) => {
    const { orders } = await withAuction(t);
    const receipts = await orders.append('a1', 'p', [anOrder('o1'), anOrder('o2')]);
    receipts.push(...(await orders.append('a1', 'q', [anOrder('o1', { price: 7 })])));
    receipts.push(await orders.cancel('a1', 'p', 'o2'));
    const entries = await orders.entries('a1');
    const leaves = await orders.leaves('a1', 0, 10);
    assert.deepEqual(
      leaves.map(({ digest }) => digest),
      entries.map((entry) => entryDigest(1, entry)),
    );
    assert.deepEqual(
      leaves,
      receipts.map(({ sequence, leaf, hash, participant, record_id }) => {
        return { sequence, digest: leaf, hash, participant, record_id };
      }),
    );
    assert.deepEqual(await orders.leaves('a1', 1, 2), leaves.slice(1, 3));
    assert.deepEqual(await orders.leaves('a1', 4, 2), []);
    await assert.rejects(orders.leaves('a0', 0, 2), { code: 'not-found' });
    // Whoever sends the same again gets the same receipt, its leaf included.
    assert.deepEqual(await orders.append('a1', 'q', [anOrder('o1', { price: 7 })]), [receipts[2]]);
    assert.deepEqual(await orders.cancel('a1', 'p', 'o2'), receipts[3]);
  });

  test(`${name}: append() keeps the longest order that admission takes, alone and among others`, async (t) => {
    const { orders } = await withAuction(t);
    // Digits that no compression makes few.
    const power = (i: number) => Math.round(1e9 * (1 + Math.abs(Math.sin(i * i)))) / 1e6;
    const steps = (record_id: string) =>
      Array.from({ length: 4700 }, (_, i) => ({ period: 1, price: 50, power: power(record_id.length + i) }));
    const long = (record_id: string): ComplexOrder => ({
      ...{ record_id, zone: 'Z', kind: 'complex', side: 'sell', fixedTerm: 0, variableTerm: 0 },
      steps: steps(record_id),
    });
    const padded = (order: ComplexOrder): ComplexOrder => {
      const room = mostCharacters - canonical(order).length;
      const step = canonical(order.steps[0]!).length + 1;
      const more = Array.from({ length: Math.floor(room / step) }, () => order.steps[0]!);
      return { ...order, steps: [...order.steps, ...more] };
    };
    const longest = padded(long('longest'));
    const characters = canonical(longest).length;
    assert(characters > 0.999 * mostCharacters && characters <= mostCharacters, `${characters}`);
    await orders.append('a1', 'p', [longest]);
    await orders.append('a1', 'p', [anOrder('o'), padded(long('another')), padded(long('and-one'))]);
    const kept = (await orders.entries('a1')).map(({ order }) => order?.record_id);
    assert.deepEqual(kept.sort(), ['and-one', 'another', 'longest', 'o']);
    assert.deepEqual((await orders.find('a1', 'p', ['longest']))[0]?.order, longest);
  });

  test(`${name}: append() takes requests that race all, each sequence once`, async (t) => {
    const { orders } = await withAuction(t);
    // As a client that hears `unavailable` sends the same again, however slow the machine is.
    const taken = async (request: () => ReturnType<typeof orders.append>): ReturnType<typeof orders.append> => {
      for (;;) {
        try {
          return await request();
        } catch (error) {
          if (!(error instanceof AuctionError) || error.code !== 'unavailable') throw error;
        }
      }
    };
    const requests = Array.from({ length: 200 }, (_, i) =>
      taken(() => orders.append('a1', 'p', [anOrder(`a${i}`), anOrder(`b${i}`)])),
    );
    const sequences = (await Promise.all(requests)).flat().map(({ sequence }) => sequence);
    assert.deepEqual(
      [...new Set(sequences)].sort((a, b) => a - b),
      Array.from({ length: 400 }, (_, i) => i + 1),
    );
    assert.equal((await orders.list('a1')).length, 400);
  });

  test(`${name}: append() of the same order gives the same receipt, also when the two race`, async (t) => {
    const { orders } = await withAuction(t);
    const [first, second] = await Promise.all([
      orders.append('a1', 'p', [anOrder('o1')]),
      orders.append('a1', 'p', [anOrder('o1')]),
    ]);
    assert.deepEqual(second, first);
    assert.deepEqual(await orders.append('a1', 'p', [anOrder('o1')]), first);
    assert.equal((await orders.entries('a1')).length, 1);
  });

  test(`${name}: append() of another body under a taken id is a conflict that names it, and nothing of the request is kept`, async (t) => {
    const { orders } = await withAuction(t);
    await orders.append('a1', 'p', [anOrder('o1')]);
    const request = orders.append('a1', 'p', [anOrder('o2'), anOrder('o1', { price: 51 })]);
    await assert.rejects(request, { code: 'conflict', problems: [conflictAt(1, 'o1')] });
    assert.equal((await orders.entries('a1')).length, 1);
    // Of two that race one is first, and the requests around them are not harmed.
    const [one, two, other] = await Promise.allSettled([
      orders.append('a1', 'p', [anOrder('o3')]),
      orders.append('a1', 'p', [anOrder('o4'), anOrder('o3', { power: 11 })]),
      orders.append('a1', 'p', [anOrder('o5')]),
    ]);
    assert.deepEqual([one.status, two.status].sort(), ['fulfilled', 'rejected']);
    assert.equal(other.status, 'fulfilled');
    const first = one.status === 'fulfilled' ? ['o3 10'] : ['o4 10', 'o3 11'];
    const entries = await orders.entries('a1');
    assert.deepEqual(
      entries.map(({ order }) => (order?.kind === 'limit' ? `${order.record_id} ${order.power}` : '')).sort(),
      ['o1 10', ...first, 'o5 10'].sort(),
    );
    assert.deepEqual(
      entries.map(({ sequence }) => sequence),
      entries.map((_, i) => i + 1),
    );
  });

  test(`${name}: a request that fails half done leaves no gap in the chain for the next of its group`, async (t) => {
    const { orders } = await withAuction(t);
    await orders.append('a1', 'p', [anOrder('taken')]);
    const [failed, next] = await Promise.allSettled([
      orders.append('a1', 'p', [anOrder('new'), anOrder('taken', { price: 51 })]),
      orders.append('a1', 'p', [anOrder('next')]),
    ]);
    assert.deepEqual([failed.status, next.status], ['rejected', 'fulfilled']);
    let hash = chainStart('a1');
    const entries = await orders.entries('a1');
    assert.deepEqual(
      entries.map(({ sequence, order }) => [sequence, order?.record_id]),
      [
        [1, 'taken'],
        [2, 'next'],
      ],
    );
    for (const entry of entries) hash = chain(hash, entryDigest(1, entry));
    assert.equal((next as PromiseFulfilledResult<{ hash: string }[]>).value[0]?.hash, hash);
  });

  test(`${name}: append() obeys the gate at the time of the write`, async (t) => {
    const store = await open(t);
    const { auctions, orders, clock } = store;
    await assert.rejects(orders.append('a1', 'p', [anOrder('o1')]), { code: 'not-found' });
    await auctions.create(anAuction({ state: 'scheduled' }));
    await assert.rejects(orders.append('a1', 'p', [anOrder('o1')]), { code: 'gate-not-open' });
    await auctions.advance(anAuction({ state: 'scheduled' }), anAuction());
    clock.time = '2025-04-01T09:59:59.999Z'; // a writer whose clock is behind that of who opened it
    await assert.rejects(orders.append('a1', 'p', [anOrder('o1')]), { code: 'gate-not-open' });
    clock.time = '2025-04-01T10:59:59.999Z';
    assert.equal((await orders.append('a1', 'p', [anOrder('o1')])).length, 1);
    clock.time = '2025-04-01T11:00:00Z';
    await assert.rejects(orders.append('a1', 'p', [anOrder('o2')]), { code: 'gate-closed' });
    clock.time = '2025-04-01T10:30:00Z';
    await auctions.advance(anAuction(), anAuction({ state: 'closed' }));
    await assert.rejects(orders.append('a1', 'p', [anOrder('o2')]), { code: 'gate-closed' });
    assert.equal((await orders.entries('a1')).length, 1);
  });

  test(`${name}: the chain of an auction whose record says so begins at its terms, and covers what an entry is about`, async (t) => {
    const store = await open(t);
    const chained = anAuction({ chain: { rule: 2, terms: sha256('terms'), network: sha256('network') } });
    await store.auctions.create(chained);
    const receipts = await store.orders.append('a1', 'p', [anOrder('o1'), anOrder('o2')]);
    receipts.push(await store.orders.cancel('a1', 'p', 'o1'));
    receipts.push(...(await store.orders.append('a1', 'q', [anOrder('o1')])));
    receipts.push(await store.orders.replace('a1', 'p', anOrder('o2', { price: 51 }), 1));
    receipts.push(await store.orders.cancel('a1', 'p', 'o2'));
    const { orders, auctions } = await store.reopen();
    receipts.push(...(await orders.append('a1', 'p', [anOrder('o3')])));
    await auctions.advance(chained, { ...chained, state: 'closed' });
    const entries = await orders.entries('a1');
    let hash = chainStart(sha256('terms'));
    for (const [i, entry] of entries.entries()) {
      hash = chain(hash, entryDigest(2, entry));
      assert.equal(receipts[i]!.hash, hash);
    }
    assert.equal(entries.length, 7);
    assert.deepEqual(
      (await orders.list('a1')).map((stored) => stored.hash),
      [0, 3, 4, 6].map((i) => receipts[i]!.hash),
    );
    assert.deepEqual(await orders.cancel('a1', 'p', 'o1'), receipts[2]);
  });

  test(`${name}: cancel() leaves the order's id taken and its place in the chain`, async (t) => {
    const { orders, clock } = await withAuction(t);
    const [receipt] = await orders.append('a1', 'p', [anOrder('o1')]);
    const cancelled = await orders.cancel('a1', 'p', 'o1');
    assert.equal(cancelled.sequence, receipt!.sequence + 1);
    assert.deepEqual(await orders.cancel('a1', 'p', 'o1'), cancelled);
    await assert.rejects(orders.append('a1', 'p', [anOrder('o1')]), { code: 'conflict' });
    await assert.rejects(orders.cancel('a1', 'q', 'o1'), { code: 'not-found' });
    assert.deepEqual(
      (await orders.list('a1')).map((stored) => stored.cancelled),
      [true],
    );
    const entries = await orders.entries('a1');
    assert.deepEqual(
      entries.map((entry) => entry.cancels ?? entry.order?.record_id),
      ['o1', 'o1'],
    );
    assert.equal(
      chain(chain(chainStart('a1'), entryDigest(1, entries[0]!)), entryDigest(1, entries[1]!)),
      cancelled.hash,
    );
    await orders.append('a1', 'p', [anOrder('o2')]);
    clock.time = '2025-04-01T11:00:00Z';
    await assert.rejects(orders.cancel('a1', 'p', 'o2'), { code: 'gate-closed' });
  });

  test(`${name}: replace() puts a new version in the place of the last, and keeps those before`, async (t) => {
    const { orders, auctions, clock } = await withAuction(t);
    const [first] = await orders.append('a1', 'p', [anOrder('o1'), anOrder('o2')]);
    assert.equal(first!.version, 1);
    const second = await orders.replace('a1', 'p', anOrder('o1', { price: 51 }), 1);
    assert.deepEqual([second.version, second.sequence, second.record_id], [2, 3, 'o1']);
    const third = await orders.replace('a1', 'p', anOrder('o1', { price: 52 }));
    assert.deepEqual([third.version, third.sequence], [3, 4]);
    const [found] = await orders.find('a1', 'p', ['o1']);
    assert.deepEqual([found!.version, found!.sequence, found!.hash, found!.cancelled], [3, 4, third.hash, false]);
    assert.equal((found!.order as LimitOrder).price, 52);
    assert.equal((await orders.findNewest('p', 'o1'))!.version, 3);
    const versions = await orders.versions('a1', 'p', 'o1');
    assert.deepEqual(
      versions.map(({ version, sequence, hash, order }) => [version, sequence, hash, (order as LimitOrder).price]),
      [
        [1, first!.sequence, first!.hash, 50],
        [2, 3, second.hash, 51],
        [3, 4, third.hash, 52],
      ],
    );
    assert.deepEqual(await orders.versions('a1', 'q', 'o1'), []);
    const listed = async (page: OrderPage) =>
      (await orders.list('a1', page)).map(({ order, version }) => `${order.record_id} ${version}`);
    assert.deepEqual(await listed({}), ['o2 1', 'o1 3']);
    assert.deepEqual(await listed({ limit: 1, participant: 'p' }), ['o2 1']);
    assert.deepEqual(await listed({ limit: 2 }), ['o2 1', 'o1 3']);
    assert.deepEqual(await listed({ after: 2, limit: 1 }), ['o1 3']);
    // A new order of that id is the last version, or another body.
    assert.deepEqual(await orders.append('a1', 'p', [anOrder('o1', { price: 52 })]), [third]);
    await assert.rejects(orders.append('a1', 'p', [anOrder('o1')]), { code: 'conflict' });
    await auctions.advance(anAuction(), anAuction({ state: 'closed' }));
    let hash = chainStart('a1');
    for (const entry of await orders.entries('a1')) hash = chain(hash, entryDigest(1, entry));
    assert.equal(hash, third.hash);
    await assert.rejects(orders.replace('a1', 'p', anOrder('o1', { price: 53 })), { code: 'gate-closed' });
    clock.time = '2025-04-02T11:00:01Z';
    await auctions.advance(anAuction({ state: 'closed' }), anAuction({ state: 'settled' }));
    assert.deepEqual(await orders.versions('a1', 'p', 'o1'), []);
    assert.equal(await orders.expire(new Date(clock.time)), 2);
  });

  test(`${name}: replace() of a version that is not the last is refused, unless it is there already`, async (t) => {
    const { orders } = await withAuction(t);
    await orders.append('a1', 'p', [anOrder('o1')]);
    const second = await orders.replace('a1', 'p', anOrder('o1', { price: 51 }), 1);
    for (const expected of [1, 2, undefined])
      assert.deepEqual(await orders.replace('a1', 'p', anOrder('o1', { price: 51 }), expected), second);
    const isTold = { code: 'precondition-failed', version: 2 };
    await assert.rejects(orders.replace('a1', 'p', anOrder('o1', { price: 52 }), 1), isTold);
    await assert.rejects(orders.replace('a1', 'p', anOrder('o1', { price: 51 }), 3), isTold);
    await assert.rejects(orders.replace('a1', 'q', anOrder('o1')), { code: 'not-found' });
    await assert.rejects(orders.replace('nowhere', 'p', anOrder('o1')), { code: 'not-found' });
    const race = (price: number) => orders.replace('a1', 'p', anOrder('o1', { price }), 2);
    const raced = await Promise.allSettled(Array.from({ length: 6 }, (_, i) => race(60 + i)));
    assert.equal(raced.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const each of raced)
      if (each.status === 'rejected') assert.equal((each.reason as AuctionError).code, 'precondition-failed');
    assert.deepEqual(
      (await orders.versions('a1', 'p', 'o1')).map(({ version }) => version),
      [1, 2, 3],
    );
    const cancelled = await orders.cancel('a1', 'p', 'o1');
    assert.equal(cancelled.version, 3);
    assert.deepEqual(await orders.cancel('a1', 'p', 'o1'), cancelled);
    await assert.rejects(orders.replace('a1', 'p', anOrder('o1', { price: 70 })), { code: 'order-cancelled' });
    assert.deepEqual(
      (await orders.versions('a1', 'p', 'o1')).map((each) => each.cancelled),
      [false, false, true],
    );
  });

  test(`${name}: replace() takes the names of a version away and puts those of the next`, async (t) => {
    const { orders } = await withAuction(t);
    await orders.append('a1', 'p', [
      aBlock('one'),
      aBlock('two'),
      aBlock('child', { linkedTo: 'one', exclusiveGroup: 'g' }),
      aBlock('other', { linkedTo: 'one', exclusiveGroup: 'g' }),
    ]);
    const all = async (field: 'linkedTo' | 'exclusiveGroup', id: string) =>
      (await orders.allNaming('a1', 'p', field, id)).map(({ order }) => order.record_id).sort();
    assert.deepEqual(
      [await all('linkedTo', 'one'), await all('exclusiveGroup', 'g')],
      [
        ['child', 'other'],
        ['child', 'other'],
      ],
    );
    await orders.replace('a1', 'p', aBlock('child', { linkedTo: 'two', exclusiveGroup: 'g' }), 1);
    assert.deepEqual([await all('linkedTo', 'one'), await all('linkedTo', 'two')], [['other'], ['child']]);
    assert.deepEqual(await all('exclusiveGroup', 'g'), ['child', 'other']);
    const first = await orders.findNaming('a1', 'p', 'linkedTo', ['one', 'two']);
    assert.deepEqual([...first].map(([name, { order }]) => [name, order.record_id]).sort(), [
      ['one', 'other'],
      ['two', 'child'],
    ]);
    await orders.cancel('a1', 'p', 'child');
    assert.deepEqual([await all('linkedTo', 'two'), await all('exclusiveGroup', 'g')], [[], ['other']]);
  });

  test(`${name}: cancelAll() takes back as many as are named, each once`, async (t) => {
    const { orders } = await withAuction(t);
    const ids = Array.from({ length: 250 }, (_, i) => `o${i}`);
    await orders.append('a1', 'p', [
      ...ids.map((id) => anOrder(id)),
      aBlock('parent'),
      aBlock('child', { linkedTo: 'parent' }),
    ]);
    await orders.append('a1', 'q', [anOrder('o1')]);
    const second = await orders.replace('a1', 'p', anOrder('o2', { price: 51 }));
    const first = await orders.cancel('a1', 'p', 'o0');
    const receipts = await orders.cancelAll('a1', 'p', ['child', 'parent', ...ids]);
    assert.deepEqual(
      receipts.map(({ record_id }) => record_id),
      ['child', 'parent', ...ids],
    );
    assert.deepEqual([receipts[2], receipts[4]!.version], [first, second.version]);
    assert.deepEqual(await orders.cancelAll('a1', 'p', ['child', 'parent', ...ids]), receipts);
    assert.deepEqual(
      (await orders.list('a1')).filter(({ cancelled }) => !cancelled).map(({ participant }) => participant),
      ['q'],
    );
    assert.deepEqual(await orders.allNaming('a1', 'p', 'linkedTo', 'parent'), []);
    let hash = chainStart('a1');
    const entries = await orders.entries('a1');
    for (const entry of entries) hash = chain(hash, entryDigest(1, entry));
    assert.deepEqual([entries.length, hash], [253 + 1 + 252, receipts.at(-1)!.hash]);
    await orders.append('a1', 'p', [anOrder('left')]);
    await assert.rejects(orders.cancelAll('a1', 'p', ['left', 'nobody']), { code: 'not-found' });
    assert.equal((await orders.find('a1', 'p', ['left']))[0]!.cancelled, false);
  });

  test(`${name}: a request with a key is written once, and answered alike for a day`, async (t) => {
    const store = await withAuction(t);
    let { orders } = store;
    const once = (key: string, fingerprint = 'f') => ({ key, fingerprint });
    assert.equal(await orders.recall('p', once('k')), undefined);
    await orders.append('a1', 'p', [anOrder('there')]);
    const batch = [anOrder('o1'), anOrder('there'), anOrder('o2')];
    const receipts = await orders.append('a1', 'p', batch, once('k'));
    assert.deepEqual(await orders.recall('p', once('k')), receipts);
    assert.equal(await orders.recall('q', once('k')), undefined);
    // What has become of the orders since does not count.
    await orders.cancel('a1', 'p', 'o1');
    const replaced = await orders.replace('a1', 'p', anOrder('o2', { price: 51 }), 1, once('r'));
    assert.deepEqual(await orders.append('a1', 'p', batch, once('k')), receipts);
    const reopened = await store.reopen();
    const { clock } = reopened;
    orders = reopened.orders;
    assert.deepEqual(await orders.append('a1', 'p', batch, once('k')), receipts);
    for (const write of [
      () => orders.recall('p', once('k', 'g')),
      () => orders.append('a1', 'p', [anOrder('other')], once('k', 'g')),
      () => orders.cancelAll('a1', 'p', ['there'], once('k', 'g')),
      () => orders.replace('a1', 'p', anOrder('there', { price: 9 }), 1, once('k', 'g')),
    ])
      await assert.rejects(write(), { code: 'key-reused' });
    await orders.replace('a1', 'p', anOrder('o2', { price: 52 }), 2);
    assert.deepEqual(await orders.replace('a1', 'p', anOrder('o2', { price: 51 }), 1, once('r')), replaced);
    const [cancelled] = await orders.cancelAll('a1', 'p', ['there'], once('c'));
    assert.deepEqual(await orders.cancelAll('a1', 'p', ['there'], once('c')), [cancelled]);
    // Nothing new to write, and a key all the same.
    assert.deepEqual(await orders.cancelAll('a1', 'p', ['there'], once('d')), [cancelled]);
    await assert.rejects(orders.recall('p', once('d', 'g')), { code: 'key-reused' });
    // A refused request leaves its key free.
    await assert.rejects(orders.append('a1', 'p', [anOrder('o1')], once('free')), { code: 'conflict' });
    const [next] = await orders.append('a1', 'p', [anOrder('o3')], once('free', 'g'));
    assert.deepEqual(await orders.recall('p', once('free', 'g')), [next]);
    const entries = (await orders.entries('a1')).length;
    const race = Array.from({ length: 50 }, () => orders.append('a1', 'p', [anOrder('raced')], once('race')));
    const raced = await Promise.all(race);
    assert.equal(new Set(raced.map(([receipt]) => receipt!.hash)).size, 1);
    const apart = (i: number) => orders.append('a1', 'p', [anOrder(`apart${i}`)], once('apart', `f${i}`));
    const parted = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => apart(i)));
    assert.equal(parted.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const each of parted)
      if (each.status === 'rejected') assert.equal((each.reason as AuctionError).code, 'key-reused');
    assert.equal((await orders.entries('a1')).length, entries + 2);
    clock.time = '2025-04-02T10:30:00Z';
    assert.equal(await orders.recall('p', once('k', 'g')), undefined);
  });

  test(`${name}: find() and list() have the orders with their stamps, page by page`, async (t) => {
    const { orders, auctions } = await withAuction(t);
    await auctions.create(anAuction({ id: 'a2', gateClosure: '2025-04-01T12:00:00Z' }));
    await orders.append('a1', 'p', [anOrder('o1'), anOrder('o2'), anOrder('o3')]);
    await orders.append('a2', 'p', [anOrder('o1', { price: 70 })]);
    await orders.append('a2', 'q', [anOrder('o2', { price: 90 })]);
    const newest = async (...of: [string, string]) => {
      const stored = await orders.findNewest(...of);
      return stored && [stored.auction, stored.participant, (stored.order as LimitOrder).price];
    };
    assert.deepEqual(await newest('p', 'o1'), ['a2', 'p', 70]);
    assert.deepEqual(await newest('p', 'o2'), ['a1', 'p', 50]);
    assert.deepEqual([await newest('q', 'o1'), await newest('p', 'nobody')], [undefined, undefined]);
    const found = await orders.find('a1', 'p', ['o3', 'nobody', 'o1']);
    assert.deepEqual(found.map(({ order, sequence }) => [order.record_id, sequence]).sort(), [
      ['o1', 1],
      ['o3', 3],
    ]);
    assert.deepEqual(await orders.find('a1', 'q', ['o1', 'o2']), []);
    assert.deepEqual(await orders.find('nowhere', 'p', ['o1']), []);
    const page = await orders.list('a1', { after: 1, limit: 1 });
    assert.deepEqual(
      page.map(({ sequence, order, ttl }) => [sequence, order.record_id, ttl]),
      [[2, 'o2', Date.parse('2025-04-02T11:00:00Z') / 1000]],
    );
  });

  test(`${name}: list() of one participant has its orders alone, and as many of them as are asked for`, async (t) => {
    const { orders } = await withAuction(t);
    for (const id of ['o1', 'o2', 'o3'])
      for (const participant of ['p', 'q']) await orders.append('a1', participant, [anOrder(id)]);
    const sequences = async (page: OrderPage) => (await orders.list('a1', page)).map(({ sequence }) => sequence);
    assert.deepEqual(await sequences({ participant: 'q' }), [2, 4, 6]);
    assert.deepEqual(await sequences({ participant: 'q', after: 2, limit: 2 }), [4, 6]);
    assert.deepEqual(await sequences({ participant: 'p', limit: 2 }), [1, 3]);
    assert.deepEqual(await sequences({ participant: 'r' }), []);
  });

  test(`${name}: findNaming() has the first live order of the participant that names an order or a group`, async (t) => {
    const { orders, auctions } = await withAuction(t);
    await auctions.create(anAuction({ id: 'a2' }));
    await orders.append('a2', 'p', [aBlock('parent'), aBlock('elsewhere', { linkedTo: 'parent' })]);
    await orders.append('a1', 'q', [aBlock('parent'), aBlock('theirs', { linkedTo: 'parent' })]);
    await orders.append('a1', 'p', [
      aBlock('parent', { exclusiveGroup: 'g' }),
      aBlock('z-first', { linkedTo: 'parent', exclusiveGroup: 'g' }),
      aBlock('a-second', { linkedTo: 'parent' }),
      aBlock('leg', { loopWith: 'other' }),
    ]);
    const found = async (...[field, id]: [Parameters<typeof orders.findNaming>[2], string]) => {
      const stored = (await orders.findNaming('a1', 'p', field, [id, 'nobody'])).get(id);
      return stored && [stored.order.record_id, stored.sequence, stored.cancelled];
    };
    assert.deepEqual(await found('linkedTo', 'parent'), ['z-first', 4, false]);
    assert.deepEqual(await found('loopWith', 'other'), ['leg', 6, false]);
    assert.deepEqual(await found('exclusiveGroup', 'g'), ['parent', 3, false]);
    assert.equal(await found('loopWith', 'parent'), undefined);
    await orders.cancel('a1', 'p', 'z-first');
    assert.deepEqual(await found('linkedTo', 'parent'), ['a-second', 5, false]);
    await orders.cancel('a1', 'p', 'a-second');
    assert.equal(await found('linkedTo', 'parent'), undefined);
  });

  test(`${name}: what has a receipt is there for the next process`, async (t) => {
    const store = await withAuction(t);
    const receipts = await store.orders.append('a1', 'p', [anOrder('o1'), anOrder('o2')]);
    const { orders } = await store.reopen();
    assert.deepEqual(
      (await orders.list('a1')).map(({ hash }) => hash),
      receipts.map(({ hash }) => hash),
    );
    const [next] = await orders.append('a1', 'p', [anOrder('o3')]);
    assert.equal(next?.sequence, 3);
  });

  test(`${name}: expire() deletes orders a day after their gate closure, and never before they are settled`, async (t) => {
    const { orders, auctions, clock } = await withAuction(t);
    await orders.append('a1', 'p', [anOrder('o1'), anOrder('o2')]);
    const dayAfter = '2025-04-02T11:00:01Z';
    clock.time = dayAfter;
    assert.equal(await orders.expire(new Date(dayAfter)), 0);
    assert.equal((await orders.list('a1')).length, 2);
    await auctions.advance(anAuction(), anAuction({ state: 'settled' }));
    assert.equal(await orders.expire(new Date('2025-04-02T10:59:59Z')), 0);
    assert.deepEqual(await orders.list('a1'), []); // past their time they are gone for readers at once
    assert.equal(await orders.expire(new Date(dayAfter)), 2);
    assert.deepEqual(await orders.find('a1', 'p', ['o1']), []);
    assert.equal(await orders.findNewest('p', 'o1'), undefined);
  });
}

const conflictAt = (index: number, record_id: string) => ({
  index,
  record_id,
  field: 'record_id',
  code: 'conflict',
  message: `order ${record_id} is there already with another body`,
});
