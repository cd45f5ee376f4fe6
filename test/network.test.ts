/** The network of one auction: changed until its gate closes, and from then on as it was. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createApp } from '../src/api/app.ts';
import { closeGate, createAuction, findAuction } from '../src/auction/auctions.ts';
import { changeNetwork, readNetwork } from '../src/auction/records/network.ts';
import { readBook, readResult } from '../src/auction/views/results.ts';
import type { Market } from '../src/market/market.ts';
import { hold, openTestHouse, reaches, submit, testMarket } from './support/house.ts';

const line = { id: 'A-B', from: 'A', to: 'B', capacity: 100, reverse: 100 };
const twoZones = (changes: object = {}): Market => testMarket({ zones: ['A', 'B'], lines: [line], ...changes });

const openHouse = (t: TestContext, market = twoZones()) => openTestHouse(t, { markets: [market] });

/** A sells at 20, B at 60 and buys 150 MW: B's price says whether the line is full. */
const orders = [
  { record_id: 'a', zone: 'A', side: 'sell', price: 20, power: 200 },
  { record_id: 'b', zone: 'B', side: 'sell', price: 60, power: 100 },
  { record_id: 'd', zone: 'B', side: 'buy', price: 100, power: 150 },
];

test('changeNetwork() changes the capacity of one auction, and its prices', async (t) => {
  const { ports } = await openHouse(t);
  for (const id of ['a', 'other']) await hold(ports, id);
  const changed = await changeNetwork(ports, 'a', { lines: [{ id: 'A-B', capacity: 170 }] });
  assert.deepEqual([changed.lines[0]?.capacity, changed.lines[0]?.reverse], [170, 100]);
  assert.deepEqual(await readNetwork(ports, 'a'), changed);
  assert.deepEqual(await changeNetwork(ports, 'a', { lines: [{ id: 'A-B', capacity: 170 }] }), changed);
  for (const id of ['a', 'other']) {
    await submit(ports, orders, id);
    await closeGate(ports, id);
    await reaches(ports, id, 'settled');
  }
  assert.deepEqual((await readResult(ports, 'a')).prices, { A: [20], B: [20] });
  assert.deepEqual((await readResult(ports, 'other')).prices, { A: [20], B: [60] });
  assert.equal((await readBook(ports, 'a')).lines[0]?.capacity, 170);
});

test('changeNetwork() refuses what does not fit, and changes nothing then', async (t) => {
  const { ports, clock } = await openHouse(t);
  await hold(ports);
  const before = await findAuction(ports, 'a');
  const refused = (changes: object, code: string, message: RegExp) =>
    assert.rejects(changeNetwork(ports, 'a', changes), { code, message });
  await refused(
    { lines: [{ id: 'A-C', capacity: 1 }] },
    'invalid-request',
    /lines\.0\.id: A-C is none .* there are A-B/,
  );
  await refused({ lines: [{ id: 'A-B', capacity: [1, 2] }] }, 'invalid-request', /has 2 values for 1 periods/);
  await refused({ lines: [{ id: 'A-B', capacity: -101 }] }, 'invalid-request', /no flow is both/);
  const constraint = { id: 'k', period: 1, ptdf: { A: 1, X: 1 }, ram: 5 };
  await refused({ constraints: [constraint] }, 'invalid-request', /constraints\.0\.ptdf\.X: .*no zone X/);
  await refused(
    { rampSets: [{ id: 's', ramp: 1 }] },
    'invalid-request',
    /rampSets\.0\.id: s is none .* there are none/,
  );
  assert.deepEqual(await findAuction(ports, 'a'), before);
  clock.time = '2025-04-01T11:00:00Z';
  await refused({ lines: [{ id: 'A-B', capacity: 1 }] }, 'gate-closed', /closed at/);
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'settled');
  await refused({ lines: [{ id: 'A-B', capacity: 1 }] }, 'wrong-state', /until its gate closes/);
});

test('changeNetwork() at one time loses none of the changes, also beside the gate', async (t) => {
  const { ports } = await openHouse(t, twoZones({ lines: [line, { ...line, id: 'M' }] }));
  await hold(ports);
  await Promise.all([
    changeNetwork(ports, 'a', { lines: [{ id: 'A-B', capacity: 1 }] }),
    changeNetwork(ports, 'a', { lines: [{ id: 'M', reverse: 2 }] }),
    changeNetwork(ports, 'a', { lines: [{ id: 'A-B', ramp: 3 }] }),
  ]);
  const { lines } = await readNetwork(ports, 'a');
  assert.deepEqual([lines[0]?.capacity, lines[0]?.ramp, lines[1]?.reverse], [1, 3, 2]);
  const [last] = await Promise.allSettled([
    changeNetwork(ports, 'a', { lines: [{ id: 'M', capacity: 7 }] }),
    closeGate(ports, 'a'),
  ]);
  await reaches(ports, 'a', 'settled');
  const sealed = (await readBook(ports, 'a')).lines[1]?.capacity;
  assert.equal(sealed, last.status === 'fulfilled' ? 7 : 100);
});

test('an auction keeps the terms and the network of its market when the market’s file changes', async (t) => {
  const house = await openHouse(t);
  await hold(house.ports);
  await submit(house.ports, orders);
  const later = {
    zones: ['A'],
    lines: [],
    powerLimits: { lot: 7, max: 70 },
    priceLimits: { min: 0, max: 10, tick: 1 },
  };
  await house.reopen({ markets: [testMarket(later)] });
  await submit(house.ports, [{ record_id: 'late', zone: 'B', side: 'sell', price: 70.01, power: 0.1 }]);
  await closeGate(house.ports, 'a');
  await reaches(house.ports, 'a', 'settled');
  assert.deepEqual((await readResult(house.ports, 'a')).prices, { A: [20], B: [60] });
  const { lot, zones, orders: sealed } = await readBook(house.ports, 'a');
  assert.deepEqual([lot, zones, sealed.length], [0.1, ['A', 'B'], 4]);
});

test('createAuction() refuses a delivery that the market’s lists do not fit, and takes days on which clocks change', async (t) => {
  const schedule = {
    kind: 'daily',
    gateOpening: { daysBefore: 700, time: '08:00' },
    gateClosure: { daysBefore: 1, time: '12:00' },
  };
  const capacity = Array.from({ length: 24 }, (_, i) => 100 + i);
  const daily = twoZones({
    schedule: { ...schedule, gateOpening: { daysBefore: 366, time: '08:00' } },
    lines: [{ ...line, capacity }],
  });
  const { ports } = await openHouse(t, daily);
  for (const [date, wanted] of [
    ['2026-03-29', [100, 101, ...capacity.slice(3)]],
    ['2025-10-26', [100, 101, 102, 102, ...capacity.slice(3)]],
  ] as const) {
    const { id } = await createAuction(ports, { date });
    assert.deepEqual((await readNetwork(ports, id)).lines[0]?.capacity, wanted);
  }
  const manual = await openHouse(t, twoZones({ lines: [{ ...line, capacity: [1, 2, 3] }] }));
  await assert.rejects(hold(manual.ports, 'five', { periods: 5 }), {
    code: 'invalid-request',
    message: /does not fit this auction: lines\.0\.capacity: line A-B has 3 values for 5 periods/,
  });
  assert.equal(await manual.ports.auctions.find('five'), undefined);
  assert.equal((await hold(manual.ports, 'three', { periods: 3 })).state, 'open');
});

test('PATCH /auctions/{id}/network takes changes, and GET shows them to everybody', async (t) => {
  const { ports } = await openHouse(t);
  await hold(ports);
  const app = createApp(ports, { log: () => undefined });
  const patch = (body: object) =>
    app.request('/auctions/a/network', {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const done = await patch({ lines: [{ id: 'A-B', capacity: 12.5 }], constraints: [] });
  assert.equal(done.status, 200);
  assert.equal(((await done.json()) as { lines: { capacity: number }[] }).lines[0]?.capacity, 12.5);
  const shown = await app.request('/auctions/a/network');
  assert.equal(((await shown.json()) as { lines: { capacity: number }[] }).lines[0]?.capacity, 12.5);
  const wrong = await patch({ lines: [{ id: 'A-B', capacity: 1e300, from: 'B' }] });
  assert.equal(wrong.status, 400);
  const { problems } = (await wrong.json()) as { problems: { field: string }[] };
  assert.deepEqual(problems.map(({ field }) => field).sort(), ['lines.0.capacity', 'lines.0.from']);
});
