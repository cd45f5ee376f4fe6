/** The oracle on the examples of the market rules (E1 to E21) and on other books whose answer a page of paper gives. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { exampleBook } from '../example-book.ts';
import { oracle } from './oracle.ts';
import { text } from './rational.ts';

/** Prices of a zone as `20` or, where an interval supports the answer, `20..40`; welfare in the currency, volume in MWh. */
interface Expected {
  readonly welfare: string;
  readonly volume?: string;
  readonly prices: Readonly<Record<string, string>>;
  readonly givenWay?: number;
}

function check(orders: string, expected: Expected, others: readonly object[] = [], more: object = {}): void {
  const truth = oracle(exampleBook(orders, others, more));
  assert(truth !== undefined, 'nothing is supported');
  const prices = Object.fromEntries(
    Object.entries(truth.prices).map(([zone, ranges]) => {
      const words = ranges.map(({ min, max }) => (text(min) === text(max) ? text(min) : `${text(min)}..${text(max)}`));
      return [zone, words.join(' ')];
    }),
  );
  const { welfare, volume = text(truth.volume), prices: wanted, givenWay = 0 } = expected;
  assert.deepEqual(
    { welfare: text(truth.welfare), volume: text(truth.volume), prices, givenWay: truth.givenWay },
    { welfare, volume, prices: wanted, givenWay },
  );
}

const two = { periods: 2 };
const ab = (changes: object = {}) => ({
  zones: ['A', 'B'],
  lines: [{ id: 'AB', from: 'A', to: 'B', capacity: 200, reverse: 200, ...changes }],
});
const quarters = { resolution: 'PT15M', periods: 4 };

test('oracle() clears steps: E1, a range of prices: E2, and the most volume of equal welfare: E3, E4', () => {
  check('sell 50@10, sell 50@30, sell 50@50, buy 80@60, buy 40@20', {
    welfare: '3400',
    volume: '80',
    prices: { A: '30' },
  });
  check('sell 80@10, sell 50@40, buy 80@60, buy 40@20', { welfare: '4000', volume: '80', prices: { A: '20..40' } });
  check('sell 100@30, buy 60@30, buy 20@50', { welfare: '400', volume: '80', prices: { A: '30' } });
  check('sell 60@30, sell 30@30, buy 45@50', { welfare: '900', volume: '45', prices: { A: '30' } });
});

const curve = (...points: (readonly [price: number, power: number])[]) => ({
  record_id: 'c1',
  kind: 'curve',
  period: 1,
  shape: 'linear',
  points: points.map(([price, power]) => ({ price, power })),
});

test('oracle() meets straight lines exactly: E5', () => {
  const demand = { ...curve([30, 100], [80, 0]), record_id: 'c2' };
  check('buy 1@-500', { welfare: '2450', volume: '70', prices: { A: '45' } }, [curve([10, 0], [60, -100]), demand]);
  // 7 MW are sold for each EUR above 20, 3 MW bought for each below 30.
  const [steep, flat] = [curve([20, 0], [30, -70]), { ...curve([20, 30], [30, 0]), record_id: 'c2' }];
  check('buy 1@-500', { welfare: '105', volume: '21', prices: { A: '23' } }, [steep, flat]);
});

test("oracle() holds a curve's power left of its first point and right of its last one", () => {
  check('sell 30@70', { welfare: '114150', volume: '30', prices: { A: '2500' } }, [curve([-500, 40], [4000, 25])]);
  check('sell 10@70', { welfare: '39300', volume: '10', prices: { A: '4000' } }, [curve([100, 20])]);
  check('buy 10@70', { welfare: '5700', volume: '10', prices: { A: '-500' } }, [curve([100, -20])]);
});

test('oracle() lets a net curve that jumps through zero trade on either side, but not with itself', () => {
  const jump = { ...curve([50, 6], [100, -18]), shape: 'step' };
  check('sell 10@100', { welfare: '0', volume: '6', prices: { A: '100' } }, [jump]);
  check('buy 10@100', { welfare: '0', volume: '10', prices: { A: '100' } }, [jump]);
  check('buy 1@-500', { welfare: '0', volume: '0', prices: { A: '100' } }, [jump]);
});

test('oracle() averages quarter hours for orders of an hour: E18', () => {
  const hour = { record_id: 'h', kind: 'limit', side: 'sell', period: 1, price: 40, power: 100, resolution: 'PT60M' };
  const supply = [1, 2, 3, 4].map((t) => `sell 50@30 #${t}, sell 50@90 #${t}`).join(', ');
  const demand = 'buy 80@4000 #1, buy 120@4000 #2, buy 100@4000 #3, buy 100@4000 #4';
  check(`${supply}, ${demand}`, { welfare: '396300', volume: '100', prices: { A: '30 70 30 30' } }, [hour], quarters);
});

const block = (record_id: string, side: string, power: number, price: number, fields: object = {}) => ({
  ...{ record_id, kind: 'block', side, price, from: 1, to: 1, power },
  ...fields,
});

test('oracle() rejects a block that would lose, and cuts one to where it is at the money: E6', () => {
  const book = 'sell 40@10, buy 100@50';
  check(book, { welfare: '1600', volume: '40', prices: { A: '50' } }, [block('b', 'sell', 70, 30)]);
  const cuttable = block('b', 'sell', 70, 30, { minAcceptance: 0.8 });
  check(book, { welfare: '2800', volume: '100', prices: { A: '30' } }, [cuttable]);
  // At its least ratio it would lose: 63 MW of 70.
  const stiff = block('b', 'sell', 70, 30, { minAcceptance: 0.9 });
  check(book, { welfare: '1600', volume: '40', prices: { A: '50' } }, [stiff]);
  const convex = block('b', 'sell', 70, 30, { minAcceptance: 0 });
  check(book, { welfare: '2800', volume: '100', prices: { A: '30' } }, [convex]);
});

test('oracle() weighs a profile by its power: E7', () => {
  const profile = [
    { period: 1, power: 50 },
    { period: 2, power: 100 },
  ];
  const sell = { record_id: 'b', kind: 'block', side: 'sell', price: 40, profile };
  check('buy 200@30 #1, buy 200@50 #2', { welfare: '500', volume: '150', prices: { A: '30 50' } }, [sell], two);
});

test('oracle() lets children pay for their parent, not the other way round: E8', () => {
  const family = [block('p', 'sell', 50, 40), block('c', 'sell', 50, 10, { linkedTo: 'p' })];
  check('buy 200@30', { welfare: '500', volume: '100', prices: { A: '30' } }, family);
  const losing = block('d', 'sell', 10, 50, { linkedTo: 'p' });
  check('buy 200@30', { welfare: '500', volume: '100', prices: { A: '30' } }, [...family, losing]);
});

test('oracle() takes one unit of an exclusive group, the one that serves welfare best', () => {
  const group = (id: string, power: number, price: number) => block(id, 'sell', power, price, { exclusiveGroup: 'g' });
  const members = [group('b', 10, 10), group('c', 30, 20)];
  check('buy 100@30', { welfare: '300', volume: '30', prices: { A: '30' } }, members);
});

test('oracle() accepts a loop whose legs together do not lose: E10', () => {
  const buy = block('in', 'buy', 50, 30, { loopWith: 'out' });
  const sell = block('out', 'sell', 45, 60, { from: 2, to: 2, loopWith: 'in' });
  const book = 'sell 200@35 #1, buy 200@70 #2';
  check(book, { welfare: '200', volume: '95', prices: { A: '35 70' } }, [buy, sell], two);
});

test('oracle() starts a flexible order where it serves welfare best', () => {
  const flexible = { record_id: 'f', kind: 'flexible', side: 'buy', price: 50, power: 10, duration: 1 };
  const book = 'sell 20@40 #1, sell 20@30 #2';
  const window = { earliest: 1, latest: 2 };
  check(book, { welfare: '200', volume: '10', prices: { A: '-500..40 30' } }, [{ ...flexible, ...window }], two);
});

const complex = (fields: object, price = 10) => ({
  record_id: 'u',
  kind: 'complex',
  side: 'sell',
  steps: [
    { period: 1, price, power: 100 },
    { period: 2, price, power: 100 },
  ],
  ...fields,
});

test('oracle() takes a complex order off that does not reach its income: E11', () => {
  const unit = complex({ condition: 'minimum-income', fixedTerm: 5000, variableTerm: 20 });
  const off = { welfare: '0', volume: '0', prices: { A: '40..4000 30..4000' } };
  check('buy 500@40 #1, buy 500@30 #2', off, [unit], two);
  const on = { welfare: '8000', volume: '200', prices: { A: '50 50' } };
  check('buy 500@50 #1, buy 500@50 #2', on, [unit], two);
  const stopping = { ...unit, scheduledStop: 1 };
  const stopped = { welfare: '3000', volume: '100', prices: { A: '40 30..4000' } };
  check('buy 500@40 #1, buy 500@30 #2', stopped, [stopping], two);
});

test('oracle() counts a fixed term in the welfare: E21', () => {
  const unit = complex({ condition: 'minimum-profit', fixedTerm: 5000 });
  const even = { welfare: '0', volume: '200', prices: { A: '40..4000 30..4000' } };
  check('buy 500@40 #1, buy 500@30 #2', even, [unit], two);
  check('buy 500@50 #1, buy 500@50 #2', { welfare: '3000', prices: { A: '50 50' } }, [unit], two);
});

test('oracle() pays for a gradient with the price of another hour', () => {
  const unit = complex({ loadGradient: { up: 20, down: 20 } });
  // 20 MW run at a loss of 5 in the first hour for a gain of 40 in the second: 80 and 100 MW.
  const prices = { A: '5 50' };
  check('buy 500@5 #1, buy 500@50 #2', { welfare: '3600', volume: '180', prices }, [unit], two);
});

test('oracle() carries power to where it is dearer: E13', () => {
  const book = 'A sell 200@20, A buy 50@100, B sell 100@60, B buy 150@100';
  const full = { welfare: '13200', volume: '200', prices: { A: '20', B: '60' } };
  check(book, full, [], ab({ capacity: 80 }));
  check(book, { welfare: '16000', volume: '200', prices: { A: '20..60', B: '20..60' } }, [], ab());
});

test('oracle() has a dead band between prices where a line loses power or has a tariff: E14', () => {
  const book = 'A sell 200@20, B buy 95@100, B sell 100@30';
  check(book, { welfare: '7500', prices: { A: '20', B: '400/19' } }, [], ab({ loss: 0.05 }));
  check(book, { welfare: '7000', prices: { A: '20', B: '500/19' } }, [], ab({ loss: 0.05, tariff: 5 }));
  const idle = { welfare: '6650', volume: '95', prices: { A: '18.5..20', B: '30' } };
  check(book, idle, [], ab({ loss: 0.05, tariff: 10 }));
});

test('oracle() opens one direction of a lossy line where burning power would pay', () => {
  // Sent there and back, all 10 MW would be burnt. The floor is the price of what cannot be sold, and of nothing beyond the line.
  check('A sell 10@-500', { welfare: '0', volume: '0', prices: { A: '-500', B: '-450..4000' } }, [], ab({ loss: 0.1 }));
});

test('oracle() tests an idle lossy line both ways where both can hold, and knows every way in which they cannot', () => {
  const chain = {
    zones: ['A', 'B', 'C'],
    lines: ['AB', 'BC'].map((id) => ({ id, from: id[0], to: id[1], capacity: 5, reverse: 5, loss: 0.1 })),
  };
  // Below zero either direction of A-B may be shut: B is at least 0.9 A then, or at most A / 0.9.
  const below = { welfare: '0', volume: '0', prices: { A: '-500..-10', B: '-500..4000', C: '-500..4000' } };
  check('A sell 1@-10', below, [], chain);
  const above = { welfare: '0', volume: '0', prices: { A: '10..4000', B: '9..4000', C: '8.1..4000' } };
  check('A buy 1@10', above, [], chain);
});

test('oracle() trades the most at price 0, and burns nothing there', () => {
  const prices = { A: '0', B: '0' };
  check('A buy 10@0, B sell 10@0', { welfare: '0', volume: '9.8', prices }, [], ab({ loss: 0.02 }));
});

test('oracle() explains prices by a ramp: E15', () => {
  const supply = 'A sell 200@20 #1, A sell 200@20 #2, B sell 200@50 #1, B sell 200@50 #2';
  const more = { ...two, ...ab({ capacity: 100, reverse: 100, ramp: 30, before: 0 }) };
  const expected = { welfare: '16500', volume: '130', prices: { A: '20 20', B: '10 50' } };
  check(`${supply}, B buy 50@10 #1, B buy 100@200 #2`, expected, [], more);
});

test('oracle() splits prices by flow-based constraints: E16', () => {
  const region = (ptdf: object, ram = 50) => ({
    zones: ['A', 'B', 'C'],
    constraints: [{ id: 'k', period: 1, ptdf, ram }],
  });
  const prices = { A: '20', B: '45', C: '57.5' };
  const book = 'A sell 500@20, B sell 500@45, C sell 500@60, C buy 200@100';
  check(book, { welfare: '11625', volume: '200', prices }, [], region({ A: 0.6, B: 0.2 }));
  const dear = 'A sell 500@20, B sell 500@70, C sell 500@60, C buy 200@100';
  const against = { welfare: '11625', volume: '200', prices: { A: '20', B: '70', C: '57.5' } };
  check(dear, against, [], region({ A: 0.6, B: -0.2, C: 0 }));
  // Intuitive: 250/3 MW from A to C, the rest at C.
  const intuitive = { welfare: '34000/3', volume: '200', prices: { A: '20', B: '60..70', C: '60' } };
  check(dear, intuitive, [], { ...region({ A: 0.6, B: -0.2, C: 0 }), flowBased: 'intuitive' });
});

test('oracle() meets scarcity at the limit: E17', () => {
  const book = 'A buy 100@4000, A sell 60@10, B buy 50@4000, B sell 40@10';
  check(book, { welfare: '399000', volume: '100', prices: { A: '4000', B: '4000' } }, [], ab());
});

test('oracle() lets rules give way in their order where no prices within the limits keep all of them', () => {
  const hour = { record_id: 'h', kind: 'limit', side: 'buy', period: 1, price: 4000, power: 10, resolution: 'PT60M' };
  const anywhere = '-500..4000';
  const first = { welfare: '0', prices: { A: `-500..10 ${anywhere} ${anywhere} ${anywhere}` }, givenWay: 1 };
  check('sell 20@10 #1', first, [hour], quarters);
  const still = { ...ab({ ramp: 0 }), periods: 3 };
  const prices = { A: `-500..20 ${anywhere} -500..20`, B: `4000 ${anywhere} 4000` };
  const book = 'A sell 10@20 #1, A sell 10@20 #3, B buy 10@4000 #1, B buy 10@4000 #3';
  check(book, { welfare: '0', prices, givenWay: 2 }, [], still);
  const region = {
    zones: ['A', 'B', 'C'],
    constraints: [{ id: 'k', period: 1, ptdf: { A: -1, B: -0.9, C: 1 }, ram: 0 }],
  };
  const apart = { A: '100..4000', B: '-500..0', C: anywhere };
  check('A buy 10@100, B sell 10@0', { welfare: '0', prices: apart, givenWay: 3 }, [], region);
});
