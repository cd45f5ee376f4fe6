import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Book, parseBook } from '../../market/book.ts';
import { parseResult, type Result } from '../../market/result.ts';
import { executedBlocks } from './executed-volumes.ts';
import { settledOrders } from './settled-order.ts';

/** Two hours in quarters, two zones; prices 1 to 8 in A, 11 to 18 in B. */
const quarters = Array.from({ length: 8 }, (_, i) => i + 1);
const bookOf = (...orders: object[]): Book =>
  parseBook({
    merit: 'book/1',
    auction: 'a',
    currency: 'EUR',
    start: '2025-04-01T00:00:00Z',
    resolution: 'PT15M',
    periods: 8,
    priceLimits: { min: -500, max: 4000 },
    zones: ['A', 'B'],
    orders: orders.map((order, i) => ({
      record_id: `o${i}`,
      participant: 'p',
      sequence: i + 1,
      received_at: '2025-03-31T10:00:00Z',
      zone: 'A',
      side: 'sell',
      ...order,
    })),
  });
const resultOf = (...outcomes: object[]): Result =>
  parseResult({
    merit: 'result/1',
    auction: 'a',
    book: `sha256:${'0'.repeat(64)}`,
    status: 'optimal',
    welfare: 0,
    bound: 0,
    gap: 0,
    prices: { A: quarters, B: quarters.map((t) => t + 10) },
    netPositions: {},
    flows: {},
    orders: outcomes.map((outcome, i) => ({
      record_id: `o${i}`,
      participant: 'p',
      status: 'accepted',
      ratio: 1,
      surplus: 0,
      ...outcome,
    })),
  });

const orders = [
  {
    kind: 'block',
    price: 1,
    profile: [
      { period: 2, power: 5 },
      { period: 7, power: 3 },
    ],
  },
  { kind: 'block', price: 1, zone: 'B', side: 'buy', from: 2, to: 2, power: 10, resolution: 'PT60M' },
  { kind: 'flexible', price: 1, power: 2, duration: 2, earliest: 1, latest: 5 },
  { kind: 'flexible', price: 1, power: 2, duration: 1, earliest: 1, latest: 2, resolution: 'PT60M' },
  { kind: 'complex', steps: [{ period: 1, price: 1, power: 4 }], resolution: 'PT60M' },
  { kind: 'limit', price: 1, period: 1, power: 7 },
  { kind: 'block', price: 1, from: 1, to: 8, power: 9 },
  { kind: 'flexible', price: 1, power: 2, duration: 2, earliest: 5, latest: 7 },
  { kind: 'block', price: 1, zone: 'B', side: 'buy', from: 1, to: 2, power: 0.1 },
  { kind: 'block', price: 1, zone: 'B', side: 'buy', from: 1, to: 1, power: 0.2 },
] as const;
const book = bookOf(...orders);
const result = resultOf(
  { power: [5, 3] },
  { power: [2.5], status: 'partially_accepted', ratio: 0.25 },
  { power: [2, 2], start: 4 },
  { power: [0.1], start: 1 },
  { power: [0.2, 0.2, 4, 4, 0, 0, 0, 0] },
  { power: 7 },
  { power: [0, 0, 0, 0, 0, 0, 0, 0], status: 'rejected', ratio: 0 },
  { power: [0, 0], status: 'rejected', ratio: 0 },
  { power: [0.1, 0.1] },
  { power: [0.2] },
);

test('executedBlocks() adds up what was executed of orders over several periods, by zone, side and period', () => {
  assert.deepEqual(executedBlocks(book, result), {
    A: { buy: [0, 0, 0, 0, 0, 0, 0, 0], sell: [0.3, 5.3, 4.1, 6.1, 2, 0, 3, 0] },
    B: { buy: [0.3, 0.1, 0, 0, 2.5, 2.5, 2.5, 2.5], sell: [0, 0, 0, 0, 0, 0, 0, 0] },
  });
});

test('settledOrders() has the prices of the units that an order covers, of a flexible order those of its start', () => {
  const settled = settledOrders(book, result).map(({ prices }) => prices);
  assert.deepEqual(settled, [
    [2, 7],
    [15, 16, 17, 18],
    [4, 5],
    [1, 2, 3, 4],
    quarters,
    [1],
    quarters,
    [5, 6, 7, 8],
    [11, 12],
    [11],
  ]);
  const rejected = resultOf(...result.orders.map((outcome) => ({ ...outcome, start: undefined })));
  assert.deepEqual(settledOrders(book, rejected)[2]!.prices, [1, 2, 3, 4, 5, 6]);
});
