/**
 * An order is replaced, or taken back: one entry in the log, put there by the transaction that also changes the order's item.
 *
 * Both begin at the item as it is, and come true only if it is still so. So of two that change an order at once one is refused, looks
 * again, and finds what the other has made of it.
 */

import type { Clock, OrderStore } from '../../auction/ports.ts';
import { canonicalOrder } from '../../book/canonical.ts';
import { AuctionError } from '../../market/errors.ts';
import { checkVersion, isRepeated } from '../versions.ts';
import type { AuctionRecord } from './auction-store.ts';
import type { Action, Database, Expression } from './database.ts';
import { checkGate, stampAt } from './gate.ts';
import type { IntakeLog } from './intake-log.ts';
import { pagesOf, type Submitted } from './log-pages.ts';
import { isCommitted } from './log-readers.ts';
import { asOrderItem, keyOf, type OrderItem, versionKey } from './order-items.ts';
import { namesMoved, namesRemoved } from './order-names.ts';
import { newRequest, type openRequests, type Progress, type Request, receiptOf } from './requests.ts';

export interface ChangesOptions {
  readonly database: Database;
  readonly ordersTable: string;
  readonly intakeTable: string;
  readonly log: IntakeLog;
  readonly clock: Clock;
  readonly requests: ReturnType<typeof openRequests>;
  recordOf(auction: string): Promise<AuctionRecord>;
}

export function openChanges(options: ChangesOptions): Pick<OrderStore, 'replace' | 'cancel'> {
  const { database, ordersTable, intakeTable, log, clock, requests, recordOf } = options;

  /** The item of an order that is in the log. @throws AuctionError `not-found` */
  async function itemOf({ auction }: AuctionRecord, participant: string, record_id: string): Promise<OrderItem> {
    const found = await database.get(ordersTable, { record_id: keyOf(auction.id, participant, record_id) });
    const item = found && asOrderItem(found);
    const known = item && (await log.records(auction.id, [item.request_id])).get(item.request_id);
    if (item === undefined || !isCommitted(known))
      throw new AuctionError('not-found', `there is no order ${record_id} in auction ${auction.id}`);
    return item;
  }

  /** What a request that is in the log says of an order. */
  async function takeReceipt({ auction, shards }: AuctionRecord, request: Request, of: string, record_id: string) {
    const known = (await log.records(auction.id, [of])).get(of);
    if (!isCommitted(known)) throw new AuctionError('unavailable', 'the log does not answer');
    const [entries] = await log.entriesOfAll(auction.id, shards, [known]);
    const entry = entries!.find((each) => (each.order?.record_id ?? each.cancels) === record_id);
    request.receipts.set(record_id, receiptOf(auction.id, entry!));
  }

  /** Try once to put an entry into the log. Refused: somebody else was first, which the next look at the item finds. */
  async function enter(
    record: AuctionRecord,
    request: Request,
    participant: string,
    entry: Submitted,
    actions: readonly Action[],
  ): Promise<Progress> {
    const entries = [entry];
    const whole = { participant, entries, pages: pagesOf(entries), actions };
    const progress = await requests.enter(record, request, whole, stampAt(record.auction, clock));
    return typeof progress === 'string' ? progress : 'later';
  }

  return {
    async replace(id, participant, order, expected) {
      const record = await recordOf(id);
      const { record_id } = order;
      const replacing = { record_id, body: canonicalOrder(order), expected };
      const request = newRequest(record);
      await requests.persist(record, request, async (): Promise<Progress> => {
        const item = await itemOf(record, participant, record_id);
        const { order: body, version = 1, request_id } = item;
        const last = { body, version, cancelled: item.cancelled_by !== undefined };
        if (isRepeated(replacing, last)) {
          await takeReceipt(record, request, request_id, record_id);
          return 'done';
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
        return enter(record, request, participant, entry, [
          { table: ordersTable, put: { ...next }, condition: unchanged(item) },
          { table: intakeTable, put: note },
          ...namesMoved(intakeTable, item, next),
        ]);
      });
      return request.receipts.get(record_id)!;
    },

    async cancel(id, participant, record_id) {
      const record = await recordOf(id);
      const request = newRequest(record);
      await requests.persist(record, request, async (): Promise<Progress> => {
        const item = await itemOf(record, participant, record_id);
        const { cancelled_by, version } = item;
        if (cancelled_by !== undefined) {
          await takeReceipt(record, request, cancelled_by, record_id);
          return 'done';
        }
        checkGate(record.auction, clock.now());
        const entry = { record_id, cancels: record_id, ...(version !== undefined && { version }) };
        return enter(record, request, participant, entry, [
          {
            table: ordersTable,
            update: { record_id: item.record_id },
            set: { text: 'SET cancelled_by = :by', values: { ':by': request.id } },
            condition: unchanged(item),
          },
          ...namesRemoved(intakeTable, item),
        ]);
      });
      return request.receipts.get(record_id)!;
    },
  };
}

/** The order is as this item says. */
const unchanged = ({ request_id }: OrderItem): Expression => ({
  text: 'request_id = :request AND attribute_not_exists(cancelled_by)',
  values: { ':request': request_id },
});
