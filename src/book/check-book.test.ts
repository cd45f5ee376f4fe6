/** What a book has to be before anybody clears it: an order of each kind of fault, by the field that is told. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smallBook } from '../../test/support/small-book.ts';
import { parseBook } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import { checkBook } from './check-book.ts';

const plain = { record_id: 'a', zone: 'A', side: 'buy', price: 10, power: 1.5, period: 1 };

/** `record_id field code` of what is wrong in a book of two half-hours with these orders. */
function faultsOf(orders: readonly object[], changes: object = {}): string[] {
  const empty = smallBook('', { resolution: 'PT30M', periods: 2, ...changes });
  try {
    checkBook(parseBook({ ...empty, orders }));
    return [];
  } catch (error) {
    assert(error instanceof AuctionError && error.code === 'invalid-book', String(error));
    return error.problems.map(({ record_id, field, code }) => `${record_id} ${field} ${code}`);
  }
}

test('checkBook(): powers are on the lot of the book, and on the watt where it has none', () => {
  assert.deepEqual(faultsOf([plain], { lot: 0.5 }), []);
  assert.deepEqual(faultsOf([plain], { lot: 1 }), ['a power power-off-lot']);
  assert.deepEqual(faultsOf([plain]), []);
});

test('checkBook(): orders may be as long as the market time unit of the book, or longer', () => {
  const long = (resolution: string, more: object = {}) => [{ ...plain, resolution, ...more }];
  assert.deepEqual(faultsOf(long('PT30M')), []);
  assert.deepEqual(faultsOf(long('PT60M')), []);
  assert.deepEqual(faultsOf(long('PT60M'), { periods: 3 }), ['a resolution resolution-not-taken']);
  assert.deepEqual(faultsOf(long('PT15M')), ['a resolution resolution-not-taken']);
});

test('checkBook(): zones and periods are there, and prices within the limits', () => {
  assert.deepEqual(faultsOf([{ ...plain, zone: 'B' }]), ['a zone unknown-zone']);
  assert.deepEqual(faultsOf([{ ...plain, period: 3 }]), ['a period unknown-period']);
  assert.deepEqual(faultsOf([{ ...plain, price: 4001 }]), ['a price price-off-limits']);
});

test('checkBook(): an id is there once for each participant, and names are of their own orders', () => {
  const block = { zone: 'A', kind: 'block', side: 'sell', price: 10, from: 1, to: 2, power: 5 };
  const [parent, child] = [
    { ...block, record_id: 'parent' },
    { ...block, record_id: 'child', linkedTo: 'parent' },
  ];
  const of = (participant: string, order: object) => ({ ...order, participant });
  assert.deepEqual(faultsOf([plain, plain]), ['a record_id duplicate']);
  assert.deepEqual(faultsOf([of('p', plain), of('q', plain)]), []);
  assert.deepEqual(faultsOf([parent, child]), []);
  assert.deepEqual(faultsOf([of('p', parent), of('p', child)]), []);
  assert.match(faultsOf([of('p', parent), of('q', child)]).join(), /^child linkedTo /);
});

test('checkBook() tells the first fault, with how many more there are', () => {
  const book = (...orders: object[]) => parseBook({ ...smallBook('', { lot: 1 }), orders });
  assert.throws(() => checkBook(book({ ...plain, resolution: 'PT15M' })), {
    message: /resolutions PT60M \(and 1 more/,
  });
  assert.throws(() => checkBook(book(plain)), { message: /^order a: power: 1\.5 is not .*; the nearest is \d$/ });
  assert.throws(() => checkBook(book(plain, { ...plain, record_id: 'b' })), {
    message: /^order a: power: .*\(and 1 more\)$/,
  });
});
