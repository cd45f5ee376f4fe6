/** What a complex order would gain if it were on, by hand: quarters, in which others sell at 40 and then at 30. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smallBook } from '../../../test/support/small-book.ts';
import { parseBook } from '../../market/book.ts';
import { clearWith } from '../clear.ts';
import { loadSolver } from '../solver/highs.ts';
import { withOrderIn } from './counterfactual.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;
const others = smallBook('sell 500@40#1, buy 300@100#1, sell 500@30#2, buy 300@100#2', {
  resolution: 'PT15M',
  periods: 2,
});
const twice = (...steps: object[]) => steps.flatMap((step) => [1, 2].map((period) => ({ period, ...step })));

const cases: readonly (readonly [what: string, order: object, power: number[], gain: number])[] = [
  [
    'an income that is short of its terms',
    {
      side: 'sell',
      condition: 'minimum-income',
      fixedTerm: 1500,
      variableTerm: 20,
      steps: twice({ price: 10, power: 100 }),
    },
    [100, 100],
    (100 * 40 + 100 * 30) / 4 - 1500 - (20 * 200) / 4,
  ],
  [
    'a profit that is short of its fixed term',
    { side: 'sell', condition: 'minimum-profit', fixedTerm: 1500, steps: twice({ price: 10, power: 100 }) },
    [100, 100],
    (100 * 40 + 100 * 30 - 200 * 10) / 4 - 1500,
  ],
  [
    'a step that must be executed by half out of the money, and one in the money',
    {
      side: 'sell',
      condition: 'minimum-profit',
      fixedTerm: 1500,
      steps: twice({ price: 10, power: 60 }, { price: 35, power: 40, minAcceptance: 0.5 }),
    },
    [100, 80],
    (100 * 40 + 80 * 30 - (60 * 10 + 40 * 35) - (60 * 10 + 20 * 35)) / 4 - 1500,
  ],
  [
    'a payment that is beyond its most',
    { side: 'buy', condition: 'maximum-payment', fixedTerm: 2000, steps: twice({ price: 60, power: 100 }) },
    [100, 100],
    (200 * 60 - 100 * 40 - 100 * 30) / 4 - 2000,
  ],
];

for (const [what, order, power, gain] of cases)
  test(`withOrderIn(): ${what}`, async () => {
    const complex = { record_id: 'c', zone: 'A', kind: 'complex', ...order };
    const book = parseBook({ ...others, orders: [...others.orders, complex] });
    const { result } = clearWith(solver, book, hash);
    assert.deepEqual(result.prices, { A: [40, 30] });
    assert.equal(result.orders.at(-1)!.status, 'rejected');
    const instead = (await withOrderIn(book, result, 4))!;
    assert.deepEqual(instead.outcome.power, power);
    assert.equal(instead.gain, gain);
    assert.deepEqual(instead.losers, [{ record_id: 'c', loss: -gain }]);
  });
