/** What `npm test` ends with: green or red in the last line, an expected failure in one line, and the failures by name. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const reporter = fileURLToPath(new URL('../scripts/test-reporter.ts', import.meta.url));

/** Run these files of tests in a folder of their own; times are taken out of what is said. */
async function run(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'merit-reporter-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, body] of Object.entries(files))
    await writeFile(
      join(folder, name),
      `import { test } from 'node:test';\nimport assert from 'node:assert';\n${body}\n`,
    );
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--test', `--test-reporter=${reporter}`, ...Object.keys(files)],
    { cwd: folder, encoding: 'utf8', env },
  );
  const lines = stdout
    .replaceAll(/\d+\.\d s$/gm, 'T s')
    .trimEnd()
    .split('\n');
  return { status, stdout, lines, last: lines.at(-1) };
}

test('green: the last line has the counts and why tests were skipped; a known open case is one line without its stack', async (t) => {
  const { status, lines, last, stdout } = await run(t, {
    'a.test.mjs': `
      console.log('seed 7');
      test('holds', (t) => t.diagnostic('12 of 12'));
      test('does not hold yet', { todo: 'the search gives way' }, () => assert.equal(1, 2));`,
    'b.test.mjs': `
      test('one', { skip: 'no data' }, () => {});
      test('two', { skip: 'no data' }, () => {});
      test('three', (t) => t.skip('no Python'));`,
  });
  assert.equal(status, 0);
  assert.equal(last, 'green: 5 tests, 1 known open case, 3 skipped (no data; no Python), T s');
  assert.deepEqual(
    lines.filter((line) => /^ {6}|^known/.test(line)),
    ['      12 of 12', 'known open case: does not hold yet: the search gives way'],
  );
  assert.ok(lines.includes('ok    a.test.mjs  2 tests, T s'));
  assert.doesNotMatch(stdout, /AssertionError|FAIL|failed|seed/);
});

test('red: the last lines name what failed, and the whole error stands above', async (t) => {
  const { status, lines, last, stdout } = await run(t, {
    'a.test.mjs': `console.log('seed 7'); test('adds', async (t) => { await t.test('up', () => assert.deepEqual({ sum: 3 }, { sum: 4 })); });`,
    'b.test.mjs': `throw new Error('broken at the start');`,
    'c.test.mjs': `test('hangs', { timeout: 20 }, () => new Promise((resolve) => setTimeout(resolve, 1000)));`,
    'd.test.mjs': `test('open no more', { todo: 'mended' }, () => {});`,
  });
  assert.equal(status, 1);
  assert.equal(last, 'red: 3 of 5 tests failed, T s');
  assert.deepEqual(lines.slice(-5, -1), [
    'no longer open, take its mark off: open no more (d.test.mjs:3)',
    'failed: up (a.test.mjs:3)',
    'failed: b.test.mjs (b.test.mjs:1)',
    'failed: hangs (c.test.mjs:3)',
  ]);
  assert.match(stdout, /FAIL {2}up\n {6}a\.test\.mjs:3\nAssertionError.*sum: 4/s);
  assert.match(stdout, /seed 7\n\nFAIL {2}up/, 'what a file has written stands before its first failure');
  assert.match(stdout, /broken at the start/);
  assert.match(stdout, /timed out after 20ms/);
  assert.equal(lines.filter((line) => /adds/.test(line)).length, 0, 'a test is not named for what is below it');
});
