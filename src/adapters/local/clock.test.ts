import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchClock } from './clock.ts';

const hour = 3_600_000;

/** Clocks that are turned by hand. */
function machine({ hasUptime = true } = {}) {
  const at = { wall: Date.UTC(2025, 3, 1), monotonic: 50_000, uptime: 90_000 };
  const clock = watchClock({
    wall: () => at.wall,
    monotonic: () => at.monotonic,
    uptime: () => (hasUptime ? at.uptime : undefined),
  });
  const pass = (ms: number) => {
    at.wall += ms;
    at.monotonic += ms;
    at.uptime += ms;
  };
  return { at, clock, pass };
}

test('watchClock(): a clock that jumps is off, forwards and backwards, until it is back in line', () => {
  for (const hours of [3, 36, -2]) {
    const { at, clock, pass } = machine();
    pass(1000);
    assert.equal(clock.fault(), undefined);
    at.wall += hours * hour;
    assert.throws(() => clock.gates.now(), {
      code: 'unavailable',
      message: new RegExp(`\\${hours > 0 ? '+' : '-'}\\d+ s`),
    });
    assert.deepEqual(clock.fault(), { seconds: hours * 3600, since: '2025-04-01T00:00:01.000Z' });
    pass(60_000);
    assert.deepEqual(clock.fault(), { seconds: hours * 3600, since: '2025-04-01T00:00:01.000Z' });
    assert.equal(clock.now().getTime(), at.wall);
    at.wall -= hours * hour;
    assert.equal(clock.fault(), undefined);
    assert.equal(clock.gates.now().getTime(), at.wall);
  }
});

test('watchClock(): to stand still, to sleep, and to drift as NTP lets it are no jumps', () => {
  const { at, clock, pass } = machine();
  pass(4 * hour); // stopped: nobody looked
  assert.equal(clock.fault(), undefined);
  at.wall += 8 * hour; // suspended: the monotonic clock stood
  at.uptime += 8 * hour;
  assert.equal(clock.fault(), undefined);
  for (let second = 0; second < 10_000; second++) {
    pass(1000);
    at.wall += 0.5; // 500 parts in a million, 5 s in all
    assert.equal(clock.fault(), undefined);
  }
  at.wall += 3000;
  assert.equal(clock.fault()?.seconds, 3);
});

test('watchClock(): a sleep with a jump in it is a jump; without an uptime to read every sleep is', () => {
  const asleep = machine();
  asleep.at.wall += 9 * hour;
  asleep.at.uptime += 8 * hour;
  assert.equal(asleep.clock.fault()?.seconds, 3600);
  const { at, clock } = machine({ hasUptime: false });
  at.wall += 8 * hour;
  assert.equal(clock.fault()?.seconds, 8 * 3600);
});

test('watchClock() of this machine is in line', () => {
  const clock = watchClock();
  assert.equal(clock.fault(), undefined);
  assert(Math.abs(clock.gates.now().getTime() - Date.now()) < 1000);
});
