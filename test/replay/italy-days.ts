/**
 * All fifteen days by clearing alone: 2,520 prices. `npm run test:replay`.
 *
 * A convex replay: borders closed by the published prices of the zones abroad, and the blocks that GME accepted entering as
 * orders that take any price. Not part of `npm test`: reading the tables takes longer than clearing them.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importDay } from '../../src/adapters/gme/import-day.ts';
import { checkBook } from '../../src/book/check-book.ts';
import { bookHash } from '../../src/book/seal.ts';
import { clear } from '../../src/clearing/clear.ts';
import { verify } from '../../src/verify/verify.ts';
import { compareWithPublished, italianDays, italyFolder, withoutItaly } from './italy-data.ts';

test('all fifteen Italian days clear at the published prices', { skip: withoutItaly }, async (t) => {
  let [compared, exact] = [0, 0];
  for (const day of italianDays) {
    await t.test(day, async () => {
      const book = await importDay({ folder: italyFolder, day, borders: 'prices', blocks: 'replay' });
      checkBook(book);
      const hash = bookHash(book);
      const { result } = await clear(book, hash);
      const comparison = await compareWithPublished(day, result.prices);
      compared += comparison.compared;
      exact += comparison.exact;
      assert.deepEqual(comparison.differences, []);
      const broken = verify(book, hash, result).checks.filter(({ violations }) => violations.length > 0);
      assert.deepEqual(broken, []);
      assert.equal(result.status, 'optimal');
    });
  }
  t.diagnostic(`${exact} of ${compared} prices are the published ones`);
  assert.deepEqual([exact, compared], [2520, 2520]);
});
