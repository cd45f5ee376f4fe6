/** The chain of an intake as its book shows it: every entry with its digest, and where the running hash comes to. */

import type { Book, IntakeLink } from '../market/book.ts';
import type { BookOrder } from '../market/order.ts';
import { canonicalOrder } from './canonical.ts';
import { type ChainRule, chain, chainStart, linkDigest, linkOf, shardOf, stampedDigest } from './intake.ts';

export interface ShownEntry {
  readonly sequence: number;
  readonly digest: string;
  /** By rule 2. */
  readonly link?: IntakeLink;
}

export type StampedOrder = BookOrder & { participant: string; sequence: number; received_at: string };

export const isStamped = (order: BookOrder): order is StampedOrder =>
  order.participant !== undefined && order.sequence !== undefined && order.received_at !== undefined;

/** Every entry by sequence: the orders, those that were left out, and what was withdrawn. Orders without stamps are none. */
export function entriesIn({ intake, orders }: Pick<Book, 'intake' | 'orders'>): ShownEntry[] {
  const leftOut = (intake?.rule === 2 && intake.leftOut) || [];
  const entries = [...orders, ...leftOut].filter(isStamped).map((each) => shownOrder(each, intake?.rule ?? 1));
  if (intake?.rule === 2)
    for (const link of intake.withdrawn) entries.push({ sequence: link.sequence, digest: linkDigest(link), link });
  else entries.push(...(intake?.withdrawn ?? []));
  return entries.sort((a, b) => a.sequence - b.sequence);
}

function shownOrder(shown: StampedOrder, rule: ChainRule): ShownEntry {
  const { participant, sequence, received_at, version, ...order } = shown;
  const stamps = { participant, sequence, received_at, record_id: order.record_id, version };
  const text = canonicalOrder(order);
  if (rule === 1) return { sequence, digest: stampedDigest(rule, stamps, text) };
  const link = linkOf(stamps, text);
  return { sequence, digest: linkDigest(link), link };
}

/**
 * The chain worked out from the book.
 *
 * @returns the running hash after each entry by its sequence, and that of each shard at its end
 */
export function chainOf(
  book: Pick<Book, 'auction' | 'intake' | 'orders'>,
  entries: readonly ShownEntry[] = entriesIn(book),
) {
  const { auction, intake } = book;
  const shards = intake?.heads?.length ?? 1;
  const seed = intake?.rule === 2 ? intake.terms : auction;
  const heads = Array.from({ length: shards }, (_, shard) => chainStart(seed, shard, shards));
  const hashes = new Map<number, string>();
  for (const { sequence, digest } of entries) {
    const shard = shardOf(sequence, shards);
    heads[shard] = chain(heads[shard]!, digest);
    hashes.set(sequence, heads[shard]!);
  }
  return { shards, heads, hashes };
}
