/**
 * The tree over the intake of an auction, grown when somebody asks and kept in memory: its head while the gate is open, and proofs once the
 * book is sealed.
 *
 * The leaves come from the store, as long as it has the orders, and then from the sealed book. What grows is held to the chain, and in the
 * end to the root that was signed when the book was sealed. While the gate is open no proof is given, only heads: the hashes of a proof let
 * who can guess a neighbour's order see that the guess was right.
 */

import { chainOf, entriesIn } from '../../book/book-chain.ts';
import type { TreeAnswer, TreeHead } from '../../book/evidence.ts';
import { chain, chainStart, intakeHash, seedOf, shardOf } from '../../book/intake.ts';
import { MerkleTree } from '../../book/merkle.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Auction } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { findAuction, wrongState } from '../records/moves.ts';
import { readSealedBook } from '../views/results.ts';
import { signTree } from './statements.ts';

/** A tree as far as it was grown. */
export interface IntakeTree {
  readonly tree: MerkleTree;
  /** Of the entries, by their place. */
  readonly sequences: number[];
  /** Running hash of each shard. */
  readonly heads: string[];
}

type Leaf = { readonly sequence: number; readonly digest: string; readonly hash: string };

/** Entries that are read together, and then others have their turn. */
const together = 1000;
/** Trees that are kept, and entries in all of them but the newest: 70 bytes each. */
const most = { trees: 50, entries: 2_000_000 };
/**
 * While the gate is open orders come first: a head is not made anew before its time, in ms, and then of so many more entries at most. That is a
 * twentieth of a processor, however many ask; in a rush heads lag behind.
 */
const whileOpen = { headLifeMs: 1000, entries: 5000 };

interface Kept extends IntakeTree {
  /** One growth at a time. */
  growing: Promise<unknown>;
  head?: TreeAnswer;
}

const known = new WeakMap<Ports['orders'], Map<string, Kept>>();

function keptOf(ports: Ports, auction: Auction, shards: number): Kept {
  const kept = known.get(ports.orders) ?? new Map<string, Kept>();
  known.set(ports.orders, kept);
  const heads = Array.from({ length: shards }, (_, shard) => chainStart(seedOf(auction), shard, shards));
  const found = kept.get(auction.id) ?? { tree: new MerkleTree(), sequences: [], heads, growing: Promise.resolve() };
  // The one asked for last stands last.
  kept.delete(auction.id);
  kept.set(auction.id, found);
  const entries = () => [...kept.values()].reduce((sum, { tree }) => sum + tree.size, 0);
  for (const id of kept.keys())
    if (id !== auction.id && (kept.size > most.trees || entries() > most.entries)) kept.delete(id);
  return found;
}

/** The tree over all that is in the intake by now. @throws AuctionError `damaged-data` */
export async function intakeTree(ports: Ports, auction: Auction): Promise<IntakeTree> {
  const kept = keptOf(ports, auction, await ports.orders.shards(auction.id));
  return inTurn(kept, async () => {
    await grow(ports, auction, kept);
    await completeSealed(ports, auction, kept);
    return kept;
  });
}

/** After what was begun before. */
function inTurn<T>(kept: Kept, work: () => Promise<T>): Promise<T> {
  const done = kept.growing.then(work);
  kept.growing = done.catch(() => undefined);
  return done;
}

/** By what the store has, or by so many entries. */
async function grow(ports: Ports, auction: Auction, kept: IntakeTree, most = Number.POSITIVE_INFINITY): Promise<void> {
  for (let left = most; left > 0; ) {
    const wanted = Math.min(together, left);
    const leaves = await ports.orders.leaves(auction.id, kept.sequences.at(-1) ?? 0, wanted);
    append(auction, kept, leaves);
    left -= leaves.length;
    if (leaves.length < wanted) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The tree of a sealed book is the one that was signed. */
async function completeSealed(ports: Ports, auction: Auction, kept: IntakeTree): Promise<void> {
  if (auction.book === undefined) return;
  if (auction.tree === undefined || kept.tree.size < auction.tree.size) await growFromBook(ports, auction, kept);
  if (auction.tree !== undefined && kept.tree.root() !== auction.tree.root)
    throw damaged(auction, `its tree has the root ${kept.tree.root()}, signed was ${auction.tree.root}`);
}

/** Orders leave the store a day after their gate. */
async function growFromBook(ports: Ports, auction: Auction, kept: IntakeTree): Promise<void> {
  const book = await readSealedBook(ports, auction);
  const entries = entriesIn(book);
  const { hashes } = chainOf(book, entries);
  const rest = entries.slice(kept.tree.size);
  append(
    auction,
    kept,
    rest.map(({ sequence, digest }) => ({ sequence, digest, hash: hashes.get(sequence)! })),
  );
}

function append(auction: Auction, { tree, sequences, heads }: IntakeTree, leaves: readonly Leaf[]): void {
  for (const { sequence, digest, hash } of leaves) {
    const shard = shardOf(sequence, heads.length);
    const after = chain(heads[shard]!, digest);
    if (after !== hash) throw damaged(auction, `entry ${sequence} does not follow the one before it`);
    heads[shard] = after;
    tree.append(digest);
    sequences.push(sequence);
  }
}

const damaged = ({ id }: Auction, fault: string): AuctionError =>
  new AuctionError('damaged-data', `the intake of auction ${id} is damaged: ${fault}`);

/** The head that was signed when the book was sealed. @throws AuctionError `wrong-state` before that, or for a book of before there were trees */
export function sealedHead(auction: Auction): Required<Omit<TreeAnswer, 'consistency'>> {
  const { id, book, tree } = auction;
  if (book === undefined) throw wrongState(auction, 'its book is not sealed');
  if (tree === undefined) throw wrongState(auction, 'its book was sealed without a tree, by an earlier version');
  return { auction: id, ...tree, book: book.hash };
}

/**
 * The signed head of the tree: of the sealed book, or of the intake so far.
 *
 * @param first  size of an earlier tree, that of somebody who wants to see that this one only added to it
 * @throws AuctionError `not-found`; `wrong-state` for a proof before the book is sealed, and for an auction that was called off before;
 *         `invalid-request` when the tree is smaller than `first`
 */
export async function readTree(ports: Ports, id: string, first?: number): Promise<TreeAnswer> {
  const auction = await findAuction(ports, id);
  if (auction.book === undefined && first === undefined) return openHead(ports, auction);
  const head = sealedHead(auction);
  if (first === undefined) return head;
  if (first > head.size)
    throw new AuctionError('invalid-request', `the tree of ${id} has ${head.size} entries, fewer than ${first}`);
  const { tree } = await intakeTree(ports, auction);
  return { ...head, consistency: { first, path: tree.consistency(first) } };
}

async function openHead(ports: Ports, auction: Auction): Promise<TreeAnswer> {
  if (auction.state === 'cancelled') throw wrongState(auction, 'its book was never sealed');
  const kept = keptOf(ports, auction, await ports.orders.shards(auction.id));
  return inTurn(kept, async () => {
    const now = ports.clock.now().getTime();
    if (kept.head !== undefined && now - Date.parse(kept.head.at) < whileOpen.headLifeMs) return kept.head;
    await grow(ports, auction, kept, whileOpen.entries);
    const { tree, heads, head } = kept;
    if (head?.size === tree.size) return head;
    const statement: Omit<TreeHead, 'at'> = {
      ...{ auction: auction.id, size: tree.size },
      ...{ root: tree.root(), head: intakeHash(heads) },
    };
    kept.head = { ...statement, ...(await signTree(ports, statement)) };
    return kept.head;
  });
}

/** Where an entry of a sealed book lies. @returns undefined when the book has none of that sequence */
export function placeOf({ sequences }: IntakeTree, sequence: number): number | undefined {
  let [low, high] = [0, sequences.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sequences[middle]! < sequence) low = middle + 1;
    else high = middle;
  }
  return sequences[low] === sequence ? low : undefined;
}
