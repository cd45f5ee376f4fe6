/** The numbered examples of the market rules that concern limit and curve orders, each written as the rule book has it. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { line, smallBook } from '../../test/support/small-book.ts';
import type { Outcome, Result } from '../market/result.ts';
import { clear } from './clear.ts';

const hash = `sha256:${'0'.repeat(64)}`;
const cleared = async (orders: string, changes: object = {}): Promise<Result> =>
  (await clear(smallBook(orders, changes), hash)).result;
const powers = (result: Result) => result.orders.map((o: Outcome) => o.power);

test('E1: one zone, steps', async () => {
  const result = await cleared('sell 50@10, sell 50@30, sell 50@50, buy 80@60, buy 40@20');
  assert.deepEqual(powers(result), [50, 30, 0, 80, 0]);
  assert.deepEqual(result.prices, { A: [30] });
  assert.equal(result.welfare, 3400);
});

test('E2: the price is the middle of the interval [20, 40]', async () => {
  const result = await cleared('sell 80@10, sell 50@40, buy 80@60, buy 40@20');
  assert.deepEqual(result.prices, { A: [30] });
});

test('E3: of welfare-equal volumes 20 to 80 MW, 80 are traded', async () => {
  const result = await cleared('sell 100@30, buy 60@30, buy 20@50');
  assert.deepEqual(powers(result), [80, 60, 20]);
});

test('E4: equal sells share pro rata', async () => {
  const result = await cleared('sell 60@30, sell 30@30, buy 45@50');
  assert.deepEqual(powers(result), [30, 15, 45]);
});

test('E5: linear curves', async () => {
  const result = await cleared('linear 0@10 -100@60, linear 100@30 0@80');
  assert.deepEqual(powers(result), [-70, 70]);
  assert.deepEqual(result.prices, { A: [45] });
  assert.equal(result.welfare, 2450);
});

const exchange = 'A sell 200@20, A buy 50@100, B sell 100@60, B buy 150@100';

test('E13: a full line separates prices', async () => {
  const lines = [line('A-B', 80)];
  const result = await cleared(exchange, { zones: ['A', 'B'], lines });
  assert.deepEqual(result.flows, { 'A-B': [80] });
  assert.deepEqual(result.prices, { A: [20], B: [60] });
});

test('E13: a line with room gives one price, the middle of [20, 60]', async () => {
  const lines = [line('A-B', 200)];
  const result = await cleared(exchange, { zones: ['A', 'B'], lines });
  assert.deepEqual(result.flows, { 'A-B': [150] });
  assert.deepEqual(result.prices, { A: [40], B: [40] });
});

for (const { tariff, loss, flow, prices } of [
  { loss: 0.05, tariff: 0, flow: 100, prices: { A: [20], B: [21.05] } },
  { loss: 0.05, tariff: 5, flow: 100, prices: { A: [20], B: [26.32] } },
  { loss: 0.05, tariff: 10, flow: 0, prices: { A: [19.25], B: [30] } },
]) {
  test(`E14: loss ${loss}, tariff ${tariff}`, async () => {
    const lines = [line('A-B', 500, { loss, tariff })];
    const result = await cleared('A sell 200@20, B buy 95@100, B sell 100@30', { zones: ['A', 'B'], lines });
    assert.deepEqual(result.flows, { 'A-B': [flow] });
    assert.deepEqual(result.prices, prices);
  });
}

test('E17: curtailment is shared over zones', async () => {
  const result = await cleared('A sell 60@50, A buy 100@4000, B sell 40@50, B buy 50@4000', {
    zones: ['A', 'B'],
    lines: [line('B-A', 500)],
  });
  assert.deepEqual(powers(result), [60, 66.666667, 40, 33.333333]);
  assert.deepEqual(result.prices, { A: [4000], B: [4000] });
  assert.deepEqual(result.flows, { 'B-A': [6.666667] });
  assert.equal(result.orders[1]?.reason?.code, 'curtailed_at_bound');
});

test('E18: a 60-minute order among quarter hours', async () => {
  const quarters = [80, 120, 100, 100].map(
    (mw, i) => `sell 50@30#${i + 1}, sell 50@90#${i + 1}, buy ${mw}@4000#${i + 1}`,
  );
  const result = await cleared(`sell 100@40/60, ${quarters.join(', ')}`, { periods: 4, resolution: 'PT15M' });
  assert.equal(result.orders[0]?.power, 70);
  assert.deepEqual(result.prices, { A: [30, 70, 30, 30] });
});
