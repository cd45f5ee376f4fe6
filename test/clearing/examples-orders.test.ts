/**
 * The numbered examples of the market rules that concern blocks, complex orders, ramping and flow-based exchange. Each is cleared by
 * the engine, checked by the verifier and decided by the oracle; prices, powers and welfare are the book's own, or worked out beside the example.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import { clearWith } from '../../src/clearing/clear.ts';
import { loadSolver } from '../../src/clearing/solver/highs.ts';
import type { Book } from '../../src/market/book.ts';
import { verify } from '../../src/verify/verify.ts';
import { bestDecisions } from '../support/enumerate.ts';
import { exampleBook } from '../support/example-book.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;

interface Expected {
  readonly welfare: number;
  readonly prices?: Record<string, number[]>;
  /** Powers of the orders that are looked at. */
  readonly powers?: Record<string, number | number[]>;
  readonly surplus?: Record<string, number>;
  readonly flows?: Record<string, number[]>;
  readonly netPositions?: Record<string, number[]>;
  readonly reasons?: Record<string, string>;
}

function check(book: Book, expected: Expected) {
  const { result } = clearWith(solver, book, hash);
  const broken = verify(book, hash, result).checks.filter(({ violations }) => violations.length > 0);
  assert.deepEqual(broken, []);
  const best = bestDecisions(book, solver);
  assert(best !== undefined, 'the oracle finds no prices');
  assert(Math.abs(best.welfare - expected.welfare) < 0.005, `oracle: ${best.welfare}, not ${expected.welfare}`);
  assert.equal(result.status, 'optimal');
  assert(Math.abs(result.welfare - expected.welfare) < 0.005, `${result.welfare}, not ${expected.welfare}`);
  const outcomes = new Map(result.orders.map((outcome) => [outcome.record_id, outcome]));
  const picked = <T>(of: Record<string, T>, value: (id: string) => unknown) =>
    Object.fromEntries(Object.keys(of).map((id) => [id, value(id)]));
  const { prices, powers = {}, surplus = {}, reasons = {}, flows, netPositions } = expected;
  if (prices !== undefined) assert.deepEqual(result.prices, prices);
  if (flows !== undefined) assert.deepEqual(result.flows, flows);
  if (netPositions !== undefined) assert.deepEqual(result.netPositions, netPositions);
  assert.deepEqual(
    picked(powers, (id) => outcomes.get(id)?.power),
    powers,
  );
  assert.deepEqual(
    picked(surplus, (id) => outcomes.get(id)?.surplus),
    surplus,
  );
  assert.deepEqual(
    picked(reasons, (id) => outcomes.get(id)?.reason?.code),
    reasons,
  );
  return { result, best, outcomes };
}

const block = { kind: 'block', record_id: 'block', side: 'sell', from: 1, to: 1 };

test('E6: the smallest paradoxically rejected block', () => {
  const book = exampleBook('sell 40@10, buy 100@50', [{ ...block, price: 30, power: 70 }]);
  const { outcomes, best } = check(book, {
    welfare: 1600,
    prices: { A: [50] },
    powers: { o1: 40, o2: 40, block: [0] },
    surplus: { block: 1400 },
    reasons: { block: 'paradoxically_rejected' },
  });
  assert.equal(outcomes.get('block')?.reason?.missedSurplus, 1400);
  assert.deepEqual(best.on, []);
});

test('E6: the same block, curtailable to 0.8, sets the price', () => {
  const book = exampleBook('sell 40@10, buy 100@50', [{ ...block, price: 30, power: 70, minAcceptance: 0.8 }]);
  const { best, outcomes } = check(book, {
    welfare: 2800,
    prices: { A: [30] },
    powers: { o1: 40, o2: 100, block: [60] },
  });
  assert.deepEqual(best.on, ['block']);
  assert(Math.abs((outcomes.get('block')?.ratio ?? 0) - 6 / 7) < 1e-6);
});

test('E7: a profile block is paid the mean of its prices, weighted by its volumes', () => {
  const profile = [
    { period: 1, power: 50 },
    { period: 2, power: 100 },
  ];
  const book = exampleBook(
    'sell 200@30, buy 100@100, sell 200@50 #2, buy 150@100 #2',
    [{ kind: 'block', record_id: 'block', side: 'sell', price: 40, profile }],
    { periods: 2 },
  );
  // 100*100 - 50*30 + 150*100 - 50*50 - 150*40
  check(book, { welfare: 15_000, prices: { A: [30, 50] }, powers: { block: [50, 100] }, surplus: { block: 500 } });
});

const family = [
  { ...block, record_id: 'parent', price: 40, power: 50 },
  { ...block, record_id: 'child', price: 10, power: 50, linkedTo: 'parent' },
];

test('E8: a child rescues its parent', () => {
  const book = exampleBook('sell 200@30, buy 150@100', family);
  const { best } = check(book, {
    welfare: 11_000, // 150*100 - 50*30 - 50*40 - 50*10
    prices: { A: [30] },
    powers: { parent: [50], child: [50] },
    surplus: { parent: -500, child: 1000 },
  });
  assert.deepEqual(best.on, ['parent', 'child']);
});

test('E8: a leaf that loses is not rescued by its family', () => {
  const leaf = { ...block, record_id: 'leaf', price: 40, power: 20, linkedTo: 'parent' };
  check(exampleBook('sell 200@30, buy 150@100', [...family, leaf]), {
    welfare: 11_000,
    powers: { parent: [50], child: [50], leaf: [0] },
    surplus: { leaf: -200 },
    reasons: { leaf: 'out_of_the_money' },
  });
});

test('E10: a loop is accepted when both legs together do not lose', () => {
  const legs = [
    { ...block, record_id: 'charge', side: 'buy', price: 30, power: 50, loopWith: 'discharge' },
    { ...block, record_id: 'discharge', price: 60, power: 45, from: 2, to: 2, loopWith: 'charge' },
  ];
  const book = exampleBook('sell 200@35, buy 100@100, sell 200@70 #2, buy 100@100 #2', legs, { periods: 2 });
  check(book, {
    welfare: 9700, // 100*100 + 50*30 - 150*35, and 100*100 - 55*70 - 45*60
    prices: { A: [35, 70] },
    powers: { charge: [50], discharge: [45] },
    surplus: { charge: -250, discharge: 450 },
  });
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
const market = (first: number, second: number) =>
  `sell 500@${first}, buy 300@100, sell 500@${second} #2, buy 300@100 #2`;

test('E11: a minimum income of 9000 is not met by 7000', () => {
  const income = { ...unit, condition: 'minimum-income', fixedTerm: 5000, variableTerm: 20 };
  check(exampleBook(market(40, 30), [income], { periods: 2 }), {
    welfare: 39_000, // 300*(100-40) + 300*(100-30)
    prices: { A: [40, 30] },
    powers: { unit: [0, 0] },
    reasons: { unit: 'mic_unmet' },
  });
});

test('E11: a minimum income of 9000 is met by 10000, and its terms are no cost', () => {
  const income = { ...unit, condition: 'minimum-income', fixedTerm: 5000, variableTerm: 20 };
  check(exampleBook(market(50, 50), [income], { periods: 2 }), {
    welfare: 38_000, // 2 * (300*100 - 200*50 - 100*10)
    prices: { A: [50, 50] },
    powers: { unit: [100, 100] },
  });
});

const scalable = { ...unit, condition: 'minimum-profit', fixedTerm: 5000 };

test('E21: exactly at the money a scalable order may be on or off', () => {
  check(exampleBook(market(40, 30), [scalable], { periods: 2 }), { welfare: 39_000, prices: { A: [40, 30] } });
});

test('E21: a scalable order gains 3000 after its fixed term', () => {
  check(exampleBook(market(50, 50), [scalable], { periods: 2 }), {
    welfare: 33_000, // 38000 - 5000
    prices: { A: [50, 50] },
    powers: { unit: [100, 100] },
    surplus: { unit: 3000 },
  });
});

test('E15: a ramp makes the flow run from the dearer to the cheaper zone, and the day still earns', () => {
  const orders = [1, 2].map((t) => `A sell 500@20 #${t}, B sell 500@50 #${t}`);
  const book = exampleBook(`${orders.join(', ')}, B buy 50@10 #1, B buy 100@200 #2`, [], {
    periods: 2,
    zones: ['A', 'B'],
    lines: [{ id: 'A-B', from: 'A', to: 'B', capacity: 100, reverse: 100, ramp: 30, before: 0 }],
  });
  check(book, {
    welfare: 16_500, // 30*(10-20), and 100*200 - 60*20 - 40*50
    prices: { A: [20, 20], B: [10, 50] },
    flows: { 'A-B': [30, 60] },
  });
});

const region = (ptdfB: number, priceB: number, flowBased: string) =>
  exampleBook(`A sell 500@20, B sell 500@${priceB}, C sell 500@60, C buy 200@100`, [], {
    zones: ['A', 'B', 'C'],
    constraints: [{ id: 'cnec', period: 1, ptdf: { A: 0.6, B: ptdfB, C: 0 }, ram: 50 }],
    flowBased,
  });

test('E16: one element separates the prices of three zones', () => {
  check(region(0.2, 45, 'plain'), {
    welfare: 11_625, // 200*100 - 25*20 - 175*45
    prices: { A: [20], B: [45], C: [57.5] },
    netPositions: { A: [25], B: [175], C: [-200] },
  });
});

test('E16: plain flow-based lets a dearer zone export where that frees more', () => {
  check(region(-0.2, 70, 'plain'), {
    welfare: 11_625, // 200*100 - 112.5*20 - 87.5*70
    prices: { A: [20], B: [70], C: [57.5] },
    netPositions: { A: [112.5], B: [87.5], C: [-200] },
  });
});

test('E16: intuitive flow-based does not', () => {
  const { result } = check(region(-0.2, 70, 'intuitive'), { welfare: 11_333.33 }); // 200*100 - 83.33*20 - 116.67*60
  const { A, B, C } = result.prices;
  assert.deepEqual([A, C], [[20], [60]]);
  // B neither sells at 70, nor is it cheaper than what C pays: from 60 on nobody would rather exchange with it.
  assert(B![0]! >= 60 && B![0]! <= 70, String(B));
  assert(Math.abs(result.netPositions.A![0]! - 83.333333) < 1e-5);
  assert(Math.abs(result.netPositions.B![0]!) < 1e-5);
});
