/** Books written as the rule book writes its examples. */

import assert from 'node:assert/strict';
import { type Book, parseBook } from '../../src/market/book.ts';

/**
 * @param orders   comma separated: `sell 50@10` (MW @ price), `B buy 50@10` names the zone, `step 100@30 -20@60` and `linear ...`
 *                 are curves by their points, `#2` after it is the period, `/60` or `/30` a longer order. Ids are o1, o2, ...
 * @param changes  fields of the book that are not those of one hour in one zone A
 */
export function smallBook(orders: string, changes: object = {}): Book {
  return parseBook({
    merit: 'book/1',
    auction: 'example',
    currency: 'EUR',
    start: '2025-04-01T00:00:00+02:00',
    resolution: 'PT60M',
    periods: 1,
    priceLimits: { min: -500, max: 4000, tick: 0.01 },
    zones: ['A'],
    lines: [],
    ...changes,
    orders: orders === '' ? [] : orders.split(',').map(orderFrom),
  });
}

/** A block that sells in zone A and the first period, whole or not at all, where `changes` does not say otherwise; powers by period are a profile. */
export function block(
  record_id: string,
  { powers, ...changes }: Record<string, unknown> & { powers?: Record<number, number> },
): object {
  const common = { record_id, zone: 'A', kind: 'block', side: 'sell', minAcceptance: 1, ...changes };
  if (powers === undefined) return { from: 1, to: 1, ...common };
  return { ...common, profile: Object.entries(powers).map(([period, power]) => ({ period: Number(period), power })) };
}

/** A line named after the zones it joins, `A-B`, with the same capacity (MW) in both directions. */
export function line(id: string, capacity: number, changes: object = {}): object {
  const [from, to] = id.split('-');
  return { id, from, to, capacity, reverse: capacity, ...changes };
}

function orderFrom(text: string, index: number): object {
  const match = /^(?:(\w+) )?(buy|sell|step|linear) ([-\d.@ ]+?)(?:#(\d+))?(?:\/(\d+))?$/.exec(text.trim());
  assert(match, `no order: ${text}`);
  const [, zone, word, points, period, minutes] = match;
  const common = {
    record_id: `o${index + 1}`,
    zone: zone ?? 'A',
    period: Number(period ?? 1),
    ...(minutes === undefined ? {} : { resolution: `PT${minutes}M` }),
  };
  const path = points!.split(' ').map((point) => {
    const [power, price] = point.split('@').map(Number);
    return { power, price };
  });
  return word === 'buy' || word === 'sell'
    ? { ...common, side: word, ...path[0] }
    : { ...common, kind: 'curve', shape: word, points: path };
}
