import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sharing } from '../indeterminacy/sharing.ts';
import type { Problem } from '../model/problem.ts';
import { inPower, inRatio } from '../tolerances.ts';
import { fillStage, lotsOfStage, type Stage, stageInLots, stagesOf } from './stages.ts';

/** Steps of so many MW, of which some MW are executed in any case. */
const stage = (exact: number, most: readonly number[], more: Partial<Stage> = {}): Stage => ({
  steps: most.map((mw, column) => ({ column, most: mw })),
  cells: [[0, 1]],
  held: 0,
  exact,
  gives: true,
  ...more,
});

// Lots of halves and quarters are exact in floating point.
test('stageInLots() rounds the sum of a stage that gives to the nearest lot, within what it has to and may trade', () => {
  assert.equal(stageInLots(stage(7.4, [6, 6]), 1), 7);
  assert.equal(stageInLots(stage(7.6, [6, 6]), 1), 8);
  assert.equal(stageInLots(stage(7.3, [6, 6]), 0.5), 7.5);
  assert.equal(stageInLots(stage(17.4, [20, 20]), 5), 15);
  assert.equal(stageInLots(stage(7.1, [6, 6], { held: 7.1 }), 0.5), 7.5);
  assert.equal(stageInLots(stage(7.6, [3, 4.7]), 0.5), 7.5);
  assert.equal(stageInLots(stage(7.6, [3, 4.4]), 0.5), 7);
});

test('stageInLots() rounds up where no step is executed in part, and takes no noise for a lot', () => {
  assert.equal(stageInLots(stage(7.1, [6, 6], { gives: false }), 0.5), 7.5);
  assert.equal(stageInLots(stage(7 + inRatio.lots / 4, [6, 6], { gives: false }), 0.5), 7);
  // What a balance is closed to is more than a millionth of a lot of some watts.
  const watts = 2 ** -10;
  assert.equal(stageInLots(stage(8 * watts + inPower.balance / 2, [1], { gives: false }), watts), 8 * watts);
});

test('lotsOfStage(): whole lots from what has to be traded to what may be, noise left out', () => {
  const noise = inRatio.lots / 4;
  assert.deepEqual(lotsOfStage(stage(0, [3, 4.4], { held: 1.1 }), 0.5), [3, 17]);
  assert.deepEqual(lotsOfStage(stage(0, [2], { held: 1 + noise }), 0.5), [2, 6]);
  assert.deepEqual(lotsOfStage(stage(0, [2 - noise], { held: 1 }), 0.5), [2, 6]);
});

test('stageInLots() is all that may be traded where no whole lots fit, and the one number that fits where one does', () => {
  assert.equal(stageInLots(stage(0.3, [0.2], { held: 0.2 }), 0.5), 0.4);
  assert.equal(stageInLots(stage(1.1, [0.2], { held: 0.9 }), 0.5), 1);
});

test('fillStage() fills the best priced steps first', () => {
  const value = new Float64Array(3);
  fillStage(stage(0, [4, 3, 2], { held: 1 }), 7, value);
  assert.deepEqual([...value], [4, 2, 0]);
  fillStage(stage(0, [4, 3, 2]), 9, value);
  assert.deepEqual([...value], [4, 3, 2]);
  fillStage(stage(0, [4, 3, 2], { held: 1 }), 0.5, value);
  assert.deepEqual([...value], [0, 0, 0]);
});

test('fillStage() takes what is a rounding error of a step for all of it, or for nothing', () => {
  const crumb = inPower.empty / 2;
  const value = new Float64Array(2);
  fillStage(stage(0, [4, 3]), 4 - crumb, value);
  assert.deepEqual([...value], [4, 0]);
  fillStage(stage(0, [4, 3]), 4 + crumb, value);
  assert.deepEqual([...value], [4, 0]);
});

test('stagesOf(): the steps of each period by their price, those of orders that are on with what they hold', () => {
  /** `cell sign cost held` of each column; the first is the decision. */
  const columns = [
    { cells: [], cost: 0 },
    { cells: [[0, 1]], cost: 30, held: 2 },
    { cells: [[0, 1]], cost: 10 },
    { cells: [[1, 1]], cost: 20, held: 1 },
    { cells: [[1, -1]], cost: 5 },
    { cells: [[1, -1]], cost: -5 },
  ];
  const problem = {
    columns,
    decisions: [{ column: 0, steps: [1, 2, 3] }],
    freeSteps: [{ order: 1, columns: [4, 5] }],
  } as unknown as Problem;
  const sharing = { free: { upper: Float64Array.of(1, 4, 3, 6, 7, 7) } } as unknown as Sharing;
  const found = (...value: number[]) =>
    stagesOf(problem, sharing, Float64Array.from(value)).map(({ steps, held, exact, gives }) => ({
      columns: steps.map(({ column }) => column).join(' '),
      held,
      exact,
      gives,
    }));
  assert.deepEqual(found(1, 1, 3, 6, 0, 7), [
    { columns: '2 1', held: 2, exact: 6, gives: true },
    { columns: '3', held: 1, exact: 7, gives: false },
    { columns: '5 4', held: 0, exact: 7, gives: false },
  ]);
  const crumb = inPower.empty / 2;
  assert.deepEqual(
    found(0, 0, 0, 0, 7 - crumb, crumb).map(({ held, gives }) => [held, gives]),
    [
      [0, false],
      [0, false],
      [0, false],
    ],
  );
  assert.deepEqual(
    found(0, 0, 0, 0, 7, 3).map(({ gives }) => gives),
    [false, false, true],
  );
});
