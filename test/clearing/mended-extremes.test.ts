/**
 * Books at the ends of what admission lets through that were cleared wrong once, or whose right result was refused: held to the verifier. They are
 * named after what was wrong.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import { clearWith } from '../../src/clearing/clear.ts';
import { loadSolver } from '../../src/clearing/solver/highs.ts';
import { parseBook } from '../../src/market/book.ts';
import { verify } from '../../src/verify/verify.ts';
import { block, line, smallBook } from '../support/small-book.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;

type Steps = readonly (readonly [period: number, power: number, price: number])[];
/** A complex order in zone A by its steps; `changes` add its terms. */
const complex = (record_id: string, side: 'buy' | 'sell', steps: Steps, changes: object = {}): object => ({
  record_id,
  zone: 'A',
  kind: 'complex',
  side,
  steps: steps.map(([period, power, price]) => ({ period, power, price })),
  fixedTerm: 0,
  variableTerm: 0,
  ...changes,
});
const flexible = (record_id: string, changes: object): object => ({
  record_id,
  zone: 'A',
  kind: 'flexible',
  duration: 1,
  earliest: 1,
  latest: 1,
  ...changes,
});
const noTick = { priceLimits: { min: -500, max: 4000 } };

/** Orders as `smallBook` writes them, other orders, and what else the book has. */
const cases: Record<string, readonly [orders: string, more: readonly object[], changes?: object]> = {
  'a line of 12 GW has a watt beside it: prices that no cut tells apart end the rounds': [
    'A linear 0.9@567.99, B linear 12028.1@-438.39 0.7@1749.99 0@3999.99',
    [
      complex('c', 'buy', [[1, 5000, 2896.01]], { condition: 'maximum-payment', fixedTerm: 0.01 }),
      flexible('f', { side: 'sell', price: 1750, power: 16.9 }),
    ],
    { zones: ['A', 'B'], lines: [line('A-B', 50)] },
  ],
  'a line as short as the least step of a price is filled in part': [
    'linear 17.3@1750 -0.2@1750.000001, sell 0.3@1749.999999',
    [],
    noTick,
  ],
  'a price within a line that is as short as a tick is not that of the order at its end': [
    'step -0.000021@1749.99 -0.000109@1750.01, linear 44.630452@1750 0@1750.01',
    [],
    { lot: 0.000001 },
  ],
  'orders a millionth of a price apart are told apart': [
    'buy 4933@1750, linear 0@1749.999999 -15739.6@1750',
    [
      complex('c', 'buy', [[1, 15.4, 1749.999999]], { condition: 'maximum-payment' }),
      flexible('f', { side: 'sell', price: 0, power: 16_182.3, latest: 2 }),
    ],
    { ...noTick, periods: 2 },
  ],
  'of a group that has less than a lot for one of its members the others are at the money': [
    'buy 19624.1@1750.01, sell 7905.9@1455.39',
    [
      block('a', { side: 'buy', price: 1750, power: 0.7, minAcceptance: 0, exclusiveGroup: 'g' }),
      block('b', { price: 1457.58, power: 11_853.1, minAcceptance: 0, exclusiveGroup: 'g' }),
    ],
    { lot: 0.1 },
  ],
  'members that share the unit of a group are a lot off their ratios': [
    'buy 109@-10#2, sell 500@-20#2',
    [
      block('a', { price: -15.5, power: 229, from: 3, to: 3, minAcceptance: 0.001 }),
      block('l1', { side: 'buy', price: -13, power: 156, from: 2, to: 3, minAcceptance: 0.999999, loopWith: 'l2' }),
      block('l2', { price: -20, power: 331, minAcceptance: 0.999999, loopWith: 'l1' }),
      block('m1', { price: -14.5, powers: { 1: 363, 3: 41 }, minAcceptance: 0.1, loopWith: 'm2' }),
      block('m2', { side: 'buy', price: -14.5, powers: { 1: 7, 2: 500 }, minAcceptance: 0.1, loopWith: 'm1' }),
      block('g1', { price: -15.5, power: 105, from: 2, to: 2, minAcceptance: 0, exclusiveGroup: 'g' }),
      block('g2', { side: 'buy', price: -14.5, power: 15, from: 3, to: 3, minAcceptance: 0.001, exclusiveGroup: 'g' }),
      flexible('f1', { side: 'buy', price: -10, power: 1, duration: 3 }),
      flexible('f2', { side: 'buy', price: -14.5, power: 499 }),
    ],
    { lot: 1, periods: 3, priceLimits: { min: -20, max: -10, tick: 0.5 } },
  ],
  'a block with a minimum that is cut, and cannot be dearer at a price limit, gives way': [
    'step -773.4@1750.01#4, sell 0.7@0#1',
    [
      block('b', { side: 'buy', price: 3999.99, powers: { 1: 285, 4: 1000 }, minAcceptance: 0.001 }),
      complex(
        'c',
        'buy',
        [
          [1, 3.6, 1749.99],
          [2, 5.5, 3324.26],
        ],
        { loadGradient: { down: 1, up: 0.000001 } },
      ),
    ],
    { resolution: 'PT15M', periods: 4 },
  ],
  'a block gives way beside the steps of a complex order': [
    'sell 19.5@1750.000001#2',
    [
      block('b', { side: 'buy', price: 1750.000001, powers: { 1: 19_999.9, 2: 8364.9 }, minAcceptance: 0 }),
      complex('c', 'sell', [[1, 5000, 0]]),
    ],
    { ...noTick, periods: 2 },
  ],
  'a leg of a loop that is less than a lot in an MTU costs what it would have been worth': [
    'B buy 14336.7@-439.53#2',
    [
      block('l1', { zone: 'B', price: -499.99, powers: { 2: 2 }, minAcceptance: 0.001, loopWith: 'l2' }),
      block('l2', {
        zone: 'B',
        side: 'buy',
        price: 1750.01,
        powers: { 1: 222.1, 2: 0.1 },
        minAcceptance: 0.001,
        loopWith: 'l1',
      }),
      flexible('f', { zone: 'C', side: 'sell', price: 611.14, power: 18.5 }),
    ],
    {
      lot: 0.1,
      periods: 2,
      zones: ['A', 'B', 'C'],
      constraints: [{ id: 'k', period: 1, ptdf: { A: 0.5, B: -0.25 }, ram: 10 }],
    },
  ],
  'a fifth of a MW along a line of 20 GW within two cents has a price': [
    'linear 0@1749.99 -20000@1750.01, buy 0.2@3999.99',
    [],
  ],
  'a flat line beside a steep one keeps its digits': ['linear 965.7@-500 18.8@-499.99 0@1749.99', []],
  'a step at the end of a line comes before it, to the last digit of its price': [
    'linear 1000@379.86 710.9@1749.99 0@1749.99',
    [block('b', { price: -500, power: 629.3 })],
    { resolution: 'PT15M' },
  ],
  'three watts of a block of 100 MW say its price': [
    'sell 0.000003@13.74',
    [block('b', { side: 'buy', price: 1750, power: 100, minAcceptance: 0 })],
    { lot: 0.000001 },
  ],
  'a watt of a step says its price': [
    'sell 0.000001@0#3',
    [complex('c', 'buy', [[3, 0.000108, 1750]]), block('b', { price: 1749.99, power: 100, from: 2, to: 2 })],
    { lot: 0.000001, periods: 3 },
  ],
  'where no prices do, no order comes in whose income is not met': [
    'linear 10500.7@1749.999999#1',
    [
      complex(
        'g',
        'sell',
        [
          [1, 5000, 1750.000001],
          [2, 11.6, -500],
        ],
        { loadGradient: { down: 0.000001, up: 0 } },
      ),
      {
        ...complex('i', 'sell', [], { condition: 'minimum-income', fixedTerm: 10_000_000_000 }),
        steps: [{ period: 1, power: 4999.9, price: 1750, minAcceptance: 1 }],
      },
    ],
    { ...noTick, periods: 2 },
  ],
  'a block that would need a price very far beyond the limits, for a little power, gives way': [
    'buy 20000@1749.99#3',
    [block('b', { price: 775.88, powers: { 3: 19_999.9, 4: 0.3 }, minAcceptance: 0 })],
    { periods: 4 },
  ],
  'a block gives way by less than the tick of its market': [
    'buy 99@-10#1',
    [block('b', { price: -17.5, power: 500, to: 3, minAcceptance: 0 })],
    { periods: 3, priceLimits: { min: -20, max: -10, tick: 0.5 } },
  ],
  'a member of a group gives way': [
    'A buy 13.4@1750.01#1, B sell 6.1@1750.01#3',
    [
      block('b', { zone: 'B', price: -500, powers: { 1: 0.1, 2: 1.5 }, minAcceptance: 0 }),
      block('g', {
        zone: 'B',
        side: 'buy',
        price: 4000,
        power: 19_999.9,
        from: 2,
        to: 3,
        minAcceptance: 0,
        exclusiveGroup: 'g',
      }),
    ],
    { periods: 3, zones: ['A', 'B'], lines: [line('A-B', 50)] },
  ],
  'a loop gives way with both legs': [
    'buy 181.25@7.499999#3, linear -938.75@7.5#1',
    [
      block('l1', { price: 7.5, powers: { 2: 18.75, 3: 342 }, minAcceptance: 0, loopWith: 'l2' }),
      block('l2', { side: 'buy', price: 7.499999, power: 10.5, from: 2, to: 2, minAcceptance: 0, loopWith: 'l1' }),
      complex(
        'g',
        'buy',
        [
          [1, 24.5, 8.964769],
          [2, 19.75, 7.499999],
          [3, 41, 7.499999],
          [4, 13.25, 8.314185],
        ],
        { loadGradient: { down: 1, up: 0 } },
      ),
    ],
    { periods: 4, priceLimits: { min: 5, max: 10, tick: 0.000001 } },
  ],
  'a family in which one repays the other is a lot off its ratios': [
    'sell 11.2@-0.01',
    [
      block('p', { side: 'buy', price: -0.01, power: 0.1, minAcceptance: 0.5 }),
      block('k', { side: 'buy', price: 0.01, power: 14.3, minAcceptance: 0.001, linkedTo: 'p' }),
      block('g', { side: 'buy', price: 999_999.99, power: 4.5, minAcceptance: 0.001, linkedTo: 'k' }),
    ],
    { lot: 0.1, priceLimits: { min: -1_000_000, max: 1_000_000, tick: 0.01 } },
  ],
  'a member of a group has what is less than a lot of another, or not': [
    'buy 9999.9@172082.36',
    [
      block('a', { side: 'buy', price: 999_999.99, power: 1147.9, minAcceptance: 0, exclusiveGroup: 'g' }),
      block('b', { price: 0, power: 1.4, minAcceptance: 0.999999, exclusiveGroup: 'g' }),
    ],
    { lot: 0.1, priceLimits: { min: -1_000_000, max: 1_000_000, tick: 0.01 } },
  ],
  'a small child that helps is named, however large its parent': [
    'sell 20000@1749.99',
    [
      block('b', { side: 'buy', price: 3732.22, power: 19_999.9 }),
      block('p', { price: 3838.49, power: 12_945.4 }),
      block('k1', { price: -500, power: 16.2, linkedTo: 'p' }),
      block('k2', { side: 'buy', price: 1750.01, power: 0.2, linkedTo: 'p' }),
    ],
  ],
  'the lots of a region take each other in': [
    '',
    [
      {
        ...complex('c', 'buy', [], { condition: 'maximum-payment' }),
        steps: [
          { period: 1, power: 0.7, price: -500, minAcceptance: 0.001 },
          { period: 2, power: 19.6, price: 1750 },
        ],
      },
      block('b', { zone: 'B', price: 1749.99, power: 9541.1, minAcceptance: 0 }),
      block('d', { zone: 'C', side: 'buy', price: 1750.01, power: 18.9, from: 2, to: 2 }),
      block('e', { zone: 'C', price: -499.99, power: 20_000, from: 2, to: 2, minAcceptance: 0.001 }),
    ],
    {
      lot: 0.1,
      periods: 2,
      zones: ['A', 'B', 'C'],
      constraints: [{ id: 'k', period: 1, ptdf: { A: 0.5, B: -0.25 }, ram: 10 }],
    },
  ],
  'a load gradient of a watt leaves that watt, so asks nothing of prices': [
    '',
    [
      complex(
        'c',
        'buy',
        [
          [1, 2969.8, 4000],
          [2, 2.2, 2046.27],
          [4, 2.8, 3999.99],
        ],
        { loadGradient: { down: 0.000001, up: 1 } },
      ),
    ],
    { periods: 4 },
  ],
  'a small order is out of the money by a tick beside large ones': [
    'B sell 4.2@1750.01#2, B step 10540@0 0@1750#2',
    [
      { ...complex('c', 'buy', [[3, 5000, 3999.99]]), zone: 'B' },
      {
        ...complex(
          'd',
          'buy',
          [
            [1, 5000, 3999.99],
            [1, 10.2, 712.36],
            [2, 0.2, 4000],
            [3, 6.4, 0],
            [4, 3195.7, 3792],
          ],
          { loadGradient: { down: 0, up: 0.000001 } },
        ),
        zone: 'B',
      },
    ],
    { periods: 4, lot: 0.1, zones: ['A', 'B'], lines: [line('A-B', 0, { reverse: 0.1, ramp: 0.1, before: 0 })] },
  ],
  'a small block has what is best for it beside large ones': [
    'B linear 15.6@-500 -0.1@1750, buy 19999.9@1750',
    [
      { ...complex('c', 'sell', [[1, 4999.9, 0]]), zone: 'B' },
      block('p', { side: 'buy', minAcceptance: 0.999999, price: 1749.99, power: 19_999.9 }),
      block('k', { side: 'buy', linkedTo: 'p', minAcceptance: 0, power: 0.7, price: 2502.6 }),
      block('s', { price: 886.51, power: 19_999.9 }),
      block('t', { price: 1749.99, power: 3.5, minAcceptance: 0.1 }),
    ],
    { lot: 0.1, zones: ['A', 'B'], lines: [line('A-B', 50, { loss: 0.03, tariff: 1 })] },
  ],
  'a price a tick from a limit of a million is not at it': [
    '',
    [
      complex(
        's',
        'sell',
        [
          [1, 2499.9, 0],
          [1, 0.3, 733_654.38],
          [2, 15.6, -27_043.95],
          [2, 2499.9, 41_758.57],
          [3, 0.2, -999_999.99],
          [3, 0.1, 0],
          [3, 2499.9, 820_143.18],
          [4, 1034.8, 0],
        ],
        { condition: 'minimum-income', loadGradient: { down: 0, up: 0 } },
      ),
      complex('b', 'buy', [
        [1, 2499.9, 1_000_000],
        [2, 2499.9, 1_000_000],
        [3, 793.4, 999_999.99],
        [3, 2.6, 0],
        [4, 2499.9, -999_999.99],
      ]),
    ],
    { lot: 0.1, periods: 4, priceLimits: { min: -1_000_000, max: 1_000_000, tick: 0.01 } },
  ],
  'half a tick of a price of hundreds of thousands is rounded away from zero': [
    '',
    [
      complex(
        's',
        'sell',
        [
          [1, 2499.9, 0],
          [2, 15.6, -27_043.95],
          [2, 2499.9, 41_758.57],
          [3, 0.2, -999_999.99],
          [3, 0.1, 0],
          [4, 1034.8, 0],
        ],
        { loadGradient: { down: 0, up: 0 } },
      ),
    ],
    { lot: 0.1, periods: 4, priceLimits: { min: -1_000_000, max: 1_000_000, tick: 0.01 } },
  ],
  'a family beside prices of a million is as small as is best, to a cent': [
    'step 9.7@-0.01, linear -4376.6@0#2, sell 7186.2@-1000000, step -5@-1000000 -20@-0.01#2',
    [
      block('b', { side: 'buy', price: 0, powers: { 1: 0.3, 2: 13.8 }, minAcceptance: 0.1 }),
      flexible('f', { side: 'buy', price: 0.01, power: 3384.5, duration: 2 }),
      block('p', { price: 0.01, power: 9999.9, from: 2, to: 2, minAcceptance: 1 / 3 }),
      block('k', { side: 'buy', price: -383_762, power: 5259.9, to: 2, minAcceptance: 0.001, linkedTo: 'p' }),
      flexible('h', { side: 'buy', price: 0, power: 5096.9, earliest: 2, latest: 2 }),
      block('g1', { side: 'buy', price: 0.01, power: 9999.9, from: 2, to: 2, minAcceptance: 0.1, exclusiveGroup: 'g' }),
      block('g2', { price: -835_690.94, powers: { 1: 7.9, 2: 1870.9 }, minAcceptance: 0.5, exclusiveGroup: 'g' }),
    ],
    { lot: 0.1, periods: 2, priceLimits: { min: -1_000_000, max: 1_000_000, tick: 0.01 } },
  ],
  'a buy a millionth below a sell does not trade with it': [
    'buy 2.7@1749.999999, sell 18.4@1750',
    [],
    { ...noTick, lot: 0.1 },
  ],
  'no more is traded than is sold, however small what else is bought': [
    'sell 20000@1749.999999, buy 19999.9@1749.999999',
    [block('b', { side: 'buy', price: 3681.11347, power: 0.3, minAcceptance: 0 })],
    { ...noTick, lot: 0.1 },
  ],
};

for (const [name, [orders, more, changes = {}]] of Object.entries(cases)) {
  test(`clear() and verify(): ${name}`, () => {
    const simple = smallBook(orders, changes);
    const book = parseBook({ ...simple, orders: [...simple.orders, ...more] });
    const { result } = clearWith(solver, book, hash);
    const broken = verify(book, hash, result).checks.flatMap(({ invariant, violations }) =>
      violations.map(({ where, message }) => `${invariant} ${where}: ${message}`),
    );
    assert.deepEqual(broken, []);
  });
}
