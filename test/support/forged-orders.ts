/**
 * Forged results of blocks, complex orders, ramps and flow-based exchange: the verifier refuses each, by the invariant that it breaks.
 *
 * The true result passes; one thing is then made otherwise, and what belongs to it (balance, welfare, status) is mostly put right, as somebody
 * would who wanted it to pass.
 */

import type { Book } from '../../src/market/book.ts';
import type { Outcome, Reason, Result } from '../../src/market/result.ts';
import { exampleBook } from './example-book.ts';

export interface Forged {
  readonly result: Result;
  /** What clearing makes of another book. */
  resultOf(book: Book): Result;
  /** An order's outcome, with fields made otherwise; without a reason when it is accepted. */
  tell(record_id: string, fields: Partial<Outcome>): void;
  worth(welfare: number): void;
}

export interface ForgedOrder {
  readonly name: string;
  readonly invariant: string;
  readonly book: Book;
  readonly forge: (forged: Forged) => void;
}

export const forgedOrders: ForgedOrder[] = [];

const refused = (name: string, invariant: string, book: Book, forge: ForgedOrder['forge']): void =>
  void forgedOrders.push({ name, invariant, book, forge });

const atTheMoney: Reason = { code: 'partial_at_the_money', distance: 0, missedSurplus: 0, binding: [] };
const outOfTheMoney = (distance: number): Reason => ({
  code: 'out_of_the_money',
  distance,
  missedSurplus: 0,
  binding: [],
});

const block = { kind: 'block', record_id: 'block', side: 'sell', from: 1, to: 1 };
const e6 = exampleBook('sell 40@10, buy 100@50', [{ ...block, price: 30, power: 70 }]);

refused('a block accepted at a loss', 'INV-09', e6, ({ result, tell, worth }) => {
  result.prices = { A: [10] };
  tell('o1', { status: 'partially_accepted', power: 30, ratio: 0.75, surplus: 0, reason: atTheMoney });
  tell('o2', { status: 'accepted', power: 100, ratio: 1, surplus: 4000 });
  tell('block', { status: 'accepted', power: [70], ratio: 1, surplus: -1400 });
  worth(2600);
});

refused('a rejected block in the money that is told to be out of it', 'INV-30', e6, ({ tell }) => {
  tell('block', { reason: outOfTheMoney(0) });
});

refused('a block that misses more than it is told', 'INV-30', e6, ({ tell }) => {
  tell('block', { reason: { code: 'paradoxically_rejected', distance: 0, missedSurplus: 100, binding: [] } });
});

refused('a surplus that is not the one of the published prices', 'SURPLUS', e6, ({ tell }) => {
  tell('block', { surplus: 140 });
});

const curtailable = exampleBook('sell 40@10, buy 100@50', [{ ...block, price: 30, power: 70, minAcceptance: 0.8 }]);

refused('a ratio below the least', 'INV-08', curtailable, ({ tell, worth }) => {
  tell('o2', { status: 'partially_accepted', power: 90, ratio: 0.9, surplus: 2000, reason: atTheMoney });
  tell('block', { power: [50], ratio: 50 / 70 });
  worth(90 * 50 - 40 * 10 - 50 * 30);
});

// Told as an order is that had to give way: but only an order over several MTUs has to.
refused(
  'a block of one MTU that is said to have given way',
  'INV-05',
  exampleBook('sell 40@10, buy 100@50', [{ ...block, price: 30, power: 50, minAcceptance: 0 }]),
  ({ result, tell, worth }) => {
    tell('o2', { status: 'partially_accepted', power: 40, ratio: 0.4, surplus: 0, reason: atTheMoney });
    tell('block', {
      status: 'rejected',
      power: [0],
      ratio: 0,
      surplus: 0,
      reason: { code: 'paradoxically_rejected', distance: 0, missedSurplus: 1000, binding: [] },
    });
    worth(40 * 50 - 40 * 10);
    Object.assign(result, { status: 'feasible' });
  },
);

refused('a ratio between its ends in the money', 'INV-10', curtailable, ({ result, tell }) => {
  result.prices = { A: [50] };
  tell('o1', { surplus: 1600 });
  tell('o2', { surplus: 0 });
  tell('block', { surplus: 1400 });
});

const family = exampleBook('sell 200@30, buy 150@100', [
  { ...block, record_id: 'parent', price: 40, power: 50 },
  { ...block, record_id: 'child', price: 10, power: 50, linkedTo: 'parent' },
  { ...block, record_id: 'leaf', price: 40, power: 20, linkedTo: 'parent' },
]);

refused('a leaf that its family rescues', 'INV-11', family, ({ tell, worth }) => {
  tell('o1', { power: 30, ratio: 0.15 });
  tell('leaf', { status: 'accepted', power: [20], ratio: 1 });
  worth(150 * 100 - 30 * 30 - 50 * 40 - 50 * 10 - 20 * 40);
});

refused('a child without its parent', 'INV-11', family, ({ tell, worth }) => {
  tell('o1', { power: 100, ratio: 0.5 });
  tell('parent', { status: 'rejected', power: [0], ratio: 0, reason: outOfTheMoney(10) });
  worth(150 * 100 - 100 * 30 - 50 * 10);
});

const group = exampleBook('sell 200@30, buy 150@100', [
  { ...block, record_id: 'one', price: 10, power: 50, exclusiveGroup: 'unit' },
  { ...block, record_id: 'other', price: 20, power: 50, exclusiveGroup: 'unit' },
]);

refused('two members of an exclusive group', 'INV-12', group, ({ tell, worth }) => {
  tell('o1', { power: 50, ratio: 0.25 });
  tell('other', { status: 'accepted', power: [50], ratio: 1 });
  worth(150 * 100 - 50 * 30 - 50 * 10 - 50 * 20);
});

refused('a sibling that was not accepted', 'REASON', group, ({ tell }) => {
  tell('other', { reason: { code: 'exclusive_sibling', distance: 0, missedSurplus: 500, binding: ['other'] } });
});

const loop = (sell: number) =>
  exampleBook(
    'sell 200@35, buy 100@100, sell 200@70 #2, buy 100@100 #2',
    [
      { ...block, record_id: 'charge', side: 'buy', price: 30, power: 50, loopWith: 'discharge' },
      { ...block, record_id: 'discharge', price: sell, power: 45, from: 2, to: 2, loopWith: 'charge' },
    ],
    { periods: 2 },
  );

refused('one leg of a loop without the other', 'INV-13', loop(60), ({ tell, worth }) => {
  tell('o1', { power: 100, ratio: 0.5 });
  tell('charge', { status: 'rejected', power: [0], ratio: 0, reason: outOfTheMoney(5) });
  worth(100 * 65 + 100 * 100 - 55 * 70 - 45 * 60);
});

refused('a loop whose legs lose together', 'INV-13', loop(68), ({ tell, worth }) => {
  tell('o1', { power: 150, ratio: 0.75 });
  tell('o3', { power: 55, ratio: 0.275 });
  tell('charge', { status: 'accepted', power: [50], ratio: 1 });
  tell('discharge', { status: 'accepted', power: [45], ratio: 1 });
  worth(100 * 100 + 50 * 30 - 150 * 35 + 100 * 100 - 55 * 70 - 45 * 68);
});

const unit = {
  kind: 'complex',
  record_id: 'unit',
  side: 'sell',
  steps: [
    { period: 1, price: 10, power: 100 },
    { period: 2, price: 10, power: 100 },
  ],
};
const market = 'sell 500@40, buy 300@100, sell 500@30 #2, buy 300@100 #2';
const income = { ...unit, condition: 'minimum-income', fixedTerm: 5000, variableTerm: 20 };

refused(
  'a minimum income that is not met',
  'INV-14',
  exampleBook(market, [income], { periods: 2 }),
  ({ tell, worth }) => {
    tell('o1', { power: 200, ratio: 0.4 });
    tell('o3', { power: 200, ratio: 0.4 });
    tell('unit', { status: 'accepted', power: [100, 100], ratio: 1 });
    worth(60_000 - 200 * 40 - 200 * 30 - 2000);
  },
);

const stopping = exampleBook(market, [{ ...income, scheduledStop: 1 }], { periods: 2 });

refused('an order that is off and goes on after its scheduled stop', 'INV-14', stopping, ({ tell, worth }) => {
  tell('o3', { power: 200, ratio: 0.4 });
  tell('unit', { power: [100, 100] });
  worth(60_000 - 200 * 40 - 200 * 30 - 2000);
});

const profit = { ...unit, condition: 'minimum-profit', fixedTerm: 6000 };

refused(
  'a fixed term that is not earned',
  'INV-15',
  exampleBook(market, [profit], { periods: 2 }),
  ({ tell, worth }) => {
    tell('o1', { power: 200, ratio: 0.4 });
    tell('o3', { power: 200, ratio: 0.4 });
    tell('unit', { status: 'accepted', power: [100, 100], ratio: 1 });
    worth(60_000 - 200 * 40 - 200 * 30 - 2000 - 6000);
  },
);

const earned = exampleBook(market, [{ ...profit, fixedTerm: 1000 }], { periods: 2 });

refused('a fixed term that the welfare leaves out', 'INV-24', earned, ({ result, worth }) => {
  worth(result.welfare + 1000);
});

const scalable = { ...unit, condition: 'minimum-profit', fixedTerm: 100, minPower: [{ period: 2, power: 60 }] };

refused('a power below the minimum', 'INV-15', exampleBook(market, [scalable], { periods: 2 }), ({ tell, worth }) => {
  tell('o3', { power: 250, ratio: 0.5 });
  tell('unit', { status: 'partially_accepted', power: [100, 50], reason: atTheMoney });
  worth(60_000 - 200 * 40 - 250 * 30 - 1500 - 100);
});

const slow = {
  ...unit,
  steps: [
    { period: 1, price: 35, power: 100 },
    { period: 2, price: 10, power: 100 },
  ],
  loadGradient: { up: 40, down: 40 },
};
// It runs at a loss of 5 in the first hour to be there in the second.
const slowMarket = exampleBook('sell 500@30, buy 300@100, sell 500@30 #2, buy 300@100 #2', [slow], { periods: 2 });

refused('a load gradient that is broken', 'INV-16', slowMarket, ({ tell, worth }) => {
  tell('o1', { power: 300, ratio: 0.6 });
  tell('o3', { power: 200, ratio: 0.4 });
  tell('unit', { status: 'partially_accepted', power: [0, 100], ratio: 1 });
  worth(60_000 - 300 * 30 - 200 * 30 - 1000);
});

refused('a schedule that is not the best at its prices', 'INV-16', slowMarket, ({ tell, worth }) => {
  tell('o1', { power: 300, ratio: 0.6 });
  tell('o3', { power: 260, ratio: 0.52 });
  tell('unit', { status: 'partially_accepted', power: [0, 40], ratio: 1 });
  worth(60_000 - 300 * 30 - 260 * 30 - 400);
});

const ramped = exampleBook(
  'A sell 500@20, B sell 500@50, A sell 500@20 #2, B sell 500@50 #2, B buy 50@10, B buy 100@200 #2',
  [],
  {
    periods: 2,
    zones: ['A', 'B'],
    lines: [{ id: 'A-B', from: 'A', to: 'B', capacity: 100, reverse: 100, ramp: 30, before: 0 }],
  },
);

refused('a ramp that is broken', 'INV-19', ramped, ({ result, tell, worth }) => {
  result.flows = { 'A-B': [30, 100] };
  result.netPositions = { A: [30, 100], B: [-30, -100] };
  tell('o3', { power: 100, ratio: 0.2 });
  tell('o4', { status: 'rejected', power: 0, ratio: 0, reason: atTheMoney });
  worth(30 * 10 - 30 * 20 + 100 * 200 - 100 * 20);
});

refused('a flow that the ramp does not hold back', 'INV-19', ramped, ({ result, tell, worth }) => {
  result.flows = { 'A-B': [0, 30] };
  result.netPositions = { A: [0, 30], B: [0, -30] };
  tell('o1', { status: 'rejected', power: 0, ratio: 0, reason: atTheMoney });
  tell('o5', { status: 'rejected', power: 0, ratio: 0, reason: atTheMoney });
  tell('o3', { power: 30, ratio: 0.06 });
  tell('o4', { power: 70, ratio: 0.14 });
  worth(100 * 200 - 30 * 20 - 70 * 50);
});

const region = (ptdfB: number, priceB: number, flowBased: string) =>
  exampleBook(`A sell 500@20, B sell 500@${priceB}, C sell 500@60, C buy 200@100`, [], {
    zones: ['A', 'B', 'C'],
    constraints: [{ id: 'cnec', period: 1, ptdf: { A: 0.6, B: ptdfB, C: 0 }, ram: 50 }],
    flowBased,
  });

refused('an overloaded element', 'INV-20', region(0.2, 45, 'plain'), ({ result, tell, worth }) => {
  result.netPositions = { A: [100], B: [100], C: [-200] };
  tell('o1', { power: 100, ratio: 0.2 });
  tell('o2', { power: 100, ratio: 0.2 });
  worth(20_000 - 100 * 20 - 100 * 45);
});

refused('prices that the element does not explain', 'INV-20', region(0.2, 45, 'plain'), ({ result, tell }) => {
  result.prices = { A: [20], B: [45], C: [50] };
  tell('o3', { surplus: -5000, reason: outOfTheMoney(10) });
  tell('o4', { surplus: 10_000 });
});

refused(
  'a dearer zone that exports in the intuitive mode',
  'INV-21',
  region(-0.2, 70, 'intuitive'),
  ({ result, resultOf }) => {
    Object.assign(result, resultOf(region(-0.2, 70, 'plain')));
  },
);

const washing = exampleBook(
  'sell 200@30, buy 100@100, sell 200@50 #2, buy 100@100 #2',
  [{ kind: 'flexible', record_id: 'washing', side: 'buy', price: 40, power: 20, duration: 1, earliest: 1, latest: 2 }],
  { periods: 2 },
);

refused('a flexible order that starts at a loss', 'INV-09', washing, ({ tell, worth }) => {
  tell('o1', { power: 100, ratio: 0.5 });
  tell('o3', { power: 120, ratio: 0.6 });
  tell('washing', { start: 2, surplus: -200 });
  worth(20_000 + 800 - 100 * 30 - 120 * 50);
});

const lateWashing = exampleBook(
  'sell 200@50, buy 100@100, sell 200@30 #2, buy 100@100 #2',
  [{ kind: 'flexible', record_id: 'washing', side: 'buy', price: 40, power: 20, duration: 1, earliest: 1, latest: 2 }],
  { periods: 2 },
);

refused('a flexible order that is told of its first start alone', 'REASON', lateWashing, ({ result, tell, worth }) => {
  tell('o3', { power: 100, ratio: 0.5 });
  const washed = result.orders.find(({ record_id }) => record_id === 'washing')!;
  delete washed.start;
  tell('washing', { status: 'rejected', power: [0], ratio: 0, surplus: -200, reason: outOfTheMoney(10) });
  worth(20_000 - 100 * 50 - 100 * 30);
});

refused('a flexible order that starts outside its window', 'INV-02', washing, ({ tell }) => {
  tell('washing', { start: 3 });
});

refused('half a flexible order', 'INV-02', washing, ({ tell, worth }) => {
  tell('o1', { power: 110, ratio: 0.55 });
  tell('washing', { status: 'partially_accepted', power: [10], ratio: 0.5, reason: atTheMoney });
  worth(20_000 + 400 - 110 * 30 - 100 * 50);
});

const fitting = exampleBook('sell 200@30, buy 150@100', [{ ...block, price: 10, power: 50 }]);

refused('a paradox that is none: the block fits in at the same price', 'INV-36', fitting, ({ tell, worth }) => {
  const missed: Reason = { code: 'paradoxically_rejected', distance: 0, missedSurplus: 1000, binding: [] };
  tell('o1', { power: 150, ratio: 0.75 });
  tell('block', { status: 'rejected', power: [0], ratio: 0, reason: missed });
  worth(150 * 100 - 150 * 30);
});
