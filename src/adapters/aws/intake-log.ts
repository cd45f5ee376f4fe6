/**
 * The intake's log in a table: the truth about what was acknowledged.
 *
 * An auction's log has shards, so that not all writers meet at one item. A shard is a partition with a head (how many entries,
 * running hash, whether it is closed) and pages of entries. A request is committed by one transaction that moves the head of one
 * shard on, from exactly what the writer read, and puts the request's pages and its record. So:
 *  - what the transaction did not write does not exist, for anybody;
 *  - a closed head takes nothing more: after `close()` the log never changes, whatever is still on its way;
 *  - a request's record is put only where there is none: `abort()` puts one in its place, and a transaction that was given up
 *    but is still on its way will fail.
 *
 * Reading order: `commit`, then `abort` and `close`, then the readers.
 */

import { gunzipSync, gzipSync } from 'node:zlib';
import { chain, chainStart, type Entry, entryDigest, type Receipt, sequenceOf } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Order } from '../../market/order.ts';
import { limiter } from '../limiter.ts';
import { type Action, type Database, type Item, type Key, limits, type Refusal } from './database.ts';

/** What a request puts into the log: orders, or the cancellation of one. */
export interface LogRequest {
  readonly auction: string;
  readonly shards: number;
  readonly participant: string;
  /** A name of its own. */
  readonly request: string;
  readonly entries: readonly Submitted[];
}

export type Submitted = { readonly record_id: string } & (
  | { readonly order: Order; readonly text: string }
  | { readonly cancels: string }
);

export type Committed =
  | { readonly done: true; readonly receipts: Receipt[] }
  | {
      readonly done: false;
      /** The gate: this shard takes nothing more. */
      readonly closed: boolean;
      /** The request is in the log already, or will never be. */
      readonly recorded?: 'committed' | 'aborted';
      /** What stood in the way of the caller's own actions, by their position. Nothing when somebody else was first in the log. */
      readonly refused: ReadonlyMap<number, Refusal>;
      /** Whether the transaction can't come true any more, even if a copy of it is still on its way. */
      readonly isCertain: boolean;
    };

export interface LogEntry extends Entry {
  /** Running hash of its shard after it. */
  readonly hash: string;
  readonly request: string;
}

/** What is known of a request: that it is in the log and where, or that it never will be. */
export type RequestRecord =
  | { readonly committed: true; readonly shard: number; readonly first: number; readonly count: number }
  | { readonly committed: false };

interface Head {
  readonly entries: number;
  readonly chain: string;
  readonly closed?: boolean;
}

/** Bytes of compressed entries in a page. */
const pageBytes = limits.itemBytes - 20_000;
/** Bytes of pages in a request, beside what else is in its transaction. */
const pagesBytes = 2_000_000;

const headKey = (auction: string, shard: number): Key => ({ pk: `${auction}#${shard}`, sk: 'head' });
const pageSort = (number: number): string => `page#${String(number).padStart(12, '0')}`;
export const requestKey = (auction: string, request: string): Key => ({
  pk: `${auction}#request#${request}`,
  sk: 'request',
});

export type IntakeLog = ReturnType<typeof openIntakeLog>;

export function openIntakeLog(database: Database, table: string) {
  /** What this process knows of heads: they are out of date when others write too, and a refusal brings them up to date. */
  const known = new Map<string, Head>();
  /** The requests of this process go one by one, rather than refuse each other. */
  const turns = new Map<string, ReturnType<typeof limiter>>();

  async function headOf(auction: string, shard: number, shards: number): Promise<Head> {
    const item = await database.get(table, headKey(auction, shard));
    return item === undefined ? { entries: 0, chain: chainStart(auction, shard, shards) } : (item as unknown as Head);
  }

  /**
   * Try once to append to a shard, together with the caller's actions, all or none.
   *
   * @throws AuctionError `unavailable`, and then nobody knows whether it was done; `too-large`
   */
  async function commit(log: LogRequest, receivedAt: () => string, actions: readonly Action[]): Promise<Committed> {
    const shard = Math.floor(Math.random() * log.shards);
    const name = `${log.auction}#${shard}`;
    const turn = turns.get(name) ?? limiter(1);
    turns.set(name, turn);
    return turn(async () => {
      try {
        const head = known.get(name) ?? (await headOf(log.auction, shard, log.shards));
        if (head.closed) return { done: false, closed: true, refused: new Map(), isCertain: true };
        return await commitTo(log, shard, head, receivedAt(), actions);
      } catch (error) {
        known.delete(name);
        throw error;
      }
    });
  }

  async function commitTo(
    log: LogRequest,
    shard: number,
    head: Head,
    received_at: string,
    actions: readonly Action[],
  ): Promise<Committed> {
    const { auction, shards, participant, request, entries } = log;
    const name = `${auction}#${shard}`;
    let hash = head.chain;
    const receipts = entries.map((submitted, i): Receipt => {
      const sequence = sequenceOf(shard, head.entries + i + 1, shards);
      const stamp = { sequence, received_at, participant };
      const digest =
        'order' in submitted
          ? entryDigest({ ...stamp, order: submitted.order }, submitted.text)
          : entryDigest({ ...stamp, cancels: submitted.cancels });
      hash = chain(hash, digest);
      return { auction, record_id: submitted.record_id, ...stamp, hash };
    });
    const next: Head = { entries: head.entries + entries.length, chain: hash };
    const first = head.entries + 1;
    let index = 0;
    const pages = pagesOf(entries).map(({ count, content }): Action => {
      const before = index === 0 ? head.chain : receipts[index - 1]!.hash;
      const number = first + index;
      index += count;
      const put = { pk: name, sk: pageSort(number), first: number, participant, received_at, request, before, content };
      return { table, put };
    });
    const own: Action[] = [
      {
        table,
        update: headKey(auction, shard),
        set: { text: 'SET entries = :next, chain = :chain', values: { ':next': next.entries, ':chain': next.chain } },
        condition:
          head.entries === 0
            ? { text: 'attribute_not_exists(entries) AND attribute_not_exists(closed)' }
            : {
                text: 'entries = :entries AND chain = :before AND attribute_not_exists(closed)',
                values: { ':entries': head.entries, ':before': head.chain },
              },
      },
      {
        table,
        put: { ...requestKey(auction, request), shard, first, count: entries.length },
        condition: { text: 'attribute_not_exists(pk)' },
      },
    ];
    const answer = await database.transact([...own, ...pages, ...actions]);
    if (answer.done) {
      known.set(name, next);
      return { done: true, receipts };
    }
    const moved = answer.refused.get(0)?.found as unknown as Head | undefined;
    if (moved?.entries === undefined) known.delete(name);
    else known.set(name, moved);
    const record = answer.refused.get(1)?.found;
    const offset = own.length + pages.length;
    return {
      done: false,
      closed: moved?.closed === true,
      ...(record && { recorded: record.aborted ? 'aborted' : 'committed' }),
      refused: new Map(
        [...answer.refused].filter(([at]) => at >= offset).map(([at, refusal]) => [at - offset, refusal]),
      ),
      isCertain: [...answer.refused.values()].some(({ code }) => code === 'ConditionalCheckFailed'),
    };
  }

  /**
   * See to it that a request is never committed, if it is not. `ttl` says when its record may go.
   *
   * @returns whether it is committed
   */
  async function abort(auction: string, request: string, ttl: number): Promise<boolean> {
    const put = { ...requestKey(auction, request), aborted: true, ttl };
    const answer = await database.transact([{ table, put, condition: { text: 'attribute_not_exists(pk)' } }]);
    if (answer.done) return false;
    const record = (await records(auction, [request])).get(request);
    return record === undefined ? abort(auction, request, ttl) : record.committed;
  }

  /** From here on the log of an auction takes nothing more. */
  async function close(auction: string, shards: number): Promise<void> {
    for (let shard = 0; shard < shards; shard++) {
      const set = { text: 'SET closed = :closed', values: { ':closed': true } };
      await database.update(table, headKey(auction, shard), set);
      known.delete(`${auction}#${shard}`);
    }
  }

  /** Of those requests that are committed or aborted; the others may still become either. */
  async function records(auction: string, requests: readonly string[]): Promise<Map<string, RequestRecord>> {
    const items = await database.getMany(
      table,
      requests.map((request) => requestKey(auction, request)),
    );
    return new Map(
      items.map((item): [string, RequestRecord] => {
        const { pk, aborted, shard, first, count } = item as { pk: string; aborted?: true } & Record<string, number>;
        const request = pk.slice(`${auction}#request#`.length);
        return [
          request,
          aborted ? { committed: false } : { committed: true, shard: shard!, first: first!, count: count! },
        ];
      }),
    );
  }

  /** The entries of a shard from a number (from 1) on, page by page, beginning with the page that holds it. */
  async function* entriesFrom(auction: string, shard: number, shards: number, number = 1): AsyncGenerator<LogEntry[]> {
    const pk = `${auction}#${shard}`;
    let from = pageSort(number);
    for await (const page of database.query(table, pk, { from: pageSort(0), to: from, descending: true })) {
      from = page.sk as string;
      break;
    }
    for await (const page of database.query(table, pk, { from, to: pageSort(10 ** 12 - 1) })) {
      yield entriesOf(page, shard, shards);
    }
  }

  return {
    commit,
    abort,
    close,
    records,
    entriesFrom,
    /** The keys of all that a shard has. */
    async *keys(auction: string, shard: number): AsyncGenerator<Key> {
      for await (const { pk, sk } of database.query(table, `${auction}#${shard}`)) {
        yield { pk: pk as string, sk: sk as string };
      }
    },
    /** What a committed request put into the log. */
    async entriesOf(auction: string, shards: number, record: RequestRecord & { committed: true }): Promise<LogEntry[]> {
      const { shard, first, count } = record;
      const range = { from: pageSort(first), to: pageSort(first + count - 1) };
      const entries: LogEntry[] = [];
      for await (const page of database.query(table, `${auction}#${shard}`, range))
        entries.push(...entriesOf(page, shard, shards));
      return entries;
    },
  };
}

function entriesOf(page: Item, shard: number, shards: number): LogEntry[] {
  const { first, participant, received_at, request, before, content } = page as unknown as {
    readonly first: number;
    readonly participant: string;
    readonly received_at: string;
    readonly request: string;
    readonly before: string;
    readonly content: Uint8Array;
  };
  let hash = before;
  return (JSON.parse(gunzipSync(content).toString()) as Pick<Entry, 'order' | 'cancels'>[]).map((each, i) => {
    const entry = { ...each, sequence: sequenceOf(shard, first + i, shards), received_at, participant };
    hash = chain(hash, entryDigest(entry));
    return { ...entry, hash, request };
  });
}

/** The entries in pages, compressed, none larger than an item may be. @throws AuctionError `too-large` */
function pagesOf(entries: readonly Submitted[]): { count: number; content: Uint8Array }[] {
  const pages = split(entries);
  const bytes = pages.reduce((sum, { content }) => sum + content.length, 0);
  if (bytes > pagesBytes)
    throw new AuctionError('too-large', 'the request is too large for one write: send the orders in several');
  return pages;
}

function split(entries: readonly Submitted[]): { count: number; content: Uint8Array }[] {
  const texts = entries.map((each) =>
    'text' in each ? `{"order":${each.text}}` : JSON.stringify({ cancels: each.cancels }),
  );
  const content = gzipSync(`[${texts.join(',')}]`);
  if (content.length <= pageBytes) return [{ count: entries.length, content }];
  if (entries.length === 1)
    throw new AuctionError('too-large', `order ${entries[0]!.record_id} is too large for one item`);
  const half = Math.ceil(entries.length / 2);
  return [...split(entries.slice(0, half)), ...split(entries.slice(half))];
}
