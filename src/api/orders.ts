/** Orders: submit (see `intake.ts`), look up, cancel. */

import * as z from 'zod';
import { auctionState } from '../auction/auction.ts';
import { cancelOrder } from '../auction/intake/cancel-order.ts';
import { findOrder, listOrders, type OrderView } from '../auction/intake/find-order.ts';
import type { OrderPage, Ports } from '../auction/ports.ts';
import { receipt } from '../book/intake.ts';
import { auctionId } from '../market/book.ts';
import { order, orderKinds, recordId, stamps, zoneId } from '../market/order.ts';
import { outcome } from '../market/result.ts';
import { ownerOf, submitRoute } from './intake.ts';
import { type Route, route } from './route.ts';
import { after, limit } from './schemas.ts';

const orderView = z
  .strictObject({
    auction: auctionId,
    record_id: recordId,
    ...stamps,
    hash: z.string().meta({ description: 'running hash of the intake after this order' }),
    order,
    cancelled: z.boolean(),
    state: auctionState.meta({ description: 'state of its auction' }),
    outcome: outcome
      .extend({
        participant: stamps.participant,
        sequence: stamps.sequence,
        zone: zoneId,
        kind: z.enum(orderKinds),
        prices: z.array(z.number()).meta({
          description:
            'currency/MWh, one for each market time unit that it covers; of a rejected flexible order its window',
        }),
      })
      .exactOptional()
      .meta({ description: 'once its auction is final' }),
    leftOut: z.string().exactOptional().meta({
      description: 'once its auction is final: why the sealed book does without it, though nobody cancelled it',
    }),
  })
  .meta({ id: 'OrderView' });

const orderPage = z
  .strictObject({
    auction: auctionId,
    orders: z.array(orderView),
    next: z.int().exactOptional().meta({ description: 'there are more: ask with `after` set to this' }),
  })
  .meta({ id: 'OrderPage' });

/** Orders that are read together where an answer may be cut. */
const readTogether = 1000;
/** Bytes of a page besides its orders. */
const pageBytes = 200;

/** The orders of a page, which ends where its answer would be too large. @returns with `next` when there may be more */
async function pageOf(
  ports: Ports,
  auction: string,
  { after, limit, participant }: Required<OrderPage>,
  largest: number,
): Promise<{ orders: OrderView[]; next?: number | undefined }> {
  const together = Number.isFinite(largest) ? Math.min(readTogether, limit) : limit;
  const orders: OrderView[] = [];
  let bytes = pageBytes;
  for (let last = after; ; last = orders.at(-1)!.sequence) {
    const wanted = Math.min(together, limit - orders.length);
    const some = await listOrders(ports, auction, { after: last, limit: wanted, participant });
    for (const order of some) {
      bytes += Number.isFinite(largest) ? Buffer.byteLength(JSON.stringify(order)) + 1 : 0;
      if (bytes > largest && orders.length > 0) return { orders, next: orders.at(-1)!.sequence };
      orders.push(order);
    }
    if (some.length < wanted) return { orders };
    if (orders.length === limit) return { orders, next: orders.at(-1)!.sequence };
  }
}

const orderParams = z.strictObject({ record_id: recordId });
const auctionQuery = z.strictObject({ auction: auctionId.exactOptional() });

/** @param largestAnswer  bytes: a page of orders ends there, if not before */
export const orderRoutes = (ports: Ports, batchLimit: number, largestAnswer = Infinity): Route[] => [
  submitRoute(ports, batchLimit),
  route({
    id: 'listOrders',
    method: 'get',
    path: '/orders',
    tag: 'Orders',
    summary: 'Your orders of an auction, by sequence',
    query: z.strictObject({ auction: auctionId, after, limit: limit(1000, 10_000) }),
    answers: { 200: { description: 'A page of them', schema: orderPage } },
    errors: ['not-found'],
    handle: async (c, { query: { auction, after = 0, limit }, identity }) => {
      const { participant } = ownerOf(identity);
      const { orders, next } = await pageOf(ports, auction, { after, limit, participant }, largestAnswer);
      return c.json({ auction, orders, ...(next && { next }) });
    },
  }),
  route({
    id: 'findOrder',
    method: 'get',
    path: '/orders/{record_id}',
    tag: 'Orders',
    summary: 'One of your orders, with its outcome once its auction is final',
    description: 'Without `auction` the newest order of that id.',
    params: orderParams,
    query: auctionQuery,
    answers: { 200: { description: 'The order', schema: orderView } },
    errors: ['not-found'],
    handle: async (c, { params, query, identity }) =>
      c.json(await findOrder(ports, ownerOf(identity).participant, params.record_id, query.auction)),
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
    answers: { 200: { description: 'The receipt of the cancellation; the same when asked again', schema: receipt } },
    errors: ['not-found', 'conflict', 'gate-closed', 'gate-not-open', 'unavailable'],
    handle: async (c, { params, query, identity }) =>
      c.json(await cancelOrder(ports, ownerOf(identity).participant, params.record_id, query.auction)),
  }),
];
