/**
 * A day of the Italian day-ahead market (GME MGP), read from tidy tables of its public publications, as a book.
 *
 * The seven Italian zones are cleared; what lies beyond the borders is closed in one of two ways (`borders.ts`), and block
 * orders enter as orders, as what became of them, or not at all (`blocks.ts`). Quantities are MWh per hour, so MW.
 */

import { statSync } from 'node:fs';
import type { Book } from '../../market/book.ts';
import { deliveryDay } from '../../market/calendar.ts';
import { AuctionError } from '../../market/errors.ts';
import type { LimitOrder, Order } from '../../market/order.ts';
import { type Delivery, day } from '../../market/time.ts';
import { fileOf } from '../table.ts';
import { type Blocks, blockOrders } from './blocks.ts';
import { type Borders, exchangesAsOrders, pricesAsOrders } from './borders.ts';
import { isItalian, italianZones, priceLimits, sideOf, timeZone } from './italy.ts';
import { readLines } from './lines.ts';
import { readTable, type Source } from './table.ts';

export interface ImportOptions {
  /** The folder with the tables. */
  readonly folder: string;
  /** Delivery day, `YYYY-MM-DD`. */
  readonly day: string;
  readonly borders: Borders;
  /** Left out: block orders are left out. */
  readonly blocks?: Blocks;
  /** Told the share of the tables that was read, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/**
 * @throws AuctionError `not-found` without the folder, a table or the day; `invalid-book` naming file, line and column, or
 *         the zone and period of which something is missing
 */
export async function importDay({ folder, day: date, borders, blocks, onProgress }: ImportOptions): Promise<Book> {
  const { start, resolution, periods } = delivery(date);
  const source: Source = {
    folder,
    day: date,
    periods,
    ...(onProgress && { onRead: shareOf(folder, borders, onProgress) }),
  };
  const lines = await readLines(source, borders === 'prices');
  const neighbours = [...new Set(lines.flatMap(({ from, to }) => [from, to]))]
    .filter((zone) => !isItalian(zone))
    .sort();
  const orders: Order[] = await curveSteps(source);
  if (blocks !== undefined) orders.push(...(await blockOrders(source, blocks)));
  orders.push(
    ...(borders === 'prices' ? await pricesAsOrders(source, neighbours, lines) : await exchangesAsOrders(source)),
  );
  return {
    merit: 'book/1',
    auction: `italy-${date}`,
    currency: 'EUR',
    start,
    resolution,
    periods,
    priceLimits,
    zones: [...italianZones, ...neighbours],
    lines,
    constraints: [],
    orders,
  };
}

function delivery(text: string): Delivery {
  const parsed = day.safeParse(text);
  if (parsed.success) return deliveryDay(parsed.data, timeZone, 'PT60M');
  throw new AuctionError('invalid-request', `${JSON.stringify(text)} is not a day; write it as 2025-04-01`);
}

/** Bytes of single files as a share of all that will be read. */
function shareOf(folder: string, borders: Borders, onProgress: (share: number) => void): (bytes: number) => void {
  const names = [
    'transfer-capacities',
    'simple-bid-curves',
    borders === 'prices' ? 'published-prices' : 'published-exchanges',
  ];
  const total = names
    .map((name) => fileOf(folder, name))
    .reduce((sum, file) => sum + (file ? statSync(file).size : 0), 0);
  let read = 0;
  return (bytes) => {
    read += bytes;
    onProgress(Math.min(1, read / total));
  };
}

/** One limit order for each price step of a zone's aggregated supply or demand. */
async function curveSteps(source: Source): Promise<LimitOrder[]> {
  const name = 'simple-bid-curves';
  const columns = ['zone', 'side', 'price_eur_per_mwh', 'quantity_mwh'] as const;
  const { rows, days } = await readTable(source, name, columns);
  const { folder, day: date } = source;
  if (rows.length === 0) {
    const known = days.length > 1 ? `${days.length} days from ${days[0]} to ${days.at(-1)}` : days[0];
    throw new AuctionError('not-found', `${folder}: ${name} has no ${date}; it has ${known}`);
  }
  const counts = new Map<string, number>();
  return rows.flatMap((row) => {
    const side = sideOf(row.text('side'), `${folder}: ${name}`);
    const [zone, period] = [row.text('zone'), row.period()];
    if (!isItalian(zone)) throw new AuctionError('invalid-book', `${folder}: ${name} has orders of zone ${zone}`);
    const curve = `${zone}-${side === 'sell' ? 's' : 'b'}-${period}`;
    const count = (counts.get(curve) ?? 0) + 1;
    counts.set(curve, count);
    const record_id = `${curve}-${String(count).padStart(5, '0')}`;
    const price = row.number('price_eur_per_mwh');
    const power = row.megawatts('quantity_mwh');
    return power === 0 ? [] : [{ record_id, kind: 'limit' as const, zone, side, period, price, power }];
  });
}
