/**
 * Results that are right and were refused, and wrong ones that were passed, each beside the other. Right results are worked out by hand:
 * nothing here comes from the engine.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import { bookHash } from '../src/book/seal.ts';
import type { Outcome, Reason, Result } from '../src/market/result.ts';
import { verify } from '../src/verify/verify.ts';
import { type Example, example } from './support/examples.ts';
import { block, line, smallBook } from './support/small-book.ts';

function brokenIn({ book, result }: Example): string[] {
  const { checks } = verify(book, bookHash(book), result);
  return checks.filter(({ violations }) => violations.length > 0).map(({ invariant }) => invariant);
}

/** The result with some of it changed, and orders by their id. */
function changed(
  { book, result }: Example,
  fields: Partial<Result>,
  orders: Record<string, Partial<Outcome>> = {},
): Example {
  const outcomes = result.orders.map((outcome) => ({ ...outcome, ...orders[outcome.record_id] }));
  return { book, result: { ...result, ...fields, orders: outcomes } };
}

const because = (code: Reason['code'], distance = 0, missedSurplus = 0, binding: string[] = []): Reason => {
  return { code, distance, missedSurplus, binding };
};

function passes(name: string, right: Example): void {
  test(`verify() passes ${name}`, () => assert.deepEqual(brokenIn(right), []));
}

function refuses(name: string, invariant: string, wrong: Example): void {
  test(`verify() refuses ${name} (${invariant})`, () => {
    const broken = brokenIn(wrong);
    assert(broken.includes(invariant), `broken: ${broken.join(', ') || 'nothing'}`);
  });
}

const priceLimits = { min: -500, max: 4000 };

// A demand of 30 MW that falls to 20 at the highest price: 24 MW are reached at 2400, the 20 first.
passes(
  'a buy whose slope begins at the price of a step',
  example(smallBook('linear 30@0 20@4000, sell 24@60', { priceLimits }), {
    prices: { A: [2400] },
    welfare: 20 * 4000 + 4 * 3200 - 24 * 60,
    orders: ['24 of 30, gains 35200, partial_at_the_money', '24 of 24, gains 56160'],
  }),
);
passes(
  'its mirror image, a sell whose slope begins at the price of a step',
  example(smallBook('linear -20@-500 -30@3500, buy 24@3000', { priceLimits }), {
    prices: { A: [1100] },
    welfare: 24 * 3000 + 20 * 500 - 4 * 300,
    orders: ['-24 of 30, gains 35200, partial_at_the_money', '24 of 24, gains 45600'],
  }),
);

const scarce = example(smallBook('step 70@100 10@4000, sell 35@20', { priceLimits }), {
  prices: { A: [4000] },
  welfare: 35 * (4000 - 20),
  orders: ['35 of 70, gains 0, curtailed_at_bound', '35 of 35, gains 139300'],
});
passes('a curve with two steps at the highest price, cut as one', scarce);
const shared = example(smallBook('step 70@100 10@4000, buy 70@4000, sell 70@20', { priceLimits }), {
  prices: { A: [4000] },
  welfare: 70 * (4000 - 20),
  orders: ['35 of 70, gains 0, curtailed_at_bound', '35 of 70, gains 0, curtailed_at_bound', '70 of 70, gains 278600'],
});
passes('a curve with two steps at the highest price that shares with an order of one', shared);
refuses(
  'a curve whose first step alone shares with another order',
  'INV-28',
  changed(shared, {}, { o1: { power: 40 }, o2: { power: 30, ratio: 30 / 70 } }),
);

// A to B carries all it can at negative prices: the way back must not pay either, so B is at least at 0.9 * -50.
const burning = example(
  smallBook('A sell 60@-50, A buy 10@100, B buy 18@30, B buy 5@-80', {
    priceLimits,
    zones: ['A', 'B'],
    lines: [line('A-B', 20, { loss: 0.1 })],
  }),
  {
    prices: { A: [-50], B: [-7.5] },
    flows: { 'A-B': [20] },
    netPositions: { A: [20], B: [-18] },
    welfare: 30 * 50 + 10 * 100 + 18 * 30,
    orders: [
      '30 of 60, gains 0, partial_at_the_money',
      '10 of 10, gains 1500',
      '18 of 18, gains 675',
      '0 of 5, gains -362.5, out_of_the_money by 72.5',
    ],
  },
);
passes('a price that the way back of a full line with losses bounds', burning);
refuses(
  'a price at which sending power back would pay, although others would not let it',
  'INV-18',
  changed(
    burning,
    { prices: { A: [-50], B: [-50] } },
    { o3: { surplus: 1440 }, o4: { surplus: -150, reason: because('out_of_the_money', 30) } },
  ),
);

// What nobody takes at the floor: one direction of the line would pay whatever the price of B, the other must not.
const idle = example(
  smallBook('A sell 10@-500', { priceLimits, zones: ['A', 'B'], lines: [line('A-B', 5, { loss: 0.1 })] }),
  {
    prices: { A: [-500], B: [1775] },
    flows: { 'A-B': [0] },
    welfare: 0,
    orders: ['0 of 10, gains 0, curtailed_at_bound'],
  },
);
passes('an idle line with losses beside a price at the floor, with one direction shut', {
  ...idle,
  result: { ...idle.result, prices: { A: [-500], B: [1775] } },
});
refuses(
  'an idle line with losses both of whose directions would pay',
  'INV-18',
  changed(idle, { prices: { A: [-500], B: [-500] } }),
);

const ring = { zones: ['A', 'B', 'C'], lines: [line('A-B', 20, { loss: 0.1 }), line('B-C', 20), line('C-A', 20)] };
const still = example(smallBook('A sell 60@0, A buy 20@0', { priceLimits, ...ring }), {
  prices: { A: [0], B: [0], C: [0] },
  flows: { 'A-B': [0], 'B-C': [0], 'C-A': [0] },
  netPositions: { A: [0], B: [0], C: [0] },
  welfare: 0,
  orders: ['20 of 60, gains 0, partial_at_the_money', '20 of 20, gains 0'],
});
passes('a ring of lines that carries nothing', still);
refuses(
  'a ring of lines that burns power for nothing',
  'INV-29',
  changed(
    still,
    { flows: { 'A-B': [10], 'B-C': [9], 'C-A': [9] }, netPositions: { A: [1], B: [0], C: [0] } },
    { o1: { power: 21, ratio: 21 / 60 } },
  ),
);

// The hour's sell could serve the first half hour only with the second, where nobody buys; no price of the second is low enough.
const halves = { resolution: 'PT30M', periods: 2, priceLimits };
const given = example(smallBook('sell 10@1000/60, buy 5@4000', halves), {
  prices: { A: [4000, 1750] },
  netPositions: { A: [0, 0] },
  welfare: 0,
  orders: ['0 of 10, gains 18750, paradoxically_rejected', '0 of 5, gains 0, curtailed_at_bound'],
});
const paradox = (missed: number) => ({ surplus: missed, reason: because('paradoxically_rejected', 0, missed) });
passes('an order over two MTUs that gives way to the price limit', changed(given, {}, { o1: paradox(18750) }));
refuses(
  'an order of one MTU that gives way to the price limit',
  'INV-05',
  changed(
    given,
    { prices: { A: [2500, -500] } },
    {
      o1: { surplus: 0, reason: because('partial_at_the_money') },
      o2: { surplus: 3750, reason: because('paradoxically_rejected', 0, 3750) },
    },
  ),
);
const cheap = example(smallBook('sell 10@1000/60, buy 5@900', halves), {
  prices: { A: [1700, 300] },
  netPositions: { A: [0, 0] },
  welfare: 0,
  orders: ['0 of 10, gains 0, partial_at_the_money', '0 of 5, gains -2000, out_of_the_money by 800'],
});
passes('an order over two MTUs that holds the middles of their prices together', cheap);
refuses(
  'an order over two MTUs that gives way to a price at the limit which need not be there',
  'INV-07',
  changed(
    cheap,
    { prices: { A: [4000, 4000] } },
    { o1: paradox(30000), o2: { surplus: -7750, reason: because('out_of_the_money', 3100) } },
  ),
);

// Halves of an hour on a line that loses nothing: the line keeps its rule, the hour's order gives way.
const apart = example(
  smallBook('B sell 10@1000/60, B buy 5@4000, A sell 5@10', { ...halves, zones: ['A', 'B'], lines: [line('A-B', 2)] }),
  {
    prices: { A: [10, 1750], B: [4000, 1750] },
    flows: { 'A-B': [2, 0] },
    netPositions: { A: [2, 0], B: [-2, 0] },
    welfare: (2 * (4000 - 10)) / 2,
    orders: [
      '0 of 10, gains 18750, paradoxically_rejected',
      '2 of 5, gains 0, curtailed_at_bound',
      '2 of 5, gains 0, partial_at_the_money',
    ],
  },
);
passes('a full line beside an order that gives way', changed(apart, {}, { o1: paradox(18750) }));
refuses(
  'a plain line that gives way with the order',
  'INV-18',
  changed(apart, { prices: { A: [10, 4000], B: [4000, -500] } }, { o1: paradox(7500) }),
);

const curves = smallBook('sell 10@90, step 6@40 -18@90', { priceLimits });
const jump = example(curves, {
  prices: { A: [90] },
  welfare: 0,
  orders: ['6 of 10, gains 0, partial_at_the_money', '6 of 6, gains 0'],
});
passes('a net curve that buys all it can at the price where it turns to selling', jump);
refuses(
  'a net curve that trades less than it could at the price where it turns to selling',
  'INV-27',
  changed(
    jump,
    {},
    {
      o1: { power: 2, ratio: 0.2 },
      o2: { power: 2, status: 'partially_accepted', reason: because('partial_at_the_money') },
    },
  ),
);

const cuttable = block('b1', { price: 10, power: 9, minAcceptance: 0 });

function withBlock(
  price: number,
  code: Reason['code'],
  { surplus, distance = 0, missed = 0 }: { surplus: number; distance?: number; missed?: number },
): Example {
  const limits = smallBook('buy 5@5', { priceLimits });
  const book = { ...limits, orders: [...limits.orders, cuttable as (typeof limits.orders)[number]] };
  const rejected = { status: 'rejected', ratio: 0 } as const;
  const orders: Outcome[] = [
    {
      record_id: 'o1',
      ...rejected,
      power: 0,
      surplus: 5 * (5 - price),
      reason: because('out_of_the_money', price - 5),
    },
    { record_id: 'b1', ...rejected, power: [0], surplus, reason: because(code, distance, missed) },
  ];
  const empty = example({ ...limits, orders: [] }, { prices: { A: [price] }, welfare: 0, orders: [] });
  return { book, result: { ...empty.result, book: bookHash(book), orders } };
}
passes(
  'a price between a block without a minimum and a buy',
  withBlock(7.5, 'out_of_the_money', { surplus: -22.5, distance: 2.5 }),
);
refuses(
  'a price that leaves a block without a minimum out of what bounds it',
  'INV-25',
  withBlock(9, 'out_of_the_money', { surplus: -9, distance: 1 }),
);
const lost = withBlock(2002.5, 'paradoxically_rejected', { surplus: 17932.5, missed: 17932.5 });
refuses('a block without a minimum that is left out in the money', 'INV-05', lost);
refuses('a block without a minimum that is told of a paradox', 'REASON', lost);

const lots = example(smallBook('sell 30@10, buy 11@50', { priceLimits, lot: 1 }), {
  prices: { A: [10] },
  welfare: 11 * 40,
  orders: ['11 of 30, gains 0, partial_at_the_money', '11 of 11, gains 440'],
});
passes('whole lots that balance', lots);
refuses(
  'a lot that is sold and not bought',
  'INV-03',
  changed(lots, { netPositions: { A: [1] }, welfare: 430, bound: 430 }, { o1: { power: 12, ratio: 0.4 } }),
);
const sent = example(
  smallBook('A sell 30@10, B buy 20@50', {
    priceLimits,
    lot: 1,
    zones: ['A', 'B'],
    lines: [line('A-B', 10, { loss: 0.02 })],
  }),
  {
    prices: { A: [10], B: [50] },
    flows: { 'A-B': [10] },
    netPositions: { A: [10], B: [-9] },
    welfare: 9 * 50 - 10 * 10,
    orders: ['10 of 30, gains 0, partial_at_the_money', '9 of 20, gains 0, partial_at_the_money'],
  },
);
passes('what arrives in whole lots of what was sent', changed(sent, { bound: 390, gap: 40 / 390 }));
refuses(
  'more that arrives than a line with losses lets through',
  'INV-03',
  changed(sent, { netPositions: { A: [10], B: [-10] }, welfare: 400, bound: 400 }, { o2: { power: 10, ratio: 0.5 } }),
);

// E16 among households: 2.5 kW and 17.5 kW over an element of 5 kW.
const homes = example(
  smallBook('A sell 0.05@20, B sell 0.05@45, C sell 0.05@60, C buy 0.02@100', {
    priceLimits,
    zones: ['A', 'B', 'C'],
    constraints: [{ id: 'cnec', period: 1, ptdf: { A: 0.6, B: 0.2, C: 0 }, ram: 0.005 }],
  }),
  {
    prices: { A: [20], B: [45], C: [57.5] },
    netPositions: { A: [0.0025], B: [0.0175], C: [-0.02] },
    welfare: 1.16,
    orders: [
      '0.0025 of 0.05, gains 0, partial_at_the_money',
      '0.0175 of 0.05, gains 0, partial_at_the_money',
      '0 of 0.05, gains -0.13, out_of_the_money by 2.5',
      '0.02 of 0.02, gains 0.85',
    ],
  },
);
passes('exchange of kilowatts', homes);
refuses(
  "an element that is overloaded by a tenth of a household's exchange",
  'INV-20',
  changed(
    homes,
    { netPositions: { A: [0.0035], B: [0.0165], C: [-0.02] } },
    { o1: { power: 0.0035, ratio: 0.07 }, o2: { power: 0.0165, ratio: 0.33 } },
  ),
);
refuses(
  'prices that the element does not explain, apart by half a cent',
  'INV-20',
  changed(homes, { prices: { A: [20], B: [45], C: [57.505] } }),
);

const large = example(smallBook('sell 900000@10, buy 500000@60', { priceLimits }), {
  prices: { A: [10] },
  welfare: 25_000_000,
  orders: ['500000 of 900000, gains 0, partial_at_the_money', '500000 of 500000, gains 25000000'],
});
passes('a welfare of millions', large);
refuses(
  'a welfare of millions that is overstated by two cents',
  'INV-24',
  changed(large, { welfare: 25_000_000.02, bound: 25_000_000.02 }),
);
