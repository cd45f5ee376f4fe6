/**
 * The rule book's examples on limit and curve orders with their right results, worked out by hand: nothing here comes from the
 * engine. Beside them a few books of our own, for rules that no example touches.
 */

import assert from 'node:assert/strict';
import { bookHash } from '../../src/book/seal.ts';
import type { Book } from '../../src/market/book.ts';
import type { Outcome, ReasonCode, Result } from '../../src/market/result.ts';
import { line, smallBook } from './small-book.ts';

export interface Example {
  readonly book: Book;
  readonly result: Result;
}

interface Answer {
  readonly prices: Record<string, number[]>;
  /** MW sent, by line. */
  readonly flows?: Record<string, number[]>;
  /** MW exported; none where there is one zone. */
  readonly netPositions?: Record<string, number[]>;
  readonly welfare: number;
  /** In the order of the book: `30 of 50, gains 0, partial_at_the_money` or `0 of 50, gains -1000, out_of_the_money by 20`. */
  readonly orders: readonly string[];
}

function outcomeFrom(text: string, { record_id, kind }: Book['orders'][number], zones: readonly string[]): Outcome {
  const match = /^(-?[\d.]+) of ([\d.]+), gains (-?[\d.]+)(?:, (\w+)(?: by ([\d.]+))?)?$/.exec(text);
  assert(match, `no outcome: ${text}`);
  const [power, most, surplus] = match.slice(1, 4).map(Number) as [number, number, number];
  const status = Math.abs(power) === most ? 'accepted' : power === 0 ? 'rejected' : 'partially_accepted';
  const ratio = kind === 'curve' ? {} : { ratio: power / most };
  const outcome: Outcome = { record_id, status, power, ...ratio, surplus };
  if (match[4] === undefined) return outcome;
  const code = match[4] as ReasonCode;
  const binding = code === 'curtailed_at_bound' ? [...zones] : [];
  return { ...outcome, reason: { code, distance: Number(match[5] ?? 0), missedSurplus: 0, binding } };
}

/** A book with its right result, worked out by hand. */
export function example(book: Book, answer: Answer): Example {
  const { prices, welfare, flows = {}, orders } = answer;
  const idle = Object.fromEntries(book.zones.map((zone) => [zone, new Array<number>(book.periods).fill(0)]));
  const result: Result = {
    merit: 'result/1',
    auction: book.auction,
    book: bookHash(book),
    status: 'optimal',
    welfare,
    bound: welfare,
    gap: 0,
    prices,
    netPositions: answer.netPositions ?? idle,
    flows,
    orders: orders.map((text, i) => outcomeFrom(text, book.orders[i]!, book.zones)),
  };
  return { book, result };
}

const twoZones = 'A sell 200@20, A buy 50@100, B sell 100@60, B buy 150@100';
const lossy = 'A sell 200@20, B buy 95@100, B sell 100@30';
const joined = (capacity: number, costs: object = {}) => ({
  zones: ['A', 'B'],
  lines: [line('A-B', capacity, costs)],
});
const quarters = [80, 120, 100, 100].map(
  (mw, i) => `sell 50@30#${i + 1}, sell 50@90#${i + 1}, buy ${mw}@4000#${i + 1}`,
);

export const examples = {
  E1: example(smallBook('sell 50@10, sell 50@30, sell 50@50, buy 80@60, buy 40@20'), {
    prices: { A: [30] },
    welfare: 3400,
    orders: [
      '50 of 50, gains 1000',
      '30 of 50, gains 0, partial_at_the_money',
      '0 of 50, gains -1000, out_of_the_money by 20',
      '80 of 80, gains 2400',
      '0 of 40, gains -400, out_of_the_money by 10',
    ],
  }),
  E2: example(smallBook('sell 80@10, sell 50@40, buy 80@60, buy 40@20'), {
    prices: { A: [30] },
    welfare: 4000,
    orders: [
      '80 of 80, gains 1600',
      '0 of 50, gains -500, out_of_the_money by 10',
      '80 of 80, gains 2400',
      '0 of 40, gains -400, out_of_the_money by 10',
    ],
  }),
  E3: example(smallBook('sell 100@30, buy 60@30, buy 20@50'), {
    prices: { A: [30] },
    welfare: 400,
    orders: ['80 of 100, gains 0, partial_at_the_money', '60 of 60, gains 0', '20 of 20, gains 400'],
  }),
  E4: example(smallBook('sell 60@30, sell 30@30, buy 45@50'), {
    prices: { A: [30] },
    welfare: 900,
    orders: [
      '30 of 60, gains 0, partial_at_the_money',
      '15 of 30, gains 0, partial_at_the_money',
      '45 of 45, gains 900',
    ],
  }),
  E5: example(smallBook('linear 0@10 -100@60, linear 100@30 0@80'), {
    prices: { A: [45] },
    welfare: 2450,
    orders: ['-70 of 100, gains 1225, partial_at_the_money', '70 of 100, gains 1225, partial_at_the_money'],
  }),
  'E13, full line': example(smallBook(twoZones, joined(80)), {
    prices: { A: [20], B: [60] },
    flows: { 'A-B': [80] },
    netPositions: { A: [80], B: [-80] },
    welfare: 13_200,
    orders: [
      '130 of 200, gains 0, partial_at_the_money',
      '50 of 50, gains 4000',
      '70 of 100, gains 0, partial_at_the_money',
      '150 of 150, gains 6000',
    ],
  }),
  'E13, line with room': example(smallBook(twoZones, joined(200)), {
    prices: { A: [40], B: [40] },
    flows: { 'A-B': [150] },
    netPositions: { A: [150], B: [-150] },
    welfare: 16_000,
    orders: [
      '200 of 200, gains 4000',
      '50 of 50, gains 3000',
      '0 of 100, gains -2000, out_of_the_money by 20',
      '150 of 150, gains 9000',
    ],
  }),
  'E14, losses': example(smallBook(lossy, joined(500, { loss: 0.05 })), {
    prices: { A: [20], B: [21.05] },
    flows: { 'A-B': [100] },
    netPositions: { A: [100], B: [-95] },
    welfare: 7500,
    orders: [
      '100 of 200, gains 0, partial_at_the_money',
      '95 of 95, gains 7500.25',
      '0 of 100, gains -895, out_of_the_money by 8.95',
    ],
  }),
  'E14, tariff 5': example(smallBook(lossy, joined(500, { loss: 0.05, tariff: 5 })), {
    prices: { A: [20], B: [26.32] },
    flows: { 'A-B': [100] },
    netPositions: { A: [100], B: [-95] },
    welfare: 7000,
    orders: [
      '100 of 200, gains 0, partial_at_the_money',
      '95 of 95, gains 6999.6',
      '0 of 100, gains -368, out_of_the_money by 3.68',
    ],
  }),
  'E14, tariff 10': example(smallBook(lossy, joined(500, { loss: 0.05, tariff: 10 })), {
    prices: { A: [19.25], B: [30] },
    flows: { 'A-B': [0] },
    netPositions: { A: [0], B: [0] },
    welfare: 6650,
    orders: [
      '0 of 200, gains -150, out_of_the_money by 0.75',
      '95 of 95, gains 6650',
      '95 of 100, gains 0, partial_at_the_money',
    ],
  }),
  E17: example(smallBook('A sell 60@50, A buy 100@4000, B sell 40@50, B buy 50@4000', joined(500)), {
    prices: { A: [4000], B: [4000] },
    flows: { 'A-B': [-6.666667] },
    netPositions: { A: [-6.666667], B: [6.666667] },
    welfare: 395_000,
    orders: [
      '60 of 60, gains 237000',
      '66.666667 of 100, gains 0, curtailed_at_bound',
      '40 of 40, gains 158000',
      '33.333333 of 50, gains 0, curtailed_at_bound',
    ],
  }),
  E18: example(smallBook(`sell 100@40/60, ${quarters.join(', ')}`, { resolution: 'PT15M', periods: 4 }), {
    prices: { A: [30, 70, 30, 30] },
    welfare: 396_300,
    orders: [
      '70 of 100, gains 0, partial_at_the_money',
      '10 of 50, gains 0, partial_at_the_money',
      '0 of 50, gains -750, out_of_the_money by 60',
      '80 of 80, gains 79400',
      '50 of 50, gains 500',
      '0 of 50, gains -250, out_of_the_money by 20',
      '120 of 120, gains 117900',
      '30 of 50, gains 0, partial_at_the_money',
      '0 of 50, gains -750, out_of_the_money by 60',
      '100 of 100, gains 99250',
      '30 of 50, gains 0, partial_at_the_money',
      '0 of 50, gains -750, out_of_the_money by 60',
      '100 of 100, gains 99250',
    ],
  }),
  /** 30 MW from A to C: 20 straight, 10 by way of B, which is where the sum of squares is least. */
  'ring of lines': example(
    smallBook('A sell 30@20, C buy 30@40', {
      zones: ['A', 'B', 'C'],
      lines: [line('A-B', 100), line('B-C', 100), line('A-C', 100)],
    }),
    {
      prices: { A: [30], B: [30], C: [30] },
      flows: { 'A-B': [10], 'B-C': [10], 'A-C': [20] },
      netPositions: { A: [30], B: [0], C: [-30] },
      welfare: 600,
      orders: ['30 of 30, gains 300', '30 of 30, gains 300'],
    },
  ),
  /** Half of 15 MW is no whole lot: the larger remainder, then the smaller id, gets the lot that is left. */
  'whole lots': example(smallBook('sell 15@30, sell 15@30, buy 15@50', { lot: 1 }), {
    prices: { A: [30] },
    welfare: 300,
    orders: ['8 of 15, gains 0, partial_at_the_money', '7 of 15, gains 0, partial_at_the_money', '15 of 15, gains 300'],
  }),
  /** The mirror of E17: too much is sold at the lowest price. */
  'too much sold': example(smallBook('sell 60@-500, sell 40@-500, buy 50@20'), {
    prices: { A: [-500] },
    welfare: 26_000,
    orders: ['30 of 60, gains 0, curtailed_at_bound', '20 of 40, gains 0, curtailed_at_bound', '50 of 50, gains 26000'],
  }),
} as const satisfies Record<string, Example>;

export type ExampleName = keyof typeof examples;
