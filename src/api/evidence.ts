/** What a participant can hold the house to: signed tree heads, proofs that an order is in the book, the keys that sign. */

import * as z from 'zod';
import { findAuction } from '../auction/auctions.ts';
import { proveOrder } from '../auction/evidence/prove-order.ts';
import { readTree } from '../auction/evidence/tree.ts';
import type { Ports } from '../auction/ports.ts';
import { wrongState } from '../auction/records/moves.ts';
import { evidence, evidenceKeys, treeAnswer } from '../book/evidence.ts';
import { auctionId } from '../market/book.ts';
import { recordId } from '../market/order.ts';
import { ownerOf } from './intake.ts';
import { type Route, route } from './route.ts';
import { auctionParams, wholeNumber } from './schemas.ts';

const counted = wholeNumber(1, Number.MAX_SAFE_INTEGER);

export const evidenceRoutes = (ports: Ports): Route[] => [
  route({
    id: 'readEvidenceKeys',
    method: 'get',
    path: '/.well-known/evidence-keys.json',
    tag: 'Evidence',
    summary: 'The public keys that tree heads and results are signed with',
    description: 'All that ever signed, the one of now first. Keep them: with them evidence holds without the house.',
    answers: { 200: { description: 'A key set', schema: evidenceKeys } },
    errors: ['unavailable'],
    saysHowKept: true,
    handle: async (c) => c.json(await ports.signer.keys(), 200, { 'cache-control': 'public, max-age=300' }),
  }),
  route({
    id: 'readTree',
    method: 'get',
    path: '/auctions/{id}/tree',
    tag: 'Evidence',
    summary: 'The signed head of the Merkle tree over the intake',
    description:
      'Of the sealed book from its sealing on, before it is cleared; while the gate is open, for callers with a token, of the intake so far. ' +
      'With `first`, once the book is sealed, the hashes that show that the tree only added to that earlier one (RFC 6962, 2.1.2).',
    params: auctionParams,
    query: z.strictObject({ first: counted.exactOptional().meta({ description: 'size of the earlier tree' }) }),
    answers: { 200: { description: 'The head', schema: treeAnswer } },
    errors: ['not-found', 'wrong-state', 'unavailable', 'damaged-data'],
    handle: async (c, { params: { id }, query: { first }, identity }) => {
      const auction = await findAuction(ports, id);
      if (auction.book === undefined && identity.scopes.length === 0)
        throw wrongState(auction, 'its tree is public once the book is sealed');
      return c.json(await readTree(ports, id, first));
    },
  }),
  route({
    id: 'proveOrder',
    method: 'get',
    path: '/orders/{record_id}/proof',
    tag: 'Evidence',
    summary: 'That one of your orders is in the sealed book, signed by the house',
    description:
      'Once the book is sealed. Without `auction` of the newest order of that id; with `sequence` of another entry about it, such as its ' +
      'cancellation. Keep it beside the receipt: `merit verify --receipt RECEIPT --evidence EVIDENCE` checks it without the house.',
    params: z.strictObject({ record_id: recordId }),
    query: z.strictObject({ auction: auctionId.exactOptional(), sequence: counted.exactOptional() }),
    answers: { 200: { description: 'The evidence', schema: evidence } },
    errors: ['not-found', 'wrong-state', 'damaged-data'],
    handle: async (c, { params, query, identity }) => {
      const { participant } = ownerOf(identity);
      return c.json(await proveOrder(ports, { participant, ...params, ...query }));
    },
  }),
];
