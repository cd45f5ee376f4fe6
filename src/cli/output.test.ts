import assert from 'node:assert/strict';
import test from 'node:test';
import { alike, smallFigure } from './output.ts';

test('alike() shows usual figures with their usual decimals, and thousands apart', () => {
  assert.deepEqual(alike([1234.5, -0.004, 1], 2), ['1,234.50', '-0.00', '1.00']);
  assert.deepEqual(alike([], 1), []);
  assert.deepEqual(alike([0, 0], 1), ['0.0', '0.0']);
});

test('alike() shows the digits of figures that are all below 1', () => {
  assert.deepEqual(alike([0.1107, 0.3], 2), ['0.1107', '0.3000']);
  assert.deepEqual(alike([0.00161], 1), ['0.00161']);
  assert.equal(smallFigure(0.000001, 1), '0.000001');
});
