/** A line with a ramp, most of them with losses between two zones that are alike: at negative prices losing power pays. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { line, smallBook } from '../../../test/support/small-book.ts';
import { clearWith } from '../../clearing/clear.ts';
import { loadSolver } from '../../clearing/solver/highs.ts';
import type { Book } from '../../market/book.ts';
import type { Result } from '../../market/result.ts';
import { verify } from '../verify.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;

/** Three hours, in which sells at the price are executed in part in both zones. */
function alike(price: number, changes: object): Book {
  const orders = [1, 2, 3].flatMap((hour) =>
    ['A', 'B'].flatMap((zone) => [`${zone} sell 50@${price}#${hour}`, `${zone} buy 30@${price + 100}#${hour}`]),
  );
  const lines = [line('A-B', 10, { loss: 0.1, ...changes })];
  return smallBook(orders.join(), { periods: 3, zones: ['A', 'B'], lines });
}

/** Three hours, in which power is cheaper in A by 20 than in B, and the line costs nothing. */
const apart = smallBook([1, 2, 3].map((t) => `A sell 50@20#${t}, B sell 50@40#${t}, B buy 30@100#${t}`).join(), {
  periods: 3,
  zones: ['A', 'B'],
  lines: [line('A-B', 10, { ramp: 4, before: 0 })],
});

const brokenIn = (book: Book, result: Result): string[] =>
  verify(book, hash, result)
    .checks.filter(({ violations }) => violations.length > 0)
    .map(({ invariant }) => invariant);

/** What flows, and other flows that would earn less. */
const cases: readonly [what: string, book: Book, flows: number[], ...others: number[][]][] = [
  [
    'at negative prices it sends what its ramp allows',
    alike(-100, { ramp: 4, before: 0 }),
    [4, 8, 10],
    [4, 4, 4],
    [4, 8, 8],
    [0, 0, 0],
  ],
  ['with a ramp of nothing it sends nothing', alike(-100, { ramp: 0, before: 0 }), [0, 0, 0]],
  [
    'with a ramp of nothing it goes on with what it sent',
    alike(-100, { ramp: 0, before: 5 }),
    [5, 5, 5],
    [5, 5, 0],
    [0, 0, 0],
  ],
  [
    'what it sends against its name is held by the same ramp',
    alike(-100, { ramp: 4, before: -10 }),
    [-10, -10, -10],
    [-6, -6, -6],
    [-10, -6, -2],
  ],
  [
    'at positive prices it sends nothing once its ramp allows it',
    alike(20, { ramp: 4, before: 6 }),
    [2, 0, 0],
    [2, 2, 2],
    [2, 0, 4],
    [6, 2, 0],
  ],
  ['the same against its name', alike(20, { ramp: 4, before: -6 }), [-2, 0, 0], [-2, -2, -2], [-2, 0, -4], [-6, -2, 0]],
  ['without losses it sends what its ramp allows', apart, [4, 8, 10], [0, 0, 0], [4, 8, 8]],
  ['a tariff keeps it at nothing', alike(-100, { loss: 0, tariff: 2, ramp: 4, before: 0 }), [0, 0, 0], [4, 0, 0]],
];

for (const [what, book, flows, ...others] of cases)
  test(`verify(): ${what} (INV-19)`, () => {
    const { result } = clearWith(solver, book, hash);
    assert.deepEqual(result.flows, { 'A-B': flows });
    assert.deepEqual(brokenIn(book, result), []);
    for (const other of others) {
      const broken = brokenIn(book, { ...result, flows: { 'A-B': other } });
      assert(broken.includes('INV-19'), `${other.join(' ')}: ${broken.join(' ') || 'nothing'}`);
    }
  });
