/**
 * A day of the Italian day-ahead market (GME MGP), read from tidy tables of its public publications, as a book.
 *
 * The seven Italian zones are cleared; what lies beyond the borders is closed in one of two ways (`borders.ts`), and block
 * orders enter as orders, as what became of them, or not at all (`blocks.ts`). Quantities are MWh per hour, so MW.
 */

import type { Book } from '../../market/book.ts';
import { AuctionError } from '../../market/errors.ts';
import type { LimitOrder, Order } from '../../market/order.ts';
import { deliveryDay } from '../../market/time.ts';
import { type Blocks, blockOrders } from './blocks.ts';
import { type Borders, exchangesAsOrders, pricesAsOrders } from './borders.ts';
import { isItalian, italianZones, priceLimits, sideOf, timeZone } from './italy.ts';
import { readLines } from './lines.ts';
import { readTable } from './table.ts';

export interface ImportOptions {
  /** The folder with the tables. */
  readonly folder: string;
  /** Delivery day, `YYYY-MM-DD`. */
  readonly day: string;
  readonly borders: Borders;
  /** Left out: block orders are left out. */
  readonly blocks?: Blocks;
}

/**
 * @throws AuctionError `not-found` without the folder, a table or the day; `invalid-book` naming file, line and column, or
 *         the zone and period of which something is missing
 */
export async function importDay({ folder, day, borders, blocks }: ImportOptions): Promise<Book> {
  const { start, resolution, periods } = dayOf(day);
  const lines = await readLines(folder, day, periods, borders === 'prices');
  const neighbours = [...new Set(lines.flatMap(({ from, to }) => [from, to]))]
    .filter((zone) => !isItalian(zone))
    .sort();
  const orders: Order[] = await curveSteps(folder, day, periods);
  if (blocks !== undefined) orders.push(...(await blockOrders(folder, day, periods, blocks)));
  orders.push(
    ...(borders === 'prices'
      ? await pricesAsOrders(folder, day, periods, neighbours, lines)
      : await exchangesAsOrders(folder, day, periods)),
  );
  return {
    merit: 'book/1',
    auction: `italy-${day}`,
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

function dayOf(day: string) {
  if (Number.isNaN(Date.parse(`${day}T00:00:00Z`)) || !/^\d{4}-\d\d-\d\d$/.test(day))
    throw new AuctionError('invalid-request', `${JSON.stringify(day)} is not a day; write it as 2025-04-01`);
  return deliveryDay(day, timeZone, 'PT60M');
}

/** One limit order for each price step of a zone's aggregated supply or demand. */
async function curveSteps(folder: string, day: string, periods: number): Promise<LimitOrder[]> {
  const name = 'simple-bid-curves';
  const columns = ['zone', 'side', 'price_eur_per_mwh', 'quantity_mwh'] as const;
  const { rows, days } = await readTable(folder, name, columns, day);
  if (rows.length === 0) {
    const known = days.length > 1 ? `${days.length} days from ${days[0]} to ${days.at(-1)}` : days[0];
    throw new AuctionError('not-found', `${folder}: ${name} has no ${day}; it has ${known}`);
  }
  const counts = new Map<string, number>();
  return rows.flatMap((row) => {
    const side = sideOf(row.text('side'), `${folder}: ${name}`);
    const [zone, period] = [row.text('zone'), row.period()];
    if (!isItalian(zone)) throw new AuctionError('invalid-book', `${folder}: ${name} has orders of zone ${zone}`);
    if (period > periods)
      throw new AuctionError('invalid-book', `${folder}: ${name} has period ${period} of ${periods}`);
    const curve = `${zone}-${side === 'sell' ? 's' : 'b'}-${period}`;
    const count = (counts.get(curve) ?? 0) + 1;
    counts.set(curve, count);
    const record_id = `${curve}-${String(count).padStart(5, '0')}`;
    const price = row.number('price_eur_per_mwh');
    const power = row.megawatts('quantity_mwh');
    return power === 0 ? [] : [{ record_id, kind: 'limit' as const, zone, side, period, price, power }];
  });
}
