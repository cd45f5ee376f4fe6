import assert from 'node:assert/strict';
import test from 'node:test';
import { smallBook } from '../../../test/support/small-book.ts';
import { inUnits, unitsOf } from './units.ts';

const limits = { min: -500, max: 4000, tick: 0.01 };
const book = (orders: string, changes: object = {}) => smallBook(orders, { priceLimits: limits, ...changes });

test('unitsOf() leaves books of megawatts with usual limits as they are', () => {
  assert.deepEqual(unitsOf(book('sell 100@10')), { power: 0, price: 0 });
  assert.deepEqual(unitsOf(book('sell 500000@10')), { power: 0, price: 0 });
});

test('unitsOf() makes a hundred units at least of the largest order, in parts of a megawatt down to a watt', () => {
  assert.deepEqual(unitsOf(book('sell 99.9@10')), { power: 1, price: 0 });
  assert.deepEqual(unitsOf(book('sell 0.005@10, buy 0.002@20')), { power: 5, price: 0 });
  assert.deepEqual(unitsOf(book('sell 0.000001@10')), { power: 6, price: 0 });
});

test('unitsOf() makes the wider price limit 1,000 to 10,000, also where there is none', () => {
  assert.deepEqual(unitsOf(book('sell 100@0.1', { priceLimits: { min: -0.05, max: 0.4 } })), { power: 0, price: 4 });
  assert.deepEqual(unitsOf(book('sell 100@10', { priceLimits: { min: -100_000, max: 10 } })), { power: 0, price: -1 });
  for (const max of [1000, 10_000])
    assert.deepEqual(unitsOf(book('sell 100@10', { priceLimits: { min: -500, max } })), { power: 0, price: 0 });
  const none = { ...book('sell 100@0'), priceLimits: { min: 0, max: 0 } };
  assert.deepEqual(unitsOf(none), { power: 0, price: 0 });
});

test('inUnits() moves decimals without losing a digit, and names the lot and the tick that results are rounded to', () => {
  const moved = inUnits(book('sell 0.003@0.07', { priceLimits: { min: -0.05, max: 0.4 } }), { power: 3, price: 4 });
  assert.deepEqual(moved.priceLimits, { min: -500, max: 4000, tick: 0.01 });
  assert.equal(moved.lot, 0.001);
  const [order] = moved.orders;
  assert(order?.kind === 'limit');
  assert.deepEqual([order.power, order.price], [3, 700]);
});
