/** The tree against RFC 6962 section 2.1 read a second time: its definitions word for word, over lists, without a thought for speed. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { sha256 } from './intake.ts';
import { emptyRoot, isExtension, leafHash, MerkleTree, rootFrom } from './merkle.ts';

const digest = (...parts: Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const text = (node: Uint8Array): string => `sha256:${Buffer.from(node).toString('hex')}`;
const data = (leaf: string): Buffer => Buffer.from(leaf.slice(7), 'hex');

/** The largest power of two smaller than n. */
function largestBelow(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** 2.1: MTH. */
function mth(list: readonly string[]): Buffer {
  if (list.length === 0) return digest();
  if (list.length === 1) return digest(Uint8Array.of(0), data(list[0]!));
  const k = largestBelow(list.length);
  return digest(Uint8Array.of(1), mth(list.slice(0, k)), mth(list.slice(k)));
}

/** 2.1.1: PATH. */
function auditPath(m: number, list: readonly string[]): Buffer[] {
  if (list.length === 1) return [];
  const k = largestBelow(list.length);
  return m < k
    ? [...auditPath(m, list.slice(0, k)), mth(list.slice(k))]
    : [...auditPath(m - k, list.slice(k)), mth(list.slice(0, k))];
}

/** 2.1.2: SUBPROOF; PROOF is it with `true`. */
function subproof(m: number, list: readonly string[], isKnown: boolean): Buffer[] {
  if (m === list.length) return isKnown ? [] : [mth(list)];
  const k = largestBelow(list.length);
  return m <= k
    ? [...subproof(m, list.slice(0, k), isKnown), mth(list.slice(k))]
    : [...subproof(m - k, list.slice(k), false), mth(list.slice(0, k))];
}

const leavesOf = (count: number): string[] => Array.from({ length: count }, (_, i) => sha256(`entry ${i}`));
const treeOf = (leaves: readonly string[]): MerkleTree => {
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.append(leaf);
  return tree;
};

test('MerkleTree has the roots and proofs of RFC 6962, for every size and place up to 40', () => {
  const leaves = leavesOf(40);
  const tree = treeOf(leaves);
  assert.equal(new MerkleTree().root(), emptyRoot);
  for (let size = 1; size <= leaves.length; size++) {
    const some = leaves.slice(0, size);
    const root = text(mth(some));
    assert.equal(tree.root(size), root);
    assert.equal(treeOf(some).root(), root);
    for (let index = 0; index < size; index++) {
      const path = tree.inclusion(index, size);
      assert.deepEqual(path, auditPath(index, some).map(text));
      assert.equal(rootFrom({ leaf: leaves[index]!, index, size, path }), root);
      const proof = tree.consistency(index + 1, size);
      assert.deepEqual(proof, subproof(index + 1, some, true).map(text));
      assert(isExtension({ size: index + 1, root: tree.root(index + 1) }, { size, root }, proof));
    }
  }
});

test('MerkleTree agrees with the second reading on trees of thousands', () => {
  const leaves = leavesOf(3000);
  const tree = treeOf(leaves);
  const place = fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.nat(), fc.nat()).map(([size, index, first]) => ({
    size,
    index: index % size,
    first: 1 + (first % size),
  }));
  fc.assert(
    fc.property(place, ({ size, index, first }) => {
      const some = leaves.slice(0, size);
      const root = text(mth(some));
      assert.equal(tree.root(size), root);
      const path = tree.inclusion(index, size);
      assert.deepEqual(path, auditPath(index, some).map(text));
      assert.equal(rootFrom({ leaf: leaves[index]!, index, size, path }), root);
      const proof = tree.consistency(first, size);
      assert.deepEqual(proof, subproof(first, some, true).map(text));
      assert(isExtension({ size: first, root: tree.root(first) }, { size, root }, proof));
    }),
    { seed: 21, numRuns: 20 },
  );
});

test('rootFrom() and isExtension() take nothing but what the tree gives: any hash, place, size or length that differs is refused', () => {
  const leaves = leavesOf(70);
  const tree = treeOf(leaves);
  const other = sha256('something else');
  const choice = fc.tuple(fc.integer({ min: 2, max: 70 }), fc.nat(), fc.nat(), fc.nat());
  fc.assert(
    fc.property(choice, ([size, a, b, c]) => {
      const index = a % size;
      const root = tree.root(size);
      const path = tree.inclusion(index, size);
      const shown = { leaf: leaves[index]!, index, size, path };
      const cut = path.with(b % path.length, other);
      assert.notEqual(rootFrom({ ...shown, leaf: other }), root);
      assert.notEqual(rootFrom({ ...shown, index: (index + 1 + (c % (size - 1))) % size }), root);
      assert.notEqual(rootFrom({ ...shown, path: cut }), root);
      assert.notEqual(rootFrom({ ...shown, path: path.slice(1) }), root);
      assert.notEqual(rootFrom({ ...shown, path: [...path, other] }), root);
      assert.equal(rootFrom({ ...shown, index: size }), undefined);

      const first = 1 + (a % (size - 1));
      const [earlier, later] = [
        { size: first, root: tree.root(first) },
        { size, root },
      ];
      const proof = tree.consistency(first, size);
      assert(isExtension(earlier, later, proof));
      assert(!isExtension({ ...earlier, root: other }, later, proof));
      assert(!isExtension(earlier, { ...later, root: other }, proof));
      assert(!isExtension(earlier, later, proof.with(b % proof.length, other)));
      assert(!isExtension(earlier, later, proof.slice(1)));
      assert(!isExtension(earlier, later, [...proof, other]));
      assert(!isExtension(later, earlier, proof));
      assert(!isExtension({ size: 0, root: emptyRoot }, later, []));
    }),
    { seed: 22, numRuns: 300 },
  );
});

test('a tree in which one leaf is another is no extension of the first, whatever is shown of it', () => {
  const leaves = leavesOf(21);
  const tree = treeOf(leaves);
  for (let changed = 0; changed < 13; changed++) {
    const forged = treeOf(leaves.with(changed, sha256('forged')));
    assert(!isExtension({ size: 13, root: tree.root(13) }, { size: 21, root: forged.root() }, forged.consistency(13)));
  }
});

test('leafHash() is that of RFC 6962: a zero, then the leaf', () => {
  const leaf = sha256('x');
  assert.equal(leafHash(leaf), text(digest(Uint8Array.of(0), data(leaf))));
});
