import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { smallBook } from '../../../test/support/small-book.ts';
import { dust, Sum, tolerancesOf } from './tolerances.ts';

/** A number that could be a tolerance is below this. */
const large = 0.1;

test('no file of the verifier has a tolerance of its own', () => {
  const here = join(import.meta.dirname, '..');
  const files = globSync('**/*.ts', { cwd: here }).filter((file) => !file.endsWith('.test.ts'));
  assert(files.length > 30, `only ${files.length} files`);
  const found = files
    .filter((file) => file !== 'numbers/tolerances.ts')
    .flatMap((file) => {
      const code = readFileSync(`${here}/${file}`, 'utf8')
        .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
        .replaceAll(/'[^'\n]*'/g, "''");
      const numbers = code.match(/(?<![\w$.])\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?/gi) ?? [];
      return numbers.filter((text) => Number(text) > 0 && Number(text) < large).map((text) => `${file}: ${text}`);
    });
  assert.deepEqual(found, []);
});

test('tolerances are the tick and the lot, without them the last digit that is published', () => {
  const limits = { min: -500, max: 4000 };
  const near = (a: number, b: number) => assert(Math.abs(a - b) <= 0.01 * b, `${a} is not about ${b}`);
  const of = (orders: string, changes: object) => tolerancesOf(smallBook(orders, changes));
  near(of('sell 5@10', { priceLimits: { ...limits, tick: 0.01 }, lot: 0.1 }).ep, 0.01);
  near(of('sell 5@10', { priceLimits: { ...limits, tick: 0.01 }, lot: 0.1 }).eq, 0.1);
  near(of('sell 5@10', { priceLimits: limits }).ep, 1e-6);
  near(of('sell 0.005@10', { priceLimits: limits }).eq, 1e-6);
  near(of('sell 500000@10', { priceLimits: limits }).eq, 5e-4);
});

test('Sum loses nothing of small terms beside large ones', () => {
  const sum = new Sum();
  for (const term of [1e16, 1, -1e16, 0.25]) sum.add(term);
  assert.equal(sum.value, 1.25);
  assert.equal(sum.dust, dust(2e16 + 1.25));
});
