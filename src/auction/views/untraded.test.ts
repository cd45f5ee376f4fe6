import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bookHash } from '../../book/seal.ts';
import { clear } from '../../clearing/clear.ts';
import { parseBook } from '../../market/book.ts';
import { executedVolumes } from './executed-volumes.ts';
import { untradedPeriods } from './untraded.ts';

async function untradedIn(orders: readonly object[], more: object): Promise<Record<string, number[]>> {
  const book = parseBook({
    merit: 'book/1',
    auction: 'a',
    currency: 'EUR',
    start: '2025-04-01T00:00:00Z',
    resolution: 'PT60M',
    periods: 2,
    priceLimits: { min: -500, max: 4000 },
    zones: ['A', 'B', 'C'],
    orders: orders.map((order, i) => ({ record_id: `o${i}`, zone: 'A', period: 1, ...order })),
    ...more,
  });
  const { result } = await clear(book, bookHash(book));
  return untradedPeriods(book, result, executedVolumes(book, result));
}

const line = (from: string, to: string, capacity: number) => ({
  id: `${from}-${to}`,
  from,
  to,
  capacity,
  reverse: capacity,
});
const trade = [
  { side: 'buy', price: 50, power: 10 },
  { side: 'sell', price: 10, power: 10 },
];

test('untradedPeriods(): a price counts where its zone trades, or one that it shares the price with', async () => {
  const lines = [line('A', 'B', 5), line('B', 'C', 0)];
  assert.deepEqual(await untradedIn(trade, { lines }), { A: [2], B: [2], C: [1, 2] });
});

test('untradedPeriods(): orders that meet nobody are no trade; a zone that is passed through trades', async () => {
  assert.deepEqual(await untradedIn([{ side: 'sell', price: 10, power: 10 }], { lines: [] }), {
    A: [1, 2],
    B: [1, 2],
    C: [1, 2],
  });
  const through = [
    { side: 'sell', price: 10, power: 10 },
    { side: 'buy', price: 90, power: 10, zone: 'C' },
  ];
  const lines = [line('A', 'B', 5), line('B', 'C', 8)];
  assert.deepEqual(await untradedIn(through, { lines }), { A: [2], B: [2], C: [2] });
});

test('untradedPeriods(): a curve that buys or sells trades, and so do the zones of a flow-based region', async () => {
  const curve = (zone: string, power: number) => ({
    kind: 'curve',
    shape: 'step',
    zone,
    points: [{ price: 20, power }],
  });
  const constraint = { id: 'cb', period: 1, ptdf: { A: 1, B: 0 }, ram: 5 };
  const crossing = [curve('A', -10), { side: 'buy', price: 50, power: 10, zone: 'B' }];
  assert.deepEqual(await untradedIn(crossing, { constraints: [constraint] }), { A: [2], B: [2], C: [2] });
});
