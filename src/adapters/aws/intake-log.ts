/**
 * The intake's log in a table: the truth about what was acknowledged.
 *
 * An auction's log has shards, so that not all writers meet at one item. A shard is a partition with a head (how many entries,
 * running hash, whether it is closed) and pages of entries. Requests are committed by one transaction that moves the head of one
 * shard on, from exactly what the writer read, and puts the pages and the record of each. So:
 *  - what the transaction did not write does not exist, for anybody;
 *  - a closed head takes nothing more: after `close()` the log never changes, whatever is still on its way;
 *  - a request's record is put only where there is none: `abort()` puts one in its place, and a transaction that was given up
 *    but is still on its way will fail.
 *
 * Reading order: `commit`, then `abort` and `close`, then `log-readers.ts`. Whose turn it is to commit is said in `intake-turns.ts`.
 */

import { chain, chainStart, type Receipt, ruleOf, seedOf, sequenceOf, stampedDigest } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Action, Database, Key, Refusal } from './database.ts';
import { ownKey, type Page, pageSort, queuePartition, type Submitted, shardPartition } from './log-pages.ts';
import { openLogReaders, type Place, requestKey } from './log-readers.ts';
import { pause } from './pause.ts';

/** A request as it goes into the log. */
export interface LogRequest {
  readonly participant: string;
  /** A name of its own. */
  readonly request: string;
  /** Orders, or the replacement or the cancellation of one. */
  readonly entries: readonly Submitted[];
  /** The same, as the log keeps it. */
  readonly pages: readonly Page[];
  /** What comes true together with it, or it does not. */
  readonly actions: readonly Action[];
}

export type Committed =
  | { readonly done: true; readonly receipts: Receipt[][] }
  | {
      readonly done: false;
      /** Somebody else was first at the head, or is there right now. */
      readonly moved: boolean;
      /** The gate: this shard takes nothing more. */
      readonly closed: boolean;
      /** What spoke against each request, in their order. */
      readonly against: readonly Against[];
      /** Whether the transaction can't come true any more, even if a copy of it is still on its way. */
      readonly isCertain: boolean;
    };

export interface Against {
  /** It is in the log already, or will never be. */
  readonly recorded?: 'committed' | 'aborted';
  /** What stood in the way of its own actions, by their position. */
  readonly refused: ReadonlyMap<number, Refusal>;
}

export interface Head {
  readonly entries: number;
  readonly chain: string;
  readonly closed?: boolean;
}

const headKey = ({ auction, shard }: Pick<Place, 'auction' | 'shard'>): Key => ({
  pk: shardPartition(auction, shard),
  sk: 'head',
});

/** A seal that meets a commit under way comes again. */
const closeAttempts = 20;
const abortAttempts = 6;

/** What is left of a shard once its pages are gone: its head, and what waits before it for nothing. */
export async function keysOfShard(database: Database, table: string, place: Place): Promise<Key[]> {
  const keys = [headKey(place)];
  for await (const { pk, sk } of database.query(table, queuePartition(place)))
    keys.push({ pk: pk as string, sk: sk as string });
  return keys;
}

export type IntakeLog = ReturnType<typeof openIntakeLog>;

export function openIntakeLog(database: Database, table: string) {
  const readers = openLogReaders(database, table);

  async function headOf({ auction, shard, shards, chain }: Place): Promise<Head> {
    const item = await database.get(table, headKey({ auction, shard }));
    return item?.entries === undefined
      ? {
          entries: 0,
          chain: chainStart(seedOf({ id: auction, chain }), shard, shards),
          ...(item?.closed === true && { closed: true }),
        }
      : (item as unknown as Head);
  }

  /**
   * Try once to append requests to a shard, one after another, together with their actions, all or none.
   *
   * @throws AuctionError `unavailable`, and then nobody knows whether it was done
   */
  async function commit(
    place: Place,
    head: Head,
    requests: readonly LogRequest[],
    received_at: string,
  ): Promise<Committed> {
    let next = head;
    const steps = requests.map((request) => {
      const step = appended(table, place, next, request, received_at);
      next = step.next;
      return step;
    });
    const move: Action = {
      table,
      update: headKey(place),
      set: { text: 'SET entries = :next, chain = :chain', values: { ':next': next.entries, ':chain': next.chain } },
      condition:
        head.entries === 0
          ? { text: 'attribute_not_exists(entries) AND attribute_not_exists(closed)' }
          : {
              text: 'entries = :entries AND chain = :before AND attribute_not_exists(closed)',
              values: { ':entries': head.entries, ':before': head.chain },
            },
    };
    const answer = await database.transact([move, ...steps.flatMap(({ actions }) => actions)]);
    if (answer.done) return { done: true, receipts: steps.map(({ receipts }) => receipts) };
    const { refused } = answer;
    let from = 1;
    const against = steps.map(({ actions }, at): Against => {
      const within = [...refused].filter(([index]) => index >= from && index < from + actions.length);
      const record = refused.get(from)?.found;
      const ofItsOwn = from + actions.length - requests[at]!.actions.length;
      from += actions.length;
      return {
        ...(record && { recorded: record.aborted ? 'aborted' : 'committed' }),
        refused: new Map(within.filter(([at]) => at >= ofItsOwn).map(([at, refusal]) => [at - ofItsOwn, refusal])),
      };
    });
    return {
      done: false,
      moved: refused.has(0),
      closed: refused.get(0)?.found?.closed === true,
      against,
      isCertain: [...refused.values()].some(({ code }) => code === 'ConditionalCheckFailed'),
    };
  }

  /**
   * See to it that a request is never committed, if it is not. `ttl` says when its record may go.
   *
   * @returns whether it is committed
   */
  async function abort(auction: string, request: string, ttl: number): Promise<boolean> {
    const put = { ...requestKey(auction, request), aborted: true, ttl };
    for (let attempt = 0; ; attempt++) {
      const answer = await database.transact([{ table, put, condition: { text: 'attribute_not_exists(pk)' } }]);
      if (answer.done) return false;
      const record = (await readers.records(auction, [request])).get(request);
      if (record !== undefined) return record.committed;
      if (attempt === abortAttempts) throw new AuctionError('unavailable', 'the request is being written right now');
      await pause(attempt);
    }
  }

  /** From here on the log of an auction takes nothing more. */
  async function close(auction: string, shards: number): Promise<void> {
    const set = { text: 'SET closed = :closed', values: { ':closed': true } };
    const closeOne = async (shard: number, attempt = 0): Promise<void> => {
      try {
        await database.update(table, headKey({ auction, shard }), set);
      } catch (error) {
        const isBusy = error instanceof AuctionError && error.code === 'unavailable';
        if (!isBusy || attempt === closeAttempts) throw error;
        await pause(Math.min(attempt, 3));
        await closeOne(shard, attempt + 1);
      }
    };
    await Promise.all(Array.from({ length: shards }, (_, shard) => closeOne(shard)));
  }

  return { ...readers, headOf, commit, abort, close };
}

/** What a request at this head puts: its record, its pages, where it is for its participant, and what comes with it. */
function appended(table: string, place: Place, head: Head, log: LogRequest, received_at: string) {
  const { auction, shard, shards } = place;
  const rule = ruleOf(place);
  const { participant, request, entries } = log;
  const first = head.entries + 1;
  let hash = head.chain;
  const receipts = entries.map((submitted, i): Receipt => {
    const stamp = { sequence: sequenceOf(shard, first + i, shards), received_at, participant };
    const { record_id, version = 1 } = submitted;
    const text = 'text' in submitted ? submitted.text : undefined;
    const leaf = stampedDigest(rule, { ...stamp, record_id, version }, text);
    hash = chain(hash, leaf);
    return { auction, record_id, version, ...stamp, hash, leaf };
  });
  let index = 0;
  const pages = log.pages.map(({ count, content }): Action => {
    const before = index === 0 ? head.chain : receipts[index - 1]!.hash;
    const number = first + index;
    index += count;
    const stamps = { first: number, participant, received_at, request, before, ...(rule !== 1 && { rule }) };
    return { table, put: { pk: shardPartition(auction, shard), sk: pageSort(number), ...stamps, content } };
  });
  const where = { shard, first, count: entries.length };
  const record: Action = {
    table,
    put: { ...requestKey(auction, request), ...where },
    condition: { text: 'attribute_not_exists(pk)' },
  };
  const own: Action = { table, put: { ...ownKey(auction, participant, shard, first), ...where } };
  const next: Head = { entries: head.entries + entries.length, chain: hash };
  return { next, receipts, actions: [record, ...pages, own, ...log.actions] };
}
