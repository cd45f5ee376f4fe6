/** What an auction published: prices, flows, curves, the result and the sealed book. Columns, as charts want them. */

import * as z from 'zod';
import { type Auction, auctionState } from '../auction/auction.ts';
import { findAuction } from '../auction/auctions.ts';
import type { Ports } from '../auction/ports.ts';
import { termsIn, wrongState } from '../auction/records/moves.ts';
import { aggregatedCurves } from '../auction/views/curves.ts';
import { executedBlocks, executedVolumes } from '../auction/views/executed-volumes.ts';
import { bookOf, isPublished, readBook, readResult, resultOf } from '../auction/views/results.ts';
import { untradedPeriods } from '../auction/views/untraded.ts';
import { book } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import { result } from '../market/result.ts';
import { type Delivery, periodStart, resolutionMinutes } from '../market/time.ts';
import { elsewhere } from './large-answers.ts';
import { answeringPublished, type Keeping } from './published.ts';
import { type Route, route } from './route.ts';
import { auctionParams, delivered, series, startColumn } from './schemas.ts';

const state = auctionState.meta({ description: '`final` or `settled`' });

const volumes = z
  .strictObject({
    buy: z.array(z.number()).meta({ description: 'MW, one per period' }),
    sell: z.array(z.number()).meta({ description: 'MW, one per period' }),
  })
  .meta({ id: 'Volumes' });

const prices = z
  .strictObject({
    ...delivered,
    state,
    currency: z.string(),
    zones: series.meta({ description: 'currency/MWh per zone, one per period' }),
    volumes: z.record(z.string(), volumes).meta({ description: 'executed orders, per zone' }),
    untraded: z.record(z.string(), z.array(z.int())).meta({
      description:
        'per zone the periods, from 1, whose price is the middle of what the price limits leave: nothing was executed there, nor where the price comes from',
    }),
    hourly: z
      .strictObject({ start: startColumn, zones: z.record(z.string(), z.array(z.number().nullable())) })
      .optional()
      .meta({
        description:
          'means of the whole hours, where periods are shorter than that, over the periods that traded; null where none did',
      }),
  })
  .meta({ id: 'Prices' });

const flows = z
  .strictObject({
    ...delivered,
    state,
    lines: series.meta({ description: 'MW per line, from -> to positive' }),
    netPositions: series.meta({ description: 'MW per zone, export positive' }),
  })
  .meta({ id: 'Flows' });

const curve = z.strictObject({
  price: z.array(z.number()).meta({ description: 'currency/MWh, rising' }),
  buy: z.array(z.number()).meta({ description: 'MW that would be bought at each price' }),
  sell: z.array(z.number()).meta({ description: 'MW that would be sold at each price' }),
});

const curves = z
  .strictObject({
    ...delivered,
    zones: z.record(z.string(), z.array(curve)).meta({ description: 'per zone one pair of curves a period' }),
    blocks: z
      .record(z.string(), volumes)
      .exactOptional()
      .meta({ description: 'executed of block, flexible and complex orders, per zone; once the auction is final' }),
  })
  .meta({
    id: 'Curves',
    description:
      'Aggregated limit and curve orders; the columns of a curve are aligned. What was executed of others stands beside.',
  });

/** An auction whose result is public. @throws AuctionError `not-found`, `wrong-state` */
async function findPublished(ports: Ports, id: string): Promise<Auction> {
  const auction = await findAuction(ports, id);
  if (!isPublished(auction)) throw wrongState(auction, 'its result is public from final on');
  return auction;
}

/** @param largestAnswer  bytes; what is larger lies in the archive */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of routes, each with its schema
export const resultRoutes = (ports: Ports, largestAnswer?: number): Route[] => {
  const answer = answeringPublished(ports, largestAnswer);
  return [
    route({
      id: 'readPrices',
      method: 'get',
      path: '/auctions/{id}/prices',
      tag: 'Results',
      summary: 'Prices per zone and period',
      params: auctionParams,
      answers: { 200: { description: 'The prices; the rules hold', schema: prices }, ...elsewhere },
      errors: ['not-found', 'wrong-state'],
      handle: async (c, { params: { id } }) => {
        const auction = await findPublished(ports, id);
        return answer(c, { tag: resultTag('prices', auction), keeping: keepingOf(auction) }, async () => {
          const [book, result] = [await readBook(ports, id), await readResult(ports, id)];
          const volumes = executedVolumes(book, result);
          const untraded = untradedPeriods(book, result, volumes);
          const hourly = hourlyMeans(auction.delivery, result.prices, untraded);
          return {
            ...columns(auction),
            state: auction.state,
            currency: termsIn(ports, auction).currency,
            zones: result.prices,
            volumes,
            untraded,
            ...(hourly && { hourly }),
          };
        });
      },
    }),
    route({
      id: 'readFlows',
      method: 'get',
      path: '/auctions/{id}/flows',
      tag: 'Results',
      summary: 'Flows per line, net positions per zone',
      params: auctionParams,
      answers: { 200: { description: 'The flows; the rules hold', schema: flows }, ...elsewhere },
      errors: ['not-found', 'wrong-state'],
      handle: async (c, { params: { id } }) => {
        const auction = await findPublished(ports, id);
        return answer(c, { tag: resultTag('flows', auction), keeping: keepingOf(auction) }, async () => {
          const { flows, netPositions } = await readResult(ports, id);
          return { ...columns(auction), state: auction.state, lines: flows, netPositions };
        });
      },
    }),
    route({
      id: 'readResult',
      method: 'get',
      path: '/auctions/{id}/result',
      tag: 'Results',
      summary: 'The whole result, each order with its outcome',
      params: auctionParams,
      answers: { 200: { description: 'A `result/1` file', schema: result }, ...elsewhere },
      errors: ['not-found', 'wrong-state'],
      handle: async (c, { params: { id } }) => {
        const auction = await findPublished(ports, id);
        return answer(c, { tag: resultTag('result', auction) }, resultOf(auction));
      },
    }),
    route({
      id: 'readBook',
      method: 'get',
      path: '/auctions/{id}/book',
      tag: 'Results',
      summary: 'The sealed book',
      params: auctionParams,
      answers: { 200: { description: 'A `book/1` file', schema: book }, ...elsewhere },
      errors: ['not-found', 'wrong-state'],
      handle: async (c, { params: { id } }) => {
        const auction = await findAuction(ports, id);
        return answer(c, { tag: bookTag('book', auction) }, bookOf(auction));
      },
    }),
    route({
      id: 'readCurves',
      method: 'get',
      path: '/auctions/{id}/curves',
      tag: 'Results',
      summary: 'Aggregated curves of the sealed book',
      description: 'Before the auction is final only auditors get them.',
      params: auctionParams,
      answers: { 200: { description: 'One pair of curves per zone and period', schema: curves }, ...elsewhere },
      errors: ['not-found', 'wrong-state'],
      handle: async (c, { params: { id }, identity }) => {
        const auction = await findAuction(ports, id);
        if (!isPublished(auction) && !identity.scopes.includes('merit/auditor'))
          throw new AuctionError('wrong-state', `auction ${id} is ${auction.state}: its curves are not published`);
        if (auction.book === undefined) throw wrongState(auction, 'its book is not sealed');
        const tag = isPublished(auction) ? resultTag('curves', auction) : bookTag('curves', auction);
        const published = { tag, keeping: keepingOf(auction), mayBeLarge: auction.book.orders > manyOrders };
        return answer(c, published, async () => {
          const book = await readBook(ports, id);
          const blocks = isPublished(auction) && executedBlocks(book, await readResult(ports, id));
          return { ...columns(auction), zones: aggregatedCurves(book), ...(blocks && { blocks }) };
        });
      },
    }),
  ];
};

/** From how many orders on the curves of a book may be more than an answer takes. */
const manyOrders = 20_000;

// The state is in the tags: what was published is not given out as "unchanged" while an auction has failed after all.
export const resultTag = (what: string, { state, result }: Auction) => `${what}-${state}-${result?.hash}`;
const bookTag = (what: string, { state, book }: Auction) =>
  `${what}-${state === 'failed' ? 'failed' : 'sealed'}-${book?.hash}`;

/** Of what is published to everybody: a settled auction never changes again, and a final one can still fail. */
export const keepingOf = ({ state }: Auction): Keeping =>
  state === 'settled' ? 'public, max-age=31536000, immutable' : 'no-cache';

export const columns = ({ id, delivery }: Auction) => ({
  auction: id,
  resolution: delivery.resolution,
  start: Array.from({ length: delivery.periods }, (_, index) => periodStart(delivery, index + 1)),
});

/**
 * Means of the whole hours from the start of delivery, over their periods that traded: null where none did. Nothing where periods
 * are hours or delivery is shorter than one. Rounded to a millionth, so that no digits of binary fractions are published.
 */
export function hourlyMeans(
  delivery: Delivery,
  zones: Readonly<Record<string, readonly number[]>>,
  untraded: Readonly<Record<string, readonly number[]>>,
): { start: string[]; zones: Record<string, (number | null)[]> } | undefined {
  const size = 60 / resolutionMinutes[delivery.resolution];
  const hours = Math.floor(delivery.periods / size);
  if (size === 1 || hours === 0) return undefined;
  const meansOf = (prices: readonly number[], leftOut: ReadonlySet<number>) => (hour: number) => {
    const within = prices.slice(hour * size, (hour + 1) * size).filter((_, i) => !leftOut.has(hour * size + i + 1));
    if (within.length === 0) return null;
    return Math.round((within.reduce((sum, price) => sum + price, 0) / within.length) * 1e6) / 1e6;
  };
  const each = Array.from({ length: hours }, (_, hour) => hour);
  return {
    start: each.map((hour) => periodStart(delivery, hour * size + 1)),
    zones: Object.fromEntries(
      Object.entries(zones).map(([zone, prices]) => [zone, each.map(meansOf(prices, new Set(untraded[zone])))]),
    ),
  };
}
