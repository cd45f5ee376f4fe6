/** A result in a few figures: prices per zone, orders per outcome. */

import { type OrderStatus, type Outcome, type ReasonCode, type Result, reasons } from '../market/result.ts';
import { alike, counted, figure, table } from './output.ts';

/** Of the periods of a zone that traded: null where none did. */
export interface PriceSummary {
  readonly zone: string;
  readonly min: number | null;
  readonly mean: number | null;
  readonly max: number | null;
  /** Periods without trade. */
  readonly untraded: number;
}

/** By zone the periods, from 1, whose price no trade stands behind. */
export type Untraded = Readonly<Record<string, readonly number[]>>;

export interface Summary extends Pick<Result, 'auction' | 'book' | 'status' | 'welfare' | 'bound' | 'gap'> {
  readonly prices: readonly PriceSummary[];
  readonly outcomes: Readonly<Record<OrderStatus, number>>;
}

export function summaryOf(
  { auction, book, status, welfare, bound, gap, prices, orders }: Result,
  untraded: Untraded,
): Summary {
  const outcomes = { accepted: 0, partially_accepted: 0, rejected: 0 };
  for (const { status } of orders) outcomes[status]++;
  return { auction, book, status, welfare, bound, gap, prices: pricesOf(prices, untraded), outcomes };
}

export const pricesOf = (prices: Result['prices'], untraded: Untraded): PriceSummary[] =>
  Object.entries(prices).map(([zone, series]) => {
    const leftOut = new Set(untraded[zone]);
    const traded = series.filter((_, i) => !leftOut.has(i + 1));
    if (traded.length === 0) return { zone, min: null, mean: null, max: null, untraded: leftOut.size };
    const mean = traded.reduce((sum, price) => sum + price, 0) / traded.length;
    return { zone, min: Math.min(...traded), mean, max: Math.max(...traded), untraded: leftOut.size };
  });

/** Periods without trade have a column where there are any. */
export function priceTable(prices: readonly PriceSummary[], unit: string): string {
  const isWhole = prices.every(({ untraded }) => untraded === 0);
  const known = prices.flatMap(({ min, mean, max }) => (min === null ? [] : [min, mean!, max!]));
  const texts = alike(known, 2).values();
  const cell = (price: number | null) => (price === null ? '-' : texts.next().value!);
  return table(
    ['zone', `min ${unit}`, 'mean', 'max', ...(isWhole ? [] : ['periods without trade'])],
    prices.map(({ zone, min, mean, max, untraded }) => [
      zone,
      ...[min, mean, max].map(cell),
      ...(isWhole ? [] : [untraded]),
    ]),
  );
}

export const outcomeTable = (outcomes: Summary['outcomes']): string =>
  table(
    ['outcome', 'orders'],
    Object.entries(outcomes).map(([status, orders]) => [words(status), orders]),
  );

/** Why orders were not fully executed: how many for which reason; nothing when all were. */
export function reasonTable(orders: readonly Outcome[]): string | undefined {
  const codes = Map.groupBy(
    orders.filter(({ reason }) => reason !== undefined),
    ({ reason }) => reason!.code,
  );
  if (codes.size === 0) return undefined;
  const known = (Object.keys(reasons) as ReasonCode[]).filter((code) => codes.has(code));
  return table(
    ['reason', 'orders', 'that is'],
    known.map((code) => [words(code), codes.get(code)!.length, reasons[code]]),
  );
}

/** Orders over several periods, what was executed first. */
function blocksOf(orders: readonly Outcome[]): Outcome[] {
  const rank = ({ status }: Outcome) => (status === 'rejected' ? 1 : 0);
  return orders
    .filter(({ power }) => Array.isArray(power))
    .toSorted((a, b) => rank(a) - rank(b) || b.surplus - a.surplus);
}

/** The same in 80 columns, as many from either end of the list. */
export function blockLines(orders: readonly Outcome[], each: number): string | undefined {
  const blocks = blocksOf(orders);
  if (blocks.length === 0) return undefined;
  const shown = blocks.length <= 2 * each ? blocks : [...blocks.slice(0, each), ...blocks.slice(-each)];
  return table(
    ['order', 'MW', 'surplus', 'accepted, or why not in full'],
    shown.map(({ record_id, power, surplus, reason }) => [
      record_id,
      powerText(power),
      figure(surplus),
      reason === undefined ? 'accepted' : words(reason.code),
    ]),
  );
}

/** Orders over several periods, a line each; nothing when there are none. */
export function blockTable(orders: readonly Outcome[], most = 20): string | undefined {
  const blocks = blocksOf(orders);
  if (blocks.length === 0) return undefined;
  const rows = blocks
    .slice(0, most)
    .map(({ record_id, status, power, start, surplus, reason }) => [
      record_id,
      words(status),
      powerText(power),
      start ?? '-',
      figure(surplus),
      reason === undefined ? '-' : words(reason.code),
    ]);
  const more = blocks.length > most ? `\nand ${counted(blocks.length - most, 'more order')} over several periods` : '';
  return `${table(['order', 'outcome', 'MW', 'start', 'surplus', 'reason'], rows)}${more}`;
}

/** `50.0`, or `20.0 to 50.0` where the periods differ. */
export function powerText(power: Outcome['power']): string {
  const all = [power].flat();
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const [from, to] = alike([least, most], 1);
  return least === most ? from! : `${from} to ${to}`;
}

const words = (code: string): string => code.replaceAll('_', ' ');
