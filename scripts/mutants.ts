/**
 * Mutation testing: one small change to the code at a time, and whether a test notices.
 *
 *     npm run mutants -- [count] [seed] [folder] [part/parts]
 *
 * A share of the changes falls on each folder below. Each runs in a copy of the project against the tests that run the changed code:
 * first those beside it, then those that import it, then the others, the quick ones first, until one fails or does not end. What survives
 * is either a gap in the tests or makes no difference; docs/mutants.md has the last run, with the reason for each survivor. A part is
 * every so-manieth mutant, so that a long run can be had in pieces: `60 1 book 2/4`.
 */

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { draw, type Mutant, mutated } from './mutants/changes.ts';
import { coverage, type TestFile } from './mutants/coverage.ts';
import { runTest, type Verdict } from './mutants/test-run.ts';

/** Folders of `src/`. */
const all = ['clearing', 'verify', 'book', 'adapters/local'];
/** What `npm run tests` runs. */
const suite = ['src/**/*.test.ts', 'test/*.test.ts', 'test/!(cloud)/**/*.test.ts'];
const atOnce = 2;

const sourcesOf = (folder: string): string[] =>
  globSync(`src/${folder}/**/*.ts`)
    .filter((file) => !file.endsWith('.test.ts') && !file.endsWith('tolerances.ts'))
    .sort();

/** Of a test beside the code 0, of one that imports it 1, of others 2. */
const distanceTo =
  (file: string) =>
  (test: TestFile): number =>
    dirname(test.file) === dirname(file) ? 0 : test.imports.includes(file) ? 1 : 2;

/** Tests that run the changed code, in the order in which they are tried. */
function concerned({ file, offset }: Mutant, tests: readonly TestFile[]): TestFile[] {
  const distance = distanceTo(file);
  return tests
    .filter(
      (test) =>
        test.passes && (distance(test) < 2 || test.ran[file]?.some(([from, to]) => from <= offset && offset < to)),
    )
    .sort((a, b) => distance(a) - distance(b) || a.ms - b.ms);
}

type Killed = Verdict & { readonly file: string };

/**
 * The first test that fails or does not end; undefined where the mutant survives.
 *
 * One that is neither beside the code nor imports it has to fail twice: what fails now and then by itself kills nothing.
 */
async function killer(
  copy: string,
  tests: readonly TestFile[],
  isNear: (test: TestFile) => boolean,
): Promise<Killed | undefined> {
  const left = [...tests];
  const stop = new AbortController();
  let killed: Killed | undefined;
  const work = async () => {
    for (let test = left.shift(); test !== undefined && killed === undefined; test = left.shift()) {
      const { file, ms } = test;
      const run = () => runTest(copy, file, { mostMs: 5 * ms + 20_000, signal: stop.signal });
      let verdict = await run();
      if (verdict.verdict === 'fails' && !isNear(test)) verdict = await run();
      if (verdict.verdict === 'passes' || killed !== undefined) continue;
      killed = { ...verdict, file };
      stop.abort();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return killed;
}

/** What git knows and what it would: no data, nothing that was built. */
function copyProject(): string {
  const copy = mkdtempSync(join(tmpdir(), 'merit-mutants-'));
  const files = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { encoding: 'utf8' });
  for (const file of files.split('\0').filter((name) => name !== '' && existsSync(name)))
    cpSync(file, join(copy, file));
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

const [count = '60', seed = '1', only = 'all', part = '1/1'] = process.argv.slice(2);
const folders = all.filter((folder) => only === 'all' || folder === only);
const [piece, pieces] = part.split('/').map(Number);
if (folders.length === 0 || ![count, seed, piece, pieces].every((value) => Number.isInteger(Number(value)))) {
  console.error(`mutants: [count] [seed] [folder] [part/parts], the folders: all, ${all.join(', ')}`);
  process.exit(2);
}
const mutants = folders
  .flatMap((folder) => draw(sourcesOf(folder), Math.ceil(Number(count) / all.length), Number(seed)))
  .filter((_, k) => k % pieces! === piece! - 1);
const copy = copyProject();
try {
  const tests = await coverage(copy, suite.flatMap((pattern) => globSync(pattern)).sort(), atOnce);
  for (const { file, passes, why } of tests)
    if (!passes) console.log(`left out, it fails without any change: ${file}: ${why}`);
  const survivors: Mutant[] = [];
  let late = 0;
  for (const mutant of mutants) {
    const { file, line, from, to } = mutant;
    const text = readFileSync(join(copy, file), 'utf8');
    const begin = performance.now();
    const concerns = concerned(mutant, tests);
    writeFileSync(join(copy, file), mutated(text, mutant));
    const killed = await killer(copy, concerns, (test) => distanceTo(file)(test) < 2);
    writeFileSync(join(copy, file), text);
    if (killed === undefined) survivors.push(mutant);
    else if (killed.verdict === 'times out') late++;
    const verdict =
      killed === undefined ? `SURVIVES ${concerns.length} tests` : `${killed.verdict}: ${killed.file}: ${killed.why}`;
    const seconds = ((performance.now() - begin) / 1000).toFixed(0);
    console.log(`${file}:${line}  ${verdict}  (${seconds} s)\n  - ${from.trim()}\n  + ${to.trim()}`);
  }
  const killed = mutants.length - survivors.length;
  const share = ((100 * killed) / mutants.length).toFixed(0);
  console.log(
    `${killed} of ${mutants.length} killed (${share} %), ${late} of them by the time limit, seed ${seed}, part ${part}`,
  );
  for (const { file, line, to } of survivors) console.log(`survives: ${file}:${line}  ${to.trim()}`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
