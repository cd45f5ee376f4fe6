import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import test from 'node:test';

/** A number that could be a tolerance is at most this. */
const large = 1e-3;

test('no file of the engine has a tolerance of its own', () => {
  const here = import.meta.dirname;
  const files = globSync('**/*.ts', { cwd: here }).filter((file) => !file.endsWith('.test.ts'));
  assert(files.length > 30, `only ${files.length} files`);
  const found = files
    .filter((file) => file !== 'tolerances.ts')
    .flatMap((file) => {
      const code = readFileSync(`${here}/${file}`, 'utf8')
        .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
        .replaceAll(/'[^'\n]*'/g, "''");
      const numbers = code.match(/(?<![\w$.])\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?/gi) ?? [];
      return numbers.filter((text) => Number(text) > 0 && Number(text) <= large).map((text) => `${file}: ${text}`);
    });
  assert.deepEqual(found, []);
});
