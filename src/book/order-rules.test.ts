/** Blocks, flexible and complex orders at the door: what each must be on its own. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mostShifted } from '../market/bounds.ts';
import { orderKinds } from '../market/order.ts';
import { admit } from './admission.ts';
import type { Terms } from './terms.ts';

/** Six hours in quarters. */
const terms: Terms = {
  delivery: { start: '2025-04-01T00:00:00Z', resolution: 'PT15M', periods: 24 },
  zones: ['A', 'B'],
  priceLimits: { min: -500, max: 4000, tick: 0.01 },
  powerLimits: { lot: 0.1, max: 1000 },
  orderKinds,
  orderResolutions: ['PT60M'],
};

const problemsWith = (...orders: object[]) => {
  const admission = admit(orders, terms);
  return 'problems' in admission ? admission.problems.map(({ field, code }) => `${field}: ${code}`) : [];
};
const messageOf = (order: object) => {
  const admission = admit([order], terms);
  assert('problems' in admission);
  return admission.problems[0]!.message;
};

const block = { record_id: 'b', zone: 'A', kind: 'block', side: 'sell', price: 40, from: 2, to: 5, power: 50 };
const { from: _f, to: _t, power: _p, ...bare } = block;
const profile = [
  { period: 2, power: 50 },
  { period: 7, power: 100 },
];

for (const [what, order, ...problems] of [
  ['a block from, to', block],
  ['a block with a profile that has gaps', { ...bare, profile }],
  ['a block of hours', { ...block, resolution: 'PT60M', from: 1, to: 6, minAcceptance: 0 }],
  ['neither a profile nor from, to and power', bare, 'profile: missing'],
  [
    'both a profile and from, to and power',
    { ...block, profile },
    'from: two-profiles',
    'to: two-profiles',
    'power: two-profiles',
  ],
  ['from without to', { ...bare, from: 2, power: 50 }, 'to: missing'],
  ['a block that ends before it starts', { ...block, to: 1 }, 'to: ends-before-start'],
  ['a block beyond the last period', { ...block, to: 25 }, 'to: unknown-period'],
  ['a block beyond the last hour', { ...block, resolution: 'PT60M', to: 7 }, 'to: unknown-period'],
  ['a period twice in a profile', { ...bare, profile: [...profile, profile[0]] }, 'profile.2.period: period-twice'],
  [
    'a profile beyond the last period',
    { ...bare, profile: [{ period: 25, power: 1 }] },
    'profile.0.period: unknown-period',
  ],
  ['a profile with power 0', { ...bare, profile: [{ period: 1, power: 0 }] }, 'profile.0.power: too-small'],
  ['an empty profile', { ...bare, profile: [] }, 'profile: too-small'],
  ['a profile off the lot', { ...bare, profile: [{ period: 1, power: 0.05 }] }, 'profile.0.power: power-off-lot'],
  ['a power over the limit', { ...block, power: 1000.1 }, 'power: power-over-limit'],
  ['a price over the limit', { ...block, price: 4001 }, 'price: price-off-limits'],
  ['a minimum acceptance over 1', { ...block, minAcceptance: 1.1 }, 'minAcceptance: too-big'],
  ['a negative minimum acceptance', { ...block, minAcceptance: -0.1 }, 'minAcceptance: too-small'],
  [
    'a loop leg with a parent',
    { ...block, loopWith: 'x', linkedTo: 'y' },
    'linkedTo: link-of-loop',
    'linkedTo: unknown-parent',
    'loopWith: unknown-partner',
  ],
  [
    'a loop leg in a group',
    { ...block, loopWith: 'x', exclusiveGroup: 'g' },
    'exclusiveGroup: group-of-loop',
    'loopWith: unknown-partner',
  ],
] as const) {
  test(`admit() ${problems.length > 0 ? 'refuses' : 'takes'} ${what}`, () =>
    assert.deepEqual(problemsWith(order), problems));
}

const flexible = { record_id: 'f', zone: 'A', kind: 'flexible', side: 'buy', price: 40, power: 5 };
for (const [what, window, ...problems] of [
  ['a flexible order that just fits', { duration: 4, earliest: 1, latest: 21 }],
  ['a flexible order with one start', { duration: 24, earliest: 1, latest: 1 }],
  ['a flexible window without a start', { duration: 2, earliest: 5, latest: 4 }, 'latest: empty-window'],
  ['a flexible window shorter than its duration', { duration: 4, earliest: 1, latest: 22 }, 'latest: window-too-short'],
  ['a flexible order of no duration', { duration: 0, earliest: 1, latest: 2 }, 'duration: too-small'],
] as const) {
  test(`admit() ${problems.length > 0 ? 'refuses' : 'takes'} ${what}`, () =>
    assert.deepEqual(problemsWith({ ...flexible, ...window }), problems));
}

const complex = {
  record_id: 'c',
  zone: 'A',
  kind: 'complex',
  side: 'sell',
  condition: 'minimum-income',
  fixedTerm: 500,
  steps: [
    { period: 1, price: 10, power: 100, minAcceptance: 0.5 },
    { period: 1, price: 20, power: 50 },
    { period: 2, price: 10, power: 80 },
  ],
};
const minPower = (period: number, power: number) => ({ minPower: [{ period, power }] });
const gradient = (up: number, down: number) => ({ loadGradient: { up, down } });
for (const [what, changes, ...problems] of [
  ['a complex order', {}],
  ['a complex order with all terms', { ...minPower(2, 80), ...gradient(600, 600), scheduledStop: 2 }],
  ['a complex order without condition', { condition: undefined, fixedTerm: 0 }],
  ['a complex order without steps', { steps: [] }, 'steps: too-small'],
  ['a complex order whose steps are missing', { steps: undefined }, 'steps: invalid-type'],
  [
    'sell steps that fall in price',
    { steps: [complex.steps[1], complex.steps[0]] },
    'steps.1.price: steps-not-monotone',
  ],
  ['buy steps that rise in price', { side: 'buy', condition: 'maximum-payment' }, 'steps.1.price: steps-not-monotone'],
  ['a step beyond the last period', { steps: [{ period: 25, price: 1, power: 1 }] }, 'steps.0.period: unknown-period'],
  [
    'a step with a ratio over 1',
    { steps: [{ period: 1, price: 1, power: 1, minAcceptance: 2 }] },
    'steps.0.minAcceptance: too-big',
  ],
  ['a minimum power over the steps', minPower(1, 151), 'minPower.0.power: min-power-over-steps'],
  ['a minimum power where there are no steps', minPower(3, 1), 'minPower.0.power: min-power-over-steps'],
  [
    'two minimum powers of a period',
    { minPower: [...minPower(1, 1).minPower, ...minPower(1, 2).minPower] },
    'minPower.1.period: period-twice',
  ],
  // Period 1 has at least 50 MW, period 3 none: in two quarters it must fall by 50 MW, 100 MW/h.
  ['a gradient that just reaches what the minima ask for', gradient(0, 100)],
  ['a gradient below what a step’s minimum forces', gradient(0, 99), 'loadGradient: gradient-below-minima'],
  [
    'a gradient below what a minimum power forces',
    { ...gradient(0, 319), ...minPower(2, 80) },
    'loadGradient: gradient-below-minima',
  ],
  ['a gradient that reaches it', { ...gradient(0, 320), ...minPower(2, 80) }],
  ['a negative gradient', gradient(-1, 1), 'loadGradient.up: too-small'],
  ['a fixed term that no condition uses', { condition: undefined }, 'fixedTerm: term-without-condition'],
  [
    'a variable term that no condition uses',
    { condition: undefined, fixedTerm: 0, variableTerm: 3 },
    'variableTerm: term-without-condition',
  ],
  ['a maximum payment of a sell order', { condition: 'maximum-payment' }, 'condition: condition-of-other-side'],
  ['a negative fixed term', { fixedTerm: -1 }, 'fixedTerm: too-small'],
  [
    'a scheduled stop without minimum income',
    { condition: 'minimum-profit', scheduledStop: 1 },
    'scheduledStop: stop-without-income',
  ],
  [
    'a scheduled stop that does not run down',
    {
      scheduledStop: 2,
      steps: [complex.steps[2], { period: 2, price: 10, power: 81 }].map((s, i) => ({ ...s, period: i + 1 })),
    },
    'scheduledStop: stop-not-falling',
  ],
] as const) {
  test(`admit() ${problems.length > 0 ? 'refuses' : 'takes'} ${what}`, () =>
    assert.deepEqual(problemsWith({ ...complex, ...changes }), problems));
}

test('admit() measures a gradient from one quarter to the next, also for an order of hours', () => {
  const hours = { ...complex, resolution: 'PT60M' };
  // Out of the second hour it falls by nothing, out of the first by at least 50 MW within two hours: two steps of a quarter.
  assert.deepEqual(problemsWith({ ...hours, ...gradient(0, 100) }), []);
  assert.deepEqual(problemsWith({ ...hours, ...gradient(0, 99) }), ['loadGradient: gradient-below-minima']);
});

test('admit() says what was seen and which rule it breaks', () => {
  assert.equal(
    messageOf({ ...flexible, duration: 4, earliest: 1, latest: 22 }),
    'started in 22, 4 periods end in 25: the auction has 24',
  );
  assert.equal(messageOf({ ...complex, ...minPower(1, 151) }), 'period 1 must have 151 MW, its steps give 150 MW');
  assert.match(messageOf({ ...complex, ...gradient(0, 99) }), /99 MW\/h down do not reach .* period 3 ask for/);
  assert.match(messageOf({ ...block, linkedTo: 'x' }), /there is no order x; its parent comes before it/);
});

test('admit() tells a child that its parent is refused itself, beside what is wrong with the parent', () => {
  assert.deepEqual(problemsWith({ ...block, record_id: 'child', linkedTo: 'b' }, { ...block, price: 5000 }), [
    'linkedTo: parent-refused',
    'price: price-off-limits',
  ]);
  assert.deepEqual(problemsWith({ ...block, record_id: 'child', linkedTo: 'b' }, { ...block, colour: 'red' }), [
    'linkedTo: parent-refused',
    'colour: unknown-field',
  ]);
});

test(`admit() takes a flexible order whose starts are ${mostShifted} periods together, and none of more`, () => {
  const year = { ...terms, delivery: { ...terms.delivery, periods: 1000 } };
  const admits = (duration: number, latest: number) =>
    'problems' in admit([{ ...flexible, duration, earliest: 1, latest }], year);
  assert.equal(admits(40, mostShifted / 40), false);
  assert.equal(admits(40, mostShifted / 40 + 1), true);
});
