/** A result in a few figures: prices per zone, orders per outcome. */

import type { OrderStatus, Result } from '../market/result.ts';
import { figure, table } from './output.ts';

export interface PriceSummary {
  readonly zone: string;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
}

export interface Summary extends Pick<Result, 'auction' | 'book' | 'status' | 'welfare' | 'bound' | 'gap'> {
  readonly prices: readonly PriceSummary[];
  readonly outcomes: Readonly<Record<OrderStatus, number>>;
}

export function summaryOf({ auction, book, status, welfare, bound, gap, prices, orders }: Result): Summary {
  const outcomes = { accepted: 0, partially_accepted: 0, rejected: 0 };
  for (const { status } of orders) outcomes[status]++;
  return { auction, book, status, welfare, bound, gap, prices: Object.entries(prices).map(pricesOf), outcomes };
}

export const pricesOf = ([zone, series]: [string, readonly number[]]): PriceSummary => ({
  zone,
  min: Math.min(...series),
  mean: series.reduce((sum, price) => sum + price, 0) / series.length,
  max: Math.max(...series),
});

export const priceTable = (prices: readonly PriceSummary[], unit: string): string =>
  table(
    ['zone', `min ${unit}`, 'mean', 'max'],
    prices.map(({ zone, min, mean, max }) => [zone, figure(min), figure(mean), figure(max)]),
  );

export const outcomeTable = (outcomes: Summary['outcomes']): string =>
  table(
    ['outcome', 'orders'],
    Object.entries(outcomes).map(([status, orders]) => [status.replace('_', ' '), orders]),
  );
