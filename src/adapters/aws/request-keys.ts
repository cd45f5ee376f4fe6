/**
 * Keys of requests: items in the intake's table, each put by the transaction that its request is written in, so that one is there if and only
 * if the other is. They say where the answer lies in the log; past their time they count as none.
 */

import type { Clock, Once } from '../../auction/ports.ts';
import { keyLifetimeMs } from '../../auction/ports.ts';
import type { Receipt } from '../../book/intake.ts';
import { keyReused } from '../changes.ts';
import type { AuctionRecord, AuctionRecords } from './auction-store.ts';
import type { Action, Database, Key } from './database.ts';
import type { IntakeLog } from './intake-log.ts';
import { isCommitted } from './log-readers.ts';
import { type Progress, type Request, receiptOf } from './requests.ts';

export interface RequestKeysOptions {
  readonly database: Database;
  readonly intakeTable: string;
  readonly log: IntakeLog;
  readonly auctions: AuctionRecords;
  readonly clock: Clock;
}

/** What is known of a key. */
interface Seen {
  readonly receipts?: Receipt[];
  /** The request of an item that counts as none, and may be put over. */
  readonly stale?: string;
}

/** Where an answer lies. */
export interface Answered {
  readonly auction: string;
  readonly request_id: string;
  /** Whether that request is in the log; one that found everything there already is not. */
  readonly isWritten: boolean;
  /** Receipts of other requests, by theirs: position in the answer, and sequence. */
  readonly earlier: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

export type RequestKeys = ReturnType<typeof openRequestKeys>;

export function openRequestKeys({ database, intakeTable, log, auctions, clock }: RequestKeysOptions) {
  const itemKey = (participant: string, { key }: Once): Key => ({ pk: `key#${participant}#${key}`, sk: 'key' });

  /** Undefined where the log has it no more. */
  async function receiptsOf({ auction, request_id, isWritten, earlier }: Answered): Promise<Receipt[] | undefined> {
    const record = await auctions.record(auction);
    const requests = [...(isWritten ? [request_id] : []), ...Object.keys(earlier)];
    const records = await log.records(auction, requests);
    const committed = requests.map((request) => records.get(request)).filter(isCommitted);
    if (record === undefined || committed.length < requests.length) return undefined;
    const entries = (await log.entriesOfAll(auction, record.shards, committed)).flat();
    const bySequence = new Map(entries.map((entry) => [entry.sequence, entry]));
    const own = entries.filter(({ request }) => isWritten && request === request_id);
    const others = new Map(Object.values(earlier).flat());
    return Array.from({ length: own.length + others.size }, (_, position) => {
      const sequence = others.get(position);
      return receiptOf(auction, sequence === undefined ? own.shift()! : bySequence.get(sequence)!);
    });
  }

  /** @throws AuctionError `key-reused` */
  async function look(participant: string, once: Once): Promise<Seen> {
    const item = await database.get(intakeTable, itemKey(participant, once));
    if (item === undefined) return {};
    const { fingerprint, expires_at, ...answered } = item as unknown as Answered & {
      readonly fingerprint: string;
      readonly expires_at: number;
    };
    const stale = answered.request_id;
    if (expires_at <= clock.now().getTime()) return { stale };
    if (fingerprint !== once.fingerprint) throw keyReused(once);
    const receipts = await receiptsOf(answered);
    return receipts === undefined ? { stale } : { receipts };
  }

  /** The item, put where there is none. */
  function put(participant: string, once: Once, answered: Answered, { stale }: Seen): Action {
    const expires_at = clock.now().getTime() + keyLifetimeMs;
    const { fingerprint } = once;
    const ttl = Math.ceil(expires_at / 1000);
    return {
      table: intakeTable,
      put: { ...itemKey(participant, once), ...answered, fingerprint, expires_at, ttl },
      condition:
        stale === undefined
          ? { text: 'attribute_not_exists(pk)' }
          : { text: 'attribute_not_exists(pk) OR request_id = :stale', values: { ':stale': stale } },
    };
  }

  return {
    look,

    /** The key of a request, if it has one, for whoever tries the request. */
    of({ auction: { id } }: AuctionRecord, participant: string, request: Request, once: Once | undefined) {
      let seen: Seen = {};
      const key = {
        /** Of a request that was written before under this key: it is this one's answer. */
        answer: undefined as Receipt[] | undefined,
        /** @throws AuctionError `key-reused` */
        async isAnswered(): Promise<boolean> {
          if (once === undefined) return false;
          seen = await look(participant, once);
          key.answer = seen.receipts;
          return seen.receipts !== undefined;
        },
        /** What goes into the transaction. @param earlier  requests of orders that had their receipts before, by record_id */
        kept(record_ids: readonly string[], earlier: ReadonlyMap<string, string>, isWritten = true): Action[] {
          if (once === undefined) return [];
          const others: Record<string, [number, number][]> = {};
          for (const [position, record_id] of record_ids.entries()) {
            const of = earlier.get(record_id);
            if (of === undefined) continue;
            others[of] ??= [];
            others[of].push([position, request.receipts.get(record_id)!.sequence]);
          }
          return [put(participant, once, { auction: id, request_id: request.id, isWritten, earlier: others }, seen)];
        },
        /** The same where nothing is written besides. */
        async keepAlone(record_ids: readonly string[], earlier: ReadonlyMap<string, string>): Promise<Progress> {
          const actions = key.kept(record_ids, earlier, false);
          return actions.length === 0 || (await database.transact(actions)).done ? 'done' : 'later';
        },
      };
      return key;
    },
  };
}
