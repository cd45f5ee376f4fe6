/** The pages of the intake's log: entries as they are kept, compressed, each page with the hash that its first entry is chained to. */

import { gunzipSync, gzipSync } from 'node:zlib';
import { type ChainRule, chain, type Entry, entryDigest, sequenceOf } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Order } from '../../market/order.ts';
import { type Item, type Key, limits } from './database.ts';

/** What a request puts into the log: an order with its canonical text, or a cancellation; of which version, where it is not the first. */
export type Submitted = { readonly record_id: string; readonly version?: number } & (
  | { readonly order: Order; readonly text: string }
  | { readonly cancels: string }
);

/** So many entries, compressed. */
export interface Page {
  readonly count: number;
  readonly content: Uint8Array;
}

export interface LogEntry extends Entry {
  /** Running hash of its shard after it. */
  readonly hash: string;
  readonly digest: string;
  readonly request: string;
}

/** Bytes of compressed entries in a page. */
const pageBytes = limits.itemBytes - 20_000;
/** Bytes of pages in a request, beside what else is in its transaction. */
const pagesBytes = 2_000_000;

export const shardPartition = (auction: string, shard: number): string => `${auction}#${shard}`;
/** Where requests wait for their turn (`intake-queue.ts`). */
export const queuePartition = ({ auction, shard }: { readonly auction: string; readonly shard: number }): string =>
  `${shardPartition(auction, shard)}#waiting`;
const padded = (number: number): string => String(number).padStart(12, '0');
export const pageSort = (number: number): string => `page#${padded(number)}`;
export const lastPageSort = pageSort(10 ** 12 - 1);

/** Where the requests of a participant are noted, by shard and the number of their first entry. */
export const ownKey = (auction: string, participant: string, shard: number, first: number): Key => ({
  pk: `${auction}#of#${participant}`,
  sk: `${String(shard).padStart(3, '0')}#${padded(first)}`,
});

/** The entries in pages, none larger than an item may be. @throws AuctionError `too-large` */
export function pagesOf(entries: readonly Submitted[]): Page[] {
  const pages = split(entries);
  const bytes = pages.reduce((sum, { content }) => sum + content.length, 0);
  if (bytes > pagesBytes)
    throw new AuctionError('too-large', 'the request is too large for one write: send the orders in several');
  return pages;
}

function split(entries: readonly Submitted[]): Page[] {
  const texts = entries.map((each) => {
    const version = each.version === undefined ? '' : `,"version":${each.version}`;
    return 'text' in each
      ? `{"order":${each.text}${version}}`
      : `{"cancels":${JSON.stringify(each.cancels)}${version}}`;
  });
  const content = gzipSync(`[${texts.join(',')}]`);
  if (content.length <= pageBytes) return [{ count: entries.length, content }];
  if (entries.length === 1)
    throw new AuctionError('too-large', `order ${entries[0]!.record_id} is too large for one item`);
  const half = Math.ceil(entries.length / 2);
  return [...split(entries.slice(0, half)), ...split(entries.slice(half))];
}

/** What was put into pages. */
export const contentOf = (content: Uint8Array): PageEntry[] =>
  JSON.parse(gunzipSync(content).toString()) as PageEntry[];
type PageEntry = Pick<Entry, 'order' | 'cancels' | 'version'>;

/** The entries of a page as it lies in the table. */
export function entriesOf(page: Item, shard: number, shards: number): LogEntry[] {
  const {
    first,
    participant,
    received_at,
    request,
    before,
    content,
    rule = 1,
  } = page as unknown as {
    readonly first: number;
    readonly participant: string;
    readonly received_at: string;
    readonly request: string;
    readonly before: string;
    readonly content: Uint8Array;
    /** Of the chain; pages of before have none. */
    readonly rule?: ChainRule;
  };
  let hash = before;
  return contentOf(content).map((each, i) => {
    const entry = { ...each, sequence: sequenceOf(shard, first + i, shards), received_at, participant };
    const digest = entryDigest(rule, entry);
    hash = chain(hash, digest);
    return { ...entry, hash, digest, request };
  });
}
