/**
 * Orders come in: requests that are put into the log whole or not at all, each order once. How they are replaced and taken back is said in
 * `order-changes.ts`.
 *
 * A small request that meets nobody is one transaction: its items, its pages, the head of a shard. A larger one, and one that meets
 * others, first claims its items, a hundred at a time, under the request's name, and is committed by a transaction in the log alone, its
 * own or that of another who commits for all that wait (`intake-turns.ts`). Until then it does not exist.
 * `requests.ts` has what a writer does when it is refused, or gets no answer.
 */

import assert from 'node:assert/strict';
import type { Clock, Once, OrderStore } from '../../auction/ports.ts';
import { canonical } from '../../book/canonical.ts';
import type { Receipt } from '../../book/intake.ts';
import { mostCharacters } from '../../market/bounds.ts';
import { AuctionError, type Problem } from '../../market/errors.ts';
import type { Order } from '../../market/order.ts';
import type { AuctionRecord, AuctionRecords } from './auction-store.ts';
import { type Action, type Database, limits } from './database.ts';
import { checkGate, stampAt } from './gate.ts';
import type { IntakeLog } from './intake-log.ts';
import { openIntakeQueue } from './intake-queue.ts';
import { openTurns } from './intake-turns.ts';
import { pagesOf, type Submitted } from './log-pages.ts';
import { isCommitted } from './log-readers.ts';
import { openChanges } from './order-changes.ts';
import { asOrderItem, claim, keyOf, type OrderItem, orderOf, ttlOf } from './order-items.ts';
import { namesPut } from './order-names.ts';
import { openRequestKeys } from './request-keys.ts';
import { newRequest, openRequests, type Progress, receiptOf } from './requests.ts';

export interface IntakeOptions {
  readonly database: Database;
  readonly ordersTable: string;
  readonly intakeTable: string;
  readonly auctions: AuctionRecords;
  readonly log: IntakeLog;
  readonly clock: Clock;
  /** How long another request's claim is left alone before it is taken for dead, in ms: longer than a large request takes. */
  readonly patienceMs?: number;
  /** How long a request is tried, in ms: shorter than its caller waits. */
  readonly budgetMs?: number;
}

type Submission = Extract<Submitted, { order: Order }>;

/** Claims that one transaction takes beside what the log needs, and characters of their orders. */
const smallRequest = { actions: 90, characters: 500_000 };
const claimCharacters = 1_000_000;

type Intake = 'append' | 'recall' | 'replace' | 'cancel' | 'cancelAll';

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a scope: what it opens shares the log and its turns
export function openIntake(options: IntakeOptions): Pick<OrderStore, Intake> {
  const { database, ordersTable, intakeTable, auctions, log, clock, patienceMs = 5000, budgetMs = 10_000 } = options;
  const turns = openTurns(log, openIntakeQueue(database, intakeTable, clock), patienceMs);
  const requests = openRequests(log, turns, budgetMs);
  const keys = openRequestKeys({ database, intakeTable, log, auctions, clock });

  async function recordOf(id: string): Promise<AuctionRecord> {
    const record = await auctions.record(id);
    if (record === undefined) throw new AuctionError('not-found', `there is no auction ${id}`);
    return record;
  }

  // biome-ignore lint/complexity/noExcessiveLinesPerFunction: a scope: claiming and looking share what is known of one request
  async function append(id: string, participant: string, orders: readonly Order[], once?: Once): Promise<Receipt[]> {
    const record = await recordOf(id);
    const { auction } = record;
    checkGate(auction, clock.now());

    const request = newRequest(record);
    const key = keys.of(record, participant, request, once);
    const ids = orders.map(({ record_id }) => record_id);
    /** Which requests brought orders that were there before, by record_id. */
    const earlier = new Map<string, string>();
    const texts = orders.map((order) => canonical(order));
    let fresh = orders.map((order, i): Submission => ({ record_id: order.record_id, order, text: texts[i]! }));
    // Admission has seen to it: an order that is an item leaves room for the item's other fields.
    for (const text of texts) assert(text.length <= mostCharacters, `an order has ${text.length} characters`);
    const positions = new Map(orders.map(({ record_id }, position) => [record_id, position]));
    /** Under which request each item is claimed as far as we know: this one, or one whose claim is void. */
    const claimants = new Map<string, string>();
    const isClaimed = ({ record_id }: Submission): boolean => claimants.get(record_id) === request.id;

    const claimOf = (submission: Submission): Claim => {
      const { record_id, order, text } = submission;
      const item: OrderItem = {
        record_id: keyOf(id, participant, record_id),
        auction: id,
        participant,
        order: text,
        request_id: request.id,
        claimed_at: clock.now().getTime(),
        position: positions.get(record_id)!,
        ttl: ttlOf(auction),
      };
      const actions = [claim(ordersTable, item, claimants.get(record_id)), ...namesPut(intakeTable, item, order)];
      return { submission, actions };
    };

    /** Claim the items of a request before it is committed. @returns those that stood in the way */
    async function claimAll(claims: readonly Claim[]): Promise<OrderItem[]> {
      const claimChunk = async (chunk: readonly Claim[]): Promise<boolean> => {
        const { done } = await database.transact(actionsOf(chunk));
        if (done) for (const { submission } of chunk) claimants.set(submission.record_id, request.id);
        return done;
      };
      request.mayExist = true; // its claims at least: others need not wait for them if it comes to nothing
      // The first alone: of two requests with the same orders one gets ahead, instead of both claiming half.
      const [first, ...others] = chunksOf(claims.toSorted(byRecordId));
      const isDone = (await claimChunk(first!)) && (await Promise.all(others.map(claimChunk))).every(Boolean);
      if (isDone) return [];
      const keys = claims.map(({ submission }) => ({ record_id: keyOf(id, participant, submission.record_id) }));
      return (await database.getMany(ordersTable, keys)).map(asOrderItem);
    }

    /** Take note of items that stand in the way. @throws AuctionError `conflict` */
    async function look(found: readonly OrderItem[]): Promise<void> {
      const others = found.filter((item) => item.request_id !== request.id);
      for (const item of found)
        if (item.request_id === request.id) claimants.set(orderOf(item).record_id, item.request_id);
      const records = await log.records(
        id,
        others.map((item) => item.request_id),
      );
      const entries = await requests.ordersOf(record, others, records);
      const submitted = new Map(orders.map((order, index) => [order.record_id, { index, text: texts[index] }]));
      const conflicts: Problem[] = [];
      const dead = new Set<string>();
      for (const item of others) {
        const { record_id } = orderOf(item);
        const { index, text } = submitted.get(record_id)!;
        const known = records.get(item.request_id);
        if (isCommitted(known)) {
          if (text !== item.order || item.cancelled_by !== undefined) conflicts.push(conflict(index, record_id, item));
          request.receipts.set(record_id, receiptOf(id, entries.get(item.record_id)!));
          earlier.set(record_id, item.request_id);
        } else if (known !== undefined) claimants.set(record_id, item.request_id);
        else if (clock.now().getTime() - item.claimed_at > patienceMs) dead.add(item.request_id);
      }
      for (const other of dead) await requests.abort(auction, other);
      const [first] = conflicts.sort((a, b) => a.index! - b.index!);
      if (first !== undefined) throw new AuctionError('conflict', first.message, [first]);
      fresh = fresh.filter(({ record_id }) => !request.receipts.has(record_id));
    }

    await requests.persist(record, request, async (): Promise<Progress> => {
      if (await key.isAnswered()) return 'done';
      if (fresh.length === 0) return key.keepAlone(ids, earlier);
      checkGate(auction, clock.now());
      const pages = pagesOf(fresh);
      let claims = fresh.filter((each) => !isClaimed(each)).map(claimOf);
      if (claims.length > 0 && (request.turn.isCrowded || isLarge(claims))) {
        const found = await claimAll(claims);
        claims = claims.filter(({ submission }) => !isClaimed(submission));
        if (claims.length > 0) {
          await look(found);
          return 'later';
        }
      }
      const actions = [...actionsOf(claims), ...key.kept(ids, earlier)];
      const entry = { participant, entries: fresh, pages, actions };
      const progress = await requests.enter(record, request, entry, stampAt(auction, clock));
      if (typeof progress === 'string') return progress;
      await look(itemsIn(progress.refused));
      return 'later';
    });
    return key.answer ?? ids.map((record_id) => request.receipts.get(record_id)!);
  }

  const recall = async (participant: string, once: Once) => (await keys.look(participant, once)).receipts;
  return {
    append,
    recall,
    ...openChanges({ database, ordersTable, intakeTable, log, clock, requests, keys, recordOf }),
  };
}

function conflict(index: number, record_id: string, { cancelled_by }: OrderItem): Problem {
  const why =
    cancelled_by === undefined ? 'is there already with another body' : 'was cancelled: its id is taken for good';
  return { index, record_id, field: 'record_id', code: 'conflict', message: `order ${record_id} ${why}` };
}

const itemsIn = (refused: ReadonlyMap<number, { readonly found?: object }>): OrderItem[] =>
  // What stands in the way may be a key too, which is looked at first.
  [...refused.values()].flatMap(({ found }) => (found !== undefined && 'order' in found ? [found as OrderItem] : []));

/** An order with the claim of its item, and of the names that it has. */
interface Claim {
  readonly submission: Submission;
  readonly actions: readonly Action[];
}

const actionsOf = (claims: readonly Claim[]): Action[] => claims.flatMap(({ actions }) => actions);

const byRecordId = ({ submission: a }: Claim, { submission: b }: Claim): number => (a.record_id < b.record_id ? -1 : 1);

const isLarge = (claims: readonly Claim[]): boolean =>
  actionsOf(claims).length > smallRequest.actions ||
  claims.reduce((sum, { submission }) => sum + submission.text.length, 0) > smallRequest.characters;

/** In chunks that a transaction takes. */
function chunksOf(claims: readonly Claim[]): Claim[][] {
  const chunks: Claim[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  let actions = 0;
  for (const claim of claims) {
    const { text } = claim.submission;
    if (characters + text.length > claimCharacters || actions + claim.actions.length > limits.actions) {
      chunks.push([]);
      characters = 0;
      actions = 0;
    }
    chunks.at(-1)!.push(claim);
    characters += text.length;
    actions += claim.actions.length;
  }
  return chunks;
}
