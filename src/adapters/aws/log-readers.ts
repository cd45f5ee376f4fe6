/** Reading the intake's log: what became of requests, and the entries of a shard, of requests, of a participant. */

import type { ChainTerms } from '../../book/intake.ts';
import type { Database, Item, Key } from './database.ts';
import { entriesOf, type LogEntry, lastPageSort, ownKey, pageSort, shardPartition } from './log-pages.ts';

/** One shard of an auction's log. */
export interface Place {
  readonly auction: string;
  readonly shard: number;
  readonly shards: number;
  readonly chain?: ChainTerms | undefined;
}

/** What is known of a request: that it is in the log and where, or that it never will be. */
export type RequestRecord = CommittedRecord | { readonly committed: false };

export interface CommittedRecord {
  readonly committed: true;
  readonly shard: number;
  /** Number of its first entry, from 1. */
  readonly first: number;
  readonly count: number;
}

export const isCommitted = (record: RequestRecord | undefined): record is CommittedRecord => record?.committed === true;

export const requestKey = (auction: string, request: string): Key => ({
  pk: `${auction}#request#${request}`,
  sk: 'request',
});

/** Every shard of an auction's log. */
export const placesOf = (record: {
  readonly auction: { readonly id: string; readonly chain?: ChainTerms | undefined };
  readonly shards: number;
}): Place[] => {
  const { auction, shards } = record;
  return Array.from({ length: shards }, (_, shard) => ({ auction: auction.id, shard, shards, chain: auction.chain }));
};

/** Requests of a participant whose pages are read together, at most. */
const readTogether = 50;

export function openLogReaders(database: Database, table: string) {
  /** Of those requests that are committed or aborted; the others may still become either. */
  async function records(auction: string, requests: readonly string[]): Promise<Map<string, RequestRecord>> {
    const items = await database.getMany(
      table,
      requests.map((request) => requestKey(auction, request)),
    );
    return new Map(
      items.map(({ pk, aborted, shard, first, count }): [string, RequestRecord] => [
        (pk as string).slice(`${auction}#request#`.length),
        aborted === true ? { committed: false } : ({ committed: true, shard, first, count } as CommittedRecord),
      ]),
    );
  }

  /** The entries of a shard from a number (from 1) on, page by page, beginning with the page that holds it. */
  async function* entriesFrom({ auction, shard, shards }: Place, number = 1): AsyncGenerator<LogEntry[]> {
    const pk = shardPartition(auction, shard);
    const holding = await first(
      database.query(table, pk, { from: pageSort(0), to: pageSort(number), descending: true, limit: 1 }),
    );
    const from = (holding?.sk as string | undefined) ?? pageSort(number);
    for await (const page of database.query(table, pk, { from, to: lastPageSort })) {
      yield entriesOf(page, shard, shards);
    }
  }

  /** What committed requests put into the log, a list for each of them. Most have one page: these are read together. */
  async function entriesOfAll(
    auction: string,
    shards: number,
    committed: readonly Omit<CommittedRecord, 'committed'>[],
  ): Promise<LogEntry[][]> {
    const items = await database.getMany(
      table,
      committed.map(({ shard, first }) => ({ pk: shardPartition(auction, shard), sk: pageSort(first) })),
    );
    const firstPages = new Map(items.map((page) => [`${page.pk} ${page.sk}`, page]));
    return Promise.all(
      committed.map(async ({ shard, first, count }) => {
        const pk = shardPartition(auction, shard);
        const page = firstPages.get(`${pk} ${pageSort(first)}`);
        const entries = page === undefined ? [] : entriesOf(page, shard, shards);
        if (entries.length >= count) return entries;
        const rest = { from: pageSort(first + entries.length), to: pageSort(first + count - 1) };
        for await (const more of database.query(table, pk, rest)) entries.push(...entriesOf(more, shard, shards));
        return entries;
      }),
    );
  }

  /**
   * The same as `entriesFrom`, of one participant alone, without a look at what others sent.
   *
   * @param wanted  how many entries the caller takes at most
   */
  async function* ownEntriesFrom(
    place: Place,
    participant: string,
    number: number,
    wanted: number,
  ): AsyncGenerator<LogEntry[]> {
    const { auction, shard, shards } = place;
    const keyAt = (number: number): Key => ownKey(auction, participant, shard, number);
    const { pk } = keyAt(0);
    const within = { from: keyAt(0).sk!, to: keyAt(number).sk! };
    const holding = await first(database.query(table, pk!, { ...within, descending: true, limit: 1 }));
    const from = (holding?.sk as string | undefined) ?? keyAt(number).sk!;
    const entriesOfSome = async (some: readonly Item[]): Promise<LogEntry[]> =>
      (await entriesOfAll(auction, shards, some as unknown as CommittedRecord[])).flat();
    const together = Math.min(readTogether, wanted);
    let some: Item[] = [];
    for await (const own of database.query(table, pk!, { from, to: keyAt(10 ** 12 - 1).sk! })) {
      some.push(own);
      if (some.length < together) continue;
      yield await entriesOfSome(some);
      some = [];
    }
    if (some.length > 0) yield await entriesOfSome(some);
  }

  /** The pages of a shard as they lie in the table. */
  const pagesOf = ({ auction, shard }: Place): AsyncGenerator<Item> =>
    database.query(table, shardPartition(auction, shard), { from: pageSort(0), to: lastPageSort });

  return { records, entriesFrom, ownEntriesFrom, entriesOfAll, pagesOf };
}

async function first(items: AsyncIterable<Item>): Promise<Item | undefined> {
  for await (const item of items) return item;
  return undefined;
}
