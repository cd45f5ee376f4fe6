/**
 * The intake: an append-only list of entries, each chained to the one before by a hash.
 *
 * A receipt carries the running hash, so the house cannot change, drop or reorder what it acknowledged without the hash of a
 * later receipt, or the one in the sealed book, telling on it. A cancelled order leaves the book, but not the chain; so does one that was
 * replaced. Entries about later versions of an order say which; those of before versions are about the first.
 *
 * There are two rules of chaining. By rule 2 a chain begins at the terms of its auction (`opening.ts`), and an entry says what kind it is
 * and which order it is about, so that a withdrawn order can be seen to have a cancellation without being shown. Auctions of before, whose
 * record says nothing of a chain, go by rule 1: it begins at the auction's id, and covers orders and cancellations alone.
 *
 * A store that many writers share may divide the intake of an auction into shards, each with a chain of its own, so that not
 * everybody waits for the same last entry. Sequences go round the shards: of three, the first has 1, 4, 7 and so on. A
 * sequence is then unique but says nothing of who was first in another shard, and one shard may be longer than the next.
 */

import { hash } from 'node:crypto';
import * as z from 'zod';
import { auctionId, type IntakeLink, sha256Text } from '../market/book.ts';
import { type Order, recordId, stamps } from '../market/order.ts';
import { canonical, canonicalOrder } from './canonical.ts';

/** What the client gets for an order that is durably in the intake. */
export const receipt = z
  .strictObject({
    auction: auctionId,
    record_id: recordId,
    version: z
      .int()
      .min(1)
      .default(1)
      .meta({ description: 'of the order, from 1; of a cancellation the one it withdraws' }),
    participant: stamps.participant,
    sequence: stamps.sequence,
    received_at: stamps.received_at,
    hash: z.string().meta({ description: 'running hash of the intake after this order' }),
    leaf: sha256Text.optional().meta({
      description: 'digest of this entry: its leaf of the tree over the intake. Receipts of before have none',
    }),
  })
  .meta({ id: 'Receipt' });
export type Receipt = z.output<typeof receipt>;

/** One entry: an order, a later version of one, or its cancellation. */
export interface Entry {
  readonly sequence: number;
  readonly received_at: string;
  readonly participant: string;
  readonly order?: Order;
  readonly cancels?: string;
  /** Of the order, or of the one that is cancelled; the first without it. */
  readonly version?: number;
}

export const sha256 = (text: string): string => `sha256:${hash('sha256', text, 'hex')}`;

/** The rule that a chain goes by. */
export type ChainRule = 1 | 2;

/** Of an auction that is chained by rule 2: fixed when it was made, and part of its record. */
export const chainTerms = z
  .strictObject({
    rule: z.literal(2),
    terms: sha256Text.meta({ description: 'hash of its terms, at which its chain begins' }),
    network: sha256Text.meta({ description: 'hash of the network that it was made with' }),
  })
  .meta({ id: 'ChainTerms' });
export type ChainTerms = z.output<typeof chainTerms>;

interface Chained {
  readonly id: string;
  readonly chain?: ChainTerms | undefined;
}

export const ruleOf = ({ chain }: Pick<Chained, 'chain'>): ChainRule => chain?.rule ?? 1;
/** What the chain of an auction begins at: the hash of its terms, or by rule 1 its id. */
export const seedOf = ({ id, chain }: Chained): string => chain?.terms ?? id;

/** The hash that a chain begins with: of its seed, or of the seed's shard (from 0) where there are several. */
export const chainStart = (seed: string, shard = 0, shards = 1): string =>
  sha256(shards === 1 ? seed : `${seed}#${shard}`);

/** The sequence of a shard's entry `number`, counted from 1. */
export const sequenceOf = (shard: number, number: number, shards: number): number => (number - 1) * shards + shard + 1;

/** The shard (from 0) that a sequence lies in. */
export const shardOf = (sequence: number, shards: number): number => (sequence - 1) % shards;

/** The hash of the whole intake: the running hash of its only chain, or the SHA-256 of all of them, a line each. */
export const intakeHash = (heads: readonly string[]): string =>
  heads.length === 1 ? heads[0]! : sha256(heads.join('\n'));

/** What an entry says besides the order itself. */
export interface EntryStamps {
  readonly sequence: number;
  readonly received_at: string;
  readonly participant: string;
  /** Of the order, or of the one that is cancelled. */
  readonly record_id: string;
  /** Of the same; the first without it. */
  readonly version?: number | undefined;
}

/** Digest of one entry. */
export const entryDigest = (rule: ChainRule, { order, cancels, ...stamps }: Entry): string =>
  stampedDigest(rule, { ...stamps, record_id: order?.record_id ?? cancels! }, order && canonicalOrder(order));

/** The same from its parts. @param text  the canonical form of its order; a cancellation has none */
export const stampedDigest = (rule: ChainRule, stamps: EntryStamps, text: string | undefined): string =>
  rule === 1 ? wholeDigest(stamps, text) : linkDigest(linkOf(stamps, text));

/**
 * By rule 1: SHA-256 of the entry's canonical form. An order's text stands in it as it is, because canonical JSON sorts
 * `order` before `participant`, `received_at`, `sequence` and `version`.
 */
function wholeDigest({ record_id, ...stamps }: EntryStamps, text: string | undefined): string {
  const { participant, received_at, sequence, version } = stamps;
  const later = isLater(version) ? { version } : {};
  if (text === undefined)
    return sha256(canonical({ cancels: record_id, participant, received_at, sequence, ...later }));
  const stamp = JSON.stringify({ participant, received_at, sequence, ...later }); // its keys stand in canonical order
  return sha256(`{"order":${text},${stamp.slice(1)}`);
}

/** By rule 2: an entry as far as the book shows it where its order was withdrawn. */
export function linkOf(stamps: EntryStamps, text: string | undefined): IntakeLink {
  const { participant, record_id, received_at, sequence, version } = stamps;
  const of = nameHash(participant, record_id);
  const later = isLater(version) ? { version } : {};
  if (text === undefined) return { kind: 'cancellation', of, received_at, sequence, ...later };
  return {
    content: sha256(text),
    kind: isLater(version) ? 'replacement' : 'order',
    of,
    received_at,
    sequence,
    ...later,
  };
}

/** Digests say nothing of a first version, so that those of before hold. */
const isLater = (version: number | undefined): version is number => version !== undefined && version > 1;

/** Which order an entry is about, for whoever knows its names. A participant's name has no slash. */
export const nameHash = (participant: string, record_id: string): string => sha256(`${participant}/${record_id}`);

/** SHA-256 of the canonical form: its keys are sorted, and none of its values needs an escape. */
export const linkDigest = ({ content, kind, of, received_at, sequence, version }: IntakeLink): string => {
  const what = content === undefined ? '' : `"content":"${content}",`;
  const which = version === undefined ? '' : `,"version":${version}`;
  return sha256(`{${what}"kind":"${kind}","of":"${of}","received_at":"${received_at}","sequence":${sequence}${which}}`);
};

/** The running hash after an entry: SHA-256 of the hash before, a line feed, and the entry's digest. */
export const chain = (before: string, digest: string): string => sha256(`${before}\n${digest}`);
