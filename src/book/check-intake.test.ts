import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smallBook } from '../../test/support/small-book.ts';
import type { Book } from '../market/book.ts';
import { checkIntake } from './check-intake.ts';

test('checkIntake(): a book without an intake has no stamps, neither of them', () => {
  const plain = smallBook('sell 5@10, buy 3@20');
  const codes = (stamps: object) => {
    const book = { ...plain, orders: [plain.orders[0]!, { ...plain.orders[1]!, ...stamps }] } as Book;
    return checkIntake(book).map(({ record_id, code }) => `${record_id} ${code}`);
  };
  assert.deepEqual(codes({}), []);
  assert.deepEqual(codes({ participant: 'p' }), []);
  assert.deepEqual(codes({ sequence: 1 }), ['o2 no-intake']);
  assert.deepEqual(codes({ received_at: '2025-03-31T10:00:00.000Z' }), ['o2 no-intake']);
});
