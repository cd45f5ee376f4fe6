/**
 * The sizes that admission lets through, through the real door: groups, families, equal orders by the hundred thousand. Each settles.
 *
 * `npm test` takes a hundredth of the equal orders; `SIZES=whole`, as in `npm run test:long`, takes all.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from '../../src/api/app.ts';
import { closeGate, createAuction, findAuction } from '../../src/auction/auctions.ts';
import type { Ports } from '../../src/auction/ports.ts';
import { readResult } from '../../src/auction/views/results.ts';
import type { Result } from '../../src/market/result.ts';
import { openTestHouse, testMarket } from '../support/house.ts';

const share = process.env.SIZES === 'whole' ? 1 : 0.01;
const batch = 10_000;
const market = testMarket({ orderKinds: ['limit', 'curve', 'block', 'flexible', 'complex'] });

type Fields = Record<string, unknown>;

/** Hold an auction over so many hours with these orders. */
async function outcomeOf(ports: Ports, orders: readonly Fields[], periods = 2): Promise<Result> {
  const app = createApp(ports, { log: (entry) => assert.fail(JSON.stringify(entry)) });
  await createAuction(ports, { id: 'a', periods, gateClosure: '2025-04-01T11:00:00Z' });
  for (let from = 0; from < orders.length; from += batch) {
    const answer = await app.request('/orders?auction=a', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(orders.slice(from, from + batch)),
    });
    assert.equal(answer.status, 201, await answer.text());
  }
  await closeGate(ports, 'a');
  for (;;) {
    const { state, cause } = await findAuction(ports, 'a');
    assert(state !== 'failed', cause);
    if (state === 'settled') return readResult(ports, 'a');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const many = (count: number, order: (i: number) => Fields): Fields[] =>
  Array.from({ length: count }, (_, i) => order(i));
const limit = (record_id: string, more: Fields): Fields => ({ record_id, kind: 'limit', period: 1, power: 1, ...more });
const block = (record_id: string, more: Fields = {}): Fields => ({
  record_id,
  kind: 'block',
  side: 'sell',
  price: 40,
  from: 1,
  to: 2,
  power: 1,
  ...more,
});
/** Buyers at 100 and sellers at 60 in both hours. */
const walls = [1, 2].flatMap((period) => [
  limit(`b${period}`, { side: 'buy', price: 100, period, power: 1000 }),
  limit(`s${period}`, { side: 'sell', price: 60, period, power: 1500 }),
]);

const cases: Readonly<Record<string, readonly Fields[]>> = {
  'equal orders by the hundred thousand': [
    ...many(200_000 * share, (i) => limit(`s${i}`, { side: 'sell', price: 50, power: 0.1 })),
    ...many(100_000 * share, (i) => limit(`b${i}`, { side: 'buy', price: 50, power: 0.1 })),
  ],
  'equal price-takers that have to be cut': [
    ...many(100_000 * share, (i) => limit(`b${i}`, { side: 'buy', price: 4000, power: 0.1 })),
    limit('s', { side: 'sell', price: -500, power: 33.3 * Math.max(1, share * 100) }),
  ],
  'a group of 500 members': [
    ...walls,
    ...many(500, (i) => block(`g${i}`, { price: 40 + i / 100, exclusiveGroup: 'g' })),
  ],
  'a group of 500 equal members': [...walls, ...many(500, (i) => block(`g${i}`, { exclusiveGroup: 'g' }))],
  'a family of 50 generations': [...walls, ...many(50, (i) => block(`f${i}`, i > 0 ? { linkedTo: `f${i - 1}` } : {}))],
  'a parent of 500 children': [...walls, ...many(500, (i) => block(`f${i}`, i > 0 ? { linkedTo: 'f0' } : {}))],
  'equal blocks at the money': [...walls, ...many(500, (i) => block(`e${i}`, { price: 60 }))],
  'loops by the hundred': [
    ...walls,
    ...many(200, (i) => block(`l${i}`, { to: 1, loopWith: `m${i}` })),
    ...many(200, (i) => block(`m${i}`, { from: 2, side: 'buy', price: 90, loopWith: `l${i}` })),
  ],
  'complex orders of 5,000 steps': [
    ...walls,
    {
      record_id: 'c',
      kind: 'complex',
      side: 'sell',
      condition: 'minimum-income',
      fixedTerm: 10,
      variableTerm: 50,
      steps: many(5000, (i) => ({ period: 1 + Math.floor(i / 2500), price: 30, power: 0.1 })),
    },
  ],
  'curves of 1,000 points': many(20, (k) => ({
    record_id: `c${k}`,
    kind: 'curve',
    shape: k % 2 === 0 ? 'linear' : 'step',
    period: 1,
    points: many(1000, (i) => ({ price: i - 500, power: 500 - i })),
  })),
};

for (const [what, orders] of Object.entries(cases)) {
  test(`${what}: settled`, { timeout: 600_000 }, async (t) => {
    const { ports } = await openTestHouse(t, { markets: [market] });
    const { orders: outcomes, excluded } = await outcomeOf(ports, orders);
    assert.deepEqual([outcomes.length, excluded], [orders.length, undefined]);
    t.diagnostic(`${orders.length} orders, ${Math.round(process.memoryUsage.rss() / 1e6)} MB`);
  });
}

test('an auction without orders, and one with orders in few of its periods: settled', async (t) => {
  for (const orders of [[], [limit('s', { side: 'sell', price: 20, period: 48 })]]) {
    const { ports } = await openTestHouse(t, { markets: [market] });
    assert.equal((await outcomeOf(ports, orders, 96)).prices.Z?.length, 96);
  }
});

test('admission refuses a family of 51 generations, also when it comes bit by bit', async (t) => {
  const { ports } = await openTestHouse(t, { markets: [market] });
  const app = createApp(ports, { log: (entry) => assert.fail(JSON.stringify(entry)) });
  await createAuction(ports, { id: 'a', periods: 2, gateClosure: '2025-04-01T11:00:00Z' });
  const post = (...orders: Fields[]) =>
    app.request('/orders?auction=a', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(orders),
    });
  const generation = (i: number) => block(`f${i}`, i > 0 ? { linkedTo: `f${i - 1}` } : {});
  for (const [from, to] of [
    [0, 20],
    [20, 40],
    [40, 50],
  ] as const)
    assert.equal((await post(...many(to - from, (i) => generation(from + i)))).status, 201);
  const refused = await post(generation(50));
  assert.equal(refused.status, 400);
  const { problems } = (await refused.json()) as { problems: { code: string; message: string }[] };
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['family-too-deep'],
  );
  assert.match(problems[0]!.message, /generation 51 .* 50 are taken/);
});
