/**
 * A full disk at each step of an auction's life, then room again: no restart by hand, nothing lost, nothing failed.
 *
 * `npm run test:faults` does each step once by each way; `RUNS` repeats them, at moments by `SEED`.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pause } from '../crash/clients.ts';
import { randomBy } from '../support/random-by.ts';
import { FaultyHouse } from './support/house.ts';
import { openPlace } from './support/place.ts';
import { fileSizeLimit, obstacle, type SmallDisk, smallFileSystem } from './support/small-disk.ts';

const runs = Number(process.env.RUNS || 1);
const seed = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 31));
const random = randomBy(seed);
const fullMs = 1500;

interface Scene {
  readonly house: FaultyHouse;
  readonly disk: SmallDisk;
  readonly hook: Awaited<ReturnType<typeof webhook>>;
}

/** Brings an auction `a` with 500 orders to a moment; the disk is full then. */
const steps: Record<string, (scene: Scene) => Promise<void>> = {
  async intake({ house, disk }) {
    await house.hold('a', 600_000);
    await house.send('a', 500);
    disk.fill(house.server.pid);
    for (let i = 0; i < 10; i++) assert.equal((await house.send('a', 1 + (i % 2) * 49)).status, 503);
    assert.equal((await house.ask('GET', '/orders/o-3')).status, 200);
    assert.equal((await house.ask('POST', '/auctions', { id: 'b', start: '2031-01-01T00:00:00Z' })).status, 503);
  },
  async gate({ house, disk }) {
    await house.hold('a', 2000);
    await house.send('a', 500);
    disk.fill(house.server.pid);
  },
  async clearing({ house, disk }) {
    await house.hold('a', 600_000);
    await house.send('a', 500);
    await house.close('a');
    await house.reaches('a', 'clearing');
    await pause(random() * 30);
    disk.fill(house.server.pid);
  },
  async settling({ house, disk }) {
    await house.hold('a', 600_000);
    await house.send('a', 500);
    await house.close('a');
    await house.reaches('a', 'final');
    await pause(random() * 10);
    disk.fill(house.server.pid);
  },
  async webhook({ house, disk, hook }) {
    hook.thinksMs = 200;
    await house.hold('a', 600_000);
    await house.send('a', 500);
    await house.close('a');
    await hook.called();
    disk.fill(house.server.pid);
  },
};

for (const [name, way, why] of [
  ['small file system', smallFileSystem, obstacle('mount')],
  ['file size limit', fileSizeLimit, obstacle('prlimit')],
] as const) {
  for (const step of Object.keys(steps)) {
    for (let run = 0; run < runs; run++)
      test(
        `no room (${name}) at ${step}, then room again (seed ${seed}, run ${run + 1})`,
        { skip: why ?? false },
        (t) => survives(t, step, way),
      );
  }
}

async function survives(t: TestContext, step: string, way: typeof smallFileSystem): Promise<void> {
  const place = openPlace(t);
  const hook = await webhook(t);
  const disk = way(place);
  const house = await FaultyHouse.start(place, join(disk.folder, 'data'), { MERIT_WEBHOOK: hook.url });
  await steps[step]!({ house, disk, hook });
  for (const since = performance.now(); performance.now() - since < fullMs; await pause(100)) {
    await house.health();
    await house.state('a'); // not failed
  }
  if (way === smallFileSystem) await house.isFailing('disk space');
  disk.free(house.server.pid);
  hook.thinksMs = 0;
  if (step === 'intake') {
    assert.equal((await house.send('a', 10)).status, 201);
    await house.close('a');
  }
  await house.reaches('a', 'settled');
  await house.checkBook('a');
  await house.isWell();
  const rejected = await rejectedOf(house);
  await hook.told(rejected + 1); // and one of the auction
  const lines = house.server.errors.split('\n').filter((line) => line.startsWith('{'));
  t.diagnostic(`${house.receipts.length} receipts, ${rejected} rejected; ${lines.length} lines in the log`);
}

async function rejectedOf(house: FaultyHouse): Promise<number> {
  const { orders } = (await house.ask('GET', '/auctions/a/result')).json as { orders: { status: string }[] };
  return orders.filter(({ status }) => status === 'rejected').length;
}

/** Takes notices, by their ids. */
async function webhook(t: TestContext) {
  const ids = new Set<string>();
  const hook = { url: '', thinksMs: 0, called, told };
  const server = createServer((request, response) => {
    ids.add(String(request.headers['idempotency-key']));
    request.resume();
    setTimeout(() => response.end(), hook.thinksMs);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  async function told(count: number) {
    for (const since = performance.now(); ids.size < count; await pause(10))
      assert(performance.now() - since < 60_000, `${ids.size} of ${count} notices came`);
    assert.equal(ids.size, count);
  }
  async function called() {
    while (ids.size === 0) await pause(2);
  }
  hook.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return hook;
}

test('a house that is started without room answers or says why, and starts when there is room', async (t) => {
  const why = obstacle('mount');
  if (why !== undefined) return t.skip(why);
  const place = openPlace(t);
  const disk = smallFileSystem(place);
  const house = await FaultyHouse.start(place, join(disk.folder, 'data'));
  await house.hold('a', 600_000);
  await house.send('a', 500);
  await house.close('a');
  await house.reaches('a', 'final');
  await house.server.kill();
  disk.fill(0);
  house.server.start();
  const refusal = await house.server.refusal();
  if (refusal === undefined) {
    for (const since = performance.now(); performance.now() - since < fullMs; await pause(100)) await house.health();
  } else {
    assert.match(refusal, /merit: .*mend that \(room, rights\), then start again/);
    house.server.start();
    assert.notEqual(await house.server.refusal(), undefined);
  }
  t.diagnostic(refusal ?? 'it answers');
  disk.free(0);
  if (refusal !== undefined) house.server.start();
  await house.reaches('a', 'settled');
  await house.checkBook('a');
});
