/** The local adapters keep the promises of their ports; and what only they can get wrong: full disks, foreign files, webhooks. */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { openAccess } from '../../src/adapters/local/access/access.ts';
import { openAccessDatabase } from '../../src/adapters/local/access/database.ts';
import { openSigner } from '../../src/adapters/local/access/signing-keys.ts';
import { openArchive } from '../../src/adapters/local/archive.ts';
import { makeDataFolder } from '../../src/adapters/local/data-folder.ts';
import { noLog, openDurability } from '../../src/adapters/local/durability.ts';
import { openHeads } from '../../src/adapters/local/heads.ts';
import { openNotices } from '../../src/adapters/local/notices.ts';
import { openStore } from '../../src/adapters/local/stores.ts';
import type { Notice } from '../../src/auction/ports.ts';
import { recordingMeter } from '../support/meter.ts';
import { toldOf } from '../support/told.ts';
import { archiveCases } from './archive.cases.ts';
import { anAuction, auctionStoreCases } from './auction-store.cases.ts';
import { type OpenedStore, orderStoreCases } from './order-store.cases.ts';
import { participantsCases } from './participants.cases.ts';
import { signerCases } from './signer.cases.ts';
import { until } from './workflow.cases.ts';

const folderFor = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'merit-ports-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
};

const openIn = (t: TestContext, folder: string) => {
  const clock = { time: '2025-04-01T10:30:00Z', now: () => new Date(clock.time) };
  let store = openStore(folder, clock);
  t.after(() => store.close());
  const opened = (): OpenedStore & { database: DatabaseSync } => ({
    auctions: store.auctions,
    orders: store.orders,
    database: store.database,
    clock,
    reopen: async () => {
      await store.close();
      store = openStore(folder, clock);
      return opened();
    },
  });
  return opened();
};

auctionStoreCases('sqlite', async (t) => openIn(t, await folderFor(t)).auctions);
auctionStoreCases('sqlite in memory', async (t) => openIn(t, ':memory:').auctions);
participantsCases('local participants', async (t) => {
  const access = openAccess(await folderFor(t), { now: () => new Date() });
  t.after(() => access.close());
  return {
    participants: access.clients,
    add: async (participant) => access.clients.addParticipant(participant),
  };
});
signerCases('local keys', async (t) => {
  const folder = await folderFor(t);
  makeDataFolder(folder);
  const signer = openSigner(folder);
  t.after(() => signer.close());
  const rotate = async () => {
    const access = openAccess(folder, { now: () => new Date() });
    access.rotateKeys();
    access.close();
    return signer; // which is open all the while
  };
  return { signer, rotate };
});
orderStoreCases('sqlite', async (t) => openIn(t, await folderFor(t)));
archiveCases('files', async (t) => openArchive(join(await folderFor(t), 'archive')));

const bigOrder = (i: number) =>
  ({
    record_id: `o${i}`,
    zone: 'Z',
    kind: 'curve',
    period: 1,
    shape: 'step',
    points: Array.from({ length: 100 }, (_, k) => ({ price: k, power: 1000 - k })),
  }) as const;

test('sqlite: a full disk gives no receipt, keeps nothing of the request, and the store goes on when there is room', async (t) => {
  const { auctions, orders, database } = openIn(t, await folderFor(t));
  await auctions.create(anAuction());
  await orders.append('a1', 'p', [bigOrder(0)]);
  const { page_count } = database.prepare('PRAGMA page_count').get() as { page_count: number };
  database.exec(`PRAGMA max_page_count = ${page_count + 2}`);
  const many = (from: number) => Array.from({ length: 50 }, (_, k) => bigOrder(from + k));
  const group = await Promise.allSettled([
    orders.append('a1', 'p', many(100)),
    orders.append('a1', 'p', [bigOrder(1)]),
  ]);
  for (const each of group) {
    assert.equal(each.status, 'rejected');
    assert.equal(each.reason.code, 'unavailable');
    assert.match(each.reason.message, /full/);
  }
  assert.equal((await orders.entries('a1')).length, 1);
  database.exec('PRAGMA max_page_count = 1000000');
  const receipts = await orders.append('a1', 'p', many(100));
  assert.deepEqual(
    receipts.map(({ sequence }) => sequence),
    Array.from({ length: 50 }, (_, k) => k + 2),
  );
});

test('openStore() refuses a database of another layout or program, and a file that is none', async (t) => {
  const folder = await folderFor(t);
  const file = join(folder, 'merit.sqlite');
  const clock = { now: () => new Date() };
  openStore(folder, clock).close();
  const database = new DatabaseSync(file);
  database.exec('PRAGMA user_version = 7');
  database.close();
  assert.throws(() => openStore(folder, clock), { code: 'incompatible-data', message: /layout 7 .* expected 5/ });
  await rm(file);
  const noDatabase = 'this is no database, but it is long enough to be read as the head of one, if one looks at it so';
  for (const path of [file, join(folder, 'access.sqlite')]) await writeFile(path, noDatabase);
  const unusable = {
    code: 'incompatible-data',
    message: /merit.sqlite can't be used: .*not a database\. .*nothing was changed\. .*merit restore a backup/,
  };
  assert.throws(() => openStore(folder, clock), unusable);
  assert.throws(() => openAccessDatabase(folder), { ...unusable, message: /access.sqlite.*merit restore/ });
});

const rejected = (id: string): Notice => ({
  id,
  kind: 'order-rejected',
  ...toldOf('a1'),
  participant: 'p',
  record_id: id,
  status: 'rejected',
  reason: { code: 'out_of_the_money', distance: 5, missedSurplus: 0, binding: [] },
});

/** A receiver on loopback that answers with the statuses given, then with 200. */
async function receiver(t: TestContext, statuses: number[]) {
  const received: { id: string; body: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ id: String(request.headers['idempotency-key']), body, headers: request.headers });
    response.statusCode = statuses.shift() ?? 200;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received };
}

const outbox = (t: TestContext, options: Partial<Parameters<typeof openNotices>[0]> = {}) => {
  const database = options.database ?? new DatabaseSync(':memory:');
  const logged: Record<string, unknown>[] = [];
  const clock = { now: () => new Date() };
  const meter = recordingMeter();
  const notices = openNotices({
    database,
    durability: openDurability(noLog, openHeads(undefined, new Map())),
    clock,
    meter,
    log: (entry) => logged.push(entry),
    firstPauseMs: 1,
    ...options,
  });
  t.after(() => notices.close());
  const states = () =>
    database
      .prepare('SELECT id, state, attempts FROM notices ORDER BY id')
      .all()
      .map((row) => ({ ...row }));
  return { database, notices, logged, meter, states };
};

test('notices go to the log, each id once', async (t) => {
  const { notices, logged, states } = outbox(t);
  await notices.send([rejected('n1'), rejected('n2')]);
  await notices.send([rejected('n1')]);
  await until('both are delivered', async () => logged.length === 2);
  assert.deepEqual(logged.map(({ event, id }) => [event, id]).sort(), [
    ['notice', 'n1'],
    ['notice', 'n2'],
  ]);
  assert.deepEqual(states(), [
    { id: 'n1', state: 'delivered', attempts: 1 },
    { id: 'n2', state: 'delivered', attempts: 1 },
  ]);
});

test('notices go to a webhook, signed, and again until it takes them', async (t) => {
  const { url, received } = await receiver(t, [500, 503]);
  const bytes = Buffer.alloc(24, 'hush');
  const { notices, states } = outbox(t, { webhook: { url, secret: `whsec_${bytes.toString('base64')}` } });
  await notices.send([rejected('n1')]);
  await until('the third attempt went through', async () => states()[0]?.state === 'delivered');
  assert.deepEqual(states(), [{ id: 'n1', state: 'delivered', attempts: 3 }]);
  assert.deepEqual(
    received.map(({ id }) => id),
    ['n1', 'n1', 'n1'],
  );
  const { body, headers } = received[2]!;
  const { 'webhook-timestamp': at, 'webhook-signature': signature } = headers;
  assert.equal(headers['webhook-id'], 'n1');
  assert.equal(signature, `v1,${createHmac('sha256', bytes).update(`n1.${at}.${body}`).digest('base64')}`);
  assert.deepEqual(JSON.parse(body), rejected('n1'));
});

test('a notice that nobody takes is dead after its last attempt, and the log says so', async (t) => {
  const { url } = await receiver(t, [500, 500, 500, 500]);
  const { notices, logged, meter, states } = outbox(t, { webhook: { url }, mostAttempts: 3 });
  await notices.send([rejected('n1')]);
  await until('it was given up', async () => states()[0]?.state === 'dead');
  assert.deepEqual(
    logged.map(({ event }) => event),
    ['notice-delayed', 'notice-delayed', 'notice-dead'],
  );
  assert.deepEqual(meter.recorded, [{ name: 'notices_undelivered', value: 1 }]);
});

test('what a stopped process did not deliver, the next one does', async (t) => {
  const { url, received } = await receiver(t, [500]);
  const first = outbox(t, { webhook: { url }, firstPauseMs: 1 });
  await first.notices.send([rejected('n1')]);
  await until('one attempt was made', async () => received.length > 0);
  await first.notices.close();
  outbox(t, { database: first.database, webhook: { url } });
  await until('it is delivered', async () => first.states()[0]?.state === 'delivered');
});
