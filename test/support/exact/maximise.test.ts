/** The program's solver on programs whose best value can be found by trying: corners for linear ones, a grid for curved ones. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { Dice } from '../random-orders.ts';
import { maximise, type Variable } from './maximise.ts';
import { fraction, minus, over, plus, type Rational, rational, text, times, toNumber, zero } from './rational.ts';

const of = (gain: number, upper: number | undefined, column: [number, number][], curvature = 0): Variable => ({
  ...{ lower: zero, upper: upper === undefined ? undefined : rational(upper) },
  ...{ gain: rational(gain), curvature: rational(curvature) },
  column: column.map(([row, factor]) => [row, rational(factor)]),
});

const solve = (variables: Variable[], rows: number[]): string =>
  maximise({ variables, rows: rows.map(rational) })
    ?.map(text)
    .join(' ') ?? 'nothing';

test('maximise() goes to a corner, to a top, or says that nothing keeps the rows', () => {
  assert.equal(solve([of(3, 4, [[0, 1]]), of(2, 5, [[0, 1]]), of(0, undefined, [[0, 1]])], [7]), '4 3 0');
  // 10 v - v^2 has its top at 5; with 3 v' beside it and 6 in all, where both grow by the same: 10 - 2 v = 3.
  assert.equal(solve([of(10, 9, [], 2)], []), '5');
  assert.equal(solve([of(10, 9, [[0, 1]], 2), of(3, 9, [[0, 1]])], [6]), '3.5 2.5');
  assert.equal(solve([of(1, 2, [[0, 1]])], [3]), 'nothing');
});

test('maximise() ends on the degenerate program that circles without a rule', () => {
  // Beale's example.
  const columns: [number, [number, number][]][] = [
    [0.75, [[0, 0.25], [1, 0.5]]], // biome-ignore format: rows as they are printed
    [-150, [[0, -60], [1, -90]]], // biome-ignore format: rows as they are printed
    [0.02, [[0, -0.04], [1, -0.02], [2, 1]]], // biome-ignore format: rows as they are printed
    [-6, [[0, 9], [1, 3]]], // biome-ignore format: rows as they are printed
  ];
  const slacks = [0, 1, 2].map((row) => of(0, undefined, [[row, 1]]));
  const values = solve([...columns.map(([gain, column]) => of(gain, undefined, column)), ...slacks], [0, 0, 1]);
  assert.match(values, /^0\.04 0 1 0 /);
});

test('maximise() finds the best of every grid point that keeps the rows', () => {
  for (let seed = 0; seed < 300; seed++) {
    const dice = new Dice(seed);
    const count = dice.whole(2, 4);
    const variables = Array.from({ length: count }, () => {
      const column: [number, number][] = [0, 1].map((row) => [row, dice.whole(-2, 2)]);
      return of(dice.whole(-5, 5), dice.whole(1, 3), column, dice.pick([0, 0, 1, 2]));
    });
    const point = variables.map(({ upper }) => dice.whole(0, Number(upper!.n)));
    const left = (at: readonly number[], row: number): number =>
      at.reduce((sum, value, j) => sum + value * toNumber(variables[j]!.column[row]![1]), 0);
    const rows = [left(point, 0), left(point, 1)];
    const values = maximise({ variables, rows: rows.map(rational) });
    assert(values !== undefined, `seed ${seed}`);
    const best = worth(variables, values);
    variables.forEach(({ lower, upper }, j) => {
      assert(minus(values[j]!, lower!).n >= 0n && minus(upper!, values[j]!).n >= 0n, `seed ${seed}: bounds`);
    });
    for (const row of [0, 1]) {
      const sum: Rational = values.reduce(
        (total, value, j) => plus(total, times(value, variables[j]!.column[row]![1])),
        zero,
      );
      assert.equal(text(sum), String(rows[row]), `seed ${seed}: row ${row}`);
    }
    for (const each of grid(variables.map(({ upper }) => Number(upper!.n)))) {
      if (left(each, 0) !== rows[0] || left(each, 1) !== rows[1]) continue;
      assert(minus(best, worth(variables, each.map(rational))).n >= 0n, `seed ${seed}: ${each} is worth more`);
    }
  }
});

const worth = (variables: readonly Variable[], values: readonly Rational[]): Rational =>
  variables.reduce((sum, { gain, curvature = zero }, j) => {
    const bend = over(times(curvature, times(values[j]!, values[j]!)), rational(2));
    return plus(sum, minus(times(gain, values[j]!), bend));
  }, zero);

function grid([first, ...rest]: readonly number[]): number[][] {
  if (first === undefined) return [[]];
  return grid(rest).flatMap((tail) => Array.from({ length: first + 1 }, (_, value) => [value, ...tail]));
}

test('rational() reads a number as the decimal that it is written as', () => {
  assert.equal(text(rational(0.1)), '0.1');
  assert.deepEqual(rational(0.1), fraction(1n, 10n));
  assert.deepEqual(rational(-2.5e-7), fraction(-1n, 4_000_000n));
  assert.deepEqual(rational(1e21), { n: 10n ** 21n, d: 1n });
  assert.equal(text(plus(fraction(1n, 3n), fraction(1n, 6n))), '0.5');
  assert.equal(text(fraction(-34n, 6n)), '-17/3');
});
