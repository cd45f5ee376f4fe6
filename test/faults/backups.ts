/**
 * Backups of a server under load, at random moments, from another process: every one passes its checks, has all that was acknowledged
 * before it began, and a house starts on what is restored from it and holds its auctions to their end. RUNS says how many (default 20),
 * SEED which moments.
 */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeBackup } from '../../src/adapters/local/backup/backup.ts';
import { restoreBackup } from '../../src/adapters/local/backup/restore.ts';
import { openHouse } from '../../src/adapters/local/house.ts';
import { closeGate, listAuctions } from '../../src/auction/auctions.ts';
import { keepTime } from '../../src/auction/schedule/keep-time.ts';
import { readBook } from '../../src/auction/views/results.ts';
import type { Receipt } from '../../src/book/intake.ts';
import { Clients, faultsOf, pause, type Traded, traded } from '../crash/clients.ts';
import { ServerProcess } from '../crash/server-process.ts';
import { testMarket } from '../support/house.ts';
import { Dice } from '../support/random-orders.ts';

const runs = Number(process.env.RUNS || 20);
const seed = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 31));

test(`${runs} backups under load by seed ${seed}: each starts, checks, and has all that was acknowledged before it began`, async (t) => {
  const dice = new Dice(seed);
  const root = await mkdtemp(join(tmpdir(), 'merit-backups-'));
  const [data, to, markets] = [join(root, 'data'), join(root, 'backups'), join(root, 'markets')];
  await mkdir(markets);
  await writeFile(join(markets, 'test.json'), JSON.stringify(testMarket()));
  const server = new ServerProcess(data, markets);
  const auctions: Traded[] = [];
  const clients = new Clients(server, auctions, () => dice.share(), 4);
  t.after(async () => {
    await clients.stop().finally(() => server.kill());
    await rm(root, { recursive: true });
  });
  server.start();
  assert.equal((await server.ask('GET', '/healthz'))?.status, 200, server.errors);

  let held = 0;
  let receipts = 0;
  let milliseconds = 0;
  for (let run = 0; run < runs; run++) {
    // A new one for every third backup; they close while others are backed up.
    if (run % 3 === 0) auctions.push(await open(server, `load-${run}`, dice.whole(1500, 6000)));
    await pause(dice.whole(0, 700));
    const before = new Map(auctions.map((auction) => [auction, [...auction.receipts.values()]]));
    const began = performance.now();
    await makeBackup({ data, to, keep: 2, now: new Date() });
    milliseconds += performance.now() - began;
    const restored = join(root, 'restored');
    held += await proves(to, restored, before);
    receipts += [...before.values()].reduce((sum, { length }) => sum + length, 0);
    await rm(restored, { recursive: true });
  }
  t.diagnostic(
    `seed ${seed}: ${runs} backups of ${Math.round(milliseconds / runs)} ms, ${receipts} receipts held, ${held} auctions held to their end after it`,
  );
});

async function open(server: ServerProcess, id: string, milliseconds: number): Promise<Traded> {
  for (;;) {
    const gateClosure = new Date(Date.now() + milliseconds).toISOString();
    const answer = await server.ask('POST', '/auctions', { id, start: '2025-04-01T00:00:00Z', gateClosure });
    if (answer?.status === 201) return traded(id);
    // On a busy machine the request may arrive after the gate that it asks for.
    const { code } = (answer?.json ?? {}) as { code?: string };
    assert(answer?.status === 400 && Date.now() > Date.parse(gateClosure), `${code}: ${JSON.stringify(answer?.json)}`);
  }
}

/** @returns how many auctions were held to their end */
async function proves(to: string, folder: string, before: ReadonlyMap<Traded, readonly Receipt[]>): Promise<number> {
  const { ok, checks } = await restoreBackup(to, folder, [...before.values()].flat());
  assert(ok, JSON.stringify(checks.filter(({ found }) => found.length > 0)));
  const logged: Record<string, unknown>[] = [];
  const house = await openHouse({ folder, markets: [testMarket()], log: (entry) => logged.push(entry) });
  try {
    const { ports } = house;
    let held = 0;
    for (const { id, state } of await listAuctions(ports)) {
      if (state === 'open') await closeGate(ports, id);
      if (state !== 'settled') held++;
    }
    for (const since = Date.now(); ; await pause(5)) {
      await keepTime(ports);
      const waiting = (await listAuctions(ports)).filter(({ state }) => state !== 'settled');
      if (waiting.length === 0) break;
      assert(Date.now() - since < 60_000, `${waiting.map(({ id, state, cause }) => `${id} is ${state} ${cause}`)}`);
    }
    for (const [auction, receipts] of before)
      assert.deepEqual(faultsOf(await readBook(ports, auction.id), receipts, auction), [], auction.id);
    return held;
  } finally {
    await house.close();
  }
}
