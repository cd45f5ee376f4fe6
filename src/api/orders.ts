/** Orders: submit (see `intake.ts`), look up, change (see `order-changes.ts`). */

import * as z from 'zod';
import { auctionState } from '../auction/auction.ts';
import { findOrder, findVersions, listOrders, type OrderView } from '../auction/intake/find-order.ts';
import type { OrderPage, Ports } from '../auction/ports.ts';
import { auctionId } from '../market/book.ts';
import { order, orderKinds, recordId, stamps, zoneId } from '../market/order.ts';
import { outcome } from '../market/result.ts';
import { ownerOf, submitRoute } from './intake.ts';
import { auctionQuery, changeRoutes, etagOf, orderParams } from './order-changes.ts';
import { type Route, route } from './route.ts';
import { after, limit } from './schemas.ts';
import { uploadRoute } from './upload.ts';

const version = z.int().min(1);

const orderView = z
  .strictObject({
    auction: auctionId,
    record_id: recordId,
    ...stamps,
    hash: z.string().meta({ description: 'running hash of the intake after this order' }),
    version: version.meta({ description: 'from 1; the stamps are of this version' }),
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

const orderVersions = z
  .strictObject({
    auction: auctionId,
    record_id: recordId,
    versions: z
      .array(
        z
          .strictObject({ version, ...stamps, hash: z.string(), order, cancelled: z.boolean() })
          .meta({ id: 'OrderVersion' }),
      )
      .min(1),
  })
  .meta({ id: 'OrderVersions' });

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
    handle: async (c, { params, query, identity }) => {
      const view = await findOrder(ports, ownerOf(identity).participant, params.record_id, query.auction);
      return c.json(view, 200, etagOf(view.version));
    },
  }),
  route({
    id: 'listOrderVersions',
    method: 'get',
    path: '/orders/{record_id}/versions',
    tag: 'Orders',
    summary: 'All versions of one of your orders, the first one first',
    description: 'Without `auction` of the newest order of that id. The last one is the order.',
    params: orderParams,
    query: auctionQuery,
    answers: { 200: { description: 'The versions', schema: orderVersions } },
    errors: ['not-found'],
    handle: async (c, { params: { record_id }, query, identity }) => {
      const found = await findVersions(ports, ownerOf(identity).participant, record_id, query.auction);
      const versions = found.map(({ auction: _, ...version }) => version);
      return c.json({ auction: found[0]!.auction, record_id, versions });
    },
  }),
  uploadRoute(ports),
  ...changeRoutes(ports, largestAnswer),
];
