/**
 * The intake: an append-only list of entries, each chained to the one before by a hash.
 *
 * A receipt carries the running hash, so the house cannot change, drop or reorder what it acknowledged without the hash of a
 * later receipt, or the one in the sealed book, telling on it. A cancelled order leaves the book, but not the chain.
 *
 * A store that many writers share may divide the intake of an auction into shards, each with a chain of its own, so that not
 * everybody waits for the same last entry. Sequences go round the shards: of three, the first has 1, 4, 7 and so on. A
 * sequence is then unique but says nothing of who was first in another shard, and one shard may be longer than the next.
 */

import { hash } from 'node:crypto';
import * as z from 'zod';
import { auctionId } from '../market/book.ts';
import { type Order, recordId, stamps } from '../market/order.ts';
import { canonical, canonicalOrder } from './canonical.ts';

/** What the client gets for an order that is durably in the intake. */
export const receipt = z
  .strictObject({
    auction: auctionId,
    record_id: recordId,
    participant: stamps.participant,
    sequence: stamps.sequence,
    received_at: stamps.received_at,
    hash: z.string().meta({ description: 'running hash of the intake after this order' }),
  })
  .meta({ id: 'Receipt' });
export type Receipt = z.output<typeof receipt>;

/** One entry: an order, or the cancellation of one. */
export interface Entry {
  readonly sequence: number;
  readonly received_at: string;
  readonly participant: string;
  readonly order?: Order;
  readonly cancels?: string;
}

export const sha256 = (text: string): string => `sha256:${hash('sha256', text, 'hex')}`;

/** The hash that a chain begins with: of the auction, or of the auction's shard (from 0) where there are several. */
export const chainStart = (auction: string, shard = 0, shards = 1): string =>
  sha256(shards === 1 ? auction : `${auction}#${shard}`);

/** The sequence of a shard's entry `number`, counted from 1. */
export const sequenceOf = (shard: number, number: number, shards: number): number => (number - 1) * shards + shard + 1;

/** The shard (from 0) that a sequence lies in. */
export const shardOf = (sequence: number, shards: number): number => (sequence - 1) % shards;

/** The hash of the whole intake: the running hash of its only chain, or the SHA-256 of all of them, a line each. */
export const intakeHash = (heads: readonly string[]): string =>
  heads.length === 1 ? heads[0]! : sha256(heads.join('\n'));

/**
 * Digest of one entry: SHA-256 of its canonical form. An order's text stands in it as it is, because canonical JSON sorts
 * `order` before `participant`, `received_at` and `sequence`.
 *
 * @param orderText  the canonical form of its order, where the caller has it already
 */
export function entryDigest(entry: Entry, orderText = entry.order && canonicalOrder(entry.order)): string {
  if (orderText === undefined) return sha256(canonical(entry));
  const { participant, received_at, sequence } = entry;
  const stamp = JSON.stringify({ participant, received_at, sequence }); // its keys stand in canonical order
  return sha256(`{"order":${orderText},${stamp.slice(1)}`);
}

/** The running hash after an entry: SHA-256 of the hash before, a line feed, and the entry's digest. */
export const chain = (before: string, digest: string): string => sha256(`${before}\n${digest}`);
