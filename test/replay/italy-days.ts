/**
 * All fifteen days by clearing alone: 2,520 prices, twice. `npm run test:replay`.
 *
 * Borders are closed by the published prices of the zones abroad. First as a convex replay, the blocks that GME accepted entering as
 * orders that take any price; then blind, the blocks as the orders they are, and what is decided about them is compared too. Not part
 * of `npm test`: reading the tables takes longer than clearing them.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBlockStatuses } from '../../src/adapters/gme/blocks.ts';
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

test('all fifteen Italian days clear at the published prices with their blocks decided blind', {
  skip: withoutItaly,
}, async (t) => {
  let [compared, exact, blocks] = [0, 0, 0];
  const paradoxical: string[] = [];
  for (const day of italianDays) {
    await t.test(day, async () => {
      const book = await importDay({ folder: italyFolder, day, borders: 'prices', blocks: 'orders' });
      checkBook(book);
      const hash = bookHash(book);
      const { result } = await clear(book, hash);
      const comparison = await compareWithPublished(day, result.prices);
      compared += comparison.compared;
      exact += comparison.exact;
      assert.deepEqual(comparison.differences, []);
      const statuses = await readBlockStatuses({ folder: italyFolder, day, periods: 24 });
      const accepted = new Map(result.orders.map(({ record_id, status }) => [record_id, status === 'accepted']));
      const others = [...statuses].filter(([id, status]) => accepted.get(id) !== (status === 'ACC'));
      blocks += statuses.size;
      for (const [id, status] of others) {
        // A border that takes any volume at its price moves no price, so nothing speaks against what GME had to reject.
        assert.equal(status, 'PREJ', `${id} was published as ${status}`);
        paradoxical.push(`${day} ${id}`);
      }
      const broken = verify(book, hash, result).checks.filter(({ violations }) => violations.length > 0);
      assert.deepEqual(broken, []);
      assert.equal(result.status, 'optimal');
    });
  }
  t.diagnostic(
    `${exact} of ${compared} prices and ${blocks - paradoxical.length} of ${blocks} decisions are the published ones`,
  );
  for (const id of paradoxical) t.diagnostic(`published as paradoxically rejected, accepted here: ${id}`);
  assert.deepEqual([exact, compared], [2520, 2520]);
});
