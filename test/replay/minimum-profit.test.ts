/** The public minimum-profit instances clear to their exact welfare. They lie outside the project and are not ours to publish. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { importInstance } from '../../src/adapters/mp/import-instance.ts';
import { checkBook } from '../../src/book/check-book.ts';
import { bookHash } from '../../src/book/seal.ts';
import { clear } from '../../src/clearing/clear.ts';
import { verify } from '../../src/verify/verify.ts';

const folder = fileURLToPath(new URL('../../../shared/data/minimum-profit', import.meta.url));
const without = existsSync(folder) ? false : 'there is no ../shared/data/minimum-profit';

/** Found with a native MIP solver and cuts: the welfare, and how many minimum-profit orders are on. */
const exact = [
  { welfare: 151_487_156.16, on: 7 },
  { welfare: 115_475_592.36, on: 5 },
  { welfare: 114_220_400.2, on: 13 },
  { welfare: 107_219_935.9, on: 4 },
  { welfare: 100_743_738.16, on: 9 },
];

exact.forEach(({ welfare, on }, i) => {
  test(`minimum-profit instance ${i + 1} clears to its exact welfare, proven`, { skip: without }, async () => {
    const book = await importInstance(join(folder, `instance-${i + 1}`));
    checkBook(book);
    const hash = bookHash(book);
    const { result } = await clear(book, hash);
    assert.equal(result.status, 'optimal');
    assert(Math.abs(result.welfare - welfare) <= 1e-8 * welfare, `${result.welfare} instead of ${welfare}`);
    const complex = new Set(book.orders.flatMap(({ kind, record_id }) => (kind === 'complex' ? [record_id] : [])));
    assert.equal(result.orders.filter(({ record_id, ratio }) => complex.has(record_id) && ratio === 1).length, on);
    assert.deepEqual(
      verify(book, hash, result).checks.filter(({ violations }) => violations.length > 0),
      [],
    );
  });
});
