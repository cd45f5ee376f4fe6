/** Very large orders beside small ones: a border that takes whatever price there is must not drown the orders of the zone. */

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { bookHash } from '../../src/book/seal.ts';
import { clearWith } from '../../src/clearing/clear.ts';
import { loadSolver } from '../../src/clearing/solver/highs.ts';
import { verify } from '../../src/verify/verify.ts';
import '../support/seeded.ts';
import { line, smallBook } from '../support/small-book.ts';

const solver = await loadSolver();
const sizes = [1000, 100_000, 1_000_000];

test('clear() is exact for small orders in a zone whose border orders are as large as can be', () => {
  const small = fc.tuple(
    fc.constantFrom('buy', 'sell'),
    fc.integer({ min: 1, max: 300 }),
    fc.integer({ min: 0, max: 9 }),
  );
  fc.assert(
    fc.property(
      fc.array(small, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(...sizes),
      fc.constantFrom(undefined, 0.1),
      fc.boolean(),
      (some, size, lot, full) => {
        const orders = some.map(([side, tenths, tens]) => `A ${side} ${tenths / 10}@${tens * 10}`);
        // Abroad, anybody buys at 35 and sells at 55.
        const book = smallBook([...orders, `X buy ${size}@35, X sell ${size}@55`].join(', '), {
          zones: ['A', 'B', 'X'],
          lines: full
            ? [line('A-X', 7.5)]
            : // Ways round in a ring, which ask for the quadratic program.
              [line('A-X', 2 * size), line('A-B', 100), line('B-X', 100)],
          ...(lot === undefined ? {} : { lot }),
        });
        const { result } = clearWith(solver, book, bookHash(book));
        const broken = verify(book, bookHash(book), result).checks.filter(({ violations }) => violations.length > 0);
        assert.deepEqual(broken, []);
        // Where the line has room, those abroad make the price at which each small order is done or not, to the watt.
        const price = result.prices.A![0]!;
        if (full) return;
        assert(price >= 35 && price <= 55);
        some.forEach(([side, tenths, tens], i) => {
          const gain = side === 'sell' ? price - tens * 10 : tens * 10 - price;
          if (gain !== 0) assert.equal(result.orders[i]!.power, gain > 0 ? tenths / 10 : 0);
        });
      },
    ),
  );
});

for (const size of sizes) {
  test(`clear() shares what is left at the money between ${size} MW and 3 MW`, () => {
    const book = smallBook(`sell ${size}@30, sell 3@30, buy ${size / 2}@50`);
    const { orders, prices } = clearWith(solver, book, bookHash(book)).result;
    assert.deepEqual(prices, { A: [30] });
    const common = size / 2 / (size + 3);
    assert(
      Math.abs((orders[1]!.power as number) - 3 * common) <= 2e-6,
      `${orders[1]!.power} MW instead of ${3 * common}`,
    );
    assert(verify(book, bookHash(book), { ...clearWith(solver, book, bookHash(book)).result }).ok);
  });
}
