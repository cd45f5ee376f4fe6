/**
 * The items of the orders table: one for each order, `record_id` its key, that says which request brought it, or its last version.
 *
 * An item alone is a claim on its id. The order is there once its request is in the log (`intake-log.ts`); where the request
 * was aborted the claim is void, and another request may take it over. What the order names is claimed with it (`order-names.ts`).
 */

import type { Auction } from '../../auction/auction.ts';
import type { StoredOrder } from '../../auction/ports.ts';
import type { Order } from '../../market/order.ts';
import type { Action, Item, Key } from './database.ts';
import type { LogEntry } from './log-pages.ts';

export interface OrderItem {
  /** A record_id is a participant's own, and an auction's: `{auction}/{participant}/{record_id}`. */
  readonly record_id: string;
  readonly auction: string;
  readonly participant: string;
  /** Canonical JSON. */
  readonly order: string;
  readonly request_id: string;
  /** Milliseconds since 1970. */
  readonly claimed_at: number;
  /** In its request, from 0. */
  readonly position: number;
  /** Unix seconds, for the table's time to live. */
  readonly ttl: number;
  /** From 1, which needs not be there. */
  readonly version?: number;
  /** The request that cancelled it. */
  readonly cancelled_by?: string;
}

/** Orders are kept this long after their gate has closed, and until their auction is settled or cancelled. */
export const lifetimeSeconds = 24 * 3600;

export const ttlOf = ({ gateClosure }: Auction): number => Math.floor(Date.parse(gateClosure) / 1000) + lifetimeSeconds;

export const keyOf = (auction: string, participant: string, record_id: string): string =>
  `${auction}/${participant}/${record_id}`;

/** Where the intake's table notes which request brought a version that was replaced. */
export const versionKey = (auction: string, participant: string, record_id: string, version: number): Key => ({
  pk: versionsPartition(auction, participant, record_id),
  sk: String(version).padStart(9, '0'),
});
export const versionsPartition = (auction: string, participant: string, record_id: string): string =>
  `${auction}#versions#${participant}#${record_id}`;

/** Put an item where there is none, or where the claim of `replaced` is void. */
export const claim = (table: string, item: OrderItem, replaced: string | undefined): Action => ({
  table,
  put: { ...item },
  condition:
    replaced === undefined
      ? { text: 'attribute_not_exists(record_id)' }
      : { text: 'attribute_not_exists(record_id) OR request_id = :replaced', values: { ':replaced': replaced } },
});

export const asOrderItem = (item: Item): OrderItem => item as unknown as OrderItem;

export const orderOf = ({ order }: OrderItem): Order => JSON.parse(order) as Order;

export const storedOrder = (auction: Auction, entry: LogEntry & { order: Order }, cancelled: boolean): StoredOrder => ({
  auction: auction.id,
  participant: entry.participant,
  sequence: entry.sequence,
  received_at: entry.received_at,
  hash: entry.hash,
  version: entry.version ?? 1,
  order: entry.order,
  cancelled,
  ttl: ttlOf(auction),
});
