import assert from 'node:assert/strict';
import test from 'node:test';
import { smallBook } from '../../test/support/small-book.ts';
import type { Book } from '../market/book.ts';
import { chain, chainStart, entryDigest, type Receipt } from './intake.ts';
import { receiptFaults, runningHashes } from './receipts.ts';

const received_at = '2025-03-31T10:00:00.000Z';
const plain = smallBook('sell 5@10, buy 3@20');
const [first, second] = plain.orders.map((order, k) => ({ ...order, participant: 'p', sequence: k + 1, received_at }));
const stamped: Book = { ...plain, orders: [first!, second!] };

/** The receipts of both, worked out by hand from the chain's own definition. */
const receipts: Receipt[] = [];
let head = chainStart(plain.auction);
for (const [k, order] of plain.orders.entries()) {
  const stamp = { participant: 'p', sequence: k + 1, received_at };
  head = chain(head, entryDigest(1, { ...stamp, order }));
  receipts.push({ auction: plain.auction, record_id: order.record_id, version: 1, ...stamp, hash: head });
}

test('receiptFaults() has nothing against the receipts of the book', () => {
  assert.deepEqual(receiptFaults(stamped, receipts), []);
});

test('receiptFaults() names a receipt of another auction, of an entry that is not there, and of another order', () => {
  const messages = (changes: Partial<Receipt>): string[] =>
    receiptFaults(stamped, [{ ...receipts[1]!, ...changes }]).map(({ message }) => message);
  assert.match(messages({ auction: 'other' })[0]!, /the receipt is of auction other/);
  assert.match(messages({ sequence: 7 })[0]!, /no entry 7/);
  assert.match(messages({ record_id: 'o9' })[0]!, /entry 2 of the book is order o2 of p/);
  assert.match(messages({ participant: 'q' })[0]!, /entry 2 of the book is order o2 of p/);
  assert.match(messages({ hash: receipts[0]!.hash })[0]!, /the receipt has/);
});

test('receiptFaults() holds the leaf of a receipt to the entry; receipts of before have none', () => {
  const leafOf = (receipt: Receipt) => {
    const { sequence } = receipt;
    const order = plain.orders[sequence - 1]!;
    return entryDigest(1, { participant: 'p', sequence, received_at, order });
  };
  const withLeaves = receipts.map((receipt) => ({ ...receipt, leaf: leafOf(receipt) }));
  assert.deepEqual(receiptFaults(stamped, withLeaves), []);
  const swapped = [{ ...withLeaves[0]!, leaf: withLeaves[1]!.leaf }];
  assert.match(receiptFaults(stamped, swapped)[0]!.message, /the book gives entry 1 the leaf sha256:.*the receipt has/);
});

test('receiptFaults() notices an order that was changed, also by the receipts after it', () => {
  const changed = { ...stamped, orders: [{ ...first!, price: 11 } as typeof first & object, second!] };
  assert.deepEqual(
    receiptFaults(changed, receipts).map(({ record_id }) => record_id),
    ['o1', 'o2'],
  );
});

test('runningHashes() counts entries with all their stamps alone', () => {
  for (const missing of ['participant', 'sequence', 'received_at'] as const) {
    const { [missing]: _, ...half } = second!;
    assert.deepEqual([...runningHashes({ ...stamped, orders: [first!, half] }).keys()], [1]);
  }
  assert.equal(runningHashes(plain).size, 0);
});
