/** What a house deletes by itself, and what it keeps. */

import assert from 'node:assert/strict';
import { access, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { prune, usualRetention } from '../src/adapters/local/retention.ts';
import { closeGate, findAuction } from '../src/auction/auctions.ts';
import { readResult } from '../src/auction/views/results.ts';
import { until } from './ports/workflow.cases.ts';
import { hold, openTestHouse, reaches, submit, type TestHouse } from './support/house.ts';

async function settled({ ports }: TestHouse, id: string, gateClosure = '2025-04-01T11:00:00Z'): Promise<void> {
  await hold(ports, id, { gateClosure });
  await submit(ports, undefined, id);
  await closeGate(ports, id);
  await reaches(ports, id, 'settled');
}

/** Everything was told and written down. */
const rested = (database: DatabaseSync) =>
  until('nothing waits', async () => {
    const { n } = database
      .prepare(
        `SELECT (SELECT count(*) FROM notices WHERE state = 'waiting')
              + (SELECT count(*) FROM executions WHERE status = 'running') AS n`,
      )
      .get() as { n: number };
    return n === 0;
  });

const count = (database: DatabaseSync, table: string) =>
  (database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;

function look({ folder, clock }: TestHouse) {
  const database = new DatabaseSync(join(folder, 'merit.sqlite'), { timeout: 5000 });
  const sweep = (retention = {}) =>
    prune({
      database,
      forget: (id) => assert.fail(`${id} is kept`),
      archive: join(folder, 'archive'),
      clock,
      retention: { ...usualRetention, ...retention },
    });
  return { database, sweep };
}

test('prune(): delivered notices go after a week, those that nobody took after 90 days, history after 30', async (t) => {
  const house = await openTestHouse(t);
  const { database, sweep } = look(house);
  t.after(() => database.close());
  await settled(house, 'a');
  await rested(database);
  database.exec(`UPDATE notices SET state = 'dead' WHERE id LIKE 'auction-settled:%'`);
  assert.equal(count(database, 'notices'), 2);
  house.clock.time = '2025-04-08T10:29:00Z';
  assert.deepEqual(await sweep(), { notices: 0, events: 0, 'unfinished files': 0, auctions: 0 });
  house.clock.time = '2025-04-08T10:31:00Z';
  assert.equal((await sweep()).notices, 1);
  house.clock.time = '2025-05-01T10:31:00Z';
  const { notices, events } = await sweep();
  assert.equal(notices, 0);
  assert(events > 10);
  assert.deepEqual([count(database, 'execution_events'), count(database, 'executions')], [0, 1]);
  house.clock.time = '2025-06-30T10:31:00Z';
  assert.equal((await sweep()).notices, 1);
  assert.equal((await findAuction(house.ports, 'a')).state, 'settled');
});

test('of a house that keeps some auctions only, older ones go with all that is theirs, and are not taken for lost', async (t) => {
  const house = await openTestHouse(t);
  const { database } = look(house);
  t.after(() => database.close());
  for (const [id, minute] of [
    ['a', 10],
    ['c', 40],
    ['a-b', 20],
  ] as const)
    await settled(house, id, `2025-04-01T11:${minute}:00Z`);
  await hold(house.ports, 'open');
  await rested(database);
  const tables = ['entries', 'notices', 'executions', 'execution_events'];
  const before = tables.map((table) => count(database, table));
  const files = async () =>
    (await readdir(join(house.folder, 'archive'), { recursive: true })).filter((f) => /json$/.test(f));
  const networks = (await files()).filter((file) => file.startsWith('networks'));
  const ofOne = ((await files()).length - networks.length) / 3;
  await house.reopen({ retention: { ...usualRetention, keepAuctions: 1 } });
  await until('two have gone', async () => count(database, 'auctions') === 2);
  assert.deepEqual(
    tables.map((table) => count(database, table)),
    before.map((n) => n / 3),
  );
  assert.equal((await files()).length, networks.length + ofOne);
  await house.reopen();
  assert.deepEqual((await house.ports.auctions.list()).map(({ id }) => id).sort(), ['c', 'open']);
  assert.equal((await readResult(house.ports, 'c')).orders.length, 3);
});

test('a house removes at its start what a dead process left unfinished, and nothing that is being written', async (t) => {
  const house = await openTestHouse(t);
  const books = join(house.folder, 'archive', 'books');
  await mkdir(books, { recursive: true });
  const [old, fresh] = ['a.json.1.part', 'b.json.2.part'].map((name) => join(books, name)) as [string, string];
  for (const file of [old, fresh]) await writeFile(file, 'half');
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  await utimes(old, longAgo, longAgo);
  await house.reopen();
  await until('it is gone', async () =>
    access(old).then(
      () => false,
      () => true,
    ),
  );
  await access(fresh);
});
