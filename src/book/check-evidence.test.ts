/** Every way in which evidence can be something else than it says has words of its own. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareHeads, evidenceFaults, type KeptHead } from './check-evidence.ts';
import type { Evidence } from './evidence.ts';
import { type Receipt, sha256 } from './intake.ts';
import { MerkleTree } from './merkle.ts';

const leaves = Array.from({ length: 9 }, (_, i) => sha256(`entry ${i}`));
const treeOf = (some: readonly string[]): MerkleTree => {
  const tree = new MerkleTree();
  for (const leaf of some) tree.append(leaf);
  return tree;
};
const tree = treeOf(leaves);
const book = sha256('the book');
const signed = { at: '2025-04-01T11:00:00Z', signature: 'e30..c2ln' };

const receipt: Receipt = {
  ...{ auction: 'a', record_id: 'o', participant: 'p', sequence: 5, received_at: '2025-04-01T10:30:00Z' },
  ...{ hash: sha256('chain'), leaf: leaves[4]!, version: 1 },
};
const head = { auction: 'a', size: 9, root: tree.root(), head: sha256('end'), book, ...signed };
const evidence: Evidence = {
  merit: 'evidence/1',
  ...{ auction: 'a', participant: 'p', record_id: 'o', sequence: 5, leaf: leaves[4]!, index: 4 },
  path: tree.inclusion(4),
  tree: head,
  result: { auction: 'a', book, result: sha256('the result'), ...signed },
};
const codes = (changes: Partial<Evidence>, of: Partial<Receipt> = {}) =>
  evidenceFaults({ ...receipt, ...of }, { ...evidence, ...changes }).map(({ code }) => code);

test('evidenceFaults() has nothing to say of evidence that fits, and a word for each that does not', () => {
  assert.deepEqual(codes({}), []);
  assert.deepEqual(codes({ auction: 'b' }), ['other-auction']);
  assert.deepEqual(codes({ tree: { ...head, auction: 'b' } }), ['other-auction']);
  for (const changes of [{ sequence: 6 }, { record_id: 'o2' }, { participant: 'q' }])
    assert.deepEqual(codes(changes), ['other-entry']);
  assert.deepEqual(codes({ leaf: leaves[3]! }), ['other-leaf']);
  assert.deepEqual(codes({ leaf: leaves[3]! }, { leaf: undefined }), ['not-in-the-tree']);
  assert.deepEqual(codes({ index: 3 }), ['not-in-the-tree']);
  assert.deepEqual(codes({ index: 9 }), ['not-in-the-tree']);
  assert.deepEqual(codes({ path: [] }), ['not-in-the-tree']);
  assert.deepEqual(codes({ tree: { ...head, root: leaves[0]! } }), ['not-in-the-tree']);
  assert.deepEqual(codes({ tree: { ...head, size: 8 } }), ['not-in-the-tree']);
  const { book: _, ...open } = head;
  assert.deepEqual(codes({ tree: open }), ['open-head', 'other-book-cleared']);
  assert.deepEqual(codes({ result: { ...evidence.result!, book: sha256('another') } }), ['other-book-cleared']);
});

test('evidenceFaults() holds book and result of files to what was signed', () => {
  const of = (cleared: Parameters<typeof evidenceFaults>[2]) =>
    evidenceFaults(receipt, evidence, cleared).map(({ code }) => code);
  const result = { hash: evidence.result!.result, book };
  assert.deepEqual(of({ result }), []);
  assert.deepEqual(of({ result: { ...result, hash: sha256('another') } }), ['other-result']);
  assert.deepEqual(of({ result: { ...result, book: sha256('another') } }), ['other-book-cleared']);
  const intake = { hash: head.head, withdrawn: leaves.map((digest, at) => ({ sequence: at + 1, digest })) };
  const own = { auction: 'a', intake, orders: [] } as never;
  assert.deepEqual(of({ book: { hash: book, book: own } }), []);
  assert.deepEqual(of({ book: { hash: sha256('another'), book: own } }), ['other-book']);
  const altered = { ...intake, hash: sha256('another'), withdrawn: intake.withdrawn.slice(1) };
  assert.deepEqual(of({ book: { hash: book, book: { auction: 'a', intake: altered, orders: [] } as never } }), [
    'other-tree',
    'other-head',
  ]);
});

const headOf = (some: readonly string[], size: number, first?: number): KeptHead => {
  const grown = treeOf(some);
  return {
    ...{ from: `${size}`, auction: 'a', size, root: grown.root(size), head: sha256(some.slice(0, size).join()) },
    ...(first !== undefined && { consistency: { first, path: grown.consistency(first, size) } }),
  };
};

test('compareHeads() takes any heads of one history, and no two of which one drops, adds, swaps or changes an entry', () => {
  const size = fc.integer({ min: 1, max: 8 });
  const kinds = ['drop', 'add', 'swap', 'change'] as const;
  fc.assert(
    fc.property(size, fc.constantFrom(...kinds), fc.nat(), (first, kind, where) => {
      const honest = [headOf(leaves, first), headOf(leaves, 9, first), headOf(leaves, 9)];
      assert.deepEqual(compareHeads(honest), { faults: [], unlinked: [] });
      const at = where % first;
      const forged = {
        drop: leaves.toSpliced(at, 1),
        add: leaves.toSpliced(at, 0, sha256('more')),
        swap: leaves.with(at, leaves[at + 1]!).with(at + 1, leaves[at]!),
        change: leaves.with(at, sha256('other')),
      }[kind];
      const [mine, theirs] = [headOf(leaves, first), headOf(forged, forged.length, first)];
      assert.equal(compareHeads([mine, theirs]).faults.length, 1);
      assert.equal(compareHeads([theirs, mine]).faults.length, 1);
      assert.equal(compareHeads([mine, headOf(forged, first)]).faults.length, 1);
    }),
    { seed: 21, numRuns: 200 },
  );
});

test('compareHeads() names what nothing leads from, a tree that grew after its sealing, and two books or chains of one tree', () => {
  const [small, large] = [headOf(leaves, 3), headOf(leaves, 9)];
  assert.deepEqual(
    compareHeads([large, small]).unlinked.map(({ size }) => size),
    [3],
  );
  assert.match(compareHeads([{ ...small, book }, headOf(leaves, 9, 3)]).faults[0]!, /sealed with 3 entries/);
  assert.match(compareHeads([large, { ...large, head: sha256('x') }]).faults[0]!, /two running hashes/);
  const books = [large, large].map((each, at) => ({ ...each, book: sha256(`${at}`) }));
  assert.match(compareHeads(books).faults[0]!, /two books/);
});
