import assert from 'node:assert/strict';
import test from 'node:test';
import { mostOf } from './simplex.ts';

const row = (room: number, ...factors: number[]) => ({
  room,
  entries: factors.map((factor, variable): [number, number] => [variable, factor]),
});

test('mostOf() finds the best corner', () => {
  // 3x + 5y with x <= 4, 2y <= 12, 3x + 2y <= 18: at (2, 6).
  assert.equal(mostOf([3, 5], [row(4, 1, 0), row(12, 0, 2), row(18, 3, 2)]), 36);
  assert.equal(mostOf([-1, -2], [row(4, 1, 1)]), 0);
});

test('mostOf() says where there is no most', () => {
  assert.equal(mostOf([1, 0], [row(1, -1, 1)]), Number.POSITIVE_INFINITY);
});

test('mostOf() ends where many corners are one', () => {
  // Beale: cycles under the rule of the largest gain.
  const rows = [row(0, 0.25, -60, -0.04, 9), row(0, 0.5, -90, -0.02, 3), row(1, 0, 0, 1, 0)];
  assert(Math.abs(mostOf([0.75, -150, 0.02, -6], rows) - 0.05) < 1e-9);
});
