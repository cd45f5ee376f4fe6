import assert from 'node:assert/strict';
import test from 'node:test';
import { judge } from '../../../test/support/families/compare.ts';
import { smallBook } from '../../../test/support/small-book.ts';
import { clearWith } from '../../clearing/clear.ts';
import { loadSolver } from '../../clearing/solver/highs.ts';
import { type Book, parseBook } from '../../market/book.ts';
import { verify } from '../verify.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;

/** An order of 100 MW in each of the hours, that may change by 40 MW an hour, beside the others. */
function gradual(side: 'buy' | 'sell', price: number, orders: string, periods: number): Book {
  const others = smallBook(orders, { periods });
  const steps = Array.from({ length: periods }, (_, t) => ({ period: t + 1, price, power: 100 }));
  const order = { record_id: 'c', zone: 'A', kind: 'complex', side, steps, loadGradient: { up: 40, down: 40 } };
  return parseBook({ ...others, orders: [...others.orders, order] });
}

// In the first hour nobody takes more than 20 MW, which is 40 MW too few in the second: no price within the limits says so.
const atFloor = gradual('sell', 35, 'buy 20@100#1, buy 300@4000#2, sell 300@3000#2', 2);
const atCap = gradual('buy', 3990, 'sell 20@10#1, sell 300@5#2, buy 40@3900#2', 2);

for (const [limit, book, prices] of [
  ['floor', atFloor, [-500, 3000]],
  ['cap', atCap, [4000, 5]],
] as const)
  test(`verify() takes a schedule as it is where a price beyond the ${limit} would explain it (INV-16)`, () => {
    const { kind, message } = judge(book, solver);
    assert.equal(kind, 'ok', message);
    const { result } = clearWith(solver, book, hash);
    assert.deepEqual(result.prices.A, prices);
    assert.deepEqual(result.orders.at(-1)!.power, [20, 60]);
  });

test('verify() wants the best schedule in the hours whose prices are within the limits (INV-16)', () => {
  const book = gradual('sell', 35, 'buy 20@100#1, buy 300@4000#2, sell 300@3000#2, buy 300@200#3, sell 300@100#3', 3);
  const { result } = clearWith(solver, book, hash);
  assert.deepEqual(result.prices.A, [-500, 3000, 100]);
  const unit = result.orders.at(-1)!;
  const broken = () =>
    verify(book, hash, result)
      .checks.filter(({ violations }) => violations.length > 0)
      .map(({ invariant }) => invariant);
  assert.deepEqual(broken(), []);
  const [first, second, third] = unit.power as number[];
  Object.assign(unit, { power: [first, second, third! - 10] });
  assert(broken().includes('INV-16'), broken().join());
});
