/**
 * Whole proofs of bounds that are too small, each with the one wrong step that a checker with doubles and tolerances took (the first eleven), or
 * with a name or a row that is not the group's. Together with a result of that bound each of them would pass.
 *
 * A hole says what its book is worth, and which orders the forger leaves out of it.
 */

import type { Book } from '../../src/market/book.ts';
import type { ProofGroup, ProofNode } from '../../src/market/proof.ts';
import type { Result } from '../../src/market/result.ts';
import { exampleBook } from './example-book.ts';

export interface Hole {
  readonly name: string;
  readonly book: Book;
  /** What it is worth, and what the forger says that it is. */
  readonly welfare: number;
  readonly wanted: number;
  /** Orders without which it is worth just that. */
  readonly out: readonly string[];
  /** @param forged  the result without them; @param honest  the true one; @param huge  a price that swallows all others */
  readonly forge: (forged: Result, honest: Result, huge: number) => Pick<ProofGroup, 'nodes' | 'prices'>;
}

type Rows = [string, number][];
const at = (cells: readonly number[], rows: Rows = []) => ({ cells: [...cells], rows });
const bound = (prices: number): ProofNode => ({ kind: 'bound', at: prices });
const decide = (decision: string, on: number, off: number): ProofNode => ({ kind: 'decide', decision, on, off });
const tooMany = (core: string[], prices: number, values: Rows, off: Rows = []): ProofNode => ({
  kind: 'unsupported',
  at: prices,
  core,
  off: off.length > 0 ? off : core.map((name, k): [string, number] => [name, k + 1]),
  on: [],
  scaled: { values, nets: [] },
});

const block = { kind: 'block', side: 'sell', from: 1, to: 1, minAcceptance: 1 };
const hour = (t: number) => `sell 40@10 #${t}, sell 30@60 #${t}, buy 100@80 #${t}`;
const family = exampleBook('sell 100@30, buy 100@35, buy 10@29', [
  { ...block, record_id: 'p', price: 40, power: 50 },
  { ...block, record_id: 'c', price: 10, power: 50, linkedTo: 'p' },
]);
const familyPrices = ({ prices }: Result) => at(prices.A!, [['link /c', 50 * (prices.A![0]! - 10)]]);

export const holes: readonly Hole[] = [
  {
    name: 'H1: a price of an exclusive group that swallowed all other money',
    book: exampleBook('sell 40@30, buy 100@50, sell 60@45', [
      { ...block, record_id: 'm1', price: 10, power: 60, exclusiveGroup: 'g' },
      { ...block, record_id: 'm2', price: 12, power: 50, exclusiveGroup: 'g' },
    ]),
    welfare: 3200,
    wanted: 1100,
    out: ['m1', 'm2'],
    forge: ({ prices }, _, huge) => ({
      nodes: [decide('order /m1', 1, 2), bound(0), decide('order /m2', 3, 4), bound(0), bound(1)],
      prices: [at([0], [['group /g', huge]]), at(prices.A!)],
    }),
  },
  {
    name: 'H2: a price of the starts of a flexible order that swallowed all other money',
    book: exampleBook(
      `${hour(1)}, ${hour(2)}`,
      [{ kind: 'flexible', record_id: 'f', side: 'sell', price: 30, power: 60, duration: 1, earliest: 1, latest: 2 }],
      { periods: 2 },
    ),
    welfare: 9200,
    wanted: 6800,
    out: ['f'],
    forge: ({ prices }, _, huge) => ({
      nodes: [decide('start /f/1', 1, 2), bound(0), decide('start /f/2', 3, 4), bound(0), bound(1)],
      prices: [at([0, 0], [['starts /f', huge]]), at(prices.A!)],
    }),
  },
  {
    name: 'H3: a price of a link that swallowed all other money',
    book: family,
    welfare: 1000,
    wanted: 500,
    out: ['p', 'c'],
    forge: (forged, _, huge) => ({
      nodes: [decide('order /p', 1, 4), decide('order /c', 2, 3), bound(0), bound(2), bound(1)],
      prices: [at([0], [['link /c', huge]]), familyPrices(forged), at(forged.prices.A!)],
    }),
  },
  {
    name: 'H4: a child a millionth above its parent',
    book: family,
    welfare: 1000,
    wanted: 500,
    out: ['p', 'c'],
    forge: (forged) => ({
      nodes: [
        tooMany(['order /p', 'order /c'], 0, [
          ['order /p', 0.9999991],
          ['order /c', 1],
        ]),
        bound(1),
        bound(2),
      ],
      prices: [at([30]), familyPrices(forged), at(forged.prices.A!)],
    }),
  },
  {
    name: 'H5: a constraint that is exceeded by a millionth',
    book: exampleBook(
      'A sell 200@20, C sell 30@60, C buy 110@80, A buy 10@15',
      [{ ...block, record_id: 'b', zone: 'C', price: 30, power: 60 }],
      { zones: ['A', 'C'], constraints: [{ id: 'c', period: 1, ptdf: { A: 0.5, C: 0 }, ram: 25 }] },
    ),
    welfare: 6000,
    wanted: 3600,
    out: ['b'],
    forge: ({ prices }) => {
      const rows = (price: number): Rows => [
        ['pool 1', -price],
        ['constraint c/1', (price - 20) / 0.5],
      ];
      const [more, ratio] = [1.8e-6, 0.99999997];
      const volumes: Rows = [
        ['order /b', ratio],
        ['export A/1', 50 + more],
        ['export C/1', -50 - more],
      ];
      return {
        nodes: [tooMany(['order /b'], 0, volumes), bound(1)],
        prices: [at([20, 45], rows(45)), at([20, prices.C![0]!], rows(prices.C![0]!))],
      };
    },
  },
  {
    name: 'H6: a ramp that is exceeded by a millionth',
    book: exampleBook(
      'A sell 200@20 #1, A sell 200@20 #2, B buy 30@80 #1, B sell 20@60 #2, B buy 120@80 #2',
      [{ ...block, record_id: 'b', zone: 'B', price: 30, power: 60, from: 2, to: 2 }],
      {
        periods: 2,
        zones: ['A', 'B'],
        lines: [{ id: 'l', from: 'A', to: 'B', capacity: 100, reverse: 100, ramp: 30 }],
      },
    ),
    welfare: 8400,
    wanted: 5800,
    out: ['b'],
    forge: (forged, honest) => {
      const pricesOf = ({ prices: { A, B } }: Result) => at([...A!, ...B!], [['ramp l/2', B![1]! - A![1]!]]);
      const volumes: Rows = [
        ['order /b', 0.999999985],
        ['flow l/1', 30],
        ['flow l/2', 60 + 9e-7],
      ];
      return { nodes: [tooMany(['order /b'], 0, volumes), bound(1)], prices: [pricesOf(honest), pricesOf(forged)] };
    },
  },
  {
    name: 'H7: a price of a scheduled stop that swallowed all other money',
    book: exampleBook(
      `buy 5@50 #1, sell 5@40 #1, ${hour(2)}`,
      [
        {
          ...{ kind: 'complex', record_id: 'mic', side: 'sell', condition: 'minimum-income' },
          ...{ fixedTerm: 100, variableTerm: 10, scheduledStop: 1 },
          steps: [
            { period: 1, price: 3000, power: 1 },
            { period: 2, price: 30, power: 60, minAcceptance: 1 },
          ],
        },
      ],
      { periods: 2 },
    ),
    welfare: 5850,
    wanted: 3450,
    out: ['mic'],
    forge: ({ prices }, _, huge) => ({
      nodes: [decide('order /mic', 1, 2), bound(0), bound(1)],
      prices: [at([0, 0], [['stop /mic/1', huge]]), at(prices.A!)],
    }),
  },
  {
    name: 'H9: an order a millionth off whose steps are whole',
    book: exampleBook('sell 40@10, sell 30@60, buy 100@80', [
      {
        ...{ kind: 'complex', record_id: 'unit', side: 'sell', condition: 'minimum-profit', fixedTerm: 600 },
        steps: [{ period: 1, price: 30, power: 60 }],
      },
    ]),
    welfare: 5200,
    wanted: 3400,
    out: ['unit'],
    forge: ({ prices: { A } }) => ({
      nodes: [
        tooMany(['order /unit'], 0, [
          ['order /unit', 0.999999985],
          ['step /unit/1', 60],
        ]),
        bound(1),
      ],
      prices: [at([45], [['step /unit/1', 15]]), at(A!, [['step /unit/1', A![0]! - 30]])],
    }),
  },
  {
    name: 'H10: an exchange there and back so large that it swallowed a flow',
    book: exampleBook(
      'A sell 40@10, A sell 30@60, A buy 100@80, N buy 5@100',
      [{ ...block, record_id: 'b', zone: 'A', price: 30, power: 60 }],
      {
        zones: ['A', 'B', 'N'],
        lines: [{ id: 'l', from: 'A', to: 'N', capacity: 6, reverse: 6 }],
        flowBased: 'intuitive',
        constraints: [{ id: 'c', period: 1, ptdf: { A: 0.1, B: 0.1 }, ram: 10 }],
      },
    ),
    welfare: 6000,
    wanted: 3500,
    out: ['b'],
    forge: (forged, honest, huge) => {
      const pricesOf = ({ prices }: Result) => at(['A', 'B', 'N'].map((zone) => prices[zone]![0]!));
      const volumes: Rows = [
        ['flow l/1', 5],
        ['exchange A/B/1', huge],
        ['exchange B/A/1', huge],
        ['order /b', 1],
      ];
      return { nodes: [tooMany(['order /b'], 0, volumes), bound(1)], prices: [pricesOf(honest), pricesOf(forged)] };
    },
  },
  {
    // Sells of 0.7 and 0.1 MW are less than 0.8 in doubles.
    name: 'H11: a shortage that was a rounding error at a huge price',
    book: exampleBook('sell 0.7@10, sell 0.1@12, buy 0.4@5', [
      { ...block, record_id: 'b', side: 'buy', price: 30, power: 0.8 },
    ]),
    welfare: 15.8,
    wanted: 0,
    out: ['b'],
    forge: ({ prices }, _, huge) => ({
      nodes: [decide('order /b', 1, 2), bound(0), bound(1)],
      prices: [at([huge]), at([prices.A![0]!])],
    }),
  },
];
