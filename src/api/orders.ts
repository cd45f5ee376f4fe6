/** Orders: submit, look up, cancel. */

import { z } from 'zod';
import { auctionState } from '../auction/auction.ts';
import { cancelOrder } from '../auction/cancel-order.ts';
import { findOrder, listOrders } from '../auction/find-order.ts';
import type { Ports } from '../auction/ports.ts';
import { submitOrders } from '../auction/submit-orders.ts';
import { receipt } from '../book/intake.ts';
import { auctionId } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import { order, orderKinds, orderSubmission, recordId, stamps, zoneId } from '../market/order.ts';
import { outcome } from '../market/result.ts';
import { parse, type Route, route } from './route.ts';
import { after, limit } from './schemas.ts';

/** Who submits. Until there are tokens the house listens on loopback only, and everybody there is one participant. */
const participant = 'local';

const receipts = z.strictObject({ auction: auctionId, receipts: z.array(receipt) }).meta({ id: 'Receipts' });

const batchOf = <T extends z.ZodType>(orderInIt: T) =>
  z.strictObject({
    auction: auctionId.exactOptional().meta({
      description: "the default market's open auction with the next gate closure unless said",
    }),
    orders: z.array(orderInIt),
  });

/** What intake gets: it checks the orders itself, since it knows the auction, and names each that is wrong. */
const anyBatch = batchOf(z.unknown());
const orderBatch = batchOf(orderSubmission).meta({ id: 'OrderBatch' });

const examples = {
  one: { record_id: 'wind-1', side: 'sell', price: 5, power: 120 },
  list: [
    { record_id: 'plant-1', side: 'sell', price: 62.5, power: 80 },
    { record_id: 'load-1', side: 'buy', price: 90, power: 150 },
  ],
  batch: {
    orders: [
      {
        record_id: 'town-1',
        kind: 'curve',
        shape: 'step',
        points: [
          { price: -500, power: 40 },
          { price: 70, power: 25 },
        ],
      },
    ],
  },
};

/** Linked blocks: the second runs only if the first does. */
const family = [
  { record_id: 'plant-2', kind: 'block', side: 'sell', price: 58, from: 1, to: 1, power: 90 },
  {
    record_id: 'plant-2-extra',
    kind: 'block',
    side: 'sell',
    price: 49,
    from: 1,
    to: 1,
    power: 30,
    minAcceptance: 0.5,
    linkedTo: 'plant-2',
  },
];

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
  })
  .meta({ id: 'OrderView' });

const orderPage = z
  .strictObject({
    auction: auctionId,
    orders: z.array(orderView),
    next: z.int().exactOptional().meta({ description: 'there are more: ask with `after` set to this' }),
  })
  .meta({ id: 'OrderPage' });

const orderParams = z.strictObject({ record_id: recordId });
const auctionQuery = z.strictObject({ auction: auctionId.exactOptional() });

export const orderRoutes = (ports: Ports, batchLimit: number): Route[] => [
  route({
    id: 'submitOrders',
    method: 'post',
    path: '/orders',
    tag: 'Orders',
    summary: 'Submit one order, a list, or a batch for a named auction',
    description:
      'All orders of a request are taken or none. The answer means that they are durable: they will be in the sealed ' +
      'book unless cancelled before the gate closes. The same order again gives the same receipt.',
    query: auctionQuery,
    body: z.unknown(),
    documentedBody: z.union([orderSubmission, z.array(orderSubmission), orderBatch]),
    examples: { ...examples, family },
    answers: { 201: { description: 'A receipt per order', schema: z.union([receipt, receipts]) } },
    errors: ['invalid-order', 'not-found', 'conflict', 'gate-closed', 'gate-not-open', 'unavailable'],
    handle: async (c, { query, body }) => {
      const { auction = query.auction, orders, one } = submissionOf(body);
      if (query.auction !== undefined && auction !== query.auction)
        throw new AuctionError('invalid-request', `the address says auction ${query.auction}, the body ${auction}`);
      if (orders.length === 0) throw new AuctionError('invalid-request', 'there is no order in the request');
      if (orders.length > batchLimit)
        throw new AuctionError('too-large', `${orders.length} orders are more than the ${batchLimit} of one request`);
      const taken = await submitOrders(ports, participant, { ...(auction && { auction }), orders });
      return c.json(one ? taken.receipts[0]! : taken, 201);
    },
  }),
  route({
    id: 'listOrders',
    method: 'get',
    path: '/orders',
    tag: 'Orders',
    summary: 'The orders of an auction, by sequence',
    query: z.strictObject({ auction: auctionId, after, limit: limit(1000, 10_000) }),
    answers: { 200: { description: 'A page of them', schema: orderPage } },
    errors: ['not-found'],
    handle: async (c, { query: { auction, after = 0, limit } }) => {
      const orders = await listOrders(ports, auction, { after, limit });
      const next = orders.length === limit ? orders.at(-1)!.sequence : undefined;
      return c.json({ auction, orders, ...(next && { next }) });
    },
  }),
  route({
    id: 'findOrder',
    method: 'get',
    path: '/orders/{record_id}',
    tag: 'Orders',
    summary: 'One order, with its outcome once its auction is final',
    description: 'Without `auction` the newest order of that id.',
    params: orderParams,
    query: auctionQuery,
    answers: { 200: { description: 'The order', schema: orderView } },
    errors: ['not-found'],
    handle: async (c, { params, query }) => c.json(await findOrder(ports, params.record_id, query.auction)),
  }),
  route({
    id: 'cancelOrder',
    method: 'delete',
    path: '/orders/{record_id}',
    tag: 'Orders',
    summary: 'Cancel an order while the gate is open',
    description:
      'The parent of linked blocks stays as long as it has children (`conflict` names one); cancelling a leg of a loop cancels ' +
      'both legs.',
    params: orderParams,
    query: auctionQuery,
    answers: { 200: { description: 'The receipt of the cancellation; the same when asked again', schema: receipt } },
    errors: ['not-found', 'conflict', 'gate-closed', 'gate-not-open', 'unavailable'],
    handle: async (c, { params, query }) =>
      c.json(await cancelOrder(ports, participant, params.record_id, query.auction)),
  }),
];

function submissionOf(body: unknown): { auction?: string | undefined; orders: unknown[]; one: boolean } {
  if (Array.isArray(body)) return { orders: body, one: false };
  if (typeof body !== 'object' || body === null)
    throw new AuctionError('invalid-request', 'send an order, a list of orders, or {"auction", "orders"}');
  if (!Object.hasOwn(body, 'orders')) return { orders: [body], one: true };
  return { ...parse(anyBatch, body, 'body'), one: false };
}
