/** What every `AuctionStore` keeps of its promises. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Auction } from '../../src/auction/auction.ts';
import type { AuctionStore } from '../../src/auction/ports.ts';

export const anAuction = (changes: Partial<Auction> = {}): Auction => ({
  id: 'a1',
  market: 'test',
  state: 'open',
  delivery: { start: '2025-04-01T12:00:00Z', resolution: 'PT60M', periods: 1 },
  gateOpening: '2025-04-01T10:00:00Z',
  gateClosure: '2025-04-01T11:00:00Z',
  run: 1,
  updatedAt: '2025-04-01T10:00:00Z',
  ...changes,
});

export function auctionStoreCases(name: string, open: (t: TestContext) => Promise<AuctionStore>): void {
  test(`${name}: create() twice is a no-op, another auction under the id is a conflict`, async (t) => {
    const store = await open(t);
    await store.create(anAuction());
    await store.create(anAuction());
    await assert.rejects(store.create(anAuction({ gateClosure: '2025-04-01T11:30:00Z' })), { code: 'conflict' });
    assert.deepEqual(await store.find('a1'), anAuction());
  });

  test(`${name}: find() has no auction where there is none`, async (t) => {
    assert.equal(await (await open(t)).find('nobody'), undefined);
  });

  test(`${name}: advance() lets one of two racing writers through`, async (t) => {
    const store = await open(t);
    await store.create(anAuction({ state: 'closed' }));
    const race = (cause: string) =>
      store.advance(anAuction({ state: 'closed' }), anAuction({ state: 'clearing', cause }));
    assert.deepEqual((await Promise.all([race('one'), race('other')])).sort(), [false, true]);
    assert.equal((await store.find('a1'))?.state, 'clearing');
  });

  test(`${name}: advance() leaves an auction alone that is in another state, or not there`, async (t) => {
    const store = await open(t);
    await store.create(anAuction({ state: 'open' }));
    assert.equal(await store.advance(anAuction({ state: 'closed' }), anAuction({ state: 'clearing' })), false);
    assert.equal((await store.find('a1'))?.state, 'open');
    assert.equal(await store.advance(anAuction({ id: 'nobody' }), anAuction({ id: 'nobody', state: 'closed' })), false);
  });

  test(`${name}: advance() by a stale step of run 1 does not move the auction that was restarted as run 2`, async (t) => {
    const store = await open(t);
    const first = anAuction({ state: 'closed', updatedAt: '2025-04-01T11:00:00Z' });
    await store.create(first);
    const failed = { ...first, state: 'failed' as const, cause: 'c', updatedAt: '2025-04-01T11:00:01Z' };
    assert(await store.advance(first, failed));
    const second = { ...first, run: 2, updatedAt: '2025-04-01T11:00:02Z' };
    assert(await store.advance(failed, second));
    assert.equal(await store.advance(first, { ...first, state: 'clearing' }), false);
    assert.deepEqual(await store.find('a1'), second);
  });

  test(`${name}: advance() within a state loses neither of two changes that race`, async (t) => {
    const store = await open(t);
    await store.create(anAuction());
    const change = async (cause: string): Promise<void> => {
      const known = (await store.find('a1'))!;
      if (!(await store.advance(known, { ...known, cause: `${known.cause ?? ''}${cause}` }))) await change(cause);
    };
    await Promise.all(['x', 'y', 'z'].map(change));
    assert.deepEqual([...(await store.find('a1'))!.cause!].sort(), ['x', 'y', 'z']);
  });

  test(`${name}: find() gives the auction as it is after each advance()`, async (t) => {
    const store = await open(t);
    await store.create(anAuction());
    assert.equal((await store.find('a1'))?.state, 'open');
    await store.advance(anAuction(), anAuction({ state: 'closed' }));
    assert.equal((await store.find('a1'))?.state, 'closed');
    await store.advance(anAuction(), anAuction({ state: 'cancelled' }));
    assert.equal((await store.find('a1'))?.state, 'closed');
  });

  test(`${name}: list() filters by market and state, the latest gate closure first`, async (t) => {
    const store = await open(t);
    const closing = (id: string, hour: number, changes: Partial<Auction> = {}) =>
      store.create(anAuction({ id, gateClosure: `2025-04-01T${hour}:00:00Z`, ...changes }));
    await closing('early', 11);
    await closing('late', 13, { state: 'settled' });
    await closing('middle', 12, { market: 'other' });
    const ids = async (filter?: Parameters<AuctionStore['list']>[0]) => (await store.list(filter)).map(({ id }) => id);
    assert.deepEqual(await ids(), ['late', 'middle', 'early']);
    assert.deepEqual(await ids({ limit: 2 }), ['late', 'middle']);
    assert.deepEqual(await ids({ market: 'test' }), ['late', 'early']);
    assert.deepEqual(await ids({ states: ['open', 'closed'] }), ['middle', 'early']);
    assert.deepEqual(await ids({ market: 'test', states: ['settled'] }), ['late']);
  });

  test(`${name}: list() finds what delivers between two instants, ended or not`, async (t) => {
    const store = await open(t);
    const delivery = (start: string, periods: number) => ({ start, resolution: 'PT15M' as const, periods });
    const day = (id: string, start: string, periods: number, changes: Partial<Auction> = {}) =>
      store.create(anAuction({ id, delivery: delivery(start, periods), ...changes }));
    await day('before', '2025-03-31T00:00:00Z', 96);
    await day('over', '2025-03-31T00:00:00Z', 97, { state: 'settled' });
    await day('in', '2025-04-01T23:45:00Z', 1, { market: 'other' });
    await day('after', '2025-04-02T00:00:00Z', 1, { state: 'settled' });
    const delivering = { from: Date.parse('2025-04-01T00:00:00Z'), to: Date.parse('2025-04-02T00:00:00Z') };
    const ids = async (filter: object) => (await store.list({ delivering, ...filter })).map(({ id }) => id);
    assert.deepEqual(await ids({}), ['in', 'over']);
    assert.deepEqual(await ids({ states: ['settled'] }), ['over']);
    assert.deepEqual(await ids({ market: 'test', limit: 5 }), ['over']);
  });
}
