/**
 * A Merkle tree over the intake, as in RFC 6962 section 2.1: who has its root can be shown that an entry is in it, and that a later tree
 * only added to it, by some dozens of hashes.
 *
 * A leaf is the digest of an entry (`intake.ts`): of an order that is withdrawn later it shows nothing. Leaves stand by sequence. The house computes
 * no interior node while orders come in; `MerkleTree` makes them when somebody asks. The two checks know no tree, only what was shown.
 */

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { sha256 } from './intake.ts';

const bytes = 32;
const prefix = 'sha256:';

/** A hash, a character for each of its bytes: `node:crypto` gives and takes these in half the time of a buffer. */
type Node = string;
const textOf = (node: Node): string => `${prefix}${Buffer.from(node, 'latin1').toString('hex')}`;
const nodeOf = (text: string): Node => Buffer.from(text.slice(prefix.length), 'hex').toString('latin1');

/** Of no entries: the hash of nothing. */
export const emptyRoot = sha256('');

/** SHA-256 of 0x00 and the leaf: the 32 bytes of an entry's digest. @param leaf  `sha256:...` */
export const leafHash = (leaf: string): string => textOf(hashedLeaf(leaf));

function hashedLeaf(leaf: string): Node {
  const written = leafInput.write(leaf.slice(prefix.length), 1, 'hex');
  assert(leaf.startsWith(prefix) && written === bytes, `${leaf} is no digest`);
  return hash('sha256', leafInput, 'binary');
}
const leafInput = Buffer.alloc(1 + bytes, 0x00);

/** SHA-256 of 0x01, the left and the right. */
function hashedNode(left: Node, right: Node): Node {
  nodeInput.write(left, 1, 'latin1');
  nodeInput.write(right, 1 + bytes, 'latin1');
  return hash('sha256', nodeInput, 'binary');
}
const nodeInput = Buffer.alloc(1 + 2 * bytes, 0x01);

/** Hashes side by side. */
class Hashes {
  #kept = Buffer.alloc(64 * bytes);
  length = 0;

  push(node: Node): void {
    if ((this.length + 1) * bytes > this.#kept.length) {
      const wider = Buffer.alloc(2 * this.#kept.length);
      this.#kept.copy(wider);
      this.#kept = wider;
    }
    this.#kept.write(node, this.length++ * bytes, 'latin1');
  }

  at = (index: number): Node => this.#kept.toString('latin1', index * bytes, (index + 1) * bytes);
}

/** Grows at its end. 64 bytes an entry; a root or a proof takes some dozens of hashes. */
export class MerkleTree {
  /** By height the complete subtrees: of one leaf, two, four and so on. */
  readonly #levels = [new Hashes()];

  get size(): number {
    return this.#levels[0]!.length;
  }

  /** @param leaf  the digest of the next entry */
  append(leaf: string): void {
    let node = hashedLeaf(leaf);
    for (let height = 0; ; height++) {
      if (height === this.#levels.length) this.#levels.push(new Hashes());
      const level = this.#levels[height]!;
      level.push(node);
      if (level.length % 2 === 1) return;
      node = hashedNode(level.at(level.length - 2), level.at(level.length - 1));
    }
  }

  /** @param size  of the first so many leaves; all unless given */
  root(size = this.size): string {
    this.#checkSize(size);
    return size === 0 ? emptyRoot : textOf(this.#over(0, size));
  }

  /** `PATH(index, D[size])`: what `includes` needs beside the leaf, from the leaf up. @param index  from 0 */
  inclusion(index: number, size = this.size): string[] {
    this.#checkSize(size);
    assert(index >= 0 && index < size, `there is no leaf ${index} in a tree of ${size}`);
    const path: string[] = [];
    let [from, to] = [0, size];
    while (to - from > 1) {
      const middle = from + splitOf(to - from);
      if (index < middle) {
        path.unshift(textOf(this.#over(middle, to)));
        to = middle;
      } else {
        path.unshift(textOf(this.#over(from, middle)));
        from = middle;
      }
    }
    return path;
  }

  /** `PROOF(first, D[size])`: what `extends` needs beside the two roots. @param first  1 to `size` */
  consistency(first: number, size = this.size): string[] {
    this.#checkSize(size);
    assert(first >= 1 && first <= size, `a tree of ${size} has no proof from ${first}`);
    const path: string[] = [];
    let [from, to] = [0, size];
    while (first < to) {
      const middle = from + splitOf(to - from);
      if (first <= middle) {
        path.unshift(textOf(this.#over(middle, to)));
        to = middle;
      } else {
        path.unshift(textOf(this.#over(from, middle)));
        from = middle;
      }
    }
    // The first tree's own root its owner has already.
    return from === 0 ? path : [textOf(this.#over(from, to)), ...path];
  }

  #checkSize(size: number): void {
    assert(size >= 0 && size <= this.size, `a tree of ${this.size} leaves has none of ${size}`);
  }

  /** `MTH(D[from:to])`. */
  #over(from: number, to: number): Node {
    const count = to - from;
    const height = Math.log2(count);
    if (Number.isInteger(height) && from % count === 0) return this.#levels[height]!.at(from / count);
    const middle = from + splitOf(count);
    return hashedNode(this.#over(from, middle), this.#over(middle, to));
  }
}

/** The largest power of two below a count of two at least. */
const splitOf = (count: number): number => 2 ** Math.floor(Math.log2(count - 1));

export interface Inclusion {
  /** Digest of the entry. */
  readonly leaf: string;
  /** Its place in the tree, from 0. */
  readonly index: number;
  readonly size: number;
  readonly path: readonly string[];
}

/** The root that an audit path leads to (RFC 9162, 2.1.3.2); undefined when the path is none of such a place in such a tree. */
export function rootFrom({ leaf, index, size, path }: Inclusion): string | undefined {
  if (!(index >= 0 && index < size)) return undefined;
  let [place, last] = [index, size - 1];
  let node = hashedLeaf(leaf);
  for (const text of path) {
    if (last === 0) return undefined;
    const other = nodeOf(text);
    if (place % 2 === 1 || place === last) {
      node = hashedNode(other, node);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else node = hashedNode(node, other);
    [place, last] = [half(place), half(last)];
  }
  return last === 0 ? textOf(node) : undefined;
}

/** A tree as somebody holds the house to it. */
export interface TreeRoot {
  readonly size: number;
  readonly root: string;
}

/** Whether a tree has all leaves of an earlier one at their places (RFC 9162, 2.1.4.2). */
export function isExtension(earlier: TreeRoot, later: TreeRoot, path: readonly string[]): boolean {
  if (earlier.size < 1 || earlier.size > later.size) return false;
  if (earlier.size === later.size) return path.length === 0 && earlier.root === later.root;
  const isWhole = Number.isInteger(Math.log2(earlier.size));
  const [start, ...rest] = isWhole ? [earlier.root, ...path] : path;
  if (start === undefined) return false;
  let [place, last] = [earlier.size - 1, later.size - 1];
  while (place % 2 === 1) [place, last] = [half(place), half(last)];
  let old = nodeOf(start);
  let node = old;
  for (const text of rest) {
    if (last === 0) return false;
    const other = nodeOf(text);
    if (place % 2 === 1 || place === last) {
      old = hashedNode(other, old);
      node = hashedNode(other, node);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else node = hashedNode(node, other);
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && textOf(old) === earlier.root && textOf(node) === later.root;
}

const half = (number: number): number => Math.floor(number / 2);
