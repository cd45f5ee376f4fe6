/**
 * Orders come in: the one route that must hold when everybody is in a hurry, in a file of its own, so that a function can serve
 * it without the rest of the house.
 */

import assert from 'node:assert/strict';
import * as z from 'zod';
import type { Identity } from '../access/identity.ts';
import { submitOrders } from '../auction/intake/submit-orders.ts';
import type { Ports } from '../auction/ports.ts';
import { receipt } from '../book/intake.ts';
import type { Owner } from '../book/portfolio-rules.ts';
import { auctionId } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import { orderSubmission } from '../market/order.ts';
import { idempotencyKey, onceOf } from './once.ts';
import { freshJson, parse, type Route, route } from './route.ts';

export type IntakePorts = Pick<Ports, 'clock' | 'markets' | 'auctions' | 'orders' | 'meter'>;

/** Orders of one request, unless an app says otherwise. */
export const usualBatchLimit = 20_000;

/** Whose orders a call is about: the routes of orders are for participants only. */
export function ownerOf({ participant, portfolios }: Identity): Owner {
  assert(participant !== undefined, 'a caller without participant got through to the orders');
  return { participant, ...(portfolios && { portfolios }) };
}

const receipts = z.strictObject({ auction: auctionId, receipts: z.array(receipt) }).meta({ id: 'Receipts' });

const batchOf = <T extends z.ZodType>(orders: T) =>
  z.strictObject({
    auction: auctionId.exactOptional().meta({
      description: "the default market's open auction with the next gate closure unless said",
    }),
    orders,
  });

/** What intake gets: it checks the orders itself, since it knows the auction, and names each that is wrong. */
const anyBatch = batchOf(z.array(z.unknown()));
const someOrders = z.array(orderSubmission).min(1);
const orderBatch = batchOf(someOrders).meta({ id: 'OrderBatch' });

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

const auctionQuery = z.strictObject({ auction: auctionId.exactOptional() });

export const submitRoute = (ports: IntakePorts, batchLimit: number): Route =>
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
    headers: z.object({ 'Idempotency-Key': idempotencyKey }),
    body: z.unknown(),
    documentedBody: z.union([orderSubmission, someOrders, orderBatch]),
    examples: { ...examples, family },
    answers: { 201: { description: 'A receipt per order', schema: z.union([receipt, receipts]) } },
    errors: ['invalid-order', 'not-found', 'conflict', 'gate-closed', 'gate-not-open', 'key-reused', 'unavailable'],
    saysHowKept: true,
    handle: async (_, { query, headers, body, identity }) => {
      const { auction = query.auction, orders, one } = submissionOf(body);
      if (query.auction !== undefined && auction !== query.auction)
        throw new AuctionError('invalid-request', `the address says auction ${query.auction}, the body ${auction}`);
      if (orders.length === 0) throw new AuctionError('invalid-request', 'there is no order in the request');
      if (orders.length > batchLimit)
        throw new AuctionError('too-large', `${orders.length} orders are more than the ${batchLimit} of one request`);
      const once = onceOf(headers['Idempotency-Key'], { submit: { auction: auction ?? null, orders } });
      const taken = await submitOrders(ports, ownerOf(identity), { ...(auction && { auction }), orders }, once);
      return freshJson(one ? taken.receipts[0]! : taken, 201);
    },
  });

function submissionOf(body: unknown): { auction?: string | undefined; orders: unknown[]; one: boolean } {
  if (Array.isArray(body)) return { orders: body, one: false };
  if (typeof body !== 'object' || body === null)
    throw new AuctionError('invalid-request', 'send an order, a list of orders, or {"auction", "orders"}');
  if (!Object.hasOwn(body, 'orders')) return { orders: [body], one: true };
  return { ...parse(anyBatch, body, 'body'), one: false };
}
