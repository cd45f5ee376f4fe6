/**
 * The engine against a mixed-integer program with cuts in HiGHS, on random books of more decisions than can be enumerated: the same welfare, to
 * the cent, and a result that the verifier passes.
 *
 * `npm test` takes 15 books, `npm run fuzz` as many as `RUNS` says, of up to 60 decisions. The seed is printed; `SEED` and `RUNS` repeat a run.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import { clearWith } from '../../src/clearing/clear.ts';
import { loadSolver } from '../../src/clearing/solver/highs.ts';
import type { Book } from '../../src/market/book.ts';
import { verify } from '../../src/verify/verify.ts';
import { bestByCuts } from '../support/milp.ts';
import { randomOrders } from '../support/random-orders.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;
const seed = Number(process.env.SEED ?? 20250401);
const isFuzz = process.env.RUNS !== undefined;
const runs = Number(process.env.RUNS ?? 15);
/** A book that takes more cuts says nothing: the program solves whole again after each. */
const mostCuts = isFuzz ? 100 : 4;

/** The cuts are for terms within the welfare: a minimum income becomes a minimum profit of the same terms. */
function withoutIncomes(book: Book): Book {
  const orders = book.orders.map((order) => {
    if (order.kind !== 'complex' || order.condition !== 'minimum-income') return order;
    const { scheduledStop: _, ...rest } = order;
    return { ...rest, condition: 'minimum-profit' as const };
  });
  return { ...book, orders };
}

console.log(`# random books against a mixed-integer program: SEED=${seed} RUNS=${runs}`);

test("clear() finds the mixed-integer program's welfare on books of up to 60 decisions", () => {
  let unproven = 0;
  const wrong: string[] = [];
  for (let k = 0; k < runs; k++) {
    const book = withoutIncomes(randomOrders(seed + k, 20 + (k % 5) * 10));
    const best = bestByCuts(book, solver, mostCuts);
    if (best === 'unproven') unproven++;
    if (best === 'unproven' || best === undefined) continue;
    const { result } = clearWith(solver, book, hash, { branches: 50_000 });
    const broken = verify(book, hash, result).checks.filter(({ violations }) => violations.length > 0);
    const isSame = Math.abs(result.welfare - best.welfare) <= 0.02 + 1e-8 * Math.abs(best.welfare);
    if (isSame && broken.length === 0 && result.status === 'optimal') continue;
    const { welfare, on, cuts } = best;
    wrong.push(
      `SEED=${seed + k}: ${result.status} with ${result.welfare}, the program finds ${welfare} after ${cuts} cuts with ${on.join(' ')}; ${JSON.stringify(broken)}`,
    );
  }
  console.log(`# ${runs - unproven} of ${runs} within ${mostCuts} cuts`);
  assert.deepEqual(wrong, []);
  assert(unproven <= (2 * runs) / 3, `${unproven} of ${runs} books took more than ${mostCuts} cuts`);
});
