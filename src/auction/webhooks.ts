/**
 * Webhooks of participants: who is told what at which address, and what became of each message.
 *
 * A message is of one kind and one auction, and says where the auction was then. Of many rejected orders of a participant one message
 * tells, as far as they were known together.
 */

import * as z from 'zod';
import { auctionId } from '../market/book.ts';
import { instant } from '../market/time.ts';
import { webhookSecret } from '../market/webhook-secret.ts';
import type { Notice } from './ports.ts';

/** What a participant may be told; the rest is the operator's. */
export const webhookKinds = [
  'order-rejected',
  'order-left-out',
  'auction-cancelled',
  'auction-failed',
  'auction-settled',
] as const satisfies readonly Notice['kind'][];
export type WebhookKind = (typeof webhookKinds)[number];

export const webhookId = z.string().regex(/^wh_[0-9a-f]{24}$/, 'wh_ and 24 hexadecimal digits');
export const messageId = z.string().regex(/^msg_[0-9a-f]{24}$/, 'msg_ and 24 hexadecimal digits');

export const webhook = z
  .strictObject({
    id: webhookId,
    url: z.url(),
    kinds: z.array(z.enum(webhookKinds)),
    createdAt: instant,
    keys: z
      .array(z.strictObject({ id: z.string(), until: instant.exactOptional() }))
      .meta({ description: 'that sign its messages, the newest first; an older one until its time' }),
  })
  .meta({ id: 'Webhook' });
export type Webhook = z.output<typeof webhook>;

/** With the secret of its newest key, which is told once. */
export const webhookWithSecret = webhook.extend({ secret: webhookSecret }).meta({ id: 'WebhookWithSecret' });
export type WebhookWithSecret = z.output<typeof webhookWithSecret>;

export const deliveryStates = ['waiting', 'delivered', 'dead'] as const;
export const delivery = z
  .strictObject({
    id: messageId,
    kind: z.enum(webhookKinds),
    auction: auctionId,
    state: z.enum(deliveryStates).meta({ description: '`dead`: given up after the last attempt' }),
    attempts: z.int(),
    createdAt: instant,
    dueAt: instant.meta({ description: 'of the next attempt; of one that does not wait: when that came about' }),
    error: z.string().exactOptional(),
  })
  .meta({ id: 'Delivery', description: 'A message to a webhook' });
export type Delivery = z.output<typeof delivery>;

export interface WebhookRequest {
  readonly url: string;
  /** All unless said. */
  readonly kinds?: readonly WebhookKind[];
  /** The house makes one unless said. */
  readonly secret?: string;
}

/** Webhooks and their messages. Each method throws `not-found` for a webhook that is not the participant's. */
export interface Webhooks {
  /** `invalid-request` for an address that is not taken; `conflict` where the participant has as many as one may have. */
  add(participant: string, request: WebhookRequest): Promise<WebhookWithSecret>;
  list(participant: string): Promise<Webhook[]>;
  /** With its messages. */
  remove(participant: string, id: string): Promise<void>;
  /** A new key signs from now on, the one before beside it for a day more. */
  rotate(participant: string, id: string, secret?: string): Promise<WebhookWithSecret>;
  /** Newest first. */
  deliveries(participant: string, id: string, page: { state?: Delivery['state']; limit: number }): Promise<Delivery[]>;
  /** Have messages sent again, under their ids: those that are named, or all dead ones. @returns how many */
  replay(participant: string, id: string, messages?: readonly string[]): Promise<number>;
}

/** What a webhook is sent: the payload of Standard Webhooks. */
export interface Message {
  readonly type: WebhookKind;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const isFor = (kind: Notice['kind']): kind is WebhookKind => (webhookKinds as readonly string[]).includes(kind);

/**
 * The messages that one participant gets of some notices: its own orders', and what is of everybody. Its orders of one kind and auction
 * are one message.
 */
export function messagesFor(participant: string, kinds: readonly WebhookKind[], notices: readonly Notice[]): Message[] {
  const own = notices.filter(
    (notice) =>
      isFor(notice.kind) &&
      kinds.includes(notice.kind) &&
      (!('participant' in notice) || notice.participant === participant),
  );
  return [...Map.groupBy(own, ({ kind, auction, run }) => `${kind} ${auction} ${run}`).values()].map((together) => {
    const { kind, at, auction, state, run, sequence } = together[0]!;
    const head = { auction, state, run, sequence };
    const items = together.map((notice) => {
      const { kind: _, at: _at, auction: _a, state: _s, run: _r, sequence: _q, ...item } = notice;
      return { ...item, participant: undefined };
    });
    const isOfOrders = kind === 'order-rejected' || kind === 'order-left-out';
    const data = isOfOrders ? { ...head, orders: items } : { ...head, ...items[0] };
    return { type: kind as WebhookKind, timestamp: at, data: JSON.parse(JSON.stringify(data)) };
  });
}
