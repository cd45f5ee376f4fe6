/** Against decimals as text: what a person writes down is on the grid or not, whatever binary fractions say. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gridOf, isOn, nearestOn, stepsOf } from './decimal.ts';

const seed = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 31));

test('isOn() tells decimals on the grid from their floating-point neighbours', () => {
  const lot = gridOf(0.1);
  for (const value of [0.1, 0.3, 0.7, -100, 19_999.9, 1e6, 0]) assert(isOn(lot, value), `${value}`);
  const near = [0.1 + 0.2, 0.7000000000000001, -100.00000000000001, 0.10000000149011612, 1e-9, 8e-17, 0.04, 1e300];
  for (const value of near) assert(!isOn(lot, value), `${value}`);
  assert(isOn(gridOf(2.5), 7.5) && !isOn(gridOf(2.5), 8));
  assert(isOn(gridOf(1e-7), 3e-7) && !isOn(gridOf(1e-7), 3.0000000000000004e-7));
  assert(isOn(gridOf(50), 150) && !isOn(gridOf(50), 149.99999999999997));
  assert(isOn(gridOf(1e21), 3e21) === false, 'too many to be counted exactly');
});

test('nearestOn() gives the decimal that a person would write', () => {
  assert.equal(nearestOn(gridOf(0.1), 0.1 + 0.2), 0.3);
  assert.equal(nearestOn(gridOf(0.01), -3.00999999046326), -3.01);
  assert.equal(nearestOn(gridOf(0.1), 0.10000000149011612), 0.1);
  assert(Object.is(nearestOn(gridOf(0.1), -1e-9), 0));
});

test(`stepsOf() agrees with whole-number arithmetic on decimal text, by seed ${seed}`, () => {
  const grids = fc.constantFrom('0.1', '0.01', '0.001', '0.000001', '0.25', '1', '5', '0.3');
  fc.assert(
    fc.property(grids, fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }), (step, steps) => {
      const decimals = step.split('.')[1]?.length ?? 0;
      const digits = steps * BigInt(step.replace('.', ''));
      const text = `${digits < 0n ? '-' : ''}${String(digits < 0n ? -digits : digits).padStart(decimals + 1, '0')}`;
      const value = Number(decimals === 0 ? text : `${text.slice(0, -decimals)}.${text.slice(-decimals)}`);
      assert.equal(stepsOf(gridOf(Number(step)), value), Number(steps));
      assert.equal(nearestOn(gridOf(Number(step)), value), value + 0);
      const neighbour = value * (1 + 2 ** -52);
      if (neighbour !== value) assert.equal(stepsOf(gridOf(Number(step)), neighbour), undefined, `${neighbour}`);
    }),
    { seed, numRuns: 2000 },
  );
});
