/** Tasks of the workflow beside the server: the same answers and errors, and a thread that dies or is ended costs no auction. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openStore } from '../src/adapters/local/stores.ts';
import { openTaskThreads } from '../src/adapters/local/threads/task-threads.ts';
import { closeGate } from '../src/auction/auctions.ts';
import { listOrders } from '../src/auction/intake/find-order.ts';
import { AuctionError } from '../src/market/errors.ts';
import { hold, openTestHouse, reaches, submit, testMarket } from './support/house.ts';

const inThreads = { tasks: 'in threads' } as const;

test('an auction whose tasks run in threads settles, with the server’s clock', async (t) => {
  const { ports, clock, metrics } = await openTestHouse(t, inThreads);
  await hold(ports);
  await submit(ports);
  clock.time = '2025-04-01T11:00:00Z';
  await closeGate(ports, 'a');
  const { result, updatedAt } = await reaches(ports, 'a', 'settled');
  assert.equal(result?.welfare, 1200);
  assert.match(updatedAt, /^2025-04-01T11:00:0/, 'by the server’s clock, not this machine’s');
  const statuses = (await listOrders(ports, 'a')).map(({ record_id, outcome }) => [record_id, outcome?.status]);
  assert.deepEqual(statuses, [
    ['plant', 'accepted'],
    ['load', 'accepted'],
    ['peaker', 'rejected'],
  ]);
  assert.match(await metrics(), /^orders_accepted 2$/m);
});

test('a task’s error keeps its code and its problems', async (t) => {
  const { threads } = await openThreads(t);
  const error = await threads.runTask('Clear', { auction: 'nowhere', run: 1, attempt: 1 }).then(
    () => assert.fail('there is no such auction'),
    (reason: unknown) => reason,
  );
  assert(error instanceof AuctionError, String(error));
  assert.deepEqual([error.code, error.message], ['not-found', 'there is no auction nowhere']);
});

test('a thread that dies fails its tasks in a way that is tried again, and the next task gets another one', async (t) => {
  const { threads, open } = await openThreads(t, 'without a database');
  const input = { auction: 'nowhere', run: 1 };
  await assert.rejects(threads.runTask('SealBook', input), { name: 'Runtime.ExitError', message: /unable to open/ });
  open();
  await assert.rejects(threads.runTask('SealBook', input), { code: 'not-found' });
});

test('a house that is closed while a book is cleared goes on with it at the next start', async (t) => {
  // Sixty blocks of odd powers: a search of some seconds.
  const market = testMarket({ orderKinds: ['limit', 'block'], powerLimits: { lot: 0.001, max: 10_000 } });
  const house = await openTestHouse(t, { ...inThreads, markets: [market] });
  await hold(house.ports);
  const blocks = Array.from({ length: 60 }, (_, i) => ({
    record_id: `b${i}`,
    kind: 'block',
    side: 'sell',
    price: 20 + ((i * 7919) % 1000) / 100,
    minAcceptance: 1,
    profile: [{ period: 1, power: 10 + ((i * 104_729) % 9973) / 1000 }],
  }));
  await submit(house.ports, [{ record_id: 'load', side: 'buy', price: 50, power: 321.123 }, ...blocks]);
  await closeGate(house.ports, 'a');
  await reaches(house.ports, 'a', 'clearing', 'preliminary', 'final', 'settled');
  await house.reopen({ tasks: 'here' });
  await reaches(house.ports, 'a', 'settled');
});

async function openThreads(t: TestContext, database?: 'without a database') {
  const folder = await mkdtemp(join(tmpdir(), 'merit-threads-'));
  const { ports } = await openTestHouse(t);
  const open = () => {
    const store = openStore(folder, ports.clock);
    t.after(() => store.close());
  };
  if (database === undefined) open();
  const threads = openTaskThreads({ folder, markets: ports.markets, longestSearchMs: 60_000 }, () => ports);
  t.after(async () => {
    await threads.close();
    await rm(folder, { recursive: true });
  });
  return { threads, open };
}
