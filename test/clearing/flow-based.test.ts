/** Flow-based exchange: which zones take part, in which periods. Market rules, section 3.3: an omitted PTDF is 0. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { bookHash } from '../../src/book/seal.ts';
import { clear } from '../../src/clearing/clear.ts';
import { parseBook } from '../../src/market/book.ts';
import { verify } from '../../src/verify/verify.ts';

/** In each of two hours A sells 200 MW at 10, B sells 200 at 50 and buys 150 at 300. */
const bookWith = (constraints: readonly object[], changes: object = {}) =>
  parseBook({
    merit: 'book/1',
    auction: 'region',
    currency: 'EUR',
    start: '2025-04-01T00:00:00+02:00',
    resolution: 'PT60M',
    periods: 2,
    priceLimits: { min: -500, max: 4000, tick: 0.01 },
    zones: ['A', 'B'],
    constraints,
    orders: [1, 2].flatMap((period) => [
      { record_id: `a${period}`, zone: 'A', side: 'sell', period, price: 10, power: 200, kind: 'limit' },
      { record_id: `b${period}`, zone: 'B', side: 'sell', period, price: 50, power: 200, kind: 'limit' },
      { record_id: `d${period}`, zone: 'B', side: 'buy', period, price: 300, power: 150, kind: 'limit' },
    ]),
    ...changes,
  });

async function clearAndVerify(constraints: readonly object[]) {
  const book = bookWith(constraints);
  const hash = bookHash(book);
  const { result } = await clear(book, hash);
  const { checks } = verify(book, hash, result);
  assert.deepEqual(
    checks.filter(({ violations }) => violations.length > 0),
    [],
  );
  return result;
}

test('clear() lets a zone that no constraint names exchange with those that are named', async () => {
  const wide = [1, 2].map((period) => ({ id: 'x', period, ptdf: { A: 0.5 }, ram: 1000 }));
  const { prices, welfare } = await clearAndVerify(wide);
  assert.deepEqual([prices, welfare], [{ A: [10, 10], B: [10, 10] }, 87_000]);
  const tight = wide.map((constraint) => ({ ...constraint, ram: 50 }));
  // 100 MW of A may go to B, which makes the other 50 itself.
  const { prices: apart, netPositions } = await clearAndVerify(tight);
  assert.deepEqual(
    [apart, netPositions],
    [
      { A: [10, 10], B: [50, 50] },
      { A: [100, 100], B: [-100, -100] },
    ],
  );
});

test('clear() limits nothing in a period without constraints', async () => {
  const { prices, netPositions } = await clearAndVerify([{ id: 'x', period: 1, ptdf: { A: 0.5, B: 0 }, ram: 50 }]);
  assert.deepEqual(
    [prices, netPositions],
    [
      { A: [10, 10], B: [50, 10] },
      { A: [100, 150], B: [-100, -150] },
    ],
  );
});
