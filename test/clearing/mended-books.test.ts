/** Books that were cleared wrong once, named after what was wrong, held to the exact oracle and the verifier. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { loadSolver } from '../../src/clearing/solver/highs.ts';
import { parseBook } from '../../src/market/book.ts';
import { judge } from '../support/families/compare.ts';
import { block, line, smallBook } from '../support/small-book.ts';

const solver = await loadSolver();
const quarters = { resolution: 'PT15M', periods: 4 };
/** Orders as `smallBook` writes them, other orders, and what else the book has. */
const cases: Record<string, readonly [orders: string, blocks?: readonly object[], changes?: object]> = {
  'demand that still buys at the cap above its slope is served before the slope': [
    'linear 35@-500 20@4000, sell 26@60',
  ],
  'a step curve with a point at the cap is one order at the cap': ['step 45@90 15@4000, sell 27@10'],
  'a steep line of one order through zero has a price of its own': ['linear 1.3@70 -0.9@3900'],
  'households on a line of a few kW': ['linear 0.006@20 -0.004@95, linear 0.003@10 -0.009@80'],
  'a block without a minimum that is alone bounds the price': [
    'buy 6@4',
    [block('b', { price: 12, power: 8, minAcceptance: 0 })],
  ],
  'a block at the money comes in where more is traded with it': [
    'buy 9@4000',
    [block('b', { price: 4000, power: 3 }), block('c', { price: -500, power: 3 })],
  ],
  'two blocks that only trade with each other do, at the money': [
    '',
    [block('b', { price: 30, power: 2 }), block('c', { price: 30, power: 3, side: 'buy', minAcceptance: 0.5 })],
  ],
  'a net curve that turns at the price trades on one side alone': ['step 7@60, step 18@20 -11@4000'],
  'an hour gives way to a quarter with a glut, and the block that serves others stays': [
    'B sell 9@-20#6, A buy 12@4000#1/60, A step 25@30#2/60',
    [block('b', { price: 70, power: 12, to: 2, resolution: 'PT60M' })],
    { ...quarters, periods: 8, zones: ['A', 'B'], lines: [line('A-B', 20, { reverse: 10 })] },
  ],
  'two hours that trade with each other in quarters that nobody else uses': [
    'sell 8@15/60, linear 17@15 3@55 -20@55/60',
    [],
    quarters,
  ],
  'an order of an hour that must give way has no line break its rule for it': [
    'A sell 3@10#1, B buy 5@4000#2, A sell 6@20/60',
    [],
    { ...quarters, zones: ['A', 'B'], lines: [line('A-B', 2.5)] },
  ],
  'lots of a sell and a buy at the money are the nearest, not both rounded down': [
    'sell 12@120, linear 11@20 8@4000',
    [],
    { lot: 1 },
  ],
  'what arrives by a full line with losses is whole lots, and none too many': [
    'A sell 40@33, B buy 10@116, B buy 12@88, B buy 10@75',
    [],
    { lot: 0.1, zones: ['A', 'B'], lines: [line('A-B', 25, { loss: 0.001 })] },
  ],
  'a lossy line that carries nothing at the floor needs one direction that holds': [
    'A sell 5@-500',
    [],
    { zones: ['A', 'B'], lines: [line('A-B', 6, { loss: 0.1 })] },
  ],
  'a block that is cut gives way where nobody else can take the rest of a lot': [
    '',
    [
      block('b', { price: 40, power: 9, minAcceptance: 0 }),
      block('c', { price: -20, power: 1.3, minAcceptance: 0.5, exclusiveGroup: 'g' }),
      block('d', { price: 60, power: 3.1, side: 'buy', minAcceptance: 0.25, exclusiveGroup: 'g' }),
    ],
    { lot: 0.1 },
  ],
  'constraints that bind together and depend on each other leave one price': [
    'A sell 60@40, B buy 10@3000, C buy 10@3000, D buy 10@3000, E buy 10@3000',
    [],
    {
      priceLimits: { min: -20_000, max: 20_000 },
      zones: ['A', 'B', 'C', 'D', 'E'],
      constraints: [
        {
          id: 'one',
          period: 1,
          ptdf: { A: 0.004246, B: 0.28746, C: -0.568447, D: -0.349552, E: -0.057545 },
          ram: 3.49,
        },
        {
          id: 'two',
          period: 1,
          ptdf: { A: -0.004246, B: -0.28746, C: -0.431553, D: 0.349552, E: 0.057545 },
          ram: 1.869,
        },
        {
          id: 'three',
          period: 1,
          ptdf: { A: -0.017138, B: -0.284039, C: -0.298559, D: -0.320618, E: -0.350044 },
          ram: 8.003,
        },
      ],
    },
  ],
  'straight lines in two zones that exchange freely leave one price, where volumes say two that are nearly one': [
    'A linear 0@20 -332@49, B linear 0@20 -140@90, C buy 7.6@3000',
    [],
    {
      priceLimits: { min: -20_000, max: 20_000 },
      zones: ['A', 'B', 'C'],
      constraints: [{ id: 'far', period: 1, ptdf: {}, ram: 3 }],
    },
  ],
  'zones of which nobody trades more than a rounding error have the middle price': [
    'B linear 2.4@15 1.2@61 0@2000, C linear 11@16 5@63 0@2000',
    [],
    {
      priceLimits: { min: -500, max: 4000 },
      zones: ['A', 'B', 'C'],
      constraints: [
        { id: 'branch-10-back', period: 1, ptdf: { C: 0.128662357 }, ram: 23 },
        { id: 'branch-11', period: 1, ptdf: { C: -0.125957929 }, ram: 9 },
        { id: 'branch-11-back', period: 1, ptdf: { A: 0.600190556, B: 0.125957929, C: 0.125957929 }, ram: 9 },
        { id: 'branch-15-back', period: 1, ptdf: { A: 0.192599569 }, ram: 11 },
      ],
    },
  ],
  'a ring of lines with losses burns lots that somebody sells': [
    'B step -9@20',
    [],
    {
      lot: 1,
      zones: ['A', 'B', 'C'],
      lines: [line('A-B', 2, { reverse: 1 }), line('B-C', 8, { reverse: 4, loss: 0.1 }), line('C-A', 9)],
    },
  ],
  'what comes over two lines with losses is less than a lot short': [
    'C step 0.18@-20',
    [block('b', { price: -10, power: 0.09 })],
    {
      lot: 0.01,
      zones: ['A', 'B', 'C'],
      lines: [line('A-B', 0.14, { loss: 0.1 }), line('B-C', 0.1, { loss: 0.02 })],
    },
  ],
  'at a price of 0 power takes the line without a loss': [
    'C buy 0.005@0, C linear 0.004@40, B sell 0.006@-20',
    [],
    {
      zones: ['A', 'B', 'C'],
      lines: [
        line('A-B', 0.009, { reverse: 0.001 }),
        line('B-C', 0.01),
        line('C-A', 0.005, { reverse: 0.006, loss: 0.1 }),
      ],
    },
  ],
  'a block without a minimum that gives way in part is told so': [
    'A linear 0.7@-60#1',
    [block('b', { zone: 'B', price: 10, power: 1.9, to: 2, minAcceptance: 0 })],
    {
      periods: 2,
      zones: ['A', 'B', 'C'],
      lines: [
        line('A-B', 1.6, { reverse: 1.1 }),
        line('B-C', 0.4, { reverse: 0.9, loss: 0.02 }),
        line('C-A', 0.4, { reverse: 1.9 }),
      ],
    },
  ],
  'three blocks that share one lot give it to one of them': [
    'linear -0.001@40',
    [1, 2, 2].map((lots, k) => block(`b${k}`, { side: 'buy', price: 40, power: lots / 1000, minAcceptance: 0 })),
    { lot: 0.001 },
  ],
  'a loop whose legs meet in an MTU trades what its legs buy, not what they come to': [
    'buy 6@4000, sell 6@110',
    [
      block('b1', { side: 'buy', price: 110, power: 4, minAcceptance: 0, loopWith: 'b2' }),
      block('b2', { side: 'sell', price: 110, power: 20, minAcceptance: 0, loopWith: 'b1' }),
    ],
  ],
  'a line with losses and a ramp may shut the direction that would burn more, where it carries nothing': [
    'A sell 7@-50#2',
    [],
    { periods: 2, zones: ['A', 'B'], lines: [line('A-B', 5, { reverse: 17, loss: 0.02, ramp: 15 })] },
  ],
  'the test of a line whose ramp does not bind may give way, before an order is left out': [
    '',
    [
      { record_id: 'l1', zone: 'A', resolution: 'PT60M', kind: 'limit', side: 'buy', period: 1, price: -10, power: 7 },
      { record_id: 'c2', zone: 'B', kind: 'curve', period: 3, shape: 'step', points: [{ price: 10, power: 4 }] },
      {
        record_id: 'c4',
        zone: 'A',
        resolution: 'PT60M',
        kind: 'curve',
        period: 1,
        shape: 'step',
        points: [{ price: 20, power: -19 }],
      },
    ],
    { ...quarters, zones: ['A', 'B'], lines: [line('A-B', 5, { reverse: 2, ramp: 9 })] },
  ],
  'no lot is lost on a line with losses that carries nothing': [
    'A step 15@-60#1',
    [
      block('b1', { price: -20, to: 2, power: 20, minAcceptance: 0 }),
      {
        record_id: 'u4',
        zone: 'B',
        kind: 'complex',
        side: 'buy',
        steps: [{ period: 2, price: -80, power: 8 }],
        fixedTerm: 0,
        variableTerm: 0,
        condition: 'maximum-payment',
      },
    ],
    {
      resolution: 'PT15M',
      periods: 2,
      lot: 1,
      zones: ['A', 'B'],
      lines: [line('A-B', 17, { reverse: 19, loss: 0.02 })],
    },
  ],
  'an imbalance of one watt is one, where the watt is the lot': [
    'sell 20@120#3',
    [
      block('b1', { side: 'buy', price: 100, powers: { 1: 14, 2: 9 }, minAcceptance: 0, loopWith: 'b2' }),
      block('b2', { price: -20, from: 3, to: 3, power: 2, minAcceptance: 0, loopWith: 'b1' }),
      block('b4', { side: 'buy', price: 70, powers: { 1: 1, 2: 9, 3: 16 }, minAcceptance: 0, exclusiveGroup: 'g' }),
      block('b5', { price: 70, to: 2, power: 14, minAcceptance: 0, exclusiveGroup: 'g' }),
    ],
    { periods: 3 },
  ],
  'a parent without a minimum that is executed nothing asks nothing of prices': [
    [
      'sell 60@0#1, sell 60@60#1, buy 110@110#1, buy 120@120#1, sell 60@0#2, sell 100@50#3, buy 110@100#3',
      'sell 70@20#3, sell 10@0#7, sell 3000@200#4',
    ].join(),
    [
      block('parent', { price: 90, to: 4, power: 100, minAcceptance: 0 }),
      block('child', { price: 70, from: 6, to: 6, power: 60, linkedTo: 'parent' }),
      block('x', { side: 'buy', price: 80, powers: { 2: 90, 4: 70, 8: 50 }, exclusiveGroup: 'g' }),
      block('y', { side: 'buy', price: 80, powers: { 7: 90 }, exclusiveGroup: 'g' }),
    ],
    { periods: 8, priceLimits: { min: 0, max: 200, tick: 0.01 } },
  ],
  'where nobody trades a curve leaves its own corner, however little of it lies beyond': [
    'linear 0@1750.000001 -0.2@1770.350447 -20000@4000',
    [],
    { priceLimits: { min: -500, max: 4000 } },
  ],
  'a curve that is nearly upright at its end has the price of its zero': [
    'linear 19999.9@213.624811 -5193.3@3999.999999 -19999.9@4000',
    [],
    { priceLimits: { min: -500, max: 4000 } },
  ],
  'a watt along a steep line moves no price': ['linear 0.000001@0 0@1749.99 -99.999999@1750'],
  'a block of 100 MW is not on by three watts': [
    '',
    [
      block('b', { side: 'buy', price: 3555.96, power: 99.999999 }),
      {
        record_id: 'f',
        zone: 'A',
        kind: 'flexible',
        side: 'sell',
        price: 1749.99,
        power: 0.000003,
        duration: 1,
        earliest: 1,
        latest: 1,
      },
    ],
    { lot: 0.000001 },
  ],
  'a parent at the money whose child repays it by a tick is told what the family misses': [
    '',
    [block('parent', { price: 0, power: 729_900 }), block('child', { price: -1, power: 300, linkedTo: 'parent' })],
    { priceLimits: { min: -9999, max: 9999, tick: 1 } },
  ],
  'a block that is accepted where the limits are in the way of all who trade freely': [
    'buy 20@30#1, sell 11@-10#3, linear -18@0#1/60, linear 20@-70#1/60',
    [block('b', { resolution: 'PT60M', price: -60, power: 10 })],
    quarters,
  ],
  'a line that hardly rises beside one of 16 GW within a millionth is a line': [
    'linear 15986@1749.999999 0@1750 -12.1@3322.488412, buy 5.9@3416.553838',
    [],
    { priceLimits: { min: -500, max: 4000 } },
  ],
  'households of watts': [
    'linear 0.000017@20 -0.000011@4000, sell 0.000012@60, buy 0.000008@80',
    [],
    { lot: 0.000001 },
  ],
  'prices of a millionth': [
    'linear 20@0.0002 -9@0.004, sell 11@0.0006',
    [],
    { priceLimits: { min: -0.0005, max: 0.004, tick: 0.000001 } },
  ],
};

for (const [name, [orders, more = [], changes = {}]] of Object.entries(cases)) {
  test(`clear(): ${name}`, () => {
    const simple = smallBook(orders, changes);
    const { kind, message } = judge(parseBook({ ...simple, orders: [...simple.orders, ...more] }), solver);
    assert.match(kind, /^(ok|lots)$/, message);
  });
}
