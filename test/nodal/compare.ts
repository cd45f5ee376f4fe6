/**
 * A cleared nodal book beside the optimal power flow that another program found for it (`reference.py`).
 *
 * Without lots welfare, volumes and prices are the reference's. Any optimal volumes go together with any prices that explain others
 * (complementary slackness): so the reference's prices say what each order trades at least and at most, also where volumes are one of many.
 * In whole lots volumes are near to that, and prices are those of the volumes before rounding.
 */

import type { Book } from '../../src/market/book.ts';
import type { BookOrder } from '../../src/market/order.ts';
import type { Result } from '../../src/market/result.ts';

export interface Reference {
  readonly welfare: number;
  /** Currency/MWh by zone: an explanation of the volumes, which may lie beyond the market's limits. */
  readonly prices: readonly number[];
  /** Lowest and highest by zone of all explanations; null where none lies within the limits. */
  readonly ranges: readonly (readonly [number, number])[] | null;
  /** Time that the reference took. */
  readonly ms: number;
}

/** Factors by branch and bus. */
export type Factors = readonly (readonly number[])[];

/** Currency/MWh by which the reference's prices may be off. */
const priceOff = 1e-4;
/** MW by which volumes may be off along lines, whose prices are then off by this too. */
const powerOff = 1e-4;
const welfareOff = 1e-6;

/** Each branch to and fro as a constraint of the book; capacities in MW by branch. */
export const constraintsOf = (factors: Factors, capacities: readonly number[], zones: readonly string[]) =>
  factors.flatMap((row, branch) =>
    [1, -1].map((sign) => ({
      id: `branch-${branch + 1}${sign > 0 ? '' : '-back'}`,
      period: 1,
      ptdf: Object.fromEntries(row.flatMap((f, z) => (Math.abs(f) < 1e-12 ? [] : [[zones[z]!, sign * f]]))),
      ram: capacities[branch]!,
    })),
  );

/** What differs, in words; nothing where all is as it must be. */
export function differences(book: Book, result: Result, reference: Reference): string[] {
  return [
    ...welfareOf(book, result, reference),
    ...volumesOf(book, result, reference),
    ...pricesOf(book, result, reference),
  ];
}

function welfareOf({ lot }: Book, { welfare }: Result, reference: Reference): string[] {
  const off = welfareOff * Math.max(1, Math.abs(reference.welfare)) + 0.01;
  // Whole lots within the limits of branches may leave load unserved that is worth much: no bound from the reference alone.
  if (lot !== undefined ? welfare <= reference.welfare * (1 + 1e-3) : Math.abs(welfare - reference.welfare) <= off)
    return [];
  return [`welfare ${welfare} instead of ${reference.welfare}`];
}

function volumesOf(book: Book, result: Result, { prices }: Reference): string[] {
  const priceOf = new Map(book.zones.map((zone, z) => [zone, prices[z]!]));
  const orders = new Map(book.orders.map((order) => [order.record_id, order]));
  const rounding = book.lot === undefined ? powerOff : 3 * book.lot;
  return result.orders.flatMap(({ record_id, power }) => {
    const order = orders.get(record_id)!;
    const [least, most] = boughtAt(order, priceOf.get(order.zone)!, book.priceLimits);
    const sign = order.kind === 'curve' || order.side === 'buy' ? 1 : -1;
    const mw = sign * (power as number);
    if (mw >= least - rounding && mw <= most + rounding) return [];
    return [`${record_id}: ${mw} MW instead of ${least} to ${most}`];
  });
}

/** MW (sold: negative) that an order takes at least and at most at a price that is off by `priceOff`. */
function boughtAt(order: BookOrder, price: number, { min, max }: Book['priceLimits']): [least: number, most: number] {
  if (order.kind === 'limit') {
    const { side, power } = order;
    const sign = side === 'buy' ? 1 : -1;
    const gain = sign * (order.price - price);
    const full = sign * power;
    if (gain > priceOff) return [full, full];
    return gain < -priceOff ? [0, 0] : [Math.min(0, full), Math.max(0, full)];
  }
  if (order.kind !== 'curve') throw new TypeError(`no ${order.kind} orders in these books`);
  const { points } = order;
  const powerAt = (at: number): number => {
    const next = points.findIndex((point) => point.price >= at);
    if (next === 0) return points[0]!.power;
    if (next < 0) return points[points.length - 1]!.power;
    const [a, b] = [points[next - 1]!, points[next]!];
    return a.power + ((b.power - a.power) * (at - a.price)) / (b.price - a.price);
  };
  // What is taken at any price is cut at the limits only.
  const least = price + priceOff >= max ? Math.min(0, powerAt(price + priceOff)) : powerAt(price + priceOff);
  const most = price - priceOff <= min ? Math.max(0, powerAt(price - priceOff)) : powerAt(price - priceOff);
  return [least, most];
}

function pricesOf({ zones, priceLimits }: Book, { prices }: Result, { ranges }: Reference): string[] {
  if (ranges === null) return [];
  const off = priceOff + (priceLimits.tick ?? 0) / 2;
  return zones.flatMap((zone, z) => {
    const [[low, high], price] = [ranges[z]!, prices[zone]![0]!];
    return price >= low - off && price <= high + off ? [] : [`${zone}: ${price} instead of ${low} to ${high}`];
  });
}
