/**
 * Two ways to close the borders, both with published figures.
 *
 * `prices`: a zone abroad buys and sells without practical limit at its published price, so that only the line binds.
 * `exchanges`: the published exchange is fixed, as an order in the Italian zone that takes any price.
 */

import { AuctionError } from '../../market/errors.ts';
import type { Line } from '../../market/network.ts';
import type { LimitOrder } from '../../market/order.ts';
import { isItalian, priceLimits, toKilowatt } from './italy.ts';
import { readTable, type Source } from './table.ts';

export const borderModes = ['prices', 'exchanges'] as const;
export type Borders = (typeof borderModes)[number];

/** MW that a zone abroad buys, and sells: more than all its lines can carry at any hour, in thousands. */
function withoutLimit(zone: string, lines: readonly Line[]): number {
  const most = lines
    .filter(({ from, to }) => from === zone || to === zone)
    .reduce((sum, { capacity, reverse }) => sum + Math.max(...[capacity, reverse].flat()), 0);
  return 1000 * (Math.floor(most / 1000) + 1);
}

/** @throws AuctionError `invalid-book` when the price of a zone and period is missing */
export async function pricesAsOrders(
  source: Source,
  zones: readonly string[],
  lines: readonly Line[],
): Promise<LimitOrder[]> {
  const { folder, periods } = source;
  const { rows } = await readTable(source, 'published-prices', ['zone', 'price_eur_per_mwh']);
  const prices = new Map(rows.map((row) => [`${row.text('zone')}/${row.period()}`, row.number('price_eur_per_mwh')]));
  const orders: LimitOrder[] = [];
  for (const zone of zones) {
    const power = withoutLimit(zone, lines);
    for (let period = 1; period <= periods; period++) {
      const price = prices.get(`${zone}/${period}`);
      if (price === undefined)
        throw new AuctionError(
          'invalid-book',
          `${folder}: published-prices lacks border zone ${zone}, period ${period}`,
        );
      for (const side of ['buy', 'sell'] as const) {
        const record_id = `${zone}-${side === 'sell' ? 's' : 'b'}-${period}`;
        orders.push({ record_id, kind: 'limit', zone, side, period, price, power });
      }
    }
  }
  return orders;
}

/** An export is bought in Italy at any price, an import sold at any price. */
export async function exchangesAsOrders(source: Source): Promise<LimitOrder[]> {
  const columns = ['zone', 'external_zone', 'exchange_mwh'] as const;
  const { folder, day, periods } = source;
  const { rows } = await readTable(source, 'published-exchanges', columns);
  const seen = new Map<string, number>();
  const orders: LimitOrder[] = [];
  for (const row of rows) {
    const [zone, abroad, period] = [row.text('zone'), row.text('external_zone'), row.period()];
    if (!isItalian(zone))
      throw new AuctionError('invalid-book', `${folder}: published-exchanges has exchanges of zone ${zone}`);
    const border = `${zone}-${abroad}`;
    seen.set(border, (seen.get(border) ?? 0) + 1);
    const exchange = toKilowatt(row.number('exchange_mwh'));
    if (exchange === 0) continue;
    const side = exchange > 0 ? 'buy' : 'sell';
    const price = exchange > 0 ? priceLimits.max : priceLimits.min;
    orders.push({
      record_id: `${border}-${period}`,
      kind: 'limit',
      zone,
      side,
      period,
      price,
      power: Math.abs(exchange),
    });
  }
  for (const [border, count] of seen)
    if (count !== periods)
      throw new AuctionError(
        'invalid-book',
        `${folder}: published-exchanges has ${count} of ${periods} periods of ${border}`,
      );
  if (seen.size === 0) throw new AuctionError('not-found', `${folder}: published-exchanges has no ${day}`);
  return orders;
}
