import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Book, parseBook } from '../../market/book.ts';
import { aggregatedCurves } from './curves.ts';

const book = (orders: object[], changes: object = {}): Book =>
  parseBook({
    merit: 'book/1',
    auction: 'a',
    currency: 'EUR',
    start: '2025-04-01T00:00:00Z',
    resolution: 'PT60M',
    periods: 1,
    priceLimits: { min: -500, max: 4000 },
    zones: ['A', 'B'],
    orders: orders.map((order, i) => ({ record_id: `o${i}`, kind: 'limit', zone: 'A', period: 1, ...order })),
    ...changes,
  });

test('aggregatedCurves() adds up what would be bought and sold at each price', () => {
  const { A, B } = aggregatedCurves(
    book([
      { side: 'sell', price: 10, power: 5 },
      { side: 'sell', price: 30, power: 7 },
      { side: 'buy', price: 30, power: 4 },
      { side: 'buy', price: 50, power: 2 },
    ]),
  );
  assert.deepEqual(A, [{ price: [10, 30, 50], buy: [6, 6, 2], sell: [5, 12, 12] }]);
  assert.deepEqual(B, [{ price: [], buy: [], sell: [] }]);
});

test('aggregatedCurves() lets straight lines run and splits a curve into what it buys and sells', () => {
  const points = [
    { price: 0, power: 10 },
    { price: 20, power: -10 },
  ];
  const { A } = aggregatedCurves(book([{ kind: 'curve', shape: 'linear', points }]));
  // It buys 10 MW up to a price of 0, none at 10, and sells 10 MW from 20 on.
  assert.deepEqual(A, [{ price: [0, 10, 20], buy: [10, 0, 0], sell: [0, 0, 10] }]);
});

test('aggregatedCurves() shows an hourly order in each quarter it covers', () => {
  const orders = [{ side: 'sell', price: 10, power: 5, period: 2, resolution: 'PT60M' }];
  const { A } = aggregatedCurves(book(orders, { resolution: 'PT15M', periods: 8 }));
  assert.deepEqual(
    A!.map(({ sell }) => sell),
    [[], [], [], [], [5], [5], [5], [5]],
  );
});
