/**
 * The queue before a shard of the log, for when more requests come than can move its head one by one.
 *
 * A head is one item, and of two transactions that touch it at one time one is refused: a hundred a second get through at best, and
 * each that is refused comes again. So who finds the head busy lies down here instead, and whoever is first commits for all that
 * wait (`intake-turns.ts`). What waits is a request whole: its entries, and what has to come true with it.
 *
 * An item here promises nothing. The log alone says what was taken, and a request that is in it, or aborted, is put out by whoever
 * meets it. So items may be lost, come late or come twice.
 */

import type { Clock } from '../../auction/ports.ts';
import { canonicalOrder } from '../../book/canonical.ts';
import type { Action, Database, Item, Key } from './database.ts';
import type { LogRequest } from './intake-log.ts';
import { contentOf, queuePartition, type Submitted } from './log-pages.ts';
import type { Place } from './log-readers.ts';

export interface Waiting {
  readonly key: Key;
  readonly request: string;
  /** Since when, in ms since 1970. */
  readonly since: number;
  /** The request as its owner put it here; absent where it is too large to lie here: only its owner can commit it then. */
  readonly read?: () => LogRequest;
}

/** Bytes of compressed entries that lie here; what is larger waits by its name alone. */
const largestContent = 16_000;
/** As many of those that wait as anybody looks at: more do not fit into one transaction. */
export const mostSeen = 25;

export interface IntakeQueue {
  /** @param ttl  unix seconds after which the item may go, if nobody has put it out by then */
  join(place: Place, request: LogRequest, ttl: number): Promise<Key>;
  /** Those who came first, `mostSeen` at most, in their order. */
  look(place: Place): Promise<Waiting[]>;
  /** Put out what waits for nothing any more. */
  putOut(keys: readonly Key[]): Promise<void>;
  /** The same as part of a transaction. */
  leaving(key: Key): Action;
}

export function openIntakeQueue(database: Database, table: string, clock: Clock): IntakeQueue {
  return {
    async join(place, { participant, request, pages, actions }, ttl) {
      const since = clock.now();
      const key = { pk: queuePartition(place), sk: `${since.toISOString()}#${request}` };
      const [page, ...more] = pages;
      const isSmall = more.length === 0 && page!.content.length <= largestContent;
      const whole = isSmall && { participant, count: page!.count, content: page!.content, actions };
      await database.put(table, { ...key, request, since: since.getTime(), ttl, ...whole });
      return key;
    },
    async look(place) {
      const seen: Waiting[] = [];
      for await (const item of database.query(table, queuePartition(place), { limit: mostSeen })) {
        seen.push(waitingOf(item));
        if (seen.length === mostSeen) break;
      }
      return seen;
    },
    putOut: (keys) => database.deleteMany(table, keys),
    leaving: (key) => ({ table, remove: key }),
  };
}

function waitingOf(item: Item): Waiting {
  const { pk, sk, request, since, participant, count, content, actions } = item as {
    readonly pk: string;
    readonly sk: string;
    readonly request: string;
    readonly since: number;
    readonly participant?: string;
    readonly count: number;
    readonly content: Uint8Array;
    readonly actions: readonly Action[];
  };
  const waiting = { key: { pk, sk }, request, since };
  if (participant === undefined) return waiting;
  const read = (): LogRequest => {
    const entries = contentOf(content).map(
      ({ order, cancels, ...version }): Submitted =>
        order === undefined
          ? { record_id: cancels!, cancels: cancels!, ...version }
          : { record_id: order.record_id, order, text: canonicalOrder(order), ...version },
    );
    return { participant, request, entries, pages: [{ count, content }], actions };
  };
  return { ...waiting, read };
}
