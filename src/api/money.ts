/**
 * Trades, the balance sheet of an auction, and statements by delivery day (market rules, section 8).
 *
 * A participant sees its own; operators and auditors see everybody's. The balance sheet has sums of zones and lines only: it follows from the
 * prices, volumes and flows that are public anyway, so it is public too.
 */

import type { Context } from 'hono';
import { LRUCache } from 'lru-cache';
import * as z from 'zod';
import type { Identity } from '../access/identity.ts';
import { seesAll } from '../access/routes.ts';
import { type Auction, auctionState } from '../auction/auction.ts';
import {
  findTraded,
  type ReadTrades,
  readSettlement,
  readStatements,
  readTrades,
  tradesOfWhom,
  type Whose,
} from '../auction/money/read-money.ts';
import type { Trade } from '../auction/money/trades.ts';
import type { Ports } from '../auction/ports.ts';
import { termsIn } from '../auction/records/moves.ts';
import { auctionId } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import { orderKinds, participantName, period, portfolioName, recordId, side, zoneId } from '../market/order.ts';
import { marketId } from '../market/terms.ts';
import { day, instant } from '../market/time.ts';
import { ownerOf } from './intake.ts';
import { elsewhere } from './large-answers.ts';
import { answeringPublished } from './published.ts';
import { columns, keepingOf, resultTag } from './results.ts';
import { type Route, route } from './route.ts';
import { auctionParams, delivered, limit, place } from './schemas.ts';
import { statementsCsv } from './statements-csv.ts';

const cents = (what: string) => z.int().meta({ description: `${what}, in whole cents` });
const centsColumn = (what: string) => z.array(z.int()).meta({ description: `${what}: whole cents, one per period` });

const trade = z
  .strictObject({
    participant: participantName.exactOptional(),
    portfolio: portfolioName.exactOptional(),
    record_id: recordId,
    kind: z.enum(orderKinds),
    zone: zoneId,
    period,
    start: instant,
    end: instant,
    side,
    power: z.number().positive().meta({ description: 'MW' }),
    price: z.number().meta({ description: 'currency/MWh, of the zone in this period' }),
    hours: z.number().positive(),
    energy: z.number().positive().meta({ description: 'MWh: power times hours' }),
    amountCents: cents(
      'price times power times hours, half a cent away from zero: a buyer pays it and a seller gets it, or the other way where it is negative',
    ),
  })
  .meta({ id: 'Trade', description: 'What one order bought or sold in one zone and period' });

const tradePage = z
  .strictObject({
    auction: auctionId,
    state: auctionState,
    currency: z.string(),
    trades: z.array(trade),
    next: z.int().exactOptional().meta({ description: 'there are more: ask with `after` set to this' }),
  })
  .meta({ id: 'TradePage' });

const settlement = z
  .strictObject({
    ...delivered,
    state: auctionState,
    currency: z.string(),
    zones: z.record(
      z.string(),
      z.strictObject({
        buyersCents: centsColumn('paid by the buyers of the zone'),
        sellersCents: centsColumn('paid to its sellers'),
      }),
    ),
    lines: z.record(
      z.string(),
      z.strictObject({
        congestionCents: centsColumn('difference of prices times flow, after loss and tariff'),
        tariffCents: centsColumn('tariff times flow'),
        lossesCents: centsColumn('what whole lots take off what arrives over lines with losses'),
      }),
    ),
    exchangeCents: z.array(z.int()).exactOptional().meta({
      description: 'congestion income of flow-based exchange: whole cents, one per period',
    }),
    roundingCents: centsColumn('what rounding each amount by itself leaves'),
    totals: z.strictObject({
      buyersCents: cents('paid by buyers'),
      sellersCents: cents('paid to sellers'),
      congestionCents: cents('congestion income of lines and exchange'),
      tariffsCents: cents('tariffs of lines'),
      lossesCents: cents('losses of lines'),
      roundingCents: cents('left by rounding'),
    }),
  })
  .meta({
    id: 'Settlement',
    description: 'In each period and in all: buyers = sellers + congestion + tariffs + losses + rounding, to the cent',
  });

const statement = z
  .strictObject({
    day,
    market: marketId,
    currency: z.string(),
    participant: participantName.exactOptional(),
    portfolio: portfolioName.exactOptional(),
    boughtEnergy: z.number().meta({ description: 'MWh' }),
    soldEnergy: z.number().meta({ description: 'MWh' }),
    boughtCents: cents('what was bought'),
    soldCents: cents('what was sold'),
    payableCents: cents('bought less sold: what the participant pays, or is paid where it is negative'),
    trades: z.array(trade.extend({ auction: auctionId })),
  })
  .meta({
    id: 'Statement',
    description: 'The trades of one portfolio for one delivery day; sums are sums of its amounts',
  });

const statements = z
  .strictObject({
    statements: z.array(statement),
    pending: z
      .array(auctionId)
      .meta({ description: 'auctions that deliver on this day, whose results are not binding yet' }),
  })
  .meta({ id: 'Statements' });

const whose = {
  participant: participantName
    .exactOptional()
    .meta({ description: 'for operators and auditors; without it everybody' }),
  portfolio: portfolioName.exactOptional(),
};
const ofDay = z.strictObject({
  day: day.meta({ description: 'delivery day, in the time zone of each market', examples: ['2025-04-01'] }),
  ...whose,
});

/** @throws AuctionError `forbidden` for a participant that asks for another */
function whoseOf(identity: Identity, { participant, portfolio }: Whose): Whose {
  if (seesAll(identity)) return { participant, portfolio };
  const own = ownerOf(identity).participant;
  if (participant !== undefined && participant !== own)
    throw new AuctionError('forbidden', 'a participant sees its own trades and statements');
  return { participant: own, portfolio };
}

/** Trades that are kept, of the results that were asked for last. */
const mostKept = 200_000;

function keepingTrades(ports: Ports): ReadTrades {
  const kept = new LRUCache<string, readonly Trade[], Auction>({
    maxSize: mostKept,
    sizeCalculation: ({ length }) => length + 1,
    fetchMethod: (_tag, _stale, { context }) => readTrades(ports, context),
  });
  // Many ask for the same at once: it is worked out once.
  return (auction) => kept.forceFetch(resultTag('trades', auction), { context: auction });
}

const wantsCsv = (c: Context): boolean => /\btext\/csv\b/.test(c.req.header('accept') ?? '');

/** @param largestAnswer  bytes; what is larger lies in the archive */
export const moneyRoutes = (ports: Ports, largestAnswer?: number): Route[] => {
  const answer = answeringPublished(ports, largestAnswer);
  const tradesOf = keepingTrades(ports);
  const statementsFor = (identity: Identity, { day, ...asked }: z.output<typeof ofDay>) =>
    readStatements(ports, day, whoseOf(identity, asked), tradesOf);
  const csv = async (c: Context, identity: Identity, query: z.output<typeof ofDay>) => {
    const text = statementsCsv((await statementsFor(identity, query)).statements);
    const disposition = `attachment; filename="statements-${query.day}.csv"`;
    return c.body(text, 200, { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': disposition });
  };
  return [
    tradesRoute(ports, tradesOf),
    route({
      id: 'readSettlement',
      method: 'get',
      path: '/auctions/{id}/settlement',
      tag: 'Money',
      summary: 'The balance sheet: what buyers pay, sellers get and lines earn',
      params: auctionParams,
      answers: { 200: { description: 'In whole cents, per period and in all', schema: settlement }, ...elsewhere },
      errors: ['not-found', 'wrong-state'],
      handle: async (c, { params: { id } }) => {
        const auction = await findTraded(ports, id);
        const head = { ...columns(auction), state: auction.state, currency: termsIn(ports, auction).currency };
        return answer(c, { tag: resultTag('settlement', auction), keeping: keepingOf(auction) }, async () => ({
          ...head,
          ...(await readSettlement(ports, auction)),
        }));
      },
    }),
    route({
      id: 'readStatements',
      method: 'get',
      path: '/statements',
      tag: 'Money',
      summary: 'Your statements of a delivery day, one per portfolio; as CSV where that is accepted',
      description: 'Operators and auditors get everybody’s. A trade belongs to the day in which its delivery starts.',
      query: ofDay,
      answers: { 200: { description: 'The statements', schema: statements, type: 'text/csv' }, ...elsewhere },
      handle: async (c, { query, identity }) =>
        wantsCsv(c) ? csv(c, identity, query) : c.json(await statementsFor(identity, query)),
    }),
    route({
      id: 'downloadStatements',
      method: 'get',
      path: '/statements.csv',
      tag: 'Money',
      summary: 'The same as CSV: one trade a line',
      query: ofDay,
      answers: { 200: { description: 'The trades of the statements', type: 'text/csv' }, ...elsewhere },
      handle: (c, { query, identity }) => csv(c, identity, query),
    }),
  ];
};

const tradesRoute = (ports: Ports, tradesOf: ReadTrades): Route =>
  route({
    id: 'listTrades',
    method: 'get',
    path: '/auctions/{id}/trades',
    tag: 'Money',
    summary: 'Your trades of an auction: one per order and contract',
    description: 'A contract is a zone in a period. Operators and auditors get everybody’s.',
    params: auctionParams,
    query: z.strictObject({ ...whose, after: place, limit: limit(1000, 10_000) }),
    answers: { 200: { description: 'A page of them', schema: tradePage }, ...elsewhere },
    errors: ['not-found', 'wrong-state'],
    handle: async (c, { params: { id }, query: { after = 0, limit, ...asked }, identity }) => {
      const own = whoseOf(identity, asked);
      const auction = await findTraded(ports, id);
      const all = tradesOfWhom(await tradesOf(auction), own);
      const next = after + limit < all.length ? after + limit : undefined;
      const { currency } = termsIn(ports, auction);
      const trades = all.slice(after, after + limit);
      return c.json({ auction: id, state: auction.state, currency, trades, ...(next !== undefined && { next }) });
    },
  });
