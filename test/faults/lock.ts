/** Another process has the lock on the database: an operator's shell, a backup. For seconds, or again and again. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { pause } from '../crash/clients.ts';
import { FaultyHouse } from './support/house.ts';
import { openPlace, type Place } from './support/place.ts';

function open({ folder, undo }: Place): DatabaseSync {
  const database = new DatabaseSync(join(folder, 'data', 'merit.sqlite'), { timeout: 5000 });
  undo(() => database.close());
  return database;
}

for (const step of ['open', 'closed', 'final'] as const) {
  test(`a lock of two seconds in ${step}: nobody is refused, and the auction settles`, async (t) => {
    const place = openPlace(t);
    const house = await FaultyHouse.start(place);
    const other = open(place);
    await house.hold('a', 600_000);
    await house.hold('b', 600_000);
    await house.send('a', 500);
    if (step !== 'open') await house.close('a');
    await house.reaches('a', step);
    other.exec('BEGIN IMMEDIATE');
    house.healthMs = 0;
    const order = house.send('b', 1);
    for (const since = performance.now(); performance.now() - since < 2000; await pause(20)) await house.health();
    other.exec('ROLLBACK');
    assert.equal((await order).status, 201);
    if (step === 'open') await house.close('a');
    await house.reaches('a', 'settled');
    await house.checkBook('a');
    t.diagnostic(`/livez within ${Math.round(house.healthMs)} ms while locked`);
    assert(house.healthMs < 1000);
  });
}

test('a lock of eight seconds over a gate: orders hear 503 after five, and the auction settles when it is gone', async (t) => {
  const place = openPlace(t);
  const house = await FaultyHouse.start(place);
  const other = open(place);
  await house.hold('a', 1500);
  await house.hold('b', 600_000);
  await house.send('a', 500);
  other.exec('BEGIN IMMEDIATE');
  const answers = Array.from({ length: 20 }, () => house.send('b', 10));
  for (const since = performance.now(); performance.now() - since < 8000; await pause(50)) await house.health();
  for (const { status } of await Promise.all(answers)) assert.equal(status, 503);
  assert.equal(await house.state('a'), 'open');
  other.exec('ROLLBACK');
  await house.reaches('a', 'settled', 10_000);
  await house.checkBook('a');
  assert.equal((await house.send('b', 10)).status, 201);
});

test('short locks again and again, as of a checkpoint, hold an auction up by no more than they last', async (t) => {
  const place = openPlace(t);
  const house = await FaultyHouse.start(place);
  const other = open(place);
  await house.hold('a', 600_000);
  await house.send('a', 500);
  await house.close('a');
  let locks = 0;
  let isOver = false;
  const settled = house.reaches('a', 'settled', 10_000).finally(() => {
    isOver = true;
  });
  for (; !isOver; await pause(20)) {
    other.exec('PRAGMA wal_checkpoint(TRUNCATE); BEGIN IMMEDIATE');
    await pause(3);
    other.exec('COMMIT');
    locks++;
  }
  await settled;
  t.diagnostic(`${locks} locks until it was settled`);
  await house.checkBook('a');
});
