/** A market's lists laid on a day: by local time, also where clocks change. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliveryDay } from './calendar.ts';
import { networkOn } from './delivery-network.ts';
import { parseMarket } from './market.ts';
import { capacityAt } from './network.ts';
import type { Resolution } from './time.ts';

const marketWith = (changes: object) =>
  parseMarket(
    {
      market: 'test',
      description: 'two zones, days',
      currency: 'EUR',
      timeZone: 'Europe/Paris',
      resolution: 'PT60M',
      zones: ['A', 'B'],
      lines: [],
      priceLimits: { min: -500, max: 4000, tick: 0.01 },
      powerLimits: { lot: 0.1, max: 1000 },
      orderKinds: ['limit'],
      schedule: {
        kind: 'daily',
        gateOpening: { daysBefore: 7, time: '08:00' },
        gateClosure: { daysBefore: 1, time: '12:00' },
      },
      patience: { firstSeconds: 1, mostSeconds: 1, attempts: 1 },
      ...changes,
    },
    'test.json',
  );

const line = { id: 'L', from: 'A', to: 'B', capacity: 100, reverse: 100 };
const list = (count: number) => Array.from({ length: count }, (_, i) => i);
const market = (resolution: Resolution, count: number) =>
  marketWith({
    resolution,
    lines: [{ ...line, capacity: list(count), ramp: list(count).map((value) => value + 1000) }],
    constraints: list(count).map((i) => ({ id: 'k', period: i + 1, ptdf: { A: 1, B: 0 }, ram: i })),
  });

/** By the hour, the values on a day of each kind. */
const hours = {
  '2026-03-28': list(24),
  '2026-03-29': [0, 1, ...list(24).slice(3)],
  '2026-10-25': [0, 1, 2, 2, ...list(24).slice(3)],
};

for (const [date, wanted] of Object.entries(hours)) {
  test(`networkOn() lays lists of 24 on the ${wanted.length} hours of ${date}`, () => {
    const { lines, constraints } = networkOn(market('PT60M', 24), deliveryDay(date, 'Europe/Paris', 'PT60M'));
    const at = wanted.map((_, t) => capacityAt(lines[0]!.capacity, t));
    assert.deepEqual(at, wanted);
    assert.deepEqual(
      (lines[0]!.ramp as number[]).map((ramp) => ramp - 1000),
      wanted,
    );
    assert.deepEqual(
      constraints.map(({ period, ram }) => [period, ram]),
      wanted.map((value, t) => [t + 1, value]),
    );
  });

  test(`networkOn() lays lists of 96 on the ${wanted.length * 4} quarters of ${date}`, () => {
    const { lines } = networkOn(market('PT15M', 96), deliveryDay(date, 'Europe/Paris', 'PT15M'));
    const quarters = wanted.flatMap((hour) => list(4).map((quarter) => hour * 4 + quarter));
    assert.deepEqual(lines[0]!.capacity, quarters);
  });
}

test('networkOn() lays lists on a day that begins at 01:00, and on one with half an hour more', () => {
  const zones = { 'Africa/Cairo': ['2026-04-24', 23], 'Australia/Lord_Howe': ['2026-04-05', 49] } as const;
  const [cairo, island] = Object.entries(zones).map(([timeZone, [date]]) => {
    const resolution = timeZone === 'Africa/Cairo' ? 'PT60M' : 'PT30M';
    const count = resolution === 'PT60M' ? 24 : 48;
    const own = marketWith({ timeZone, resolution, lines: [{ ...line, capacity: list(count) }] });
    return networkOn(own, deliveryDay(date, timeZone, resolution)).lines[0]!.capacity;
  });
  assert.deepEqual(cairo, list(24).slice(1));
  assert.deepEqual(island, [0, 1, 2, 3, 3, ...list(48).slice(4)]);
});

test('networkOn() keeps numbers as they are, and what is finer than a watt out', () => {
  const constraints = [{ id: 'k', period: 1, ptdf: { A: 0.1 + 0.2, B: 1e-17 }, ram: 1 / 3 }];
  const own = marketWith({ lines: [{ ...line, capacity: 0.1 + 0.2, reverse: 1e-300 }], constraints });
  const network = networkOn(own, deliveryDay('2026-03-28', 'Europe/Paris', 'PT60M'));
  assert.deepEqual([network.lines[0]!.capacity, network.lines[0]!.reverse], [0.3, 0]);
  assert.deepEqual(network.constraints, [{ id: 'k', period: 1, ptdf: { A: 0.3, B: 0 }, ram: 0.333333 }]);
});

test('parseMarket() refuses lists that are not as long as a day, and prices and powers that cannot be counted', () => {
  const refused = (changes: object, message: RegExp) =>
    assert.throws(() => marketWith(changes), { code: 'invalid-market', message });
  refused({ lines: [{ ...line, capacity: list(23) }] }, /lines\.0\.capacity: line L has 23 values for 24 periods/);
  refused({ resolution: 'PT15M', lines: [{ ...line, ramp: list(24) }] }, /has 24 values for 96 periods/);
  refused(
    { constraints: [{ id: 'k', period: 25, ptdf: { A: 1, B: 0 }, ram: 1 }] },
    /constraints\.0\.period: constraint k, period 25: the auction has 24 periods/,
  );
  refused({ lines: [{ ...line, capacity: -200 }] }, /no flow is both at most -200 and at least -100/);
  refused({ lines: [{ ...line, capacity: 1e9 }] }, /lines\.0\.capacity: /);
  const interval = { kind: 'interval', every: 'PT1H', gateOpening: 'PT2H', gateClosure: 'PT5M', periods: 4 };
  refused({ schedule: interval, lines: [{ ...line, capacity: list(24) }] }, /has 24 values for 4 periods/);
  const manual = { schedule: { kind: 'manual' } };
  assert.equal(marketWith({ ...manual, lines: [{ ...line, capacity: list(5) }] }).lines.length, 1);
  refused({ ...manual, lines: [{ ...line, capacity: list(5), reverse: list(6) }] }, /has 6 values for 5 periods/);
  refused({ zones: ['A', 'a'] }, /zones\.1: zone a and zone A differ only in case/);
  refused(
    { priceLimits: { min: -500, max: 4000.005, tick: 0.01 } },
    /priceLimits\.max: 4000\.005 .*nearest is 4000\.01/,
  );
  refused({ powerLimits: { lot: 0.3, max: 1000 } }, /powerLimits\.max: 1000 is not a multiple of the lot 0\.3/);
  refused({ powerLimits: { lot: 1e-6, max: 10_000 } }, /powerLimits: 10000 MW are 10000000000 lots/);
  refused({ priceLimits: { min: -1e6, max: 1e6, tick: 1e-6 } }, /priceLimits: from -1000000 to 1000000 are /);
  refused(
    { priceLimits: { min: -1e6, max: 1e6, tick: 0.01 }, powerLimits: { lot: 1, max: 1e6 } },
    /powerLimits\.max: one order of 1000000 MW could be worth/,
  );
});
