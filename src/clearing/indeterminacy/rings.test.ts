import assert from 'node:assert/strict';
import test from 'node:test';
import type { Column } from '../model/columns.ts';
import { cancelRings } from './rings.ts';

const flow = (from: number, to: number): Column => ({
  name: `${from}-${to}`,
  cells: [
    [from, -1],
    [to, 1],
  ],
  cost: 0,
  least: -100,
  most: 100,
  kind: 'flow',
});

function cancelled(arcs: readonly Column[], mw: readonly number[], least = -100, most = 100): number[] {
  const bounds = { lower: new Float64Array(arcs.length).fill(least), upper: new Float64Array(arcs.length).fill(most) };
  const value = Float64Array.from(mw);
  cancelRings({ columns: arcs }, bounds, [...arcs.keys()], value);
  return [...value];
}

test('cancelRings() takes two parallel lines against each other down to what they carry', () => {
  assert.deepEqual(cancelled([flow(0, 1), flow(0, 1)], [5, -2]), [3, 0]);
  assert.deepEqual(cancelled([flow(0, 1), flow(1, 0)], [5, 5]), [0, 0]);
});

test('cancelRings() takes a ring of three out and leaves what passes through', () => {
  assert.deepEqual(cancelled([flow(0, 1), flow(1, 2), flow(0, 2)], [5, 4, -1]), [4, 3, 0]);
  assert.deepEqual(cancelled([flow(0, 1), flow(1, 2), flow(0, 2)], [5, 4, 1]), [5, 4, 1]);
});

test('cancelRings() leaves what a negative capacity forces', () => {
  assert.deepEqual(cancelled([flow(0, 1), flow(1, 0)], [5, 5], 2), [2, 2]);
});
