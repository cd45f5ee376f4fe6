/**
 * Mutation testing: one small change to the code at a time, and whether a test notices.
 *
 *     npm run mutants -- [count] [seed] [folder]
 *
 * A share of the changes falls on each folder below. Each runs in a copy of the project against the tests of its folder, the quickest
 * first, and ends with the first that fails. What survives is either a gap in the tests or makes no difference; docs/mutants.md has the last
 * run, with the reason for each survivor.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folders of `src/`, with the tests that concern them. */
const concerning: Readonly<Record<string, readonly string[]>> = {
  clearing: [
    'src/clearing/**/*.test.ts',
    'test/right-results.test.ts',
    'test/clearing/mended-books.test.ts',
    'test/clearing/examples-orders.test.ts',
    'test/clearing/families.test.ts',
    'test/clearing/regressions.test.ts',
    'test/clearing/loops.test.ts',
    'test/clearing/flow-based.test.ts',
    'test/clearing/oracle.test.ts',
    'test/clearing/properties.test.ts',
    'test/proof.test.ts',
    'test/budget.test.ts',
    'test/explain.test.ts',
  ],
  verify: [
    'src/verify/**/*.test.ts',
    'test/right-results.test.ts',
    'test/forgeries*.test.ts',
    'test/forged-proofs.test.ts',
    'test/proof.test.ts',
    'test/clearing/families.test.ts',
    'test/clearing/examples-orders.test.ts',
    'test/clearing/properties.test.ts',
  ],
  book: [
    'src/book/**/*.test.ts',
    'src/market/*.test.ts',
    'test/markets.test.ts',
    'test/network.test.ts',
    'test/bad-input.test.ts',
    'test/auction-relations.test.ts',
    'test/api-orders.test.ts',
    'test/auction.test.ts',
    'test/intake-truth.test.ts',
    'test/clearing/families.test.ts',
  ],
  'adapters/local': [
    'src/adapters/local/**/*.test.ts',
    'test/ports/local.test.ts',
    'test/access*.test.ts',
    'test/workflow-local.test.ts',
    'test/at-rest.test.ts',
    'test/backup.test.ts',
    'test/retention.test.ts',
    'test/power-loss.test.ts',
    'test/health.test.ts',
    'test/watching.test.ts',
    'test/machine-faults.test.ts',
    'test/task-threads.test.ts',
    'test/races.test.ts',
    'test/crash.test.ts',
  ],
};

/** What is written instead of what, where it stands between spaces or as a whole word. */
const changes: readonly (readonly [RegExp, string])[] = [
  [/ < /g, ' <= '],
  [/ <= /g, ' < '],
  [/ > /g, ' >= '],
  [/ >= /g, ' > '],
  [/ === /g, ' !== '],
  [/ !== /g, ' === '],
  [/ && /g, ' || '],
  [/ \|\| /g, ' && '],
  [/ \+ /g, ' - '],
  [/ - /g, ' + '],
  [/ \* /g, ' / '],
  [/ \/ /g, ' * '],
  [/\bMath\.min\(/g, 'Math.max('],
  [/\bMath\.max\(/g, 'Math.min('],
  [/\bMath\.floor\(/g, 'Math.ceil('],
  [/\bMath\.ceil\(/g, 'Math.floor('],
  [/\.some\(/g, '.every('],
  [/\.every\(/g, '.some('],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/\bcontinue;/g, ';'],
  [/(?<=if \()(?=[a-z!])/g, 'true || '],
];

interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly from: string;
  readonly to: string;
}

/** Lines that say something else than the code does: types, messages, what is only asserted. */
const isOther = (line: string): boolean =>
  /^\s*(\*|\/\*|\/\/|import |export type|type |export interface|interface |readonly |} from )/.test(line) ||
  /assert|message|`|throw |console\./.test(line);

function mutantsOf(file: string): Mutant[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((from, at) => {
    if (isOther(from)) return [];
    return changes.flatMap(([what, instead]) =>
      [...from.matchAll(what)].map((found): Mutant => {
        const to = from.slice(0, found.index) + instead + from.slice(found.index + found[0].length);
        return { file, line: at + 1, from, to };
      }),
    );
  });
}

/** A generator of numbers in [0, 1) by seed (mulberry32). */
function randomBy(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A run that takes longer than this no longer ends by itself. */
const mostMs = 600_000;

/** The first line of a test that fails; undefined where none does. */
function firstFailure(copy: string, files: readonly string[]): Promise<string | undefined> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--test', '--test-concurrency=2', ...files],
    {
      cwd: copy,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  return new Promise((resolve) => {
    let text = '';
    let failure: string | undefined;
    const stop = (why: string) => {
      if (failure !== undefined) return;
      failure = why;
      process.kill(-child.pid!, 'SIGKILL');
    };
    const timer = setTimeout(() => stop('it does not end'), mostMs);
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /^\s*✖ (.*)$/m.exec(text)?.[1];
      if (found !== undefined) stop(found);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve(failure ?? (code === 0 ? undefined : `exit code ${code}`));
    });
  });
}

const [count = '50', seed = '1', only] = process.argv.slice(2);
const folders = Object.keys(concerning).filter((folder) => only === undefined || folder === only);
if (folders.length === 0 || !Number.isInteger(Number(count)) || !Number.isInteger(Number(seed))) {
  console.error(`mutants: [count] [seed] [folder], the folders: ${Object.keys(concerning).join(', ')}`);
  process.exit(2);
}
const random = randomBy(Number(seed));
const copy = mkdtempSync(join(tmpdir(), 'merit-mutants-'));
try {
  for (const entry of globSync('*', { exclude: ['node_modules'] }))
    cpSync(entry, join(copy, entry), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'));
  let killed = 0;
  const survivors: Mutant[] = [];
  for (const folder of folders) {
    const tests = concerning[folder]!.flatMap((pattern) => globSync(pattern).sort());
    const before = await firstFailure(copy, tests);
    assert(before === undefined, `a test fails without any change: ${before}`);
    const sources = globSync(`src/${folder}/**/*.ts`)
      .filter((file) => !file.endsWith('.test.ts') && !file.endsWith('tolerances.ts'))
      .sort();
    const all = sources.flatMap(mutantsOf);
    for (let k = 0; k < Math.ceil(Number(count) / folders.length); k++) {
      const [mutant] = all.splice(Math.floor(random() * all.length), 1);
      if (mutant === undefined) break;
      const { file, line, from, to } = mutant;
      const text = readFileSync(file, 'utf8');
      const lines = text.split('\n');
      lines[line - 1] = to;
      writeFileSync(join(copy, file), lines.join('\n'));
      const failure = await firstFailure(copy, tests);
      writeFileSync(join(copy, file), text);
      if (failure === undefined) survivors.push(mutant);
      else killed++;
      const verdict = failure === undefined ? 'SURVIVES' : `killed by ${failure}`;
      console.log(`${file}:${line}  ${verdict}\n  - ${from.trim()}\n  + ${to.trim()}`);
    }
  }
  const share = killed / (killed + survivors.length);
  console.log(`${killed} of ${killed + survivors.length} killed (${(100 * share).toFixed(0)} %), seed ${seed}`);
  for (const { file, line, to } of survivors) console.log(`survives: ${file}:${line}  ${to.trim()}`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
