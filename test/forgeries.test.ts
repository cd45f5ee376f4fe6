/**
 * What the verifier is for: the right result of an example passes, and whoever bends it in their favour, or by mistake, is refused
 * by the rule that they broke.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import { bookHash } from '../src/book/seal.ts';
import { clear } from '../src/clearing/clear.ts';
import type { Book } from '../src/market/book.ts';
import type { Result } from '../src/market/result.ts';
import { verify } from '../src/verify/verify.ts';
import { examples } from './support/examples.ts';
import { type Draft, forgeries } from './support/forged-limits.ts';
import { forgedOrders } from './support/forged-orders.ts';

/** Invariants of the rule book that verify() finds broken. */
function brokenIn(book: Book, result: Result): string[] {
  const { ok, checks } = verify(book, bookHash(book), result);
  const broken = checks.filter(({ violations }) => violations.length > 0).map(({ invariant }) => invariant);
  assert.equal(ok, broken.length === 0);
  return broken;
}

for (const [name, { book, result }] of Object.entries(examples)) {
  test(`${name}: verify() passes the right result`, () => assert.deepEqual(brokenIn(book, result), []));
  test(`${name}: clear() publishes the right result, to the last field`, async () => {
    assert.deepEqual((await clear(book, bookHash(book))).result, result);
  });
}

for (const { what, of, breaks, forge } of forgeries) {
  test(`${of}, forged: ${what} -> ${breaks}`, () => {
    const draft = structuredClone<Draft>(examples[of]);
    forge(draft);
    assert.notDeepEqual(draft, examples[of]);
    const broken = brokenIn(draft.book, draft.result);
    assert(broken.includes(breaks), `broken: ${broken.join(', ') || 'nothing'}`);
  });
}

test('every check that concerns limit and curve orders has refused a forgery', () => {
  const known = Object.values(examples).flatMap(({ book, result }) =>
    verify(book, bookHash(book), result).checks.filter(({ checked }) => checked > 0),
  );
  const refusing = new Set(forgeries.map(({ breaks }) => breaks));
  assert.deepEqual([...new Set(known.map(({ invariant }) => invariant))].sort(), [...refusing].sort());
});

const invariants = Array.from({ length: 37 }, (_, k) => `INV-${String(k + 1).padStart(2, '0')}`);

test('verify() names INV-01 to INV-37, each once, and each has refused a forgery', () => {
  const { book, result } = examples.E18;
  const names = verify(book, bookHash(book), result).checks.map(({ invariant }) => invariant);
  assert.deepEqual(
    names.filter((name) => name.startsWith('INV-')),
    invariants,
  );
  const refusing = new Set([
    ...forgeries.map(({ breaks }) => breaks),
    ...forgedOrders.map(({ invariant }) => invariant),
  ]);
  assert.deepEqual(
    invariants.filter((name) => !refusing.has(name)),
    [],
  );
});

test("a result does not pass for another example's book", () => {
  for (const [name, { book }] of Object.entries(examples)) {
    for (const [other, { result }] of Object.entries(examples)) {
      if (name !== other) assert.deepEqual(brokenIn(book, result).includes('INV-37'), true, `${other} for ${name}`);
    }
  }
});
