/**
 * Statements: what a participant bought and sold for a delivery day, portfolio by portfolio.
 *
 * The day is a calendar day of the market's time zone, and a trade belongs to the day in which its delivery starts. An amount is rounded
 * once, trade by trade, and sums are sums of those, so that everybody can add them up.
 */

import { type Exact, exact, nothing, plus, toNumber } from '../../market/amounts.ts';
import type { Trade } from './trades.ts';

export interface StatedTrade extends Trade {
  readonly auction: string;
}

export interface Statement {
  readonly day: string;
  readonly market: string;
  readonly currency: string;
  /** Those of orders without one are in no portfolio. */
  readonly participant?: string;
  readonly portfolio?: string;
  /** MWh. */
  readonly boughtEnergy: number;
  readonly soldEnergy: number;
  /** What the buys cost; negative where prices below 0 outweigh. */
  readonly boughtCents: number;
  /** What the sells gave. */
  readonly soldCents: number;
  /** What the participant pays, all in all: bought less sold. Negative: what it is paid. */
  readonly payableCents: number;
  /** By start of delivery, then by auction and order. */
  readonly trades: readonly StatedTrade[];
}

/** What a day's statements of one market are made of. */
export interface StatementDay {
  readonly day: string;
  readonly market: string;
  readonly currency: string;
}

/** One statement per participant and portfolio, in the order of their names. */
export function statementsOf(head: StatementDay, trades: readonly StatedTrade[]): Statement[] {
  const keyOf = ({ participant = '', portfolio = '' }: Trade) => `${participant}\n${portfolio}`;
  const groups = [...Map.groupBy(trades, keyOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  return groups.map(([, own]) => {
    const { participant, portfolio } = own[0]!;
    const of = (side: Trade['side']) => own.filter((trade) => trade.side === side);
    const energy = (side: Trade['side']) =>
      toNumber(of(side).reduce((sum: Exact, trade) => plus(sum, exact(trade.energy)), nothing));
    const cents = (side: Trade['side']) => of(side).reduce((sum, trade) => sum + trade.amountCents, 0);
    const [boughtCents, soldCents] = [cents('buy'), cents('sell')];
    return {
      ...head,
      ...(participant !== undefined && { participant }),
      ...(portfolio !== undefined && { portfolio }),
      boughtEnergy: energy('buy'),
      soldEnergy: energy('sell'),
      boughtCents,
      soldCents,
      payableCents: boughtCents - soldCents,
      trades: own.toSorted(byDelivery),
    };
  });
}

const placeOf = ({ start, auction, record_id }: StatedTrade) => `${start}\n${auction}\n${record_id}`;
const byDelivery = (a: StatedTrade, b: StatedTrade): number => (placeOf(a) < placeOf(b) ? -1 : 1);
