/** Prices with known numbers: the interval that each zone's orders leave open, and what lines and longer orders make of it. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { line, smallBook } from '../../../test/support/small-book.ts';
import { clear } from '../clear.ts';

async function pricesOf(orders: string, changes: object = {}): Promise<Record<string, number[]>> {
  return (await clear(smallBook(orders, changes), `sha256:${'0'.repeat(64)}`)).result.prices;
}
const chain = (...lines: object[]) => ({ zones: ['A', 'B', 'C'], lines });
const quarters = { resolution: 'PT15M', periods: 4 };

test('the middle of the limits where nobody trades, of a limit and an order where one side is empty', async () => {
  assert.deepEqual(await pricesOf(''), { A: [1750] });
  assert.deepEqual(await pricesOf('sell 10@100'), { A: [-200] });
  assert.deepEqual(await pricesOf('buy 10@100'), { A: [2050] });
  assert.deepEqual(await pricesOf('sell 10@100, buy 10@60'), { A: [80] });
});

test('an interval is bounded by what trades and by what does not', async () => {
  // Accepted sell 10 and rejected buy 20 below; accepted buy 60 and rejected sell 40 above.
  assert.deepEqual(await pricesOf('sell 80@10, buy 80@60'), { A: [35] });
  assert.deepEqual(await pricesOf('sell 80@10, buy 80@60, buy 5@20'), { A: [40] });
  assert.deepEqual(await pricesOf('sell 80@10, buy 80@60, buy 5@20, sell 5@40'), { A: [30] });
});

test('half a tick is rounded away from zero', async () => {
  const priceLimits = { min: -500, max: 4000, tick: 1 };
  assert.deepEqual(await pricesOf('sell 80@10, buy 80@61', { priceLimits }), { A: [36] });
  assert.deepEqual(await pricesOf('sell 80@-61, buy 80@-10', { priceLimits }), { A: [-36] });
});

test('lines with room have one interval: that of all their zones', async () => {
  const orders = 'A sell 50@10, C buy 50@60, B sell 5@40, A buy 5@20';
  assert.deepEqual(await pricesOf(orders, chain(line('A-B', 90), line('B-C', 90))), { A: [30], B: [30], C: [30] });
});

test('a full line keeps its ends in order, and no closer', async () => {
  // A is in [10, 80], B in [60, 90]; the line, just full, asks for A no dearer than B and leaves both alone: 45 and 75.
  const orders = 'A sell 50@10, A sell 5@80, B buy 50@90, B buy 5@60';
  assert.deepEqual(await pricesOf(orders, { zones: ['A', 'B'], lines: [line('A-B', 50)] }), { A: [45], B: [75] });
  // With [10, 80] and [20, 30] it cuts A's upper end to 30.
  const closer = 'A sell 50@10, A sell 5@80, B buy 50@30, B buy 5@20';
  assert.deepEqual(await pricesOf(closer, { zones: ['A', 'B'], lines: [line('A-B', 50)] }), { A: [20], B: [25] });
});

test('an empty zone at the end of a line takes what the line allows', async () => {
  // Nobody sends to C, so C may be dearer by no more than the tariff and cheaper by no more than it.
  const orders = 'A sell 50@30, A buy 30@60';
  const lines = [line('A-C', 90, { tariff: 4 })];
  assert.deepEqual(await pricesOf(orders, { zones: ['A', 'C'], lines }), { A: [30], C: [30] });
  // Without a line it has only the limits.
  assert.deepEqual(await pricesOf(orders, { zones: ['A', 'C'] }), { A: [30], C: [1750] });
});

test('a longer order leaves its quarters alone where their own middles suit it', async () => {
  const orders = 'sell 50@10#1, buy 70@50#1, sell 50@30#2, buy 70@90#2, sell 20@20/30';
  // The quarters clear at [10, 50] and [30, 90]: 30 and 60, mean 45.
  assert.deepEqual(await pricesOf(orders, { ...quarters, periods: 2 }), { A: [30, 60] });
});

test('a longer order narrows what its quarters allow each other', async () => {
  const orders = 'sell 50@10#1, buy 70@50#1, sell 50@30#2, buy 70@90#2, sell 20@55/30';
  // The mean must be 55 at least. As the second quarter goes to 90 at most, the first cannot be below 20: [20, 50], [60, 90].
  assert.deepEqual(await pricesOf(orders, { ...quarters, periods: 2 }), { A: [35, 75] });
});

test('a longer order moves its quarters alike where the middles of all do not suit it', async () => {
  const tops = [100, 100, 100, 80];
  const orders = tops.map((top, i) => `sell 50@0#${i + 1}, buy 70@${top}#${i + 1}`);
  // A mean of 85 leaves [60, 100] three times and [40, 80], whose middles are 10 short of it.
  assert.deepEqual(await pricesOf(`sell 20@85/60, ${orders.join(', ')}`, quarters), { A: [90, 90, 90, 70] });
});

test('a longer order at the money pins the mean (E18)', async () => {
  const orders = [80, 120, 100, 100].map(
    (mw, i) => `sell 50@30#${i + 1}, sell 50@90#${i + 1}, buy ${mw}@4000#${i + 1}`,
  );
  assert.deepEqual(await pricesOf(`sell 100@40/60, ${orders.join(', ')}`, quarters), { A: [30, 70, 30, 30] });
});
