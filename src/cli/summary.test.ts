import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome, Reason } from '../market/result.ts';
import { blockTable, powerText, pricesOf, priceTable, reasonTable } from './summary.ts';

const reason: Reason = { code: 'paradoxically_rejected', distance: 0, missedSurplus: 40, binding: [] };
const outcomes: Outcome[] = [
  { record_id: 'wind', status: 'accepted', power: 10, ratio: 1, surplus: 5 },
  {
    record_id: 'night',
    status: 'partially_accepted',
    power: [25, 50],
    ratio: 0.5,
    surplus: 0,
    reason: { ...reason, code: 'partial_at_the_money' },
  },
  { record_id: 'washing', status: 'accepted', power: [12, 12], ratio: 1, start: 7, surplus: 1234.5 },
  { record_id: 'plant', status: 'rejected', power: [0, 0], ratio: 0, surplus: 40, reason },
];

test('blockTable() has a line for each order over several periods, and says how many it leaves out', () => {
  assert.equal(
    blockTable(outcomes),
    [
      'order    outcome             MW            start   surplus  reason',
      'washing  accepted            12.0              7  1,234.50  -',
      'night    partially accepted  25.0 to 50.0      -      0.00  partial at the money',
      'plant    rejected            0.0               -     40.00  paradoxically rejected',
    ].join('\n'),
  );
  assert.match(blockTable(outcomes, 1)!, /\nand 2 more orders over several periods$/);
  assert.equal(blockTable(outcomes.slice(0, 1)), undefined);
});

test('reasonTable() counts reasons in words, and says nothing when there are none', () => {
  assert.equal(
    reasonTable(outcomes),
    [
      'reason                  orders  that is',
      'partial at the money         1  the price equals the limit, and the volume at this price was shared pro rata',
      'paradoxically rejected       1  in the money, but no uniform price supports its acceptance',
    ].join('\n'),
  );
  assert.equal(reasonTable(outcomes.slice(0, 1)), undefined);
});

test('powerText() is one figure where all periods have the same', () => {
  assert.deepEqual([powerText(-3), powerText([5, 5]), powerText([0, 5.25])], ['-3.0', '5.0', '0.0 to 5.3']);
});

test('priceTable(): periods without trade are counted, and are in no mean', () => {
  const prices = pricesOf({ A: [10, 1750, 20], B: [1750, 1750, 1750], C: [1, 2, 3] }, { A: [2], B: [1, 2, 3] });
  assert.deepEqual(priceTable(prices, 'EUR/MWh').split('\n'), [
    'zone  min EUR/MWh   mean    max  periods without trade',
    'A           10.00  15.00  20.00                      1',
    'B               -      -      -                      3',
    'C            1.00   2.00   3.00                      0',
  ]);
  const whole = pricesOf({ C: [1, 2, 3] }, {});
  assert.equal(priceTable(whole, 'EUR/MWh').split('\n')[0], 'zone  min EUR/MWh  mean   max');
});
