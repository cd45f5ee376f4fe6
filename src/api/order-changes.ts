/** Orders are replaced and taken back while the gate is open. */

import * as z from 'zod';
import { cancelOrder } from '../auction/intake/cancel-order.ts';
import { cancelOrders } from '../auction/intake/cancel-orders.ts';
import { replaceOrder } from '../auction/intake/replace-order.ts';
import type { Ports } from '../auction/ports.ts';
import { receipt } from '../book/intake.ts';
import { auctionId } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import { orderSubmission, portfolioName, recordId } from '../market/order.ts';
import { ownerOf } from './intake.ts';
import { idempotencyKey, onceOf } from './once.ts';
import { type Route, route } from './route.ts';

export const orderParams = z.strictObject({ record_id: recordId });
export const auctionQuery = z.strictObject({ auction: auctionId.exactOptional() });

/** `If-Match` as the version that is expected: none for `*`, and one that there never is for what is no version of ours. */
function expectedOf(ifMatch: string | undefined): { expected?: number } {
  if (ifMatch === undefined)
    throw new AuctionError('precondition-required', 'which version is replaced? If-Match has its ETag, or * for any');
  if (ifMatch === '*') return {};
  const [, number] = /^"([1-9]\d{0,8})"$/.exec(ifMatch) ?? [];
  return { expected: Number(number ?? 0) };
}

export const etagOf = (version: number) => ({ etag: `"${version}"` });

const ifMatch = z
  .string()
  .regex(/^(\*|(W\/)?"[^"]*")$/, '* or one ETag, such as "1"')
  .exactOptional()
  .meta({
    description: 'the ETag of the version that is replaced, or `*` for whichever is the last',
    examples: ['"1"'],
  });

const cancellations = z
  .strictObject({ auction: auctionId, receipts: z.array(receipt), more: z.boolean() })
  .meta({ id: 'Cancellations' });

/** Receipts of one answer, where answers have no other limit, and the bytes of one. */
const mostReceipts = 100_000;
const receiptBytes = 600;

/** @param largestAnswer  bytes */
export const changeRoutes = (ports: Ports, largestAnswer: number): Route[] => [
  route({
    id: 'cancelOrders',
    method: 'delete',
    path: '/orders',
    tag: 'Orders',
    summary: 'Cancel all your orders in an auction, or those of one portfolio, while the gate is open',
    description:
      'All that are there when it is asked; in one transaction, unless the house keeps its orders in the cloud, where each receipt holds for its own ' +
      'order and the same request again takes up what was cut. With `more` there are others: ask again. The legs of a loop go together; a parent whose ' +
      'child is in another portfolio is a `conflict`.',
    query: z.strictObject({ auction: auctionId, portfolio: portfolioName.exactOptional() }),
    answers: { 200: { description: 'A receipt for each cancellation', schema: cancellations } },
    errors: ['not-found', 'conflict', 'gate-closed', 'gate-not-open', 'order-executed', 'unavailable'],
    handle: async (c, { query, identity }) => {
      const limit = Math.min(mostReceipts, Math.floor(largestAnswer / receiptBytes));
      return c.json(await cancelOrders(ports, ownerOf(identity).participant, { ...query, limit }));
    },
  }),
  route({
    id: 'replaceOrder',
    method: 'put',
    path: '/orders/{record_id}',
    tag: 'Orders',
    summary: 'Replace one of your orders while the gate is open',
    description:
      'The body is the whole order as it is to be; `record_id` may be left out of it. It is checked as a new one, and so is whoever names it: children, ' +
      'the partner of a loop, its group. `If-Match` has the ETag of the version that is replaced; where somebody else was first the answer is ' +
      '412 with the ETag of the last version. The version before stays readable, and leaves the book. The same body again gives the same receipt.',
    params: orderParams,
    query: auctionQuery,
    headers: z.object({ 'If-Match': ifMatch, 'Idempotency-Key': idempotencyKey }),
    body: z.record(z.string(), z.unknown()),
    documentedBody: orderSubmission,
    answers: { 200: { description: 'The receipt of the new version', schema: receipt } },
    errors: [
      ...(['invalid-order', 'not-found', 'gate-closed', 'gate-not-open', 'unavailable'] as const),
      ...(['key-reused', 'order-cancelled', 'order-executed', 'precondition-failed', 'precondition-required'] as const),
    ],
    handle: async (c, { params: { record_id }, query, headers, body: order, identity }) => {
      const expected = expectedOf(headers['If-Match']);
      const replacement = { record_id, order, ...query, ...expected };
      const once = onceOf(headers['Idempotency-Key'], { replace: replacement });
      const receipt = await replaceOrder(ports, ownerOf(identity), replacement, once);
      return c.json(receipt, 200, etagOf(receipt.version));
    },
  }),
  route({
    id: 'cancelOrder',
    method: 'delete',
    path: '/orders/{record_id}',
    tag: 'Orders',
    summary: 'Cancel one of your orders while the gate is open',
    description:
      'The parent of linked blocks stays as long as it has children (`conflict` names one); cancelling a leg of a loop cancels ' +
      'both legs.',
    params: orderParams,
    query: auctionQuery,
    headers: z.object({ 'Idempotency-Key': idempotencyKey }),
    answers: { 200: { description: 'The receipt of the cancellation; the same when asked again', schema: receipt } },
    errors: ['key-reused', 'not-found', 'conflict', 'gate-closed', 'gate-not-open', 'order-executed', 'unavailable'],
    handle: async (c, { params: { record_id }, query: { auction }, headers, identity }) => {
      const once = onceOf(headers['Idempotency-Key'], { cancel: { record_id, auction: auction ?? null } });
      return c.json(await cancelOrder(ports, ownerOf(identity).participant, record_id, auction, once));
    },
  }),
];
