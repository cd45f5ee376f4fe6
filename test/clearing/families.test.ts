/**
 * The engine held to the exact oracle on families of small books: welfare, prices, volume, and the verifier's word.
 *
 * `npm test` draws a few books of each family; `RUNS` says how many, `SEED` from which seed on. A failing book is printed as small as it can
 * be made.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { checkBook } from '../../src/book/check-book.ts';
import { loadSolver } from '../../src/clearing/solver/highs.ts';
import { type Book, parseBook } from '../../src/market/book.ts';
import { AuctionError } from '../../src/market/errors.ts';
import { judge } from '../support/families/compare.ts';
import { bookOf, families, firstDraw } from '../support/families/families.ts';
import { scaled } from '../support/families/scaled.ts';
import { simplify } from '../support/families/simplify.ts';

const solver = await loadSolver();
const seed = Number(process.env.SEED ?? 1);
/** Fewer of those families whose books are larger. */
const few: Readonly<Record<string, number>> = { resolutions: 15, ramps: 15, complex: 15, capacities: 15, soup: 15 };
const runsOf = (name: string): number => Number(process.env.RUNS ?? few[name] ?? 25);
const scaledRuns = Number(process.env.RUNS ?? 6);
/** To simplify a book is to clear it a hundred times. */
const mostShown = process.env.RUNS === undefined ? 1 : 3;

for (const name of Object.keys(families)) {
  test(`clear() agrees with the oracle on books of the family ${name}`, () => {
    const runs = runsOf(name);
    const shown: string[] = [];
    let wrong = 0;
    for (let at = seed; at < seed + runs; at++) {
      const book = bookOf(name, at);
      const { kind, message } = judge(book, solver);
      if (kind === 'ok' || kind === 'lots') continue;
      wrong++;
      if (shown.length === mostShown) continue;
      const small = simplify(book, (candidate) => judge(candidate, solver).kind === kind);
      shown.push(`SEED=${at} ${kind}: ${message}\n${judge(small, solver).message}\n${JSON.stringify(small)}`);
    }
    assert.equal(wrong, 0, `${wrong} of ${runs} books\n${shown.join('\n')}`);
  });
}

/** By how many digits powers and prices move. */
const scales = [
  [-6, 0],
  [-3, -2],
  [-3, 0],
  [0, 2],
  [3, -3],
  [6, 2],
] as const;

for (const [power, price] of scales) {
  test(`clear() agrees with the oracle on books whose powers are 1e${power} and whose prices 1e${price} of the families'`, () => {
    const shown: string[] = [];
    let taken = 0;
    for (const name of Object.keys(families)) {
      for (let at = seed; at < seed + scaledRuns; at++) {
        const book = scaled(bookOf(name, at), power, price);
        // Powers finer than a watt and terms finer than a cent are refused at the door.
        if (!isTaken(book)) continue;
        taken++;
        const { kind, message } = judge(book, solver);
        if (kind !== 'ok' && kind !== 'lots') shown.push(`${name} SEED=${at} ${kind}: ${message}`);
      }
    }
    assert.deepEqual(shown, []);
    assert(taken > scaledRuns, `only ${taken} books were taken`);
  });
}

function isTaken(book: Book): boolean {
  try {
    checkBook(book);
    // Powers and prices are within bounds, and none is finer than a watt.
    return isDeepStrictEqual(parseBook(book), book);
  } catch (error) {
    if (error instanceof AuctionError) return false;
    throw error;
  }
}

test('most draws of every family are books that the house takes', () => {
  for (const name of Object.keys(families)) {
    const taken = Array.from({ length: 40 }, (_, i) => firstDraw(name, i + 1)).filter((book) => book !== undefined);
    assert(taken.length >= 24, `${name}: ${taken.length} of 40`);
    taken.forEach(checkBook);
  }
});
