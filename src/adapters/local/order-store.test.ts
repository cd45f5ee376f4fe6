/** The intake in sqlite: how orders wait while another process has the database, and what keys of requests leave behind. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hold, openTestHouse, submit } from '../../../test/support/house.ts';
import { databaseName } from './stores.ts';
import { betweenTriesMs, busyMs, patienceMs } from './unavailable.ts';

test('an order waits for the lock of another process while it has patience, and no longer', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  const other = new DatabaseSync(join(house.folder, databaseName));
  t.after(() => other.close());
  let ms = performance.now();
  t.mock.method(performance, 'now', () => ms);
  const order = (record_id: string) => submit(house.ports, [{ record_id, side: 'buy', price: 5, power: 1 }]);

  other.exec('BEGIN IMMEDIATE');
  let isOver = false;
  const waiting = order('first').finally(() => {
    isOver = true;
  });
  await sleep(3 * (busyMs + betweenTriesMs));
  assert.equal(isOver, false);
  other.exec('ROLLBACK');
  assert.equal((await waiting).receipts[0]!.sequence, 1);

  other.exec('BEGIN IMMEDIATE');
  const refused = assert.rejects(order('second'), { code: 'unavailable', message: /database is locked/ });
  await sleep(busyMs + betweenTriesMs);
  ms += patienceMs;
  await refused;
  other.exec('ROLLBACK');
  assert.equal((await order('third')).receipts[0]!.sequence, 2);
});

test('expire() deletes keys of requests once their day is over', async (t) => {
  const { ports, folder, clock } = await openTestHouse(t);
  await hold(ports);
  const order = { record_id: 'o', zone: 'Z', kind: 'limit', side: 'buy', period: 1, price: 5, power: 1 } as const;
  await ports.orders.append('a', 'p', [order], { key: 'k', fingerprint: 'f' });
  const keys = () => {
    const database = new DatabaseSync(join(folder, databaseName), { readOnly: true });
    const rows = database.prepare('SELECT key, sequences FROM request_keys').all();
    database.close();
    return rows.map((row) => ({ ...row }));
  };
  assert.deepEqual(keys(), [{ key: 'k', sequences: '[1]' }]);
  const day = 24 * 3600 * 1000;
  await ports.orders.expire(new Date(Date.parse(clock.time) + day - 1));
  assert.equal(keys().length, 1);
  await ports.orders.expire(new Date(Date.parse(clock.time) + day));
  assert.deepEqual(keys(), []);
});
