/** Bodies before they are parsed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isDeeperThan } from './body.ts';

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

test('isDeeperThan() counts lists and objects within each other, and no bracket of a string', () => {
  assert.equal(isDeeperThan('[[{}]]', 3), false);
  assert.equal(isDeeperThan('[[{}]]', 2), true);
  assert.equal(isDeeperThan('[[],[],{"a":[]}]', 3), false);
  assert.equal(isDeeperThan(JSON.stringify(['[[[[', '\\"[[[', '\\', '"']), 1), false);
  assert.equal(isDeeperThan('"[[[[', 0), false);
  assert.equal(isDeeperThan('['.repeat(100_000), 64), true);
});

test('isDeeperThan() agrees with the value that is parsed, whatever is in it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 0, max: 7 }), (text, most) => {
      assert.equal(isDeeperThan(text, most), depthOf(JSON.parse(text)) > most);
    }),
    { numRuns: 500 },
  );
});
