/**
 * Orders are replaced, or taken back: an entry in the log for each, put there by the transaction that also changes the order's item.
 *
 * Both begin at the item as it is, and come true only if it is still so. So of two that change an order at once one is refused, looks
 * again, and finds what the other has made of it.
 */

import assert from 'node:assert/strict';
import type { Clock, Once, OrderStore } from '../../auction/ports.ts';
import { canonicalOrder } from '../../book/canonical.ts';
import type { Receipt } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import { checkVersion, isRepeated } from '../changes.ts';
import type { AuctionRecord } from './auction-store.ts';
import type { Action, Database, Expression } from './database.ts';
import { checkGate, stampAt } from './gate.ts';
import type { IntakeLog } from './intake-log.ts';
import { pagesOf, type Submitted } from './log-pages.ts';
import { isCommitted } from './log-readers.ts';
import { asOrderItem, keyOf, type OrderItem, versionKey } from './order-items.ts';
import { namesMoved, namesRemoved } from './order-names.ts';
import type { RequestKeys } from './request-keys.ts';
import { newRequest, type openRequests, type Progress, type Request, receiptOf } from './requests.ts';

export interface ChangesOptions {
  readonly database: Database;
  readonly ordersTable: string;
  readonly intakeTable: string;
  readonly log: IntakeLog;
  readonly clock: Clock;
  readonly requests: ReturnType<typeof openRequests>;
  readonly keys: RequestKeys;
  recordOf(auction: string): Promise<AuctionRecord>;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a scope: its parts, each short, share the tables and the log
export function openChanges(options: ChangesOptions): Pick<OrderStore, 'replace' | 'cancel' | 'cancelAll'> {
  const { database, ordersTable, intakeTable, log, clock, requests, keys, recordOf } = options;

  /** The items of orders that are in the log, in their order. @throws AuctionError `not-found` */
  async function itemsOf({ auction }: AuctionRecord, participant: string, record_ids: readonly string[]) {
    const keys = record_ids.map((record_id) => ({ record_id: keyOf(auction.id, participant, record_id) }));
    const items = (await database.getMany(ordersTable, keys)).map(asOrderItem);
    const byKey = new Map(items.map((item) => [item.record_id, item]));
    const known = await log.records(
      auction.id,
      items.map(({ request_id }) => request_id),
    );
    return keys.map(({ record_id: key }, i): OrderItem => {
      const item = byKey.get(key);
      if (item !== undefined && isCommitted(known.get(item.request_id))) return item;
      throw new AuctionError('not-found', `there is no order ${record_ids[i]} in auction ${auction.id}`);
    });
  }

  /** What requests that are in the log say of orders. @param of  by record_id */
  async function takeReceipts({ auction, shards }: AuctionRecord, request: Request, of: ReadonlyMap<string, string>) {
    const requests = [...new Set(of.values())];
    const records = await log.records(auction.id, requests);
    const committed = requests.map((each) => records.get(each)).filter(isCommitted);
    if (committed.length < requests.length) throw new AuctionError('unavailable', 'the log does not answer');
    for (const entry of (await log.entriesOfAll(auction.id, shards, committed)).flat()) {
      const record_id = entry.order?.record_id ?? entry.cancels!;
      if (of.get(record_id) === entry.request) request.receipts.set(record_id, receiptOf(auction.id, entry));
    }
  }

  /** Try once to put entries into the log. Refused: somebody else was first, which the next look at the items finds. */
  async function enter(
    record: AuctionRecord,
    request: Request,
    participant: string,
    entries: readonly Submitted[],
    actions: readonly Action[],
  ): Promise<Progress> {
    const whole = { participant, entries, pages: pagesOf(entries), actions };
    const progress = await requests.enter(record, request, whole, stampAt(record.auction, clock));
    return typeof progress === 'string' ? progress : 'later';
  }

  /** As many orders as one transaction holds. */
  async function cancelTogether(
    record: AuctionRecord,
    participant: string,
    record_ids: readonly string[],
    once?: Once,
  ): Promise<Receipt[]> {
    const request = newRequest(record);
    const key = keys.of(record, participant, request, once);
    await requests.persist(record, request, async (): Promise<Progress> => {
      if (await key.isAnswered()) return 'done';
      const items = await itemsOf(record, participant, record_ids);
      const gone = new Map<string, string>();
      const live: { record_id: string; item: OrderItem }[] = [];
      for (const [i, item] of items.entries()) {
        if (item.cancelled_by === undefined) live.push({ record_id: record_ids[i]!, item });
        else gone.set(record_ids[i]!, item.cancelled_by);
      }
      if (gone.size > 0) await takeReceipts(record, request, gone);
      if (live.length === 0) return key.keepAlone(record_ids, gone);
      checkGate(record.auction, clock.now());
      const entries = live.map(({ record_id, item: { version } }) => {
        return { record_id, cancels: record_id, ...(version !== undefined && { version }) };
      });
      const actions = [...live.flatMap(({ item }) => cancelActions(item, request.id)), ...key.kept(record_ids, gone)];
      return enter(record, request, participant, entries, actions);
    });
    return key.answer ?? record_ids.map((record_id) => request.receipts.get(record_id)!);
  }

  const cancelActions = (item: OrderItem, by: string): Action[] => [
    {
      table: ordersTable,
      update: { record_id: item.record_id },
      set: { text: 'SET cancelled_by = :by', values: { ':by': by } },
      condition: unchanged(item),
    },
    ...namesRemoved(intakeTable, item),
  ];

  return {
    async replace(id, participant, order, expected, once) {
      const record = await recordOf(id);
      const { record_id } = order;
      const replacing = { record_id, body: canonicalOrder(order), expected };
      const request = newRequest(record);
      const key = keys.of(record, participant, request, once);
      await requests.persist(record, request, async (): Promise<Progress> => {
        if (await key.isAnswered()) return 'done';
        const [item] = (await itemsOf(record, participant, [record_id])) as [OrderItem];
        const { order: body, version = 1, request_id } = item;
        const last = { body, version, cancelled: item.cancelled_by !== undefined };
        if (isRepeated(replacing, last)) {
          const earlier = new Map([[record_id, request_id]]);
          await takeReceipts(record, request, earlier);
          return key.keepAlone([record_id], earlier);
        }
        checkGate(record.auction, clock.now());
        checkVersion(replacing, last);
        const next: OrderItem = {
          ...item,
          order: replacing.body,
          request_id: request.id,
          claimed_at: clock.now().getTime(),
          position: 0,
          version: version + 1,
        };
        const note = { ...versionKey(id, participant, record_id, version), request_id };
        const entry = { record_id, order, text: replacing.body, version: version + 1 };
        return enter(
          record,
          request,
          participant,
          [entry],
          [
            { table: ordersTable, put: { ...next }, condition: unchanged(item) },
            { table: intakeTable, put: note },
            ...namesMoved(intakeTable, item, next),
            ...key.kept([record_id], new Map()),
          ],
        );
      });
      return (key.answer?.[0] ?? request.receipts.get(record_id))!;
    },

    async cancel(id, participant, record_id) {
      const [receipt] = await cancelTogether(await recordOf(id), participant, [record_id]);
      return receipt!;
    },

    async cancelAll(id, participant, record_ids, once) {
      const record = await recordOf(id);
      const items = await itemsOf(record, participant, record_ids);
      const chunks: string[][] = [];
      let actions = mostActions;
      for (const [i, item] of items.entries()) {
        const more = cancelActions(item, '').length;
        if (actions + more > mostActions) {
          chunks.push([]);
          actions = 0;
        }
        chunks.at(-1)!.push(record_ids[i]!);
        actions += more;
      }
      if (once !== undefined) {
        assert(chunks.length <= 1, 'a key is kept with one transaction');
        return cancelTogether(record, participant, record_ids, once);
      }
      const receipts: Receipt[] = [];
      for (const chunk of chunks) receipts.push(...(await cancelTogether(record, participant, chunk)));
      return receipts;
    },
  };
}

/** Of orders that are cancelled together, beside what the log needs. */
const mostActions = 90;

/** The order is as this item says. */
const unchanged = ({ request_id }: OrderItem): Expression => ({
  text: 'request_id = :request AND attribute_not_exists(cancelled_by)',
  values: { ':request': request_id },
});
