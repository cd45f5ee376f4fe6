/** What the machine does to a house: locks of others, a lost archive. It waits and goes on; real ones, at length, in `test/faults/`. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { closeGate } from '../src/auction/auctions.ts';
import { readBook } from '../src/auction/views/results.ts';
import { until } from './ports/workflow.cases.ts';
import { hold, openTestHouse, reaches, submit, type TestHouse } from './support/house.ts';
import { toldOf } from './support/told.ts';

/** Somebody else's write lock on the house's database. */
function lock(t: TestContext, { folder }: TestHouse): { release(): void } {
  const other = new DatabaseSync(join(folder, 'merit.sqlite'), { timeout: 5000 });
  t.after(() => other.isOpen && other.close());
  other.exec('BEGIN IMMEDIATE');
  return { release: () => other.close() };
}

const told = ({ logged }: TestHouse, event: string) => logged.filter((entry) => entry.event === event);

/** How often others had the event loop until something came true. */
async function turnsUntil(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  void work.finally(() => {
    isOver = true;
  });
  for (; !isOver; turns++) await new Promise((resolve) => setTimeout(resolve, 1));
  return turns;
}

test('orders and calls that meet the lock of another process wait for it, and others have the event loop meanwhile', async (t) => {
  const house = await openTestHouse(t);
  const { ports } = house;
  await hold(ports);
  const other = lock(t, house);
  const work = Promise.all([submit(ports), ports.orders.append('a', 'q', []), hold(ports, 'b')]);
  setTimeout(() => other.release(), 400);
  assert((await turnsUntil(work)) >= 3, 'nobody else had a turn');
  const [{ receipts }] = await work;
  assert.deepEqual(
    receipts.map(({ sequence }) => sequence),
    [1, 2, 3],
  );
});

test('a house that is closed while another process has its database refuses what waits, and keeps none of it', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  const other = lock(t, house);
  const refused = assert.rejects(house.ports.orders.append('a', 'p', []), { code: 'unavailable' });
  await house.reopen();
  other.release();
  await refused;
  assert.deepEqual(await house.ports.orders.entries('a'), []);
});

test('a lock while notices go out ends nothing: one line in the log, and each is delivered once', async (t) => {
  const answers: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.resume();
    answers.push(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const house = await openTestHouse(t, {
    webhook: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` },
  });
  const notice = (id: string) => ({ id, kind: 'auction-cancelled', ...toldOf(id), cause: 'none' }) as const;
  await house.ports.notices.send(['n1', 'n2', 'n3'].map(notice));
  await until('all are on their way', async () => answers.length === 3);
  const other = lock(t, house);
  for (const response of answers) response.end();
  await until('the record waits', async () => told(house, 'waits').length > 0);
  other.release();
  await until('it goes on', async () => told(house, 'goes-on').length > 0);
  const database = new DatabaseSync(join(house.folder, 'merit.sqlite'), { readOnly: true });
  t.after(() => database.close());
  const rows = database.prepare('SELECT state, attempts FROM notices').all();
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    Array.from({ length: 3 }, () => ({ state: 'delivered', attempts: 1 })),
  );
  assert.equal(answers.length, 3);
  assert.equal(told(house, 'waits').length, 1);
});

test('an archive that cannot be written holds an auction up, and does not end it', async (t) => {
  const house = await openTestHouse(t, { waits: { SealBook: 1 } });
  const { ports, folder } = house;
  await hold(ports);
  await submit(ports);
  const archive = join(folder, 'archive');
  await rename(archive, `${archive}.away`);
  await writeFile(archive, 'not a folder');
  await closeGate(ports, 'a');
  const waits = await until('sealing waits', async () => told(house, 'waits').at(0));
  assert.match(String(waits.what), /^SealBook of execution a-1$/);
  assert.equal((await reaches(ports, 'a', 'closed')).state, 'closed');
  await rm(archive);
  // Nothing is there for a while, as after an unmount: no file is missing, and no other archive is begun.
  for (let k = 0; k < 20; k++)
    await assert.rejects(ports.archive.read('books/a.json'), { code: 'unavailable', message: /archive is gone/ });
  await assert.rejects(ports.archive.write('books/b.json', '{}'), { code: 'unavailable' });
  assert.equal((await reaches(ports, 'a', 'closed')).state, 'closed');
  await rename(`${archive}.away`, archive);
  await reaches(ports, 'a', 'settled');
  assert.equal((await readBook(ports, 'a')).orders.length, 3);
  assert.equal(told(house, 'waits').length, 1);
});
