/**
 * A request on its way into the log, and what its writer knows of its fate.
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
import type { Refusal } from './database.ts';
import { gateClosed } from './gate.ts';
import type { IntakeLog, LogRequest } from './intake-log.ts';
import type { openTurns, Turn } from './intake-turns.ts';
import type { LogEntry } from './log-pages.ts';
import { isCommitted, placesOf, type RequestRecord } from './log-readers.ts';
import { keyOf, lifetimeSeconds, type OrderItem, ttlOf } from './order-items.ts';
import { pause } from './pause.ts';

/** A request on its way. */
export interface Request {
  id: string;
  /** Whether something of it may be in the tables, or still come there. */
  mayExist: boolean;
  readonly turn: Turn;
  /** By record_id. */
  readonly receipts: Map<string, Receipt>;
}

export const newRequest = ({ auction, shards }: AuctionRecord): Request => ({
  id: randomUUID(),
  mayExist: false,
  turn: { place: placesOf({ auction, shards })[Math.floor(Math.random() * shards)]!, isCrowded: false },
  receipts: new Map(),
});

/** How far a request has come: there, to be tried again at once, or after a pause that grows each time. */
export type Progress = 'done' | 'again' | 'later';

const abortAttempts = 5;

/** @param budgetMs  how long a request is tried */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a scope: the steps of a request share the log and its turns
export function openRequests(log: IntakeLog, turns: ReturnType<typeof openTurns>, budgetMs: number) {
  /** @returns whether it is committed; if not it never will be */
  const abort = (auction: Auction, request: string): Promise<boolean> =>
    // A tombstone is of use only while somebody may still write.
    log.abort(auction.id, request, ttlOf(auction) + lifetimeSeconds);

  /**
   * Try until `step` is done, the budget is spent or something speaks against it. Then the request is off, unless it turns out
   * to be in the log.
   */
  async function persist(record: AuctionRecord, request: Request, step: () => Promise<Progress>): Promise<void> {
    const since = performance.now();
    for (let attempt = 0; ; ) {
      let progress: Progress = 'later';
      let failure = new AuctionError('unavailable', 'too many are writing at once: nothing was taken');
      try {
        progress = await step();
        if (progress === 'done') return;
      } catch (error) {
        if (!(error instanceof AuctionError)) throw error;
        if (error.code !== 'unavailable') return callOff(record, request, error);
        request.mayExist = true;
        failure = error;
      }
      if (performance.now() - since > budgetMs) return callOff(record, request, failure);
      if (progress === 'later') await pause(attempt++);
    }
  }

  async function callOff(record: AuctionRecord, request: Request, reason: AuctionError): Promise<void> {
    if (!request.mayExist) throw reason;
    for (let attempt = 0; ; attempt++) {
      try {
        if (await abort(record.auction, request.id)) return await collect(record, request);
        await turns.leave(request.turn);
        break;
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
    const [entries] = await log.entriesOfAll(auction.id, shards, [found]);
    for (const entry of entries!) {
      const receipt = receiptOf(auction.id, entry);
      request.receipts.set(receipt.record_id, receipt);
    }
  }

  /**
   * Try once to get a request into the log.
   *
   * @returns how far it has come, or what stood in the way of its own actions
   * @throws AuctionError `gate-closed`
   */
  async function enter(
    record: AuctionRecord,
    request: Request,
    entry: Omit<LogRequest, 'request'>,
    stamp: () => string,
  ): Promise<Progress | { readonly refused: ReadonlyMap<number, Refusal> }> {
    const { auction } = record;
    const { turn } = request;
    const answer = await turns.attempt(turn, { ...entry, request: request.id }, stamp, ttlOf(auction));
    switch (answer.state) {
      case 'committed':
        for (const receipt of answer.receipts) request.receipts.set(receipt.record_id, receipt);
        return 'done';
      case 'closed':
        request.mayExist ||= !answer.isCertain;
        throw gateClosed(auction);
      case 'crowded':
        turn.isCrowded = true;
        request.mayExist ||= !answer.isCertain;
        return 'again';
      case 'waiting':
        request.mayExist = true;
        return lookAfter(record, request);
      case 'gone':
        beAlone(turn);
        return lookAfter(record, request);
      case 'refused':
        request.mayExist ||= !answer.isCertain;
        await turns.leave(turn);
        beAlone(turn);
        return answer.recorded === undefined ? { refused: answer.refused } : lookAfter(record, request);
    }
  }

  /** It begins again, and meets others or not. */
  const beAlone = (turn: Turn): void => void Object.assign(turn, { isCrowded: false, waits: undefined });

  /** Whether a request was decided by another's hand. */
  async function lookAfter(record: AuctionRecord, request: Request): Promise<Progress> {
    const known = (await log.records(record.auction.id, [request.id])).get(request.id);
    if (known === undefined) return 'again';
    beAlone(request.turn);
    if (known.committed) {
      await collect(record, request);
      return 'done';
    }
    // Somebody took it for dead: it goes on under another name, and its claims are void, even for itself.
    Object.assign(request, { id: randomUUID(), mayExist: false });
    return 'again';
  }

  /** The entries of those orders that are in the log, by the key of their item. */
  async function ordersOf(
    { auction, shards }: AuctionRecord,
    items: readonly OrderItem[],
    records: ReadonlyMap<string, RequestRecord>,
  ): Promise<Map<string, LogEntry>> {
    const requests = [...new Set(items.map((item) => item.request_id))];
    const committed = requests.map((request) => records.get(request)).filter(isCommitted);
    const all = (await log.entriesOfAll(auction.id, shards, committed)).flat();
    return new Map(
      all.flatMap((entry): [string, LogEntry][] =>
        entry.order ? [[keyOf(auction.id, entry.participant, entry.order.record_id), entry]] : [],
      ),
    );
  }

  return { persist, enter, abort, ordersOf };
}

export const receiptOf = (
  auction: string,
  { order, cancels, version = 1, participant, sequence, received_at, hash, digest }: LogEntry,
): Receipt => ({
  auction,
  record_id: order?.record_id ?? cancels!,
  version,
  participant,
  sequence,
  received_at,
  hash,
  leaf: digest,
});
