/**
 * The loss of power: whatever was answered is on the disk. Each sync of the write-ahead log copies the data folder as the sync finds it;
 * what a house finds after the loss is the copy of the last sync that came back, with the worst that can be beside it: every line of
 * `heads.log` that was ever written, as if it had reached the disk by itself.
 */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openStore, type Store } from '../src/adapters/local/stores.ts';
import { serve } from '../src/server.ts';
import { anAuction } from './ports/auction-store.cases.ts';
import { hold, testMarket } from './support/house.ts';
import { noLogSync, replaceLogSync } from './support/log-sync.ts';
import { toldOf } from './support/told.ts';

const clock = { now: () => new Date('2025-04-01T10:30:00Z') };
const order = (id: string) =>
  ({ record_id: id, kind: 'limit', side: 'buy', zone: 'Z', period: 1, price: 10, power: 1 }) as const;

async function folders(t: TestContext) {
  const top = await mkdtemp(join(tmpdir(), 'merit-power-'));
  t.after(() => rm(top, { recursive: true }));
  const made = (name: string) => {
    fs.mkdirSync(join(top, name), { recursive: true });
    return join(top, name);
  };
  return { data: made('data'), made };
}

/** As a house finds it when the power is back. */
async function afterLoss(copy: string, data: string, to: string): Promise<Store> {
  fs.copyFileSync(join(data, 'heads.log'), join(to, 'heads.log')); // of the moment of the loss
  for (const name of await readdir(copy)) await copyFile(join(copy, name), join(to, name));
  return openStore(to, clock);
}

test('after a loss of power everything that was answered is there, and nothing is taken for lost', {
  skip: noLogSync,
}, async (t) => {
  const { data, made } = await folders(t);
  let [count, durable] = [0, ''];
  replaceLogSync(t, (sync, done) => {
    const copy = made(`copy-${count++}`);
    for (const name of ['merit.sqlite', 'merit.sqlite-wal']) fs.copyFileSync(join(data, name), join(copy, name));
    const over = (error: NodeJS.ErrnoException | null) => {
      durable = copy;
      done(error);
    };
    setTimeout(() => sync(over), 3);
  });
  const store = openStore(data, clock);
  t.after(() => store.close());
  const auction = anAuction();
  await store.auctions.create(auction);
  const answered = new Set<string>();
  let moved = auction;
  const client = async (name: string) => {
    for (let i = 0; i < 25; i++) {
      const ids = Array.from({ length: 1 + (i % 3) }, (_, k) => `${name}-${i}-${k}`);
      await store.orders.append('a1', 'p', ids.map(order));
      for (const id of ids) answered.add(id);
      await checkLoss(`${name}-${i}`);
    }
  };
  const operator = async () => {
    for (let i = 0; i < 10; i++) {
      const next = { ...moved, updatedAt: `2025-04-01T10:00:${10 + i}Z` };
      assert(await store.auctions.advance(moved, next));
      moved = next;
    }
  };
  let losses = 0;
  const checkLoss = async (name: string) => {
    const [ids, { updatedAt }] = [[...answered], moved];
    const found = await afterLoss(durable, data, made(`loss-${name}`));
    const there = new Set((await found.orders.entries('a1')).map((entry) => 'order' in entry && entry.order.record_id));
    assert.deepEqual(
      ids.filter((id) => !there.has(id)),
      [],
      'orders with a receipt are gone',
    );
    assert(((await found.auctions.find('a1'))?.updatedAt ?? '') >= updatedAt);
    await found.close();
    losses++;
  };
  await Promise.all([client('x'), client('y'), client('z'), operator()]);
  t.diagnostic(`${losses} losses of power, ${count} syncs, ${answered.size} orders`);
  assert(count < answered.size, 'who waits at the same time shares a sync');
});

test('a house that was killed and starts again has on the disk what its heads are about to say', {
  skip: noLogSync,
}, async (t) => {
  const { data, made } = await folders(t);
  let isHeld = false;
  const held: (() => void)[] = [];
  replaceLogSync(t, (sync, done) => void (isHeld ? held.push(() => sync(done)) : sync(done)));
  const store = openStore(data, clock);
  await store.auctions.create(anAuction());
  isHeld = true;
  const before = fs.statSync(join(data, 'merit.sqlite-wal')).size;
  void store.orders.append('a1', 'p', [order('o1')]);
  while (fs.statSync(join(data, 'merit.sqlite-wal')).size === before)
    await new Promise((resolve) => setTimeout(resolve, 1));
  const killed = made('killed');
  for (const name of ['merit.sqlite', 'merit.sqlite-wal', 'heads.log'])
    fs.copyFileSync(join(data, name), join(killed, name));
  const synced: [log: number, heads: string][] = [];
  const { fdatasyncSync } = fs;
  const put = (sync: typeof fdatasyncSync) => {
    fs.fdatasyncSync = sync;
    syncBuiltinESMExports();
  };
  put((fd) => {
    if (fs.readlinkSync(`/proc/self/fd/${fd}`) !== join(killed, 'merit.sqlite-wal')) return fdatasyncSync(fd);
    synced.push([fs.fstatSync(fd).size, fs.readFileSync(join(killed, 'heads.log'), 'utf8')]);
  });
  const again = openStore(killed, clock);
  put(fdatasyncSync);
  assert.deepEqual(synced, [
    [fs.statSync(join(killed, 'merit.sqlite-wal')).size, fs.readFileSync(join(data, 'heads.log'), 'utf8')],
  ]);
  assert.match(fs.readFileSync(join(killed, 'heads.log'), 'utf8'), /"sequence":1/);
  await again.close();
  for (const release of held) release();
  await store.close();
});

test('a sync that fails gives no receipt; the next one first brings the log into the database', {
  skip: noLogSync,
}, async (t) => {
  const { data, made } = await folders(t);
  let isBroken = false;
  let syncs = 0;
  replaceLogSync(t, (sync, done) => {
    syncs++;
    if (isBroken) setImmediate(done, Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }));
    else sync(done);
  });
  const store = openStore(data, clock);
  t.after(() => store.close());
  const auction = anAuction();
  await store.auctions.create(auction);
  isBroken = true;
  await assert.rejects(store.orders.append('a1', 'p', [order('o1')]), { code: 'unavailable', message: /EIO/ });
  isBroken = false;
  const before = syncs;
  const [receipt] = await store.orders.append('a1', 'p', [order('o1')]);
  assert.equal(syncs, before, 'a log that was not written is not believed to be');
  // The database alone has it.
  const copy = made('copy');
  await copyFile(join(data, 'merit.sqlite'), join(copy, 'merit.sqlite'));
  const found = await afterLoss(copy, data, made('loss'));
  assert.equal((await found.orders.find('a1', 'p', ['o1']))[0]?.hash, receipt!.hash);
  await found.close();
  await store.orders.append('a1', 'p', [order('o2')]);
  assert.equal(syncs, before + 1);
});

test('a refusal that tells of somebody else’s entry waits for the disk as that entry does', {
  skip: noLogSync,
}, async (t) => {
  const { data } = await folders(t);
  let release: (() => void) | undefined;
  let isHeld = false;
  replaceLogSync(t, (sync, done) => {
    if (isHeld) release = () => sync(done);
    else sync(done);
  });
  const store = openStore(data, clock);
  t.after(() => store.close());
  await store.auctions.create(anAuction());
  isHeld = true;
  const settled: string[] = [];
  const note = (name: string) => () => void settled.push(name);
  const all = [
    store.orders.append('a1', 'p', [order('o1')]).then(note('first')),
    store.orders.append('a1', 'p', [{ ...order('o1'), price: 11 }]).catch(note('conflict')),
    store.orders.append('a1', 'p', [order('o1')]).then(note('again')),
  ];
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(settled, []);
  isHeld = false;
  release!();
  await Promise.all(all);
  assert.deepEqual(settled.sort(), ['again', 'conflict', 'first']);
});

test('nobody reads, and nothing is sent, that a loss of power could take back; health waits for nothing', {
  skip: noLogSync,
}, async (t) => {
  const { data } = await folders(t);
  const held: (() => void)[] = [];
  let isHeld = false;
  replaceLogSync(t, (sync, done) => {
    if (isHeld) held.push(() => sync(done));
    else sync(done);
  });
  const sent: unknown[] = [];
  const log = (entry: Record<string, unknown>) => void (entry.event === 'notice' && sent.push(entry.id));
  const { ports, url, close } = await serve({ data, port: 0, markets: [testMarket()], log });
  t.after(close);
  await hold(ports, 'a', { gateClosure: new Date(Date.now() + 3_600_000).toISOString() });
  isHeld = true;
  const over: string[] = [];
  const note = (name: string) => () => void over.push(name);
  const all = [
    ports.orders.append('a', 'p', [order('o1')]).then(note('receipt')),
    ports.notices
      .send([{ id: 'n1', kind: 'auction-cancelled', ...toldOf('a'), cause: 'a trial' }])
      .then(note('notice')),
    ports.workflow.start('b', 1).then(note('workflow')),
  ];
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const path of ['/orders?auction=a', '/auctions', '/executions'])
    all.push(fetch(`${url}${path}`).then(note(path)));
  for (const path of ['/healthz', '/metrics', '/livez']) assert.equal((await fetch(`${url}${path}`)).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual([over, sent], [[], []]);
  isHeld = false;
  for (const release of held) release();
  await Promise.all(all);
  assert.equal(over.length, 6);
});
