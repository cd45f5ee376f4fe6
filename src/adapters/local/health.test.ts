/** From when on what the house knows of itself is told: each limit from both sides. */

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../../test/ports/workflow.cases.ts';
import { recordingMeter } from '../../../test/support/meter.ts';
import type { Auction } from '../../auction/auction.ts';
import type { Ports } from '../../auction/ports.ts';
import { diskSpace, type HealthOptions, watchHealth } from './health.ts';
import { noticeTables } from './notices.ts';

const now = new Date('2025-04-01T12:00:00Z');
const secondsAgo = (seconds: number): string => new Date(now.getTime() - 1000 * seconds).toISOString();

interface Scene {
  readonly auctions?: readonly Partial<Auction>[];
  /** Attempts of the notices that wait. */
  readonly attempts?: readonly number[];
  readonly more?: Partial<HealthOptions>;
}

function watch(t: TestContext, { auctions = [], attempts = [], more = {} }: Scene) {
  const database = new DatabaseSync(':memory:');
  database.exec(noticeTables);
  const insert = database.prepare(`INSERT INTO notices (id, body, state, attempts, dueAt) VALUES (?, '{}', ?, ?, 0)`);
  for (const [k, count] of attempts.entries()) insert.run(`n${k}`, 'waiting', count);
  insert.run('gone', 'dead', 10);
  const meter = recordingMeter();
  const list = async ({ states }: { states: readonly string[] }) =>
    auctions.filter(({ state }) => states.includes(state!));
  const ports = { auctions: { list }, clock: { now: () => now }, meter } as unknown as Pick<
    Ports,
    'auctions' | 'clock' | 'meter'
  >;
  const durability = { synced: async () => undefined };
  const health = watchHealth({ folder: tmpdir(), database, durability, ports, faults: {}, ...more });
  t.after(() => health.close());
  const recorded = (name: string) => meter.recorded.findLast((each) => each.name === name)?.value;
  return { ...health, recorded };
}

/** What is found under a name; nothing where all is well. */
async function foundUnder(t: TestContext, name: string, scene: Scene): Promise<string | undefined> {
  const finding = (await watch(t, scene).findings()).find((each) => each.name === name)!;
  assert.equal(finding.status === 'ok', finding.todo === undefined);
  return finding.status === 'ok' ? undefined : `${finding.status}: ${finding.found}`;
}

test('watchHealth(): a gate is overdue once the timekeeper should have seen it', async (t) => {
  const gate = (seconds: number): Scene => ({
    auctions: [{ id: 'a', state: 'open', gateClosure: secondsAgo(seconds) }],
  });
  assert.equal(await foundUnder(t, 'gates', gate(-60)), undefined);
  assert.equal(await foundUnder(t, 'gates', gate(5)), undefined);
  assert.equal(await foundUnder(t, 'gates', gate(6)), 'failing: a gate has been overdue for 6 s');
});

test('watchHealth(): an auction has no result for longer than a search takes', async (t) => {
  const late = (...seconds: number[]): Scene => ({
    auctions: seconds.map((each, k) => ({ id: `a${k}`, state: 'clearing', gateClosure: secondsAgo(each) })),
  });
  assert.equal(await foundUnder(t, 'results', late()), undefined);
  assert.equal(await foundUnder(t, 'results', late(10, 900)), undefined);
  assert.equal(await foundUnder(t, 'results', late(1200, 10)), 'warning: an auction has had no result for 20 minutes');
});

test('watchHealth(): failed auctions are told by name, three of them', async (t) => {
  const failed = (...ids: string[]): Scene => ({
    auctions: [
      { id: 'late', state: 'clearing', gateClosure: secondsAgo(5000) },
      ...ids.map((id) => ({ id, state: 'failed' as const, gateClosure: secondsAgo(5000) })),
    ],
  });
  assert.equal(await foundUnder(t, 'results', failed('a', 'b', 'c')), 'warning: a, b, c: failed');
  assert.equal(await foundUnder(t, 'results', failed('a', 'b', 'c', 'd', 'e')), 'warning: a, b, c and 2 more: failed');
});

test('watchHealth(): notices wait, and one was tried often', async (t) => {
  assert.equal(await foundUnder(t, 'notices', { attempts: [0, 3, 0] }), undefined);
  assert.equal(await foundUnder(t, 'notices', { attempts: [4, 3] }), 'warning: 2 notices wait, one was tried 4 times');
});

test('watchHealth(): its figures are metrics', async (t) => {
  const health = watch(t, { attempts: [0, 1] });
  const findings = await health.findings();
  assert.equal(health.recorded('notices_waiting'), 2);
  assert.equal(health.recorded('store_writable'), 1);
  const free = health.recorded('disk_free_bytes')!;
  assert.match(
    findings.find(({ name }) => name === 'disk space')!.found,
    new RegExp(`^${Math.round(free / 1e6)} MB of`),
  );
});

test('watchHealth(): a folder that is gone, and whatever else is wrong', async (t) => {
  const gone = { folder: '/nowhere/at/all' };
  assert.match((await foundUnder(t, 'disk space', { more: gone }))!, /^failing: ENOENT/);
  const faults = { clock: { fault: () => 'it jumped', todo: 'set it' }, folder: { fault: () => undefined, todo: '' } };
  assert.equal(await foundUnder(t, 'clock', { more: { faults } }), 'failing: it jumped');
  assert.equal(await foundUnder(t, 'folder', { more: { faults } }), undefined);
});

test('watchHealth(): a disk that refuses', async (t) => {
  const refusing = { synced: () => Promise.reject(new Error('no room')) };
  assert.equal(
    await foundUnder(t, 'writing', { more: { durability: refusing } }),
    'failing: the database takes nothing: no room',
  );
});

test('watchHealth(): a disk that does not answer is told, once, beside what the look before found', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let ms = 1_000_000;
  t.mock.method(performance, 'now', () => ms);
  const answers: (() => void)[] = [];
  let hangs = false;
  const synced = () => (hangs ? new Promise<void>((resolve) => answers.push(resolve)) : Promise.resolve());
  const health = watch(t, { more: { durability: { synced } } });
  const first = await health.findings();
  assert(first.length > 4 && first.every(({ name, status }) => name !== 'writing' || status === 'ok'));
  hangs = true;
  t.mock.timers.tick(2000);
  await until('it looks again', async () => answers.length > 0 || undefined);
  ms += 1999;
  assert.equal(await health.findings().then((told) => told.find(({ name }) => name === 'writing')!.status), 'ok');
  ms += 1001;
  t.mock.timers.tick(2000);
  assert.equal(answers.length, 1, 'one look at a time');
  const told = await health.findings();
  assert.deepEqual(told.map(({ name }) => name).sort(), first.map(({ name }) => name).sort());
  const { status, found } = told.find(({ name }) => name === 'writing')!;
  assert.deepEqual([status, found], ['failing', 'the disk has not answered for 3 s']);
  assert.equal(health.recorded('store_writable'), 0);
  hangs = false;
  for (const answer of answers) answer();
  await until('it is well', async () => {
    t.mock.timers.tick(2000);
    const again = await health.findings();
    return again.every(({ name, status }) => name !== 'writing' || status === 'ok') || undefined;
  });
});

test('diskSpace(): of a large file system bytes count, of a small one its share', () => {
  const told = (free: number, all: number) => {
    const { status, found } = diskSpace(free, all);
    return `${status}: ${found}`;
  };
  assert.equal(told(1e9, 1e12), 'ok: 1000 MB of 1000000 MB are free (0 %)');
  assert.equal(told(999e6, 1e12), 'warning: 999 MB of 1000000 MB are free (0 %)');
  assert.equal(told(20e6, 1e12), 'warning: 20 MB of 1000000 MB are free (0 %)');
  assert.equal(told(19e6, 1e12), 'failing: 19 MB of 1000000 MB are free (0 %)');
  assert.equal(told(10e6, 100e6), 'ok: 10 MB of 100 MB are free (10 %)');
  assert.equal(told(9.99e6, 100e6), 'warning: 10 MB of 100 MB are free (9 %)');
  assert.equal(told(2e6, 100e6), 'warning: 2 MB of 100 MB are free (2 %)');
  assert.equal(told(1.99e6, 100e6), 'failing: 2 MB of 100 MB are free (1 %)');
  assert.equal(told(0, 0), 'ok: 0 MB of 0 MB are free (0 %)'); // some have no size
});

test('watchHealth(): an event loop that stood still', async (t) => {
  const health = watch(t, {});
  await sleep(200); // it measures from turn to turn
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
  const finding = await until('it is told', async () => {
    const told = (await health.findings()).find(({ name }) => name === 'event loop')!;
    return told.status === 'ok' ? undefined : told;
  });
  assert.match(finding.found, /^the server did nothing else for \d{3,4} ms$/);
  const ms = health.recorded('event_loop_delay_milliseconds')!;
  assert(ms >= 500 && ms < 60_000, `${ms} ms`);
});
