/** How blocks may name each other: within a request, with what came in before, and what the seal leaves out. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mostGenerations } from '../market/bounds.ts';
import type { BlockOrder, Order } from '../market/order.ts';
import { type Earlier, leftOut, namesIn, relationChecker } from './relations.ts';

const block = (record_id: string, changes: Partial<BlockOrder> = {}): BlockOrder => ({
  record_id,
  zone: 'A',
  kind: 'block',
  side: 'sell',
  price: 50,
  from: 1,
  to: 2,
  power: 10,
  minAcceptance: 1,
  ...changes,
});
const limit: Order = { record_id: 'l', zone: 'A', kind: 'limit', side: 'buy', period: 1, price: 50, power: 10 };

const faultsOf = (orders: Order[], refused?: ReadonlySet<string>, earlier?: Earlier) => {
  const check = relationChecker(orders, refused, earlier);
  return orders.flatMap((order) => {
    const found: Parameters<typeof check>[1] = [];
    check(order, found);
    return found.map(({ field, code }) => `${order.record_id} ${field}: ${code}`);
  });
};

test('relationChecker() takes families, groups and loops within one zone', () => {
  const orders = [
    block('child', { linkedTo: 'parent' }),
    block('parent', { exclusiveGroup: 'g', side: 'buy' }),
    block('other', { exclusiveGroup: 'g' }),
    block('grandchild', { linkedTo: 'child', exclusiveGroup: 'h' }),
    block('leg', { loopWith: 'pair', minAcceptance: 0.5 }),
    block('pair', { loopWith: 'leg', minAcceptance: 0.5, side: 'buy' }),
    limit,
  ];
  assert.deepEqual(faultsOf(orders), []);
});

for (const [what, orders, ...faults] of [
  ['a parent that is not there', [block('c', { linkedTo: 'p' })], 'c linkedTo: unknown-parent'],
  ['a parent of another kind', [block('c', { linkedTo: 'l' }), limit], 'c linkedTo: parent-not-a-block'],
  [
    'a parent in another zone',
    [block('c', { linkedTo: 'p' }), block('p', { zone: 'B' })],
    'c linkedTo: parent-in-another-zone',
  ],
  ['an order linked to itself', [block('c', { linkedTo: 'c' })], 'c linkedTo: link-cycle'],
  [
    'a cycle of links, at each order of it and at no other',
    [
      block('x', { linkedTo: 'a' }),
      block('a', { linkedTo: 'b' }),
      block('b', { linkedTo: 'c' }),
      block('c', { linkedTo: 'a' }),
    ],
    'a linkedTo: link-cycle',
    'b linkedTo: link-cycle',
    'c linkedTo: link-cycle',
  ],
  [
    'a child of a leg of a loop',
    [block('c', { linkedTo: 's' }), block('s', { loopWith: 'b' }), block('b', { loopWith: 's', side: 'buy' })],
    'c linkedTo: parent-in-loop',
  ],
  ['a loop partner that is not there', [block('s', { loopWith: 'b' })], 's loopWith: unknown-partner'],
  ['a loop with itself', [block('s', { loopWith: 's' })], 's loopWith: loop-with-itself'],
  ['a loop partner of another kind', [block('s', { loopWith: 'l' }), limit], 's loopWith: partner-not-a-block'],
  [
    'a loop over two zones',
    [block('s', { loopWith: 'b' }), block('b', { loopWith: 's', side: 'buy', zone: 'B' })],
    's loopWith: partner-in-another-zone',
    'b loopWith: partner-in-another-zone',
  ],
  [
    'a loop that only one leg knows of',
    [block('s', { loopWith: 'b' }), block('b', { side: 'buy' })],
    's loopWith: loop-not-mutual',
  ],
  [
    'a loop of three',
    [block('s', { loopWith: 'b' }), block('b', { loopWith: 't', side: 'buy' }), block('t', { loopWith: 'b' })],
    's loopWith: loop-not-mutual',
  ],
  [
    'a loop of two sells',
    [block('s', { loopWith: 'b' }), block('b', { loopWith: 's' })],
    's loopWith: loop-of-one-side',
    'b loopWith: loop-of-one-side',
  ],
  [
    'a loop of two minima',
    [block('s', { loopWith: 'b' }), block('b', { loopWith: 's', side: 'buy', minAcceptance: 0.5 })],
    's minAcceptance: loop-of-two-minima',
    'b minAcceptance: loop-of-two-minima',
  ],
  [
    'a group in two zones',
    [block('a', { exclusiveGroup: 'g' }), block('b', { exclusiveGroup: 'g', zone: 'B' })],
    'b exclusiveGroup: group-in-several-zones',
  ],
] as const) {
  test(`relationChecker() refuses ${what}`, () => assert.deepEqual(faultsOf([...orders]), faults));
}

test('relationChecker() knows what was refused beside an order, and what came in before it', () => {
  const earlier: Earlier = {
    orders: new Map([
      ['old', { order: block('old'), cancelled: false }],
      ['gone', { order: block('gone'), cancelled: true }],
      ['abroad', { order: block('abroad', { zone: 'B' }), cancelled: false }],
    ]),
    groups: new Map([['g', 'B']]),
  };
  const orders = [
    block('a', { linkedTo: 'old' }),
    block('b', { linkedTo: 'gone' }),
    block('c', { linkedTo: 'abroad' }),
    block('d', { linkedTo: 'bad' }),
    block('e', { exclusiveGroup: 'g' }),
  ];
  assert.deepEqual(faultsOf(orders, new Set(['bad']), earlier), [
    'b linkedTo: parent-cancelled',
    'c linkedTo: parent-in-another-zone',
    'd linkedTo: parent-refused',
    'e exclusiveGroup: group-in-several-zones',
  ]);
});

test('relationChecker() walks a family of 100,000 generations once', () => {
  const orders = Array.from({ length: 100_000 }, (_, i) => block(`o${i}`, { linkedTo: `o${(i + 1) % 100_000}` }));
  assert.equal(faultsOf(orders).length, 100_000);
  const deep = faultsOf([...orders.slice(1), block('o0')]);
  assert.equal(deep.length, 100_000 - mostGenerations);
  assert.equal(deep.at(-1), 'o99950 linkedTo: family-too-deep');
});

test('namesIn() reads what submissions name, whatever they are', () => {
  const submissions = [
    block('a', { linkedTo: 'p' }),
    { linkedTo: 5, loopWith: 'q', exclusiveGroup: 'g' },
    null,
    7,
    block('b', { linkedTo: 'p', exclusiveGroup: 'g' }),
  ];
  assert.deepEqual(namesIn(submissions), { orders: ['p', 'q'], groups: ['g'] });
});

test('leftOut() drops who names a cancelled order, and who names those; each participant has names of its own', () => {
  const stamped = (participant: string, ...orders: Order[]) =>
    orders.map((order, i) => ({ sequence: i + 1, participant, order }));
  const live = [
    ...stamped(
      'p',
      block('grandchild', { linkedTo: 'child' }),
      block('child', { linkedTo: 'parent' }),
      block('leg', { loopWith: 'pair' }),
      block('free'),
      block('first', { exclusiveGroup: 'g' }),
      block('abroad', { exclusiveGroup: 'g', zone: 'B' }),
      limit,
    ),
    ...stamped(
      'q',
      block('parent'),
      block('child', { linkedTo: 'parent' }),
      block('pair', { zone: 'B', exclusiveGroup: 'g' }),
    ),
  ];
  const cancelled = stamped('p', block('parent'), block('pair', { loopWith: 'leg', side: 'buy' }));
  const left = leftOut(live, cancelled);
  assert.deepEqual(
    left.map(({ entry, cause }) => [entry.participant, cause]),
    [
      ['p', 'order grandchild: child, its parent, is refused itself'],
      ['p', 'order child: parent, its parent, was cancelled'],
      ['p', 'order leg: pair, its partner, was cancelled'],
      ['p', 'order abroad: group g lies in A, the order in B: a group has one zone'],
    ],
  );
});
