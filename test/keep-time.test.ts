/** What the clock asks of the house, with a clock that is turned by hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchClock } from '../src/adapters/local/clock.ts';
import { startTimekeeper } from '../src/adapters/local/house.ts';
import { closeGate, restartAuction } from '../src/auction/auctions.ts';
import type { Ports } from '../src/auction/ports.ts';
import { KeepTimeError, keepTime } from '../src/auction/schedule/keep-time.ts';
import { readBook } from '../src/auction/views/results.ts';
import { until } from './ports/workflow.cases.ts';
import { hold, openTestHouse, reaches, submit, testMarket } from './support/house.ts';
import { recordingMeter } from './support/meter.ts';

const hourly = testMarket({
  schedule: { kind: 'interval', every: 'PT1H', gateOpening: 'PT2H', gateClosure: 'PT5M', periods: 1 },
});
const daily = testMarket({
  schedule: {
    kind: 'daily',
    gateOpening: { daysBefore: 1, time: '08:00' },
    gateClosure: { daysBefore: 1, time: '12:00' },
  },
});

const known = async (ports: Ports): Promise<string[]> =>
  (await ports.auctions.list()).map(({ id, state }) => `${id} ${state}`).sort();

test('keepTime() makes the auctions of the schedule, opens and closes them, and says when to come again', async (t) => {
  const { ports, clock } = await openTestHouse(t, { markets: [hourly] });
  assert.deepEqual(await keepTime(ports), { nextAt: '2025-04-01T10:55:00Z' });
  assert.deepEqual(await known(ports), [
    'test-20250401t1100z open',
    'test-20250401t1200z open',
    'test-20250401t1300z scheduled',
  ]);
  clock.time = '2025-04-01T10:55:00Z';
  assert.deepEqual(await keepTime(ports), { nextAt: '2025-04-01T11:00:00Z' });
  await reaches(ports, 'test-20250401t1100z', 'settled');
  clock.time = '2025-04-01T11:00:00Z';
  await keepTime(ports);
  assert.deepEqual((await known(ports)).slice(1), [
    'test-20250401t1200z open',
    'test-20250401t1300z open',
    'test-20250401t1400z scheduled',
  ]);
});

test('keepTime() may be called any number of times, by several at once', async (t) => {
  const { ports, clock } = await openTestHouse(t, { markets: [hourly] });
  await Promise.all([keepTime(ports), keepTime(ports), keepTime(ports)]);
  assert.equal((await known(ports)).length, 3);
  clock.time = '2025-04-01T10:55:00Z';
  await Promise.all([keepTime(ports), keepTime(ports), keepTime(ports)]);
  await reaches(ports, 'test-20250401t1100z', 'settled');
  assert.equal((await ports.workflow.list()).length, 1);
});

test('keepTime() after a night off invents no missed auctions; those it had made it closes or calls off', async (t) => {
  const { ports, clock } = await openTestHouse(t, { markets: [hourly] });
  await keepTime(ports);
  await submit(ports, undefined, 'test-20250401t1200z');
  clock.time = '2025-04-02T06:30:00Z';
  await keepTime(ports);
  await reaches(ports, 'test-20250401t1200z', 'settled');
  await reaches(ports, 'test-20250401t1100z', 'settled');
  assert.deepEqual(await known(ports), [
    'test-20250401t1100z settled',
    'test-20250401t1200z settled',
    'test-20250401t1300z cancelled',
    'test-20250402t0700z open',
    'test-20250402t0800z open',
    'test-20250402t0900z scheduled',
  ]);
});

test('keepTime() holds days of 23 and 25 hours, with gates at local time', async (t) => {
  const { ports, clock } = await openTestHouse(t, { markets: [daily] });
  const at = async (time: string) => {
    clock.time = time;
    return keepTime(ports);
  };
  assert.deepEqual(await at('2026-03-28T06:59:59Z'), { nextAt: '2026-03-28T07:00:00Z' });
  assert.deepEqual(await at('2026-03-28T07:00:00Z'), { nextAt: '2026-03-28T11:00:00Z' });
  assert.deepEqual(await at('2026-03-28T11:00:00Z'), { nextAt: '2026-03-29T06:00:00Z' });
  await reaches(ports, 'test-2026-03-29', 'settled');
  await at('2026-10-24T06:00:00Z');
  const [autumn, spring] = await Promise.all(
    ['test-2026-10-25', 'test-2026-03-29'].map((id) => ports.auctions.find(id)),
  );
  assert.deepEqual([spring?.delivery.periods, autumn?.delivery.periods], [23, 25]);
});

test('keepTime() says at every tick how many auctions have failed, until they are restarted', async (t) => {
  const { ports } = await openTestHouse(t);
  const meter = recordingMeter();
  (ports as { meter: Ports['meter'] }).meter = meter;
  const failedNow = async () => {
    await keepTime(ports);
    return meter.recorded.findLast(({ name }) => name === 'auctions_failed_now')?.value;
  };
  const { write } = ports.archive;
  ports.archive.write = async (key, text) => {
    if (key.startsWith('books/')) throw new TypeError('the disk is full');
    return write.call(ports.archive, key, text);
  };
  await hold(ports);
  await submit(ports);
  assert.equal(await failedNow(), 0);
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'failed');
  assert.deepEqual([await failedNow(), await failedNow()], [1, 1]);
  ports.archive.write = write;
  await restartAuction(ports, 'a');
  await reaches(ports, 'a', 'settled');
  assert.equal(await failedNow(), 0);
});

test('keepTime() starts the workflow of an auction whose process died between closing and starting', async (t) => {
  const { ports } = await openTestHouse(t);
  const auction = await hold(ports);
  assert(await ports.auctions.advance(auction, { ...auction, state: 'closed' }));
  await keepTime(ports);
  await reaches(ports, 'a', 'settled');
});

test('keepTime() deletes the orders of a settled auction a day after its gate closure', async (t) => {
  const { ports, clock } = await openTestHouse(t);
  await hold(ports);
  await submit(ports);
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'settled');
  clock.time = '2025-04-02T10:59:00Z';
  await keepTime(ports);
  assert.equal((await ports.orders.entries('a')).length, 3);
  clock.time = '2025-04-02T11:01:00Z';
  await keepTime(ports);
  assert.deepEqual(await ports.orders.entries('a'), []);
  assert.equal((await readBook(ports, 'a')).orders.length, 3);
});

test('keepTime() goes on with the rest when one thing fails, and throws what failed', async (t) => {
  const { ports, clock } = await openTestHouse(t);
  await hold(ports, 'a');
  await hold(ports, 'b');
  const advance = ports.auctions.advance.bind(ports.auctions);
  ports.auctions.advance = async (from, next) => {
    if (next.id === 'b') throw new Error('the disk is full');
    return advance(from, next);
  };
  clock.time = '2025-04-01T11:00:00Z';
  await assert.rejects(keepTime(ports), (error: AggregateError) => error.errors[0].message === 'the disk is full');
  await reaches(ports, 'a', 'settled');
  ports.auctions.advance = advance;
  await keepTime(ports);
  await reaches(ports, 'b', 'settled');
});

test('startTimekeeper() closes a gate at its instant, logs what fails and tries again', async (t) => {
  const { ports, clock, logged } = await openTestHouse(t);
  await hold(ports);
  clock.now = () => new Date(); // the real time: long after the gate
  const list = ports.auctions.list.bind(ports.auctions);
  ports.auctions.list = async () => {
    ports.auctions.list = list;
    throw new Error('the disk is on holiday');
  };
  const timekeeper = startTimekeeper(ports, (entry) => logged.push(entry));
  await until('the failure is logged', async () => logged.some((entry) => /holiday/.test(String(entry.error))));
  await reaches(ports, 'a', 'settled');
  await timekeeper.stop();
});

const lordHowe = { ...testMarket(), market: 'lord-howe' };
const unplannable = {
  ...lordHowe,
  get schedule(): never {
    throw new Error('no hour of this day has 60 minutes');
  },
};

test('keepTime(): a market that cannot plan stops no other’s gates, and says which it is', async (t) => {
  const { ports, clock } = await openTestHouse(t, { markets: [hourly] });
  (ports.markets as Map<string, object>).set(unplannable.market, unplannable);
  const planned = async () => {
    const error = await keepTime(ports).then(
      () => assert.fail('it did not tell'),
      (error: unknown) => error,
    );
    assert(error instanceof KeepTimeError);
    assert.deepEqual(
      error.failures.map(({ of }) => of),
      ['market lord-howe'],
    );
    return error.nextAt;
  };
  assert.equal(await planned(), '2025-04-01T10:55:00Z');
  clock.time = '2025-04-01T10:55:00Z';
  assert.equal(await planned(), '2025-04-01T11:00:00Z');
  await reaches(ports, 'test-20250401t1100z', 'settled');
});

test('keepTime(): an auction whose workflow cannot start holds up no other', async (t) => {
  const { ports } = await openTestHouse(t);
  for (const id of ['a', 'b']) {
    const auction = await hold(ports, id);
    assert(await ports.auctions.advance(auction, { ...auction, state: 'closed' }));
  }
  const { start } = ports.workflow;
  ports.workflow.start = async (id, run) => {
    if (id === 'a') throw new Error('the disk is full');
    return start(id, run);
  };
  await assert.rejects(keepTime(ports), { name: 'KeepTimeError', message: /auction a$/ });
  await reaches(ports, 'b', 'settled');
});

test('startTimekeeper() tells of what fails again and again once in a while, and when it is over', async (t) => {
  const { ports, clock, logged } = await openTestHouse(t, { markets: [testMarket()] });
  clock.now = () => new Date();
  const markets = ports.markets as Map<string, object>;
  markets.set(unplannable.market, unplannable);
  // Gates that are due make it look often.
  await hold(ports, 'a', { gateClosure: new Date(Date.now() + 300).toISOString() });
  const timekeeper = startTimekeeper(ports, (entry) => logged.push(entry));
  t.after(() => timekeeper.stop());
  const { list } = ports.auctions;
  let looks = 0;
  ports.auctions.list = async (filter) => {
    looks++;
    return list(filter);
  };
  await reaches(ports, 'a', 'settled');
  await until('it looked some times', async () => looks > 8);
  markets.delete(unplannable.market);
  const over = await until('it is over', async () => logged.find(({ event }) => event === 'timekeeping-goes-on'));
  assert.equal(over.of, 'market lord-howe');
  const failed = logged.filter(({ event }) => event === 'timekeeping-failed');
  assert(failed.length < Number(over.times), `${failed.length} lines for ${over.times} failures`);
  assert(failed.every(({ of }) => of === 'market lord-howe'));
});

test('while the clock is off gates stand still, orders hear 503, and nothing is called off; then it goes on', async (t) => {
  const time = { jumped: 0 };
  const clock = watchClock({
    wall: () => Date.now() + time.jumped,
    monotonic: () => performance.now(),
    uptime: () => performance.now(),
  });
  const { ports, logged, metrics } = await openTestHouse(t, { clock });
  const inAnHour = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  await hold(ports, 'a', { gateClosure: inAnHour(1), start: '2031-01-01T00:00:00Z' });
  await hold(ports, 'b', { gateOpening: inAnHour(1), gateClosure: inAnHour(2), start: '2031-01-01T00:00:00Z' });
  await submit(ports);
  const timekeeper = startTimekeeper(ports, (entry) => logged.push(entry), clock);
  t.after(() => timekeeper.stop());
  for (const hours of [3, -2]) {
    logged.length = 0;
    time.jumped = hours * 3_600_000;
    await assert.rejects(submit(ports, [{ record_id: `late-${hours}`, side: 'sell', price: 1, power: 1 }]), {
      code: 'unavailable',
      message: /the clock jumped by [+-]\d+/,
    });
    const jumped = await until('it is told', async () => logged.find(({ event }) => event === 'clock-jumped'));
    assert.equal(Math.round(Number(jumped.seconds)), hours * 3600);
    const [, off] = /^clock_jump_seconds (\S+)/m.exec(await metrics())!;
    assert.equal(Math.round(Number(off)), Math.abs(hours) * 3600);
    time.jumped = 0;
    await until('it is back', async () => logged.some(({ event }) => event === 'clock-back'));
    assert.deepEqual(await known(ports), ['a open', 'b scheduled']);
    await submit(ports, [{ record_id: `again${hours}`, side: 'sell', price: 1, power: 1 }]);
  }
  assert(!logged.some(({ event }) => event === 'timekeeping-failed'));
});
