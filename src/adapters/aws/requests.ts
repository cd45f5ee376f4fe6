/**
 * A request on its way into the log, and what its writer may believe of it.
 *
 * Writers do not trust answers. What was refused by another's write is tried again on what is there now. What got no answer may
 * be done, or may still be on its way: trying again meets it, because nothing is put where something is; and before anybody is
 * told that nothing was taken, the request is aborted, so that it never will be.
 */

import { randomUUID } from 'node:crypto';
import type { Auction } from '../../auction/auction.ts';
import type { Receipt } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import type { AuctionRecord } from './auction-store.ts';
import type { IntakeLog, LogEntry, RequestRecord } from './intake-log.ts';
import { isCommitted, keyOf, lifetimeSeconds, type OrderItem, ttlOf } from './order-items.ts';
import { pause } from './pause.ts';

/** A request on its way. */
export interface Request {
  id: string;
  /** Whether something of it may be in the tables, or still come there. */
  mayExist: boolean;
  /** By record_id. */
  readonly receipts: Map<string, Receipt>;
}

export const newRequest = (): Request => ({ id: randomUUID(), mayExist: false, receipts: new Map() });

const abortAttempts = 5;

/** @param budgetMs  how long a request is tried */
export function openRequests(log: IntakeLog, budgetMs: number) {
  /** @returns whether it is committed; if not it never will be */
  const abort = (auction: Auction, request: string): Promise<boolean> =>
    // A tombstone is of use only while somebody may still write.
    log.abort(auction.id, request, ttlOf(auction) + lifetimeSeconds);

  /**
   * Try until `step` is done, the budget is spent or something speaks against it. Then the request is off, unless it turns out
   * to be in the log.
   */
  async function persist(record: AuctionRecord, request: Request, step: () => Promise<boolean>): Promise<void> {
    const since = performance.now();
    for (let attempt = 0; ; attempt++) {
      let failure = new AuctionError('unavailable', 'too many are writing at once: nothing was taken');
      try {
        if (await step()) return;
      } catch (error) {
        if (!(error instanceof AuctionError)) throw error;
        if (error.code !== 'unavailable') return callOff(record, request, error);
        request.mayExist = true;
        failure = error;
      }
      if (performance.now() - since > budgetMs) return callOff(record, request, failure);
      await pause(attempt);
    }
  }

  async function callOff(record: AuctionRecord, request: Request, reason: AuctionError): Promise<void> {
    if (!request.mayExist) throw reason;
    for (let attempt = 0; ; attempt++) {
      try {
        if (!(await abort(record.auction, request.id))) break;
        return await collect(record, request);
      } catch (cause) {
        if (!(cause instanceof AuctionError)) throw cause;
        if (attempt < abortAttempts) await pause(attempt);
        else {
          const message = `${reason.message}; whether the request was taken can't be found out now: send it again`;
          throw new AuctionError('unavailable', message, [], { cause });
        }
      }
    }
    throw reason;
  }

  /** The receipts of a request that is in the log. */
  async function collect({ auction, shards }: AuctionRecord, request: Request): Promise<void> {
    const found = (await log.records(auction.id, [request.id])).get(request.id);
    if (!isCommitted(found)) throw new AuctionError('unavailable', 'the log does not answer');
    for (const entry of await log.entriesOf(auction.id, shards, found)) {
      const receipt = receiptOf(auction.id, entry);
      request.receipts.set(receipt.record_id, receipt);
    }
  }

  /** The entries of those orders that are in the log, by the key of their item. */
  async function ordersOf(
    { auction, shards }: AuctionRecord,
    items: readonly OrderItem[],
    records: ReadonlyMap<string, RequestRecord>,
  ): Promise<Map<string, LogEntry>> {
    const entries = new Map<string, LogEntry>();
    for (const request of new Set(items.map((item) => item.request_id))) {
      const known = records.get(request);
      if (!isCommitted(known)) continue;
      for (const entry of await log.entriesOf(auction.id, shards, known)) {
        if (entry.order) entries.set(keyOf(auction.id, entry.participant, entry.order.record_id), entry);
      }
    }
    return entries;
  }

  return { persist, collect, abort, ordersOf };
}

export const receiptOf = (
  auction: string,
  { order, cancels, participant, sequence, received_at, hash }: LogEntry,
): Receipt => ({
  auction,
  record_id: order?.record_id ?? cancels!,
  participant,
  sequence,
  received_at,
  hash,
});
