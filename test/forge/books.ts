/** Right results to forge: of each family, of the rule book's examples, and of a thousand ordinary orders of 100 MW. */

import { bookHash } from '../../src/book/seal.ts';
import { clearWith } from '../../src/clearing/clear.ts';
import { loadSolver } from '../../src/clearing/solver/highs.ts';
import { type Book, parseBook } from '../../src/market/book.ts';
import { AuctionError } from '../../src/market/errors.ts';
import { examples } from '../support/examples.ts';
import { bookOf, families } from '../support/families/families.ts';
import { Dice } from '../support/random-orders.ts';
import type { Honest } from './forgery.ts';

const solver = await loadSolver();

/** Undefined of a book that forces flows which nobody serves. */
export function honestOf({ name, book }: Named): Honest | undefined {
  const hash = bookHash(book);
  try {
    const { result, proof } = clearWith(solver, book, hash, { proves: true });
    return { name, book, hash, result: JSON.parse(JSON.stringify(result)), proof: proof! };
  } catch (error) {
    if (error instanceof AuctionError) return undefined;
    throw error;
  }
}

export interface Named {
  readonly name: string;
  readonly book: Book;
}

const names = Object.keys(families);

/** The k-th of a run. */
export function drawnBook(seed: number, k: number): Named {
  const family = names[k % names.length]!;
  return { name: `${family} ${seed + k}`, book: bookOf(family, seed + k) };
}

export const exampleBooks = (): Named[] => Object.entries(examples).map(([name, { book }]) => ({ name, book }));

/** What else is in a book of a thousand orders: it may not give the price any room. */
const helpers: Readonly<Record<string, object>> = {
  alone: {},
  'with a block that may be cut': {
    orders: [
      {
        record_id: 'cut',
        kind: 'block',
        zone: 'A',
        side: 'sell',
        price: 20,
        power: 0.1,
        from: 1,
        to: 1,
        minAcceptance: 0.5,
      },
    ],
  },
  'with a straight line in another zone': {
    zones: ['A', 'B'],
    orders: [
      {
        record_id: 'line',
        kind: 'curve',
        zone: 'B',
        shape: 'linear',
        period: 1,
        points: [
          { price: 0, power: 10 },
          { price: 200, power: -10 },
        ],
      },
    ],
  },
  'with a ramp elsewhere': {
    zones: ['A', 'B', 'C'],
    lines: [{ id: 'B-C', from: 'B', to: 'C', capacity: 10, reverse: 10, loss: 0, tariff: 0, ramp: 5, before: null }],
  },
  'with a line that loses, and a zone at its limit': {
    zones: ['A', 'B', 'C'],
    lines: [
      { id: 'B-C', from: 'B', to: 'C', capacity: 10, reverse: 10, loss: 0.05, tariff: 0, ramp: null, before: null },
    ],
    orders: [{ record_id: 'far', kind: 'limit', zone: 'C', side: 'buy', price: 4000, power: 10, period: 1 }],
  },
  'with blocks': {
    orders: Array.from({ length: 8 }, (_, i) => ({
      record_id: `b${i}`,
      kind: 'block',
      zone: 'A',
      side: i % 2 ? 'buy' : 'sell',
      price: i % 2 ? 101 + i : 99 - i,
      power: 100,
      from: 1,
      to: 1,
    })),
  },
};
export const thousands = Object.keys(helpers);

/** 1,000 orders of 100 MW around 100 in one hour, some of them equal. */
export function thousandOrders(helper: string, seed: number, count = 1000): Named {
  const dice = new Dice(seed);
  const { orders = [], ...more } = helpers[helper] as { orders?: object[] };
  const limits = Array.from({ length: count }, (_, i) => {
    const side = i % 2 === 0 ? 'sell' : 'buy';
    return {
      record_id: `o${i + 1}`,
      kind: 'limit',
      zone: 'A',
      side,
      power: 100,
      price: dice.whole(50, 150),
      period: 1,
    };
  });
  const book = parseBook({
    merit: 'book/1',
    auction: 'thousand',
    currency: 'EUR',
    start: '2025-04-01T00:00:00+02:00',
    resolution: 'PT60M',
    periods: 1,
    priceLimits: { min: -500, max: 4000, tick: 0.01 },
    lot: 0.1,
    zones: ['A'],
    ...more,
    orders: [...limits, ...orders],
  });
  return { name: `${count} orders ${helper} ${seed}`, book };
}
