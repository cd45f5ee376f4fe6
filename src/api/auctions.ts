/** Auctions: their records, and what an operator may do with them. */

import * as z from 'zod';
import { auction, auctionState } from '../auction/auction.ts';
import {
  cancelAuction,
  closeGate,
  createAuction,
  findAuction,
  listAuctions,
  restartAuction,
} from '../auction/auctions.ts';
import type { Ports } from '../auction/ports.ts';
import { diagnosis, readDiagnosis } from '../auction/records/diagnosis.ts';
import { changeNetwork, readNetwork } from '../auction/records/network.ts';
import { auctionId } from '../market/book.ts';
import { network, networkChanges } from '../market/network.ts';
import { orderName } from '../market/result.ts';
import { marketId } from '../market/terms.ts';
import { day, instant } from '../market/time.ts';
import { answerTagged } from './published.ts';
import { type Route, route } from './route.ts';
import { auctionParams, limit } from './schemas.ts';

const auctions = z.strictObject({ auctions: z.array(auction) }).meta({ id: 'Auctions' });

const auctionRequest = z
  .strictObject({
    market: marketId.exactOptional().meta({ description: 'the default market unless said' }),
    date: day.exactOptional().meta({ description: 'delivery day, in a market with daily auctions' }),
    slot: instant.exactOptional().meta({ description: 'slot, in a market with an auction every so often' }),
    start: instant.exactOptional().meta({ description: 'first instant of delivery' }),
    periods: z.int().min(1).max(10_000).exactOptional(),
    gateOpening: instant.exactOptional(),
    gateClosure: instant.exactOptional(),
    id: auctionId.exactOptional(),
  })
  .meta({
    id: 'AuctionRequest',
    description: 'What is left out comes from the market and its schedule',
  });

const restart = z.strictObject({ without: z.array(orderName).max(100_000).exactOptional() }).meta({ id: 'Restart' });

const cancellation = z.strictObject({ cause: z.string().min(1).max(500).exactOptional() }).meta({ id: 'Cancellation' });

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of routes, each with its schema
export const auctionRoutes = (ports: Ports): Route[] => [
  route({
    id: 'listAuctions',
    method: 'get',
    path: '/auctions',
    tag: 'Auctions',
    summary: 'The auctions, newest gate closure first',
    query: z.strictObject({
      market: marketId.exactOptional(),
      state: auctionState.exactOptional(),
      limit: limit(100, 1000),
    }),
    answers: { 200: { description: 'Their records', schema: auctions } },
    handle: async (c, { query: { state, ...rest } }) =>
      answerTagged(c, { auctions: await listAuctions(ports, { ...rest, ...(state && { states: [state] }) }) }),
  }),
  route({
    id: 'createAuction',
    method: 'post',
    path: '/auctions',
    tag: 'Auctions',
    summary: 'Hold an auction besides those of the schedule',
    body: auctionRequest,
    examples: { hourly: { market: 'hourly', slot: '2099-06-01T10:00:00Z' } },
    answers: { 201: { description: 'The auction', schema: auction } },
    errors: ['conflict', 'not-found'],
    handle: async (c, { body }) => {
      const made = await createAuction(ports, body);
      return c.json(made, 201, { location: `/auctions/${made.id}` });
    },
  }),
  route({
    id: 'findAuction',
    method: 'get',
    path: '/auctions/{id}',
    tag: 'Auctions',
    summary: 'One auction',
    params: auctionParams,
    answers: { 200: { description: 'Its record', schema: auction } },
    errors: ['not-found'],
    handle: async (c, { params }) => answerTagged(c, await findAuction(ports, params.id)),
  }),
  route({
    id: 'readNetwork',
    method: 'get',
    path: '/auctions/{id}/network',
    tag: 'Auctions',
    summary: 'The network of an auction: capacities, ramps, flow-based constraints',
    params: auctionParams,
    answers: { 200: { description: 'As it will be sealed, or was', schema: network } },
    errors: ['not-found', 'unavailable'],
    handle: async (c, { params }) => c.json(await readNetwork(ports, params.id)),
  }),
  route({
    id: 'changeNetwork',
    method: 'patch',
    path: '/auctions/{id}/network',
    tag: 'Auctions',
    summary: 'Change capacities, ramps or constraints of one auction until its gate closes',
    description:
      'A list has a value for each market time unit that is delivered: 23, 24 or 25 of a day in hours, 92, 96 or 100 in quarters. ' +
      'What is not named stays as it is; `constraints` take the place of all there were. All is taken, or nothing.',
    params: auctionParams,
    body: networkChanges,
    answers: { 200: { description: 'The whole network, changed', schema: network } },
    errors: ['not-found', 'wrong-state', 'gate-closed', 'unavailable'],
    handle: async (c, { params, body }) => c.json(await changeNetwork(ports, params.id, body)),
  }),
  route({
    id: 'closeGate',
    method: 'post',
    path: '/auctions/{id}/close',
    tag: 'Auctions',
    summary: 'Close the gate before its time',
    params: auctionParams,
    answers: { 200: { description: 'The auction, closed', schema: auction } },
    errors: ['not-found', 'wrong-state'],
    handle: async (c, { params }) => c.json(await closeGate(ports, params.id)),
  }),
  route({
    id: 'cancelAuction',
    method: 'post',
    path: '/auctions/{id}/cancel',
    tag: 'Auctions',
    summary: 'Call an auction off, before its book is sealed or after it failed',
    params: auctionParams,
    body: cancellation.optional(),
    bodyOptional: true,
    answers: { 200: { description: 'The auction, cancelled', schema: auction } },
    errors: ['not-found', 'wrong-state'],
    handle: async (c, { params, body }) =>
      c.json(await cancelAuction(ports, params.id, body?.cause ?? 'called off by the operator')),
  }),
  route({
    id: 'restartAuction',
    method: 'post',
    path: '/auctions/{id}/restart',
    tag: 'Auctions',
    summary: 'Run the workflow of a failed auction again',
    description:
      'On the same sealed book. `without` names orders that are left out, because the auction cannot be cleared with them: each gets ' +
      'its outcome with the reason `excluded`, and the result names them. A family of linked blocks goes together.',
    params: auctionParams,
    body: restart.optional(),
    bodyOptional: true,
    answers: { 200: { description: 'The auction, closed and on its way again', schema: auction } },
    errors: ['not-found', 'wrong-state', 'unavailable'],
    handle: async (c, { params, body }) => c.json(await restartAuction(ports, params.id, body?.without)),
  }),
  route({
    id: 'readDiagnosis',
    method: 'get',
    path: '/auctions/{id}/diagnosis',
    tag: 'Auctions',
    summary: 'Why an auction failed, and without which orders it would clear',
    description: 'The auction has `failure.diagnosis` once there is one; for a book of many orders that takes minutes.',
    params: auctionParams,
    answers: { 200: { description: 'Of its last run', schema: diagnosis } },
    errors: ['not-found', 'wrong-state'],
    handle: async (c, { params }) => c.json(await readDiagnosis(ports, params.id)),
  }),
];
