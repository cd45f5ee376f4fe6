import assert from 'node:assert/strict';
import test from 'node:test';
import { randomBy } from '../../../test/support/random-by.ts';
import { type Concave, lessRounding, mostGain } from './schedule.ts';

/** From 0 on: `width x slope` by piece. */
const gain = (text: string): Concave => ({
  start: 0,
  value: 0,
  pieces: text.split(',').map((piece) => {
    const [width, slope] = piece.split('x').map(Number);
    return { width: width!, slope: slope! };
  }),
});
const free = { up: 1000, down: 1000 };

test('mostGain() adds up the peaks where nothing binds', () => {
  assert.equal(mostGain([gain('10x5, 10x-1'), gain('10x-2'), gain('4x3, 4x1')], [free, free, free]), 50 + 0 + 16);
  assert.equal(mostGain([gain('10x5'), gain('10x-2')], [undefined, undefined]), 50);
});

test('mostGain() runs at a loss to be there in time', () => {
  // 100 at +20 in the second step; the first loses 5 a unit, and 40 is all that it may rise by.
  assert.equal(mostGain([gain('100x-5'), gain('100x20')], [undefined, { up: 40, down: 40 }]), 100 * 20 - 60 * 5);
  // Three steps, the middle one loses 30 a unit: not worth more than what the gradient gives anyway.
  const steps = [gain('100x10'), gain('100x-30'), gain('100x10')];
  assert.equal(mostGain(steps, [undefined, { up: 40, down: 50 }, { up: 40, down: 50 }]), 50 * 10 + 40 * 10);
});

test('mostGain() begins where it was before', () => {
  assert.equal(mostGain([gain('100x1')], [{ up: 30, down: 30 }], 0), 30);
  assert.equal(mostGain([gain('100x-1')], [{ up: 30, down: 30 }], 80), -50);
});

test('mostGain() has no answer where no schedule keeps to its bounds', () => {
  assert.equal(
    mostGain([{ start: 90, value: 0, pieces: [] }, gain('10x1')], [undefined, { up: 5, down: 5 }]),
    -Infinity,
  );
});

test('mostGain() agrees with trying all schedules of whole numbers', () => {
  let seed = 7;
  const draw = (most: number) => {
    seed = (seed * 16807) % 2147483647;
    return seed % (most + 1);
  };
  for (let round = 0; round < 200; round++) {
    const steps = Array.from({ length: 3 }, (): Concave => {
      const slopes = [draw(20) - 10, draw(20) - 10].sort((a, b) => b - a);
      return { start: draw(3), value: draw(5), pieces: slopes.map((slope) => ({ width: 1 + draw(3), slope })) };
    });
    const reach = { up: draw(4), down: draw(4) };
    const at = ({ start, value, pieces }: Concave, x: number) => {
      let left = x - start;
      let sum = value;
      for (const { width, slope } of pieces) {
        const part = Math.min(width, left);
        sum += part * slope;
        left -= part;
      }
      return left > 0 ? Number.NEGATIVE_INFINITY : sum;
    };
    let best = Number.NEGATIVE_INFINITY;
    const range = (step: Concave) =>
      Array.from({ length: 12 }, (_, x) => x).filter((x) => x >= step.start && at(step, x) > -Infinity);
    const near = (a: number, b: number) => b - a <= reach.up && a - b <= reach.down;
    for (const x of range(steps[0]!))
      for (const y of range(steps[1]!))
        for (const z of range(steps[2]!))
          if (near(x, y) && near(y, z)) best = Math.max(best, at(steps[0]!, x) + at(steps[1]!, y) + at(steps[2]!, z));
    assert.equal(mostGain(steps, [undefined, reach, reach]), best);
  }
});

test('lessRounding() takes off what is done otherwise', () => {
  const gains = lessRounding(gain('10x1, 10x-1'), 5, 2);
  assert.deepEqual(gains, {
    start: 0,
    value: -10,
    pieces: [
      { width: 5, slope: 3 },
      { width: 5, slope: -1 },
      { width: 10, slope: -3 },
    ],
  });
});

test('lessRounding() is the gain less the tolerance for each unit that is done otherwise, in pieces of falling slope', () => {
  const random = randomBy(5);
  const draw = (most: number) => Math.floor(random() * (most + 1));
  const valueAt = ({ start, value, pieces }: Concave, x: number) => {
    let [sum, from] = [value, start];
    for (const { width, slope } of pieces) {
      sum += Math.max(0, Math.min(width, x - from)) * slope;
      from += width;
    }
    return sum;
  };
  for (let round = 0; round < 200; round++) {
    const slopes = [draw(9) - 4, draw(9) - 4, draw(9) - 4].sort((a, b) => b - a);
    const pieces = slopes.map((slope) => ({ width: 1 + draw(3), slope }));
    const before: Concave = { start: draw(5) - 2, value: draw(5), pieces };
    const end = pieces.reduce((at, { width }) => at + width, before.start);
    const did = before.start + draw(end - before.start);
    const after = lessRounding(before, did, 2);
    for (let x = before.start; x <= end; x++)
      assert.equal(
        valueAt(after, x),
        valueAt(before, x) - 2 * Math.abs(x - did),
        `${did} of ${JSON.stringify(before)}`,
      );
    after.pieces.forEach(({ width, slope }, k) => {
      assert(width > 0 && slope <= (after.pieces[k - 1]?.slope ?? Infinity), JSON.stringify(after));
    });
  }
});
