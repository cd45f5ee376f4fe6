/** Loops: a buy and a sell block with one ratio. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { bookHash } from '../../src/book/seal.ts';
import { clear } from '../../src/clearing/clear.ts';
import { parseBook } from '../../src/market/book.ts';
import { verify } from '../../src/verify/verify.ts';

test('clear() tells the legs of a loop that cancel out in one MTU how far they are from the money', async () => {
  const leg = { kind: 'block', zone: 'A', from: 1, to: 1, power: 2 };
  const book = parseBook({
    merit: 'book/1',
    auction: 'loop',
    currency: 'EUR',
    start: '2025-04-01T00:00:00+02:00',
    resolution: 'PT60M',
    periods: 1,
    priceLimits: { min: -500, max: 4000, tick: 0.01 },
    zones: ['A'],
    orders: [
      { record_id: 'in', side: 'buy', price: 10, loopWith: 'out', ...leg },
      { record_id: 'out', side: 'sell', price: 50, loopWith: 'in', ...leg },
    ],
  });
  const hash = bookHash(book);
  const { result } = await clear(book, hash);
  // 2 MWh bought at 10 and sold at 50 miss 80 in all: 20 for each of the 4 MWh that the legs move.
  assert.deepEqual(
    result.orders.map(({ reason }) => [reason?.code, reason?.distance]),
    [
      ['loop_loss', 20],
      ['loop_loss', 20],
    ],
  );
  assert(verify(book, hash, result).ok);
  const [first, ...others] = result.orders;
  const broken = { ...result, orders: [{ ...first!, reason: { ...first!.reason!, distance: Infinity } }, ...others] };
  assert(!verify(book, hash, broken).ok);
});
