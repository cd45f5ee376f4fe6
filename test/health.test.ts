/** What a house says of its own health: each thing that is wrong is seen to be told, with what helps, and to be well again. */

import assert from 'node:assert/strict';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Finding } from '../src/auction/views/health.ts';
import { serve } from '../src/server.ts';
import { run, temporaryFolder } from './cli-house.ts';
import { until } from './ports/workflow.cases.ts';
import { testMarket } from './support/house.ts';
import { noLogSync, replaceLogSync } from './support/log-sync.ts';

async function openServer(t: TestContext) {
  const data = join(await temporaryFolder(t), 'data');
  const logged: Record<string, unknown>[] = [];
  const serving = await serve({ data, port: 0, markets: [testMarket()], log: (entry) => logged.push(entry) });
  t.after(() => serving.close());
  const ask = async (path = '/healthz') => {
    const response = await fetch(`${serving.url}${path}`);
    return { status: response.status, json: (await response.json()) as { status: string; findings?: Finding[] } };
  };
  const finding = (name: string, status: string) =>
    until(`${name} is ${status}`, async () => {
      const answer = await ask();
      const found = answer.json.findings?.find((each) => each.name === name);
      return found?.status === status ? { ...found, answer } : undefined;
    });
  return { serving, data, ask, finding };
}

test('a house that is well says so under three names', async (t) => {
  const { ask } = await openServer(t);
  for (const path of ['/healthz', '/readyz']) {
    const { status, json } = await ask(path);
    assert.equal(status, 200);
    assert.deepEqual(
      json.findings!.map(({ name }) => name),
      ['writing', 'disk space', 'gates', 'results', 'notices', 'event loop', 'data folder', 'clock'],
    );
  }
  assert.equal((await ask('/livez')).status, 200);
});

test('a database that takes no writes is told, and when it takes them again', async (t) => {
  const { data, ask, finding, serving } = await openServer(t);
  const other = new DatabaseSync(join(data, 'merit.sqlite'));
  t.after(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  const { found, todo, answer } = await finding('writing', 'failing');
  assert.deepEqual([answer.status, answer.json.status], [503, 'failing']);
  assert.match(found, /locked/);
  assert.match(todo!, /nothing is lost/);
  assert.equal((await ask('/livez')).status, 200, 'a restart would not mend it');
  assert.match(await (await fetch(`${serving.url}/metrics`)).text(), /^store_writable 0$/m);
  other.exec('ROLLBACK');
  await finding('writing', 'ok');
  assert.equal((await ask()).status, 200);
});

test('a disk that does not answer is told within five seconds, and nobody who asks for it waits', {
  skip: noLogSync,
}, async (t) => {
  const held: (() => void)[] = [];
  let isHeld = false;
  replaceLogSync(t, (sync, done) => {
    if (isHeld) held.push(() => sync(done));
    else sync(done);
  });
  const { ask, serving } = await openServer(t);
  assert.equal((await ask()).status, 200);
  isHeld = true;
  const since = performance.now();
  let longestMs = 0;
  const told = await until('it is told', async () => {
    const before = performance.now();
    const { status, json } = await ask();
    longestMs = Math.max(longestMs, performance.now() - before);
    return status === 503 && json.findings!.filter(({ name }) => name === 'writing');
  });
  assert(performance.now() - since < 5000, `after ${performance.now() - since} ms`);
  assert(longestMs < 1000, `${longestMs} ms`);
  assert.equal(told.length, 1);
  assert.match(told[0]!.found, /the disk has not answered for \d s/);
  assert.match(await (await fetch(`${serving.url}/metrics`)).text(), /^store_writable 0$/m);
  isHeld = false;
  for (const release of held) release();
  await until('it is well', async () => (await ask()).status === 200);
});

test('merit doctor says what is wrong and what helps, and ends with 1', async (t) => {
  const { data, finding, serving } = await openServer(t);
  const well = await run(['doctor', '--url', serving.url]);
  assert.deepEqual([well.code, well.err], [0, '']);
  assert.match(well.out, /^http:\/\/127\.0\.0\.1:\d+ is (well|warning)\n\nwhat +state +found\nwriting +ok /);
  const other = new DatabaseSync(join(data, 'merit.sqlite'));
  t.after(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  await finding('writing', 'failing');
  const ill = await run(['doctor', '--url', serving.url]);
  assert.deepEqual([ill.code, ill.err], [1, `merit: the house at ${serving.url} cannot keep its promises now\n`]);
  assert.match(ill.out, /^writing +failing +the database takes nothing: .*locked/m);
  assert.match(ill.out, /^writing: Orders are refused with 503 and nothing is lost\./m);
});

test('a data folder that is gone is told', async (t) => {
  const { data, finding } = await openServer(t);
  await rename(data, `${data}-gone`);
  const { found } = await finding('data folder', 'failing');
  assert.match(found, /merit\.sqlite is gone/);
  await rm(data, { recursive: true, force: true }); // the house may have made it again
  await rename(`${data}-gone`, data);
  await finding('data folder', 'ok');
});

test('a failed auction and a gate that is overdue are told', async (t) => {
  const { serving, finding } = await openServer(t);
  const { auctions } = serving.ports;
  const gateClosure = new Date(Date.now() + 3_600_000).toISOString();
  const response = await fetch(`${serving.url}/auctions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: 'a', gateClosure }),
  });
  assert.equal(response.status, 201);
  // Nobody can close its gate.
  const { advance } = auctions;
  const open = (await auctions.find('a'))!;
  const past = new Date(Date.now() - 60_000).toISOString();
  const { chain: _, ...unchained } = open; // a chain holds the house to its gate
  assert(await advance.call(auctions, open, { ...unchained, gateClosure: past }));
  auctions.advance = async () => {
    throw new Error('it cannot be moved');
  };
  const { found } = await finding('gates', 'failing');
  assert.match(found, /overdue for \d+ s/);
  auctions.advance = advance;
  await finding('gates', 'ok');
  const settled = await until('it is settled', async () => {
    const auction = await auctions.find('a');
    return auction?.state === 'settled' ? auction : undefined;
  });
  assert(await advance.call(auctions, settled, { ...settled, state: 'failed', cause: 'a trial' }));
  assert.match((await finding('results', 'warning')).todo!, /merit auctions diagnosis a/);
});
