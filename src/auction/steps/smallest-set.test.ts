/** Against all subsets of a few things: the set that is found passes, and no smaller one does. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { smallestHitting, smallestWithout } from './smallest-set.ts';

const seed = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 31));

/** It fails where all of one of these sets are there. */
const world = (failures: readonly (readonly number[])[]) => {
  let trials = 0;
  const passes = async (kept: readonly number[]) => {
    trials++;
    return !failures.some((failure) => failure.every((each) => kept.includes(each)));
  };
  return { passes, isSpent: () => false, trials: () => trials };
};

const subsetsOf = (count: number) =>
  Array.from({ length: 2 ** count }, (_, bits) =>
    Array.from({ length: count }, (_, i) => i).filter((i) => bits & (1 << i)),
  ).sort((a, b) => a.length - b.length);

test(`smallestWithout() finds as few as there can be, by seed ${seed}`, async () => {
  const failures = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(failures, async (failures) => {
      const all = [0, 1, 2, 3, 4, 5, 6, 7];
      const found = await smallestWithout(all, world(failures));
      assert(found.kind === 'found');
      const fewest = subsetsOf(8).find((out) =>
        failures.every((failure) => failure.some((each) => out.includes(each))),
      );
      assert.equal(found.without.length, fewest!.length);
      assert(failures.every((failure) => failure.some((each) => found.without.includes(each))));
    }),
    { seed, numRuns: 300 },
  );
});

test('smallestWithout() blames the one that fails with everybody, in few trials', async () => {
  const all = Array.from({ length: 10_000 }, (_, i) => i);
  const alone = world([[7777]]);
  assert.deepEqual(await smallestWithout(all, alone), { kind: 'found', without: [7777], conflicts: [[7777]] });
  assert(alone.trials() < 25, `${alone.trials()} trials`);
  const withAnybody = {
    isSpent: () => false,
    passes: async (kept: readonly number[]) => kept.length < 2 || !kept.includes(5),
  };
  const found = await smallestWithout(all.slice(0, 500), withAnybody);
  assert(found.kind === 'found');
  assert.deepEqual(found.without, [5]);
});

test('smallestWithout() says so when nothing passes, and when it was stopped', async () => {
  assert.deepEqual(await smallestWithout([1, 2], { passes: async () => false, isSpent: () => false }), {
    kind: 'nothing',
  });
  let left = 5;
  const passes = async (kept: readonly number[]) => kept.length < 3;
  assert.deepEqual(await smallestWithout([1, 2, 3, 4, 5, 6, 7, 8], { passes, isSpent: () => left-- === 0 }), {
    kind: 'spent',
  });
});

test('smallestHitting() takes the member that most conflicts have', () => {
  assert.deepEqual(
    smallestHitting([
      ['a', 'x'],
      ['b', 'x'],
      ['x', 'c'],
    ]),
    ['x'],
  );
  assert.deepEqual(smallestHitting([['a'], ['b'], ['c', 'd']]).length, 3);
  assert.deepEqual(smallestHitting([]), []);
});
