/**
 * Litestream beside a house, as docs/backup.md says: it follows the database's write-ahead log to another folder; `rsync`, here a copy, brings
 * the rest. Then the machine is gone in the middle of the load. What was acknowledged two seconds before is in what is restored, every check
 * passes, and a house holds its auction to the end.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkFolder } from '../../src/adapters/local/check/folder.ts';
import { openHouse } from '../../src/adapters/local/house.ts';
import { closeGate, findAuction } from '../../src/auction/auctions.ts';
import { keepTime } from '../../src/auction/schedule/keep-time.ts';
import { readBook } from '../../src/auction/views/results.ts';
import type { Receipt } from '../../src/book/intake.ts';
import { Clients, faultsOf, pause, type Traded, traded } from '../crash/clients.ts';
import { ServerProcess } from '../crash/server-process.ts';
import { testMarket } from '../support/house.ts';
import { Dice } from '../support/random-orders.ts';

const seed = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 31));
/** Litestream looks at the log each second. */
const behindMs = 2000;

/** The program of this system's package, put into a folder of its own at the first use: no other test and no house needs it. */
async function litestream(): Promise<string> {
  const name = `litestream-${process.platform}-${process.arch}`;
  const home = fileURLToPath(new URL('../../node_modules/.cache/litestream', import.meta.url));
  const program = join(home, 'node_modules', '@flydotio', name, 'litestream');
  if (!existsSync(program)) {
    await mkdir(home, { recursive: true });
    await run('npm', ['install', '--prefix', home, '--no-save', '--silent', `@flydotio/${name}@1.0.1`]);
  }
  return program;
}
const run = promisify(execFile);

test(`Litestream follows a house under load, by seed ${seed}: two seconds are lost at most`, async (t) => {
  const dice = new Dice(seed);
  const root = await mkdtemp(join(tmpdir(), 'merit-litestream-'));
  const [data, replica, rest] = [join(root, 'data'), join(root, 'replica'), join(root, 'rest')];
  const [markets, restored] = [join(root, 'markets'), join(root, 'restored')];
  for (const folder of [markets, restored]) await mkdir(folder);
  await writeFile(join(markets, 'test.json'), JSON.stringify(testMarket()));
  const server = new ServerProcess(data, markets);
  const auctions: Traded[] = [];
  const clients = new Clients(server, auctions, () => dice.share(), 4);
  let follower: ChildProcess | undefined;
  t.after(async () => {
    await clients.stop().finally(() => server.kill());
    if (follower?.exitCode === null && follower.signalCode === null) {
      follower.kill('SIGKILL');
      await once(follower, 'exit');
    }
    await rm(root, { recursive: true });
  });
  server.start();
  assert.equal((await server.ask('GET', '/healthz'))?.status, 200, server.errors);
  const program = await litestream();
  follower = spawn(program, ['replicate', join(data, 'merit.sqlite'), `file://${replica}`], { stdio: 'ignore' });

  const gateClosure = new Date(Date.now() + 3_600_000).toISOString();
  const opened = await server.ask('POST', '/auctions', { id: 'a', start: '2025-04-01T00:00:00Z', gateClosure });
  assert.equal(opened?.status, 201, JSON.stringify(opened?.json));
  auctions.push(traded('a'));
  const [auction] = auctions as [Traded];
  while (auction.receipts.size < 1000) await pause(20);
  // All but the database, some time before the end.
  await cp(data, rest, { recursive: true, filter: (path) => !/merit\.sqlite/.test(path) });
  const before: Receipt[] = [...auction.receipts.values()];
  await pause(behindMs + dice.whole(0, 1000));
  await server.kill();
  follower.kill('SIGKILL');
  await once(follower, 'exit');

  for (const name of await readdir(rest)) await cp(join(rest, name), join(restored, name), { recursive: true });
  const database = join(restored, 'merit.sqlite');
  await run(program, ['restore', '-o', database, `file://${replica}`]);
  const checks = await checkFolder(restored, { receipts: before });
  assert.deepEqual(
    checks.filter(({ found }) => found.length > 0),
    [],
  );
  const house = await openHouse({ folder: restored, markets: [testMarket()], log: () => undefined });
  try {
    await closeGate(house.ports, 'a');
    for (const since = Date.now(); (await findAuction(house.ports, 'a')).state !== 'settled'; await pause(5)) {
      await keepTime(house.ports);
      assert(Date.now() - since < 60_000, 'it is not settled');
    }
    const book = await readBook(house.ports, 'a');
    assert.deepEqual(faultsOf(book, before, auction), []);
    t.diagnostic(`${before.length} receipts held, ${auction.receipts.size} acknowledged before the end`);
  } finally {
    await house.close();
  }
});
