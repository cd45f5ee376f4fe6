/**
 * Data at rest is checked: what somebody, or a disk, has changed in the data folder is found at the seal, at the start or when it is
 * read, and named; nothing of it is cleared or served. `test/faults/damage.ts` does the same by the hundred, with seeds.
 */

import assert from 'node:assert/strict';
import { cp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { acceptDamage } from '../src/adapters/local/check/accept.ts';
import { openStore } from '../src/adapters/local/stores.ts';
import { createApp } from '../src/api/app.ts';
import { closeGate, findAuction, restartAuction } from '../src/auction/auctions.ts';
import { cancelOrder } from '../src/auction/intake/cancel-order.ts';
import { findOrder } from '../src/auction/intake/find-order.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import { networkKey } from '../src/auction/records/keys.ts';
import { keepTime } from '../src/auction/schedule/keep-time.ts';
import { AuctionError } from '../src/market/errors.ts';
import type { LimitOrder } from '../src/market/order.ts';
import { hold, openTestHouse, reaches, submit, tradingOrders } from './support/house.ts';

const sql = (folder: string, text: string): void => {
  const database = new DatabaseSync(join(folder, 'merit.sqlite'));
  database.exec(text);
  database.close();
};

/** The entries as they were before layout 4. */
const beforeVersions = `DROP INDEX entries_by_record;
  ALTER TABLE entries DROP COLUMN version; ALTER TABLE entries DROP COLUMN replaced;
  CREATE UNIQUE INDEX entries_by_record ON entries (record_id, auction, participant, body IS NULL);`;

const aDamage = { code: 'damaged-data' };

const changes: [string, string, RegExp][] = [
  [
    'a price',
    `UPDATE entries SET body = json_set(body, '$.price', 19) WHERE record_id = 'load'`,
    /entry 2 was changed/,
  ],
  [
    'the time of one',
    `UPDATE entries SET received_at = '2026-01-01T00:00:00.000Z' WHERE sequence = 2`,
    /entry 2 was cha/,
  ],
  ['the owner of one', `UPDATE entries SET participant = 'mallory' WHERE sequence = 1`, /entry 1 was changed/],
  ['the hash of the last', `UPDATE entries SET hash = 'sha256:00' WHERE sequence = 3`, /entry 3 was changed/],
  ['one in the middle is gone', 'DELETE FROM entries WHERE sequence = 2', /entry 2 is missing/],
  ['a cancelled flag', 'UPDATE entries SET cancelled = 1 WHERE sequence = 2', /marked as cancelled without/],
  ['a replaced flag', 'UPDATE entries SET replaced = 1 WHERE sequence = 2', /as replaced without a replacement/],
  ['the version of one', 'UPDATE entries SET version = 2 WHERE sequence = 2', /entry 2 was changed/],
  ['the key of one', `UPDATE entries SET record_id = 'other' WHERE sequence = 2`, /entry 2 was changed/],
];

/** The same change in an auction of its own. */
const inAuction = (id: string, statement: string): string => statement.replace('WHERE', `WHERE auction = '${id}' AND`);

test('an intake that was changed while the house was closed: its open gate fails, also when restarted; the others go on', async (t) => {
  const house = await openTestHouse(t);
  const ids = changes.map((_, i) => `a${i}`);
  for (const id of [...ids, 'whole']) {
    await hold(house.ports, id);
    await submit(house.ports, undefined, id);
  }
  await house.reopen({}, (folder) => {
    for (const [i, [, statement]] of changes.entries()) sql(folder, inAuction(`a${i}`, statement));
  });
  for (const [i, [what, , found]] of changes.entries()) {
    const { cause } = await reaches(house.ports, `a${i}`, 'failed');
    assert.match(cause!, found, what);
    assert(house.logged.some(({ event, auction }) => event === 'data-damaged' && auction === `a${i}`));
    await restartAuction(house.ports, `a${i}`);
    assert.match((await reaches(house.ports, `a${i}`, 'failed')).cause!, found, what);
  }
  await assert.rejects(submit(house.ports, undefined, 'a0'), { code: 'gate-closed' });
  await closeGate(house.ports, 'whole');
  await reaches(house.ports, 'whole', 'settled');
});

test('an intake that is changed while the house runs: the seal refuses', async (t) => {
  const house = await openTestHouse(t);
  const last = ['the last are gone', 'DELETE FROM entries WHERE sequence > 1', /it ends at entry 1/] as const;
  for (const [i, [what, statement, found]] of [...changes, last].entries()) {
    const id = `a${i}`;
    await hold(house.ports, id);
    await submit(house.ports, undefined, id);
    sql(house.folder, inAuction(id, statement));
    await closeGate(house.ports, id);
    assert.match((await reaches(house.ports, id, 'failed')).cause!, found, what);
  }
});

test('an order that was changed is not read to its owner, nor is its receipt given again', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  await submit(house.ports);
  sql(house.folder, `UPDATE entries SET hash = 'sha256:00' WHERE sequence = 2`);
  await assert.rejects(findOrder(house.ports, 'p', 'load', 'a'), aDamage);
  await assert.rejects(submit(house.ports), aDamage);
  await assert.rejects(cancelOrder(house.ports, 'p', 'load', 'a'), aDamage);
  assert.equal((await findOrder(house.ports, 'p', 'plant', 'a')).sequence, 1);
});

test('nothing is chained to an end that is not the one that was acknowledged', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  await submit(house.ports);
  sql(house.folder, 'DELETE FROM entries WHERE sequence = 3');
  await assert.rejects(submit(house.ports, [{ record_id: 'next', side: 'buy', price: 5, power: 1 }]), {
    ...aDamage,
    message: /ends at entry 2, acknowledged were 3/,
  });
});

/** What ends a start, on a folder with an open and a settled auction, closed as it should be. */
const refused: [string, (folder: string) => unknown, RegExp][] = [
  [
    'the database is gone',
    (folder) => rm(join(folder, 'merit.sqlite')),
    /is missing or empty, and there are 2 auctions/,
  ],
  [
    'it is empty',
    (folder) => truncate(join(folder, 'merit.sqlite'), 0),
    /is missing or empty, and there are 2 auctions/,
  ],
  ['the heads are gone', (folder) => rm(join(folder, 'heads.log')), /heads.log: it is missing/],
  [
    'database and heads are gone',
    (folder) => Promise.all(['merit.sqlite', 'heads.log'].map((name) => rm(join(folder, name)))),
    /0 auctions in heads.log, 2 books and results/,
  ],
  [
    'the heads have a damaged line',
    async (folder) => {
      const file = join(folder, 'heads.log');
      await writeFile(file, (await readFile(file, 'utf8')).replace('"revision":1', '"revision":2'));
    },
    /damaged lines: \d/,
  ],
  [
    'the last orders are gone',
    (folder) => sql(folder, `DELETE FROM entries WHERE auction = 'a' AND sequence > 1`),
    /a: acknowledged orders are missing: its intake ends at entry 1, acknowledged were 3/,
  ],
  [
    'an auction is gone',
    (folder) => sql(folder, `DELETE FROM auctions WHERE id = 'a'`),
    /a: the auction is missing in the database/,
  ],
  [
    'a gate was moved',
    (folder) =>
      sql(folder, `UPDATE auctions SET body = json_set(body, '$.gateClosure', '2040-01-01T00:00:00Z') WHERE id = 'a'`),
    /a: its record was changed/,
  ],
  [
    'a state was changed',
    (folder) => sql(folder, `UPDATE auctions SET state = 'settled' WHERE id = 'a'`),
    /columns beside its record were changed/,
  ],
  [
    'a page of the database is overwritten',
    async (folder) => {
      const file = join(folder, 'merit.sqlite');
      const bytes = await readFile(file);
      await writeFile(file, bytes.fill(0xff, 4096, 8192));
    },
    /malformed|SQLite|Tree|page/,
  ],
];
test('a start is refused with what was found and what to do, and changes nothing', async (t) => {
  const house = await openTestHouse(t);
  for (const id of ['a', 'b']) {
    await hold(house.ports, id);
    await submit(house.ports, undefined, id);
  }
  await closeGate(house.ports, 'b');
  await reaches(house.ports, 'b', 'settled');
  const copy = `${house.folder}-copy`;
  t.after(() => rm(copy, { recursive: true }));
  await house.reopen({}, (folder) => cp(folder, copy, { recursive: true }));
  const trial = `${house.folder}-trial`;
  t.after(() => rm(trial, { recursive: true }));
  for (const [what, damage, found] of refused) {
    await rm(trial, { recursive: true, force: true });
    await cp(copy, trial, { recursive: true });
    await damage(trial);
    // Nothing was changed: it is refused again.
    for (let time = 0; time < 2; time++) {
      assert.throws(
        () => openStore(trial, house.clock).close(),
        (error: Error & { code: string }) => {
          assert.equal(error.code, 'damaged-data', `${what}: ${error.stack}`);
          assert.match(error.message, found, what);
          assert.match(error.message, /merit check .*restore/);
          return true;
        },
        what,
      );
    }
  }
});

test('a start is refused on a database that is older than what was acknowledged, whole or without its log', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  await submit(house.ports);
  const older = `${house.folder}-older`;
  t.after(() => rm(older, { recursive: true }));
  await house.reopen({}, (folder) => cp(folder, older, { recursive: true }));
  await submit(house.ports, [{ record_id: 'more', side: 'buy', price: 5, power: 1 }]);
  const behind = {
    ...aDamage,
    message: /acknowledged orders are missing: its intake ends at entry 3, acknowledged were 4/,
  };
  const put = (folder: string) => cp(join(older, 'merit.sqlite'), join(folder, 'merit.sqlite'));
  await assert.rejects(house.reopen({}, put), behind);
});

test('a log of the database that is gone or cut when the process was killed is noticed', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  await submit(house.ports);
  await house.reopen(); // the database has these now
  for (let i = 0; i < 20; i++) await submit(house.ports, [{ record_id: `o${i}`, side: 'buy', price: 5, power: 1 }]);
  const copy = `${house.folder}-copy`;
  t.after(() => rm(copy, { recursive: true }));
  // As a kill leaves the files: the log is not in the database yet.
  const log = join(copy, 'merit.sqlite-wal');
  const openCut = async (cut: (bytes: Buffer) => Buffer) => {
    await rm(copy, { recursive: true, force: true });
    await cp(house.folder, copy, { recursive: true });
    await writeFile(log, cut(await readFile(log)));
    openStore(copy, house.clock).close();
  };
  await openCut((bytes) => bytes);
  const missing = { ...aDamage, message: /acknowledged orders are missing/ };
  await assert.rejects(
    openCut((bytes) => bytes.subarray(0, 0)),
    missing,
  );
  await assert.rejects(
    openCut((bytes) => bytes.subarray(0, bytes.length - 1)),
    missing,
  );
  await assert.rejects(
    openCut((bytes) => bytes.fill(~bytes[9000]!, 9000, 9001)),
    missing,
  );
});

test('a folder that is deleted or replaced while the house runs takes no writes, and it says so', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  await submit(house.ports);
  assert.equal(house.storageFault(), undefined);
  const order = { record_id: 'next', side: 'buy', price: 5, power: 1 };
  const away = `${house.folder}-away`;
  await rename(house.folder, away);
  assert.match(house.storageFault()!, /merit.sqlite is gone/);
  await assert.rejects(submit(house.ports, [order]), { code: 'unavailable', message: /merit.sqlite is gone/ });
  await assert.rejects(hold(house.ports, 'b'), { code: 'unavailable' });
  await assert.rejects(house.ports.archive.write('books/x.json', '{}'), { code: 'unavailable' });
  await cp(away, house.folder, { recursive: true });
  await assert.rejects(submit(house.ports, [order]), { code: 'unavailable', message: /is another file/ });
  await rm(house.folder, { recursive: true });
  await rename(away, house.folder);
  assert.equal((await submit(house.ports, [order])).receipts[0]!.sequence, 4);
});

test('a data folder of before has no heads: it gets them at its first start', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  await submit(house.ports);
  await house.reopen({}, async (folder) => {
    sql(
      folder,
      `ALTER TABLE auctions DROP COLUMN hash; ALTER TABLE auctions DROP COLUMN revision; ${beforeVersions} PRAGMA user_version = 1`,
    );
    await rm(join(folder, 'heads.log'));
  });
  assert((await readdir(house.folder)).includes('heads.log'));
  await closeGate(house.ports, 'a');
  await reaches(house.ports, 'a', 'settled');
  await house.reopen();
});

test('a data folder of layout 2 gets its indexes, keeps its heads, and orders that it lacks are still missed', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  await submit(house.ports);
  const before = `CREATE INDEX entries_by_linkedTo ON entries (auction, participant, body ->> 'linkedTo', sequence)
    WHERE body ->> 'linkedTo' IS NOT NULL; DROP INDEX entries_naming_linkedTo; DROP INDEX entries_naming_loopWith;
    DROP INDEX entries_naming_exclusiveGroup; ${beforeVersions} PRAGMA user_version = 2;`;
  const copy = `${house.folder}-copy`;
  await house.reopen({}, (folder) => cp(folder, copy, { recursive: true }));
  const openOlder = (change = '') => {
    sql(copy, `${change} ${before}`);
    const { damaged, database, close } = openStore(copy, house.clock);
    const indexes = database.prepare("SELECT name FROM sqlite_master WHERE name LIKE 'entries_%' ORDER BY name").all();
    close();
    return { damaged, indexes: indexes.map(({ name }) => name) };
  };
  const naming = ['exclusiveGroup', 'linkedTo', 'loopWith'].map((field) => `entries_naming_${field}`);
  assert.deepEqual(openOlder(), { damaged: [], indexes: ['entries_by_record', ...naming] });
  assert.throws(() => openOlder('DELETE FROM entries WHERE sequence = 3;'), {
    ...aDamage,
    message: /acknowledged were 3/,
  });
  await rm(copy, { recursive: true });
});

test('a data folder of layout 3 gets versions of its orders, which may be replaced from then on, and keys of requests', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  await submit(house.ports);
  await house.reopen({}, (folder) =>
    sql(folder, `${beforeVersions} DROP TABLE request_keys; PRAGMA user_version = 3;`),
  );
  const { orders } = house.ports;
  const [load] = await orders.find('a', 'p', ['load']);
  assert.equal(load!.version, 1);
  const once = { key: 'k', fingerprint: 'f' };
  const replaced = await orders.replace('a', 'p', { ...load!.order, price: 61 } as LimitOrder, 1, once);
  assert.deepEqual(await orders.recall('p', once), [replaced]);
  assert.deepEqual([replaced.version, replaced.sequence], [2, 4]);
  await house.reopen();
  assert.deepEqual(
    (await house.ports.orders.versions('a', 'p', 'load')).map(({ version }) => version),
    [1, 2],
  );
  await closeGate(house.ports, 'a');
  await reaches(house.ports, 'a', 'settled');
});

test('what was published has a hash that is checked: damage is the house’s fault, told as such and named in the log', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  await submitOrders(house.ports, { participant: 'local' }, { auction: 'a', orders: tradingOrders });
  await closeGate(house.ports, 'a');
  await reaches(house.ports, 'a', 'settled');
  const logged: Record<string, unknown>[] = [];
  const ask = async (path: string) => {
    // Another app for each: one that has an answer in memory gives that, which was right when it was worked out.
    const app = createApp(house.ports, { version: '0', log: (entry) => logged.push(entry) });
    const answer = await app.request(path);
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  };
  const archive = join(house.folder, 'archive');
  const damages: [string, string, (text: string) => string | undefined][] = [
    ['books/a.json', '/auctions/a/book', (text) => text.replace('"price":60', '"price":61')],
    ['books/a.json', '/auctions/a/curves', (text) => text.slice(0, 50)],
    ['results/a.json', '/auctions/a/prices', (text) => text.replace('45', '46')],
    ['results/a.json', '/auctions/a/flows', () => undefined],
    ['results/a.json', '/auctions/a/result', () => ''],
    ['orders/a/page-00001.json', '/orders/load?auction=a', (text) => text.replace('"power":40', '"power":99')],
    ['orders/a/page-00001.json', '/orders?auction=a', (text) => text.slice(0, -20)],
    ['orders/a/page-00001.json', '/orders/load?auction=a', () => undefined],
    ['orders/a/pages.json', '/orders/load?auction=a', (text) => text.replace('sha256:', 'sha256:0')],
    ['orders/a/pages.json', '/orders/load?auction=a', () => undefined],
  ];
  const auction = await findAuction(house.ports, 'a');
  const network = networkKey(auction.network!.hash);
  damages.push([network, '/auctions/a/network', (text) => text.replace('[]', '[ ]')]);
  for (const [key, path, damage] of damages) {
    const file = join(archive, key);
    const text = await readFile(file, 'utf8');
    assert.equal((await ask(path)).status, 200, path);
    const other = damage(text);
    assert.notEqual(other, text);
    if (other === undefined) await rm(file);
    else await writeFile(file, other);
    const { status, json } = await ask(path);
    assert.equal(status, 500, `${key} ${path}: ${JSON.stringify(json)}`);
    assert.equal(json.code, 'damaged-data');
    const said = new RegExp(
      `${key} ${other === undefined ? 'is missing from the archive' : 'was changed: its hash is'}`,
    );
    assert.match(String(json.detail), said);
    assert.match(String(logged.at(-1)?.found), said);
    await writeFile(file, text);
  }
});

test('outcomes of an auction of before its pages had hashes follow from its book and its result', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  await submit(house.ports);
  await closeGate(house.ports, 'a');
  const { pages: _, ...before } = await reaches(house.ports, 'a', 'settled');
  assert(await house.ports.auctions.advance(await findAuction(house.ports, 'a'), before));
  await writeFile(join(house.folder, 'archive/orders/a/page-00001.json'), 'nobody reads this');
  const { outcome } = await findOrder(house.ports, 'p', 'load', 'a');
  assert.deepEqual([outcome?.status, outcome?.power, outcome?.prices], ['accepted', 40, [45]]);
});

test('an auction whose workflow is said to be over before it is settled fails, and settles when it is restarted', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  await submit(house.ports);
  house.ports.archive.write = () => Promise.reject(new AuctionError('unavailable', 'not now'));
  await closeGate(house.ports, 'a');
  await house.reopen({}, (folder) => sql(folder, `UPDATE executions SET status = 'succeeded'`));
  await keepTime(house.ports);
  assert.match((await reaches(house.ports, 'a', 'failed')).cause!, /said to have succeeded/);
  await restartAuction(house.ports, 'a');
  await reaches(house.ports, 'a', 'settled');
});

test('acceptDamage(): a house goes on with what there is, auctions that lack something are failed, and nothing is deleted', async (t) => {
  const house = await openTestHouse(t);
  for (const id of ['a', 'b', 'c', 'd']) {
    await hold(house.ports, id);
    await submit(house.ports, undefined, id);
  }
  await closeGate(house.ports, 'b');
  await reaches(house.ports, 'b', 'settled');
  assert.throws(() => acceptDamage(house.folder, house.clock.now()), { code: 'unavailable' });
  const lose = (folder: string) =>
    sql(
      folder,
      `DELETE FROM entries WHERE auction = 'a' AND sequence = 3;
       DELETE FROM auctions WHERE id = 'b';
       UPDATE auctions SET body = json_set(body, '$.gateClosure', '2040-01-01T00:00:00Z') WHERE id = 'c';
       UPDATE entries SET body = json_set(body, '$.price', 19) WHERE auction = 'd' AND sequence = 2`,
    );
  await assert.rejects(house.reopen({}, lose), aDamage);
  const found = acceptDamage(house.folder, house.clock.now());
  const wheres = ['a', 'b', 'b', 'books/b.json', 'c', 'd', 'results/b.json'];
  assert.deepEqual(found.map(({ where }) => where).toSorted(), wheres);
  assert.deepEqual(
    acceptDamage(house.folder, house.clock.now()).map(({ where }) => where),
    ['d'],
  ); // not even so
  await house.reopen();
  for (const id of ['a', 'c', 'd'])
    assert.match((await reaches(house.ports, id, 'failed')).cause!, /^accepted by the operator: /);
  assert.equal(await house.ports.auctions.find('b'), undefined);
  assert.deepEqual(
    (await readdir(join(house.folder, 'lost'), { recursive: true }))
      .filter((name) => name.endsWith('.json'))
      .toSorted(),
    ['2025-04-01T10-30-00Z/books/b.json', '2025-04-01T10-30-00Z/results/b.json'],
  );
  await restartAuction(house.ports, 'a');
  assert.equal((await reaches(house.ports, 'a', 'settled')).book?.orders, 2);
  await restartAuction(house.ports, 'd');
  assert.match((await reaches(house.ports, 'd', 'failed')).cause!, /entry 2 was changed/);
  await house.reopen();
});
