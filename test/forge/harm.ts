/** What a forgery does: how far prices and volumes are off the right ones, and how much money goes to somebody else. */

import type { Book } from '../../src/market/book.ts';
import type { Result } from '../../src/market/result.ts';
import { hoursOf } from '../../src/market/time.ts';
import { keyOf, positionsOf } from '../../src/verify/view/offers.ts';
import { unitsOf } from '../../src/verify/view/units.ts';

export interface Harm {
  /** currency/MWh, the furthest. */
  readonly price: number;
  /** MW, the furthest of an order, a flow or a net position. */
  readonly volume: number;
  /** Money that is paid by, or to, others than is right. */
  readonly money: number;
  /** Money by which the welfare is below the right one although the result says that it is the best. */
  readonly hidden: number;
}

/** Money that each order is paid, by its key; what it pays is negative. */
function cashOf(book: Book, result: Result): Map<string, number> {
  const outcomes = new Map(result.orders.map((told) => [keyOf(told), told]));
  const hours = hoursOf(book.resolution);
  const cash = new Map<string, number>();
  for (const { order, zone, from, span, net } of positionsOf(book, outcomes)) {
    let money = 0;
    for (let t = from; t < from + span; t++) money -= net * result.prices[book.zones[zone]!]![t]! * hours;
    cash.set(keyOf(order), money);
  }
  for (const { key, zone, sign, power } of unitsOf(book, outcomes))
    cash.set(
      key,
      power.reduce((sum, mw, t) => sum + sign * mw * result.prices[book.zones[zone]!]![t]! * hours, 0),
    );
  return cash;
}

export function harmOf(book: Book, right: Result, told: Result): Harm {
  const furthest = (a: Readonly<Record<string, number[]>>, b: Readonly<Record<string, number[]>>) =>
    Object.entries(a).reduce(
      (most, [id, row]) => row.reduce((far, value, t) => Math.max(far, Math.abs(value - b[id]![t]!)), most),
      0,
    );
  const [due, paid] = [cashOf(book, right), cashOf(book, told)];
  let [money, volume] = [
    0,
    Math.max(furthest(right.flows, told.flows), furthest(right.netPositions, told.netPositions)),
  ];
  for (const [key, each] of due) money += Math.abs(each - paid.get(key)!) / 2;
  right.orders.forEach(({ power }, i) => {
    const other = [told.orders[i]!.power].flat();
    [power].flat().forEach((mw, t) => {
      volume = Math.max(volume, Math.abs(mw - (other[t] ?? 0)));
    });
  });
  const lack = right.welfare - told.welfare;
  return {
    price: furthest(right.prices, told.prices),
    volume,
    money,
    hidden: told.status === 'optimal' && lack > 0.01 ? lack : 0,
  };
}
