/** Trades, balance sheets and statements of the auctions of a house, from their sealed books and published results. */

import { addDays, localInstant } from '../../market/calendar.ts';
import type { Market } from '../../market/market.ts';
import type { Auction } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { findAuction, termsIn, wrongState } from '../records/moves.ts';
import { isPublished, readSealedBook, readUnpublished } from '../views/results.ts';
import { type Settlement, settlementOf } from './settlement.ts';
import { type StatedTrade, type Statement, statementsOf } from './statements.ts';
import { type Trade, tradesOf } from './trades.ts';

/** Whose trades are wanted: without a participant everybody's. */
export interface Whose {
  readonly participant?: string | undefined;
  readonly portfolio?: string | undefined;
}

/** All trades of an auction whose result is public; the caller may keep them, by the hash of the result. */
export type ReadTrades = (auction: Auction) => Promise<readonly Trade[]>;

/** An auction whose trades are binding. @throws AuctionError `not-found`, `wrong-state` */
export async function findTraded(ports: Ports, id: string): Promise<Auction> {
  const auction = await findAuction(ports, id);
  if (!isPublished(auction)) throw wrongState(auction, 'trades are made by its result, from final on');
  return auction;
}

export async function readTrades(ports: Ports, auction: Auction): Promise<Trade[]> {
  return tradesOf(await readSealedBook(ports, auction), await readUnpublished(ports, auction));
}

export async function readSettlement(ports: Ports, auction: Auction): Promise<Settlement> {
  const [book, result] = [await readSealedBook(ports, auction), await readUnpublished(ports, auction)];
  return settlementOf(book, result, tradesOf(book, result));
}

const isOf =
  ({ participant, portfolio }: Whose) =>
  (trade: Trade): boolean =>
    (participant === undefined || trade.participant === participant) &&
    (portfolio === undefined || trade.portfolio === portfolio);

export const tradesOfWhom = (trades: readonly Trade[], whose: Whose): Trade[] => trades.filter(isOf(whose));

/** The statements of a day, and the auctions whose trades are still to come. */
export interface DayOfStatements {
  readonly statements: readonly Statement[];
  readonly pending: readonly string[];
}

/**
 * @param day  `YYYY-MM-DD`, in the time zone of each market
 * @param readTrades  of an auction; `readTrades` above, or one that keeps what it read
 */
export async function readStatements(
  ports: Ports,
  day: string,
  whose: Whose,
  readTrades: ReadTrades,
): Promise<DayOfStatements> {
  const found = await Promise.all(
    [...ports.markets.values()].map((market) => ofMarket(ports, market, day, whose, readTrades)),
  );
  return {
    statements: found.flatMap(({ statements }) => statements),
    pending: found.flatMap(({ pending }) => pending).sort(),
  };
}

async function ofMarket(
  ports: Ports,
  { market, timeZone }: Market,
  day: string,
  whose: Whose,
  readTrades: ReadTrades,
): Promise<DayOfStatements> {
  const midnight = (date: string) => Date.parse(localInstant(date, 0, '00:00', timeZone));
  const [from, to] = [midnight(day), midnight(addDays(day, 1))];
  const all = await ports.auctions.list({ market, delivering: { from, to } });
  const byCurrency = new Map<string, StatedTrade[]>();
  const isThatDay = (trade: Trade) => Date.parse(trade.start) >= from && Date.parse(trade.start) < to;
  for (const auction of all.filter(isPublished)) {
    const { currency } = termsIn(ports, auction);
    const own = tradesOfWhom(await readTrades(auction), whose).filter(isThatDay);
    const stated = byCurrency.get(currency) ?? byCurrency.set(currency, []).get(currency)!;
    for (const trade of own) stated.push({ auction: auction.id, ...trade });
  }
  const isPending = (auction: Auction) => !isPublished(auction) && auction.state !== 'cancelled';
  return {
    statements: [...byCurrency].flatMap(([currency, trades]) => statementsOf({ day, market, currency }, trades)),
    pending: all.filter(isPending).map(({ id }) => id),
  };
}
