/**
 * Orders come in, and are taken back: requests that are put into the log whole or not at all, each order once.
 *
 * A small request is one transaction: its items, its pages, the head of a shard. A larger one first claims its items, a
 * hundred at a time, under the request's name, and is committed by one transaction in the log. Until then it does not exist.
 * `requests.ts` has what a writer does when it is refused, or gets no answer.
 */

import { randomUUID } from 'node:crypto';
import type { Clock, OrderStore } from '../../auction/ports.ts';
import { canonical } from '../../book/canonical.ts';
import type { Receipt } from '../../book/intake.ts';
import { AuctionError, type Problem } from '../../market/errors.ts';
import type { Order } from '../../market/order.ts';
import type { AuctionRecord, AuctionRecords } from './auction-store.ts';
import { type Action, type Database, limits } from './database.ts';
import { checkGate, gateClosed, stampAt } from './gate.ts';
import type { IntakeLog, RequestRecord, Submitted } from './intake-log.ts';
import { asOrderItem, claim, isCommitted, keyOf, type OrderItem, ttlOf } from './order-items.ts';
import { newRequest, openRequests, receiptOf } from './requests.ts';

export interface IntakeOptions {
  readonly database: Database;
  readonly ordersTable: string;
  readonly auctions: AuctionRecords;
  readonly log: IntakeLog;
  readonly clock: Clock;
  /** How long another request's claim is left alone before it is taken for dead, in ms: longer than a large request takes. */
  readonly patienceMs?: number;
  /** How long a request is tried, in ms: shorter than its caller waits. */
  readonly budgetMs?: number;
}

type Submission = Extract<Submitted, { order: Order }>;

/** Orders that one transaction takes beside what the log needs, and characters of them. */
const smallRequest = { orders: 90, characters: 500_000 };
const claimCharacters = 1_000_000;
/** Of one order. Four bytes a character at most, and the item has other fields. */
const orderCharacters = 95_000;

export function openIntake(options: IntakeOptions): Pick<OrderStore, 'append' | 'cancel'> {
  const { database, ordersTable, auctions, log, clock, patienceMs = 5000, budgetMs = 10_000 } = options;
  const requests = openRequests(log, budgetMs);

  async function recordOf(id: string): Promise<AuctionRecord> {
    const record = await auctions.record(id);
    if (record === undefined) throw new AuctionError('not-found', `there is no auction ${id}`);
    return record;
  }

  async function append(id: string, participant: string, orders: readonly Order[]): Promise<Receipt[]> {
    const record = await recordOf(id);
    const { auction, shards } = record;
    checkGate(auction, clock.now());

    const request = newRequest();
    const texts = orders.map((order) => canonical(order));
    let fresh = orders.map((order, i): Submission => ({ record_id: order.record_id, order, text: texts[i]! }));
    fresh.forEach(({ record_id, text }, index) => {
      if (text.length <= orderCharacters) return;
      const message = `order ${record_id} has ${text.length} characters of JSON, more than ${orderCharacters}`;
      throw new AuctionError('too-large', message, [{ index, record_id, code: 'too-large', message }]);
    });
    /** Items that this request has claimed, and claims of other requests that are void. */
    let claimed = new Set<string>();
    const replaced = new Map<string, string>();

    const claimOf = ({ record_id, text }: Submission): Action => {
      const item: OrderItem = {
        record_id: keyOf(id, participant, record_id),
        auction: id,
        participant,
        order: text,
        request_id: request.id,
        claimed_at: clock.now().getTime(),
        ttl: ttlOf(auction),
      };
      return claim(ordersTable, item, replaced.get(record_id));
    };

    /** Claim the items of a large request. @returns those that stood in the way */
    async function claimAll(unclaimed: readonly Submission[]): Promise<OrderItem[]> {
      const claimChunk = async (chunk: readonly Submission[]): Promise<boolean> => {
        const { done } = await database.transact(chunk.map(claimOf));
        if (done) for (const { record_id } of chunk) claimed.add(record_id);
        return done;
      };
      request.mayExist = true; // its claims at least: others need not wait for them if it comes to nothing
      // The first alone: of two requests with the same orders one gets ahead, instead of both claiming half.
      const [first, ...others] = chunksOf(unclaimed.toSorted(byRecordId));
      const isClaimed = (await claimChunk(first!)) && (await Promise.all(others.map(claimChunk))).every(Boolean);
      if (isClaimed) return [];
      const keys = unclaimed.map(({ record_id }) => ({ record_id: keyOf(id, participant, record_id) }));
      return (await database.getMany(ordersTable, keys)).map(asOrderItem);
    }

    /** Take note of items that stand in the way. @throws AuctionError `conflict` */
    async function look(found: readonly OrderItem[]): Promise<void> {
      const others = found.filter((item) => item.request_id !== request.id);
      for (const { order } of found.filter((item) => item.request_id === request.id)) claimed.add(recordIdOf(order));
      const records = await log.records(
        id,
        others.map((item) => item.request_id),
      );
      const entries = await requests.ordersOf(record, others, records);
      const submitted = new Map(orders.map((order, index) => [order.record_id, { index, text: texts[index] }]));
      const conflicts: Problem[] = [];
      const dead = new Set<string>();
      for (const item of others) {
        const record_id = recordIdOf(item.order);
        const { index, text } = submitted.get(record_id)!;
        const known = records.get(item.request_id);
        if (isCommitted(known)) {
          if (text !== item.order || item.cancelled_by !== undefined) conflicts.push(conflict(index, record_id, item));
          request.receipts.set(record_id, receiptOf(id, entries.get(item.record_id)!));
        } else if (known !== undefined) replaced.set(record_id, item.request_id);
        else if (clock.now().getTime() - item.claimed_at > patienceMs) dead.add(item.request_id);
      }
      for (const other of dead) await requests.abort(auction, other);
      const [first] = conflicts.sort((a, b) => a.index! - b.index!);
      if (first !== undefined) throw new AuctionError('conflict', first.message, [first]);
      fresh = fresh.filter(({ record_id }) => !request.receipts.has(record_id));
    }

    await requests.persist(record, request, async () => {
      if (fresh.length === 0) return true;
      checkGate(auction, clock.now());
      let unclaimed = fresh.filter(({ record_id }) => !claimed.has(record_id));
      if (unclaimed.length > smallRequest.orders || charactersOf(unclaimed) > smallRequest.characters) {
        const found = await claimAll(unclaimed);
        unclaimed = fresh.filter(({ record_id }) => !claimed.has(record_id));
        if (unclaimed.length > 0) {
          await look(found);
          return false;
        }
      }
      const entry = { auction: id, shards, participant, request: request.id, entries: fresh };
      const answer = await log.commit(entry, stampAt(auction, clock), unclaimed.map(claimOf));
      if (answer.done) {
        for (const receipt of answer.receipts) request.receipts.set(receipt.record_id, receipt);
        return true;
      }
      if (!answer.isCertain) request.mayExist = true;
      if (answer.recorded === 'committed') {
        await requests.collect(record, request);
        return true;
      }
      if (answer.closed) throw gateClosed(auction);
      if (answer.recorded === 'aborted') {
        // Somebody took us for dead. Our claims are void, even for ourselves.
        for (const record_id of claimed) replaced.set(record_id, request.id);
        claimed = new Set();
        Object.assign(request, { id: randomUUID(), mayExist: false });
        return false;
      }
      await look(itemsIn(answer.refused));
      return false;
    });
    return orders.map(({ record_id }) => request.receipts.get(record_id)!);
  }

  async function cancel(id: string, participant: string, record_id: string): Promise<Receipt> {
    const record = await recordOf(id);
    const { auction, shards } = record;
    const key = { record_id: keyOf(id, participant, record_id) };
    const request = newRequest();
    await requests.persist(record, request, async () => {
      const found = await database.get(ordersTable, key);
      const item = found && asOrderItem(found);
      const records = item
        ? await log.records(id, [item.request_id, item.cancelled_by ?? item.request_id])
        : new Map<string, RequestRecord>();
      if (item === undefined || !isCommitted(records.get(item.request_id))) {
        throw new AuctionError('not-found', `there is no order ${record_id} in auction ${id}`);
      }
      const earlier = records.get(item.cancelled_by ?? '');
      if (isCommitted(earlier)) {
        const [entry] = await log.entriesOf(id, shards, earlier);
        request.receipts.set(record_id, receiptOf(id, entry!));
        return true;
      }
      checkGate(auction, clock.now());
      const entry = {
        auction: id,
        shards,
        participant,
        request: request.id,
        entries: [{ record_id, cancels: record_id }],
      };
      const mark: Action = {
        table: ordersTable,
        update: key,
        set: { text: 'SET cancelled_by = :by', values: { ':by': request.id } },
        condition: {
          text: 'request_id = :request AND attribute_not_exists(cancelled_by)',
          values: { ':request': item.request_id },
        },
      };
      const answer = await log.commit(entry, stampAt(auction, clock), [mark]);
      if (answer.done) request.receipts.set(record_id, answer.receipts[0]!);
      else if (!answer.isCertain) request.mayExist = true;
      // What is in the log already is found by the next look at the item.
      if (!answer.done && answer.closed && answer.recorded === undefined) throw gateClosed(auction);
      return answer.done;
    });
    return request.receipts.get(record_id)!;
  }

  return { append, cancel };
}

function conflict(index: number, record_id: string, { cancelled_by }: OrderItem): Problem {
  const why =
    cancelled_by === undefined ? 'is there already with another body' : 'was cancelled: its id is taken for good';
  return { index, record_id, field: 'record_id', code: 'conflict', message: `order ${record_id} ${why}` };
}

const recordIdOf = (order: string): string => (JSON.parse(order) as Order).record_id;

const itemsIn = (refused: ReadonlyMap<number, { readonly found?: object }>): OrderItem[] =>
  [...refused.values()].flatMap(({ found }) => (found === undefined ? [] : [found as OrderItem]));

const byRecordId = (a: Submission, b: Submission): number => (a.record_id < b.record_id ? -1 : 1);

const charactersOf = (orders: readonly Submission[]): number => orders.reduce((sum, { text }) => sum + text.length, 0);

/** In chunks that a transaction takes. */
function chunksOf(orders: readonly Submission[]): Submission[][] {
  const chunks: Submission[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const order of orders) {
    if (characters + order.text.length > claimCharacters || chunks.at(-1)!.length === limits.actions) {
      chunks.push([]);
      characters = 0;
    }
    chunks.at(-1)!.push(order);
    characters += order.text.length;
  }
  return chunks;
}
