/**
 * Evidence against a receipt: whether the entry that was acknowledged is in the book that was cleared. Signatures are looked at elsewhere,
 * with the house's keys (`cli/signatures.ts`).
 */

import type { Book } from '../market/book.ts';
import type { Problem } from '../market/errors.ts';
import { entriesIn } from './book-chain.ts';
import type { Evidence } from './evidence.ts';
import type { Receipt } from './intake.ts';
import { isExtension, MerkleTree, rootFrom, type TreeRoot } from './merkle.ts';

/** The book and the result, where who checks has them. */
export interface ClearedBook {
  readonly book?: { readonly hash: string; readonly book: Book } | undefined;
  readonly result?: { readonly hash: string; readonly book: string } | undefined;
}

/** What of the evidence does not fit the receipt, or itself, or the files. */
export function evidenceFaults(receipt: Receipt, evidence: Evidence, cleared: ClearedBook = {}): Problem[] {
  const { record_id, auction, sequence, participant, leaf } = receipt;
  const fault = (code: string, message: string): Problem => ({ record_id, field: 'evidence', code, message });
  if (evidence.auction !== auction || evidence.tree.auction !== auction)
    return [
      fault(
        'other-auction',
        `the receipt is of auction ${auction}, the evidence of ${evidence.auction}, its tree of ${evidence.tree.auction}`,
      ),
    ];
  if (evidence.sequence !== sequence || evidence.participant !== participant || evidence.record_id !== record_id) {
    const about = `entry ${evidence.sequence}, order ${evidence.record_id} of ${evidence.participant}`;
    return [fault('other-entry', `the evidence is about ${about}; the receipt about entry ${sequence}`)];
  }
  if (leaf !== undefined && leaf !== evidence.leaf)
    return [
      fault(
        'other-leaf',
        `entry ${sequence} was changed: the receipt has the leaf ${leaf}, the house proves ${evidence.leaf}`,
      ),
    ];
  return [
    ...treeFaults(evidence).map(({ code, message }) => fault(code, message)),
    ...clearedFaults(evidence, cleared).map(({ code, message }) => fault(code, message)),
  ];
}

interface Said {
  readonly code: string;
  readonly message: string;
}

function treeFaults({ leaf, index, path, sequence, tree, result }: Evidence): Said[] {
  const found: Said[] = [];
  const root = rootFrom({ leaf, index, size: tree.size, path });
  if (root !== tree.root) {
    const leads = root === undefined ? 'is none of such a place' : `leads to the root ${root}`;
    const message = `entry ${sequence} is not in the tree that was signed: its path ${leads}, signed was ${tree.root}`;
    found.push({ code: 'not-in-the-tree', message });
  }
  if (tree.book === undefined)
    found.push({ code: 'open-head', message: 'the tree is one of an open gate: it says nothing of a sealed book' });
  if (result !== undefined && (result.book !== tree.book || result.auction !== tree.auction))
    found.push({
      code: 'other-book-cleared',
      message: `the result is of the book ${result.book} of ${result.auction}, the entry is in ${tree.book}`,
    });
  return found;
}

function clearedFaults({ tree, result }: Evidence, cleared: ClearedBook): Said[] {
  const found: Said[] = [];
  if (cleared.book !== undefined) {
    const { hash, book } = cleared.book;
    if (hash !== tree.book)
      found.push({ code: 'other-book', message: `the book is ${hash}, the house signed the tree of ${tree.book}` });
    const own = rootIn(book);
    if (own.size !== tree.size || own.root !== tree.root)
      found.push({
        code: 'other-tree',
        message: `the book's ${own.size} entries have the root ${own.root}, signed was ${tree.root} over ${tree.size}`,
      });
    if (book.intake !== undefined && book.intake.hash !== tree.head)
      found.push({
        code: 'other-head',
        message: `the book's running hash is ${book.intake.hash}, signed was ${tree.head}`,
      });
  }
  if (cleared.result === undefined) return found;
  if (cleared.result.book !== tree.book)
    found.push({
      code: 'other-book-cleared',
      message: `the result is of the book ${cleared.result.book}, the entry is in ${tree.book}`,
    });
  if (result !== undefined && result.result !== cleared.result.hash)
    found.push({
      code: 'other-result',
      message: `the result is ${cleared.result.hash}, the house signed ${result.result}`,
    });
  return found;
}

/** The tree over the entries that a book shows, with what was withdrawn. */
export function rootIn(book: Pick<Book, 'intake' | 'orders'>): TreeRoot {
  const tree = new MerkleTree();
  for (const { digest } of entriesIn(book)) tree.append(digest);
  return { size: tree.size, root: tree.root() };
}

/** A tree head as somebody kept it, and how a later one was shown to extend an earlier one. */
export interface KeptHead extends TreeRoot {
  /** Whose file, to be named. */
  readonly from: string;
  readonly auction: string;
  readonly head: string;
  readonly book?: string | undefined;
  readonly consistency?: { readonly first: number; readonly path: readonly string[] } | undefined;
}

export interface Compared {
  /** The house has shown two histories. */
  readonly faults: readonly string[];
  /** Heads that nothing ties to the largest one. */
  readonly unlinked: readonly KeptHead[];
}

/**
 * Heads of one auction that several people kept: each must be the beginning of every larger one.
 *
 * Those of one size must be the same; of two sizes, a consistency proof among the files shows it.
 */
export function compareHeads(heads: readonly KeptHead[]): Compared {
  const sorted = heads.toSorted((a, b) => a.size - b.size);
  const last = sorted.at(-1)!;
  const faults: string[] = [];
  const unlinked: KeptHead[] = [];
  for (const [at, each] of sorted.entries()) {
    const same = sorted.slice(at + 1).filter(({ size }) => size === each.size);
    for (const other of same) {
      const fault = differenceOf(each, other);
      if (fault !== undefined) faults.push(fault);
    }
    if (each.size === last.size) continue;
    if (each.book !== undefined)
      faults.push(`${each.from}: the book was sealed with ${each.size} entries, ${last.from} has ${last.size}`);
    const proofs = sorted.filter(({ size, consistency }) => size > each.size && consistency?.first === each.size);
    const broken = proofs.find((later) => !isExtension(each, later, later.consistency!.path));
    if (broken !== undefined)
      faults.push(
        `${each.from} and ${broken.from}: the tree of ${broken.size} entries is no continuation of that of ${each.size}: entries were changed, dropped or put in between`,
      );
    else if (proofs.length === 0 && each.size > 0) unlinked.push(each);
  }
  return { faults: [...new Set(faults)], unlinked };
}

function differenceOf(one: KeptHead, other: KeptHead): string | undefined {
  const both = `${one.from} and ${other.from}`;
  if (one.root !== other.root)
    return `${both}: two trees of ${one.size} entries, with the roots ${one.root} and ${other.root}`;
  if (one.head !== other.head)
    return `${both}: two running hashes after ${one.size} entries, ${one.head} and ${other.head}`;
  if (one.book !== undefined && other.book !== undefined && one.book !== other.book)
    return `${both}: two books from the same ${one.size} entries, ${one.book} and ${other.book}`;
  return undefined;
}
