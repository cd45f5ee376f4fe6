/** Small books as the rule book writes its examples: limit orders as text, other orders as objects. */

import assert from 'node:assert/strict';
import { type Book, parseBook } from '../../src/market/book.ts';

/** `sell 40@10` or `B sell 40@10 #2`, comma separated: `#2` is the period. They are called o1, o2 and so on. */
function limits(text: string): object[] {
  return text.split(',').map((part, i) => {
    const match = /^\s*(?:(\w+) )?(buy|sell) ([\d.]+)@(-?[\d.]+)(?: #(\d+))?\s*$/.exec(part);
    assert(match, part);
    const [, zone = 'A', side, power, price, period = 1] = match;
    return { record_id: `o${i + 1}`, zone, side, power: Number(power), price: Number(price), period: Number(period) };
  });
}

export const exampleBook = (orders: string, others: readonly object[], more: object = {}): Book =>
  parseBook({
    merit: 'book/1',
    auction: 'example',
    currency: 'EUR',
    start: '2025-04-01T00:00:00+02:00',
    resolution: 'PT60M',
    periods: 1,
    priceLimits: { min: -500, max: 4000, tick: 0.01 },
    zones: ['A'],
    orders: [...limits(orders), ...others.map((order) => ({ zone: 'A', ...order }))],
    ...more,
  });
