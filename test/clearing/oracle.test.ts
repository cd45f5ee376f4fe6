/**
 * The engine against the oracle, on small random books of all order kinds: the same welfare, to the cent, and a result that the verifier
 * passes, and a proof of it that the proof's checker passes.
 *
 * `npm test` takes 300 books of up to 6 decisions, `npm run test:oracle` 2,000, `npm run fuzz` as many as `RUNS` says and a hundredth as many of up to 12, by a new
 * seed. The seed is printed; `SEED` and `RUNS` repeat a run. What fails is printed as small as it can be made.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import { clearWith } from '../../src/clearing/clear.ts';
import { loadSolver } from '../../src/clearing/solver/highs.ts';
import type { Book } from '../../src/market/book.ts';
import { AuctionError } from '../../src/market/errors.ts';
import { checkProof } from '../../src/verify/proof/check-proof.ts';
import { verify } from '../../src/verify/verify.ts';
import { bestDecisions } from '../support/enumerate.ts';
import { type Flavour, randomOrders } from '../support/random-orders.ts';
import { shrink } from '../support/shrink.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;
const seed = Number(process.env.SEED ?? 20250401);
const runs = Number(process.env.RUNS ?? 300);
const mostShown = 3;

/** What is wrong with the engine's answer to a book; undefined when nothing is. */
function wrongWith(book: Book): string | undefined {
  const best = bestDecisions(book, solver);
  let cleared: ReturnType<typeof clearWith>;
  try {
    cleared = clearWith(solver, book, hash, { proves: true });
  } catch (error) {
    if (!(error instanceof AuctionError)) return `fails: ${(error as Error).message}`;
    return best === undefined ? undefined : `refused, where the oracle finds ${best.welfare}: ${error.message}`;
  }
  const { result, proof } = cleared;
  const shown = checkProof(book, hash, result, proof!);
  const broken = [...verify(book, hash, result).checks, ...shown.checks].filter(
    ({ violations }) => violations.length > 0,
  );
  if (broken.length > 0) {
    const [first] = broken;
    const { where, message } = first!.violations[0]!;
    return `${first!.invariant} refused by the verifier: ${where}: ${message}`;
  }
  const { welfare, bound, status } = result;
  // Without prices within the limits that support anything the house leaves out who would lose, and says so.
  if (best === undefined) return status === 'feasible' ? undefined : `${status}, where nothing has supporting prices`;
  const tolerance = 0.02 + 1e-8 * Math.abs(best.welfare);
  if (bound < best.welfare - tolerance) return `the bound ${bound} is below ${best.welfare}`;
  if (shown.claimed === 0 && shown.bound < best.welfare - tolerance)
    return `the proof shows ${shown.bound}, below ${best.welfare}`;
  if (status === 'optimal' && Math.abs(welfare - best.welfare) <= tolerance) return undefined;
  return `${status} with ${welfare}, the oracle finds ${best.welfare} with ${best.on.join(' ') || 'all off'}`;
}

/** The books of these seeds; fails with the smallest books on which the two differ. */
function compare(count: number, decisions: number): void {
  const wrong: string[] = [];
  for (let k = 0; k < count; k++) {
    const book = randomOrders(seed + k, decisions);
    const message = wrongWith(book);
    if (message === undefined) continue;
    if (wrong.length < mostShown) {
      const kind = (text: string | undefined) => text?.split(' ')[0];
      const small = shrink(book, (smaller) => kind(wrongWith(smaller)) === kind(message));
      wrong.push(`SEED=${seed + k} RUNS=1: ${message}\n${wrongWith(small)}\n${JSON.stringify(small)}`);
    } else wrong.push(`SEED=${seed + k}: ${message}`);
  }
  assert.equal(wrong.length, 0, `${wrong.length} of ${count} books\n${wrong.slice(0, 30).join('\n')}`);
}

console.log(`# random books of all kinds: SEED=${seed} RUNS=${runs}`);

test('bestDecisions() finds the same when it tries all decisions', () => {
  for (let k = 0; k < 50; k++) {
    const book = randomOrders(seed + k, 5);
    const [lazy, all] = [bestDecisions(book, solver), bestDecisions(book, solver, 'all')];
    assert.equal(lazy === undefined, all === undefined);
    if (lazy !== undefined)
      assert(Math.abs(lazy.welfare - all!.welfare) < 1e-6, `${lazy.welfare}, not ${all!.welfare}`);
  }
});

test(`clear() finds the oracle's welfare on books of up to 6 decisions`, () => {
  compare(runs, 6);
});

test(`clear() finds the oracle's welfare on books of up to 12 decisions`, () => {
  compare(Math.ceil(runs / 100), 12);
});

/** The oracle knows neither lots nor straight lines: there the verifier is the judge. Seeds are not shrunk. */
const flavours: Record<string, Flavour> = {
  'whole lots of 0.1 MW': { lot: 0.1 },
  'straight lines': { straight: true },
  'whole lots and straight lines': { lot: 0.1, straight: true },
};

for (const [name, flavour] of Object.entries(flavours)) {
  test(`clear() on books of all kinds with ${name} passes the verifier`, () => {
    const wrong: string[] = [];
    for (let k = 0; k < Math.ceil(runs / 10); k++) {
      const book = randomOrders(seed + k, 6, flavour);
      try {
        const { checks } = verify(book, hash, clearWith(solver, book, hash).result);
        const broken = checks.filter(({ violations }) => violations.length > 0);
        if (broken.length > 0) wrong.push(`SEED=${seed + k}: ${JSON.stringify(broken).slice(0, 400)}`);
      } catch (error) {
        if (!(error instanceof AuctionError)) wrong.push(`SEED=${seed + k}: ${(error as Error).message}`);
      }
    }
    assert.deepEqual(wrong, []);
  });
}

test(`clear() within a budget is no better than the oracle, and bounds it`, () => {
  for (let k = 0; k < 150; k++) {
    const book = randomOrders(seed + k, 8);
    const best = bestDecisions(book, solver);
    if (best === undefined) continue;
    const { result } = clearWith(solver, book, hash, { branches: 1 + (k % 4) });
    const broken = verify(book, hash, result).checks.filter(({ violations }) => violations.length > 0);
    assert.deepEqual(broken, [], `SEED=${seed + k}`);
    const tolerance = 0.02 + 1e-8 * Math.abs(best.welfare);
    assert(result.welfare <= best.welfare + tolerance, `SEED=${seed + k}: ${result.welfare} above ${best.welfare}`);
    assert(result.bound >= best.welfare - tolerance, `SEED=${seed + k}: bound ${result.bound} below ${best.welfare}`);
    if (result.status === 'optimal')
      assert(result.welfare >= best.welfare - tolerance, `SEED=${seed + k}: not optimal`);
  }
});
