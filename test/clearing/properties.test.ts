/** Properties of clearing on random books. The seed is printed with a failure, and can be given by `SEED`. */

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { clearWith } from '../../src/clearing/clear.ts';
import { loadSolver } from '../../src/clearing/solver/highs.ts';
import type { Book } from '../../src/market/book.ts';
import { verify } from '../../src/verify/verify.ts';
import { plainWelfare } from '../support/plain-welfare.ts';
import { type Flavour, randomBook } from '../support/random-book.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;
const cleared = (book: Book) => clearWith(solver, book, hash).result;
const numRuns = Number(process.env.RUNS ?? 150);
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`# random books: SEED=${seed} RUNS=${numRuns}`);

const flavours: Record<string, Flavour> = {
  steps: {},
  'steps below zero': { negative: true },
  'straight lines': { straight: true },
  'several resolutions': { resolutions: true },
  'losses and tariffs': { costs: true },
  everything: { costs: true, resolutions: true, straight: true },
};

for (const [name, flavour] of Object.entries(flavours)) {
  test(`clear() on random books with ${name} passes the verifier`, () => {
    fc.assert(
      fc.property(randomBook(flavour), (book) => {
        const verification = verify(book, hash, cleared(book));
        const broken = verification.checks.filter((check) => check.violations.length > 0);
        assert.deepEqual(broken, []);
      }),
      { numRuns, seed },
    );
  });

  test(`clear() on random books with ${name} reaches the welfare of the plain program`, () => {
    fc.assert(
      fc.property(randomBook(flavour), (book) => {
        const result = cleared(book);
        assert.equal(result.status, 'optimal');
        const { welfare, error } = plainWelfare(book, solver);
        const lots = 2 * (book.lot ?? 0) * book.zones.length * book.periods * 300;
        assert(result.welfare >= welfare - 0.02 - lots, `${result.welfare} is less than ${welfare}`);
        assert(result.welfare <= welfare + error + 0.02 + lots, `${result.welfare} is more than ${welfare}`);
      }),
      { numRuns, seed },
    );
  });
}
