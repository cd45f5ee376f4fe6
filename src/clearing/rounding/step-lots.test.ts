import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillStage, giveWay, type Stage, stageInLots } from './step-lots.ts';

/** Steps of so many MW, of which some MW are executed in any case. */
const stage = (exact: number, most: readonly number[], more: Partial<Stage> = {}): Stage => ({
  steps: most.map((mw, column) => ({ column, most: mw })),
  cells: [[0, 1]],
  held: 0,
  exact,
  gives: true,
  ...more,
});

test('stageInLots() rounds the sum of a stage that gives to the nearest lot, within what it has to and may trade', () => {
  assert.equal(stageInLots(stage(7.4, [6, 6]), 1), 7);
  assert.equal(stageInLots(stage(7.6, [6, 6]), 1), 8);
  assert.equal(stageInLots(stage(17.5, [20, 20]), 5), 20);
  assert.equal(stageInLots(stage(7.4, [6, 6], { held: 7.2 }), 1), 8);
  assert.equal(stageInLots(stage(7.6, [3, 4.7]), 1), 7);
});

test('stageInLots() rounds up where no step is executed in part, and does not take noise for a lot', () => {
  assert.equal(stageInLots(stage(7.4, [6, 6], { gives: false }), 1), 8);
  assert.equal(stageInLots(stage(7 + 1e-9, [6, 6], { gives: false }), 1), 7);
});

test('stageInLots() is never less than what has to be traded, and all that may be where no whole lots fit between', () => {
  assert.equal(stageInLots(stage(2.5, [2.5], { held: 2.5 }), 1), 3);
  assert.equal(stageInLots(stage(0.5, [0.3], { held: 0.2 }), 1), 0.5);
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

/** MW of each stage after they gave way. */
function given(stages: readonly Stage[], told: readonly number[], missing: number): number[] {
  const now = new Map(stages.map((each, k) => [each, told[k]!]));
  giveWay(stages, now, missing, 1);
  return [...now.values()];
}

test('giveWay() moves those first that are moved least by it, one lot at a time', () => {
  const stages = [stage(4.4, [10]), stage(6.2, [10])];
  assert.deepEqual(given(stages, [4, 6], 1), [5, 6]);
  assert.deepEqual(given(stages, [4, 6], 2), [5, 7]);
  assert.deepEqual(given(stages, [4, 6], -1), [4, 5]);
  assert.deepEqual(given(stages, [4, 6], 0), [4, 6]);
});

test('giveWay(): a buy brings what is missing by less', () => {
  assert.deepEqual(given([stage(4.4, [10], { cells: [[0, -1]] })], [4], 1), [3]);
});

test('giveWay() keeps to what a stage has to trade and to all that it may, which it may reach', () => {
  assert.deepEqual(given([stage(4.4, [3, 2])], [4], 1), [5]);
  assert.deepEqual(given([stage(4.4, [3, 2])], [5], 1), [5]);
  assert.deepEqual(given([stage(4.4, [3, 2], { held: 4 })], [5], -1), [4]);
  assert.deepEqual(given([stage(4.4, [3, 2], { held: 4 })], [4], -1), [4]);
});

test('giveWay() sells a part of a lot too much rather than have it missing', () => {
  assert.deepEqual(given([stage(4.4, [10])], [4], 0.5), [5]);
  assert.deepEqual(given([stage(4.4, [10])], [4], -0.5), [4]);
});
