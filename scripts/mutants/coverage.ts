/**
 * Which tests run which code: no other test can notice a change of it.
 *
 * Each test file runs once without any change, with the engine's own record of the blocks that ran (NODE_V8_COVERAGE), in all of its
 * processes and threads that end by themselves. The records are kept in `node_modules/.cache`, by the content of the code and the test.
 */

import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTest } from './test-run.ts';

/** Ranges of a file that ran, [from, to) in UTF-16 units. */
type Ranges = readonly (readonly [number, number])[];

export interface TestFile {
  readonly file: string;
  /** Whether it passes without any change. */
  readonly passes: boolean;
  readonly why: string;
  readonly ms: number;
  /** The files in `src/` that it imports itself. */
  readonly imports: readonly string[];
  readonly ran: Readonly<Record<string, Ranges>>;
}

interface Script {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
  }[];
}

/** What ran of a script: ranges nest, and an inner one says more than the one around it. */
function ranOf(script: Script): Uint8Array {
  const ranges = script.functions.flatMap((one) => one.ranges);
  const ran = new Uint8Array(Math.max(0, ...ranges.map((range) => range.endOffset)));
  for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return ran;
}

function rangesOf(ran: Uint8Array): Ranges {
  const ranges: [number, number][] = [];
  for (let from = ran.indexOf(1); from >= 0; ) {
    const end = ran.indexOf(0, from);
    const to = end < 0 ? ran.length : end;
    ranges.push([from, to]);
    from = ran.indexOf(1, to);
  }
  return ranges;
}

/** The records of a folder, of all processes and threads together, by file of `src/`. */
function readRecords(folder: string, copy: string): Record<string, Ranges> {
  const together = new Map<string, Uint8Array>();
  for (const name of globSync('*.json', { cwd: folder })) {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: readonly Script[] };
    for (const script of result) {
      if (!script.url.startsWith('file:')) continue;
      const file = relative(copy, fileURLToPath(script.url));
      if (!file.startsWith('src/') || file.endsWith('.test.ts')) continue;
      const ran = ranOf(script);
      const before = together.get(file) ?? new Uint8Array(ran.length);
      together.set(
        file,
        before.map((one, at) => one | (ran[at] ?? 0)),
      );
    }
  }
  return Object.fromEntries([...together].map(([file, ran]) => [file, rangesOf(ran)]));
}

function importsOf(file: string): string[] {
  const specifiers = readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g);
  return [...specifiers]
    .map(([, path]) => normalize(join(dirname(file), path!)))
    .filter((path) => path.startsWith('src/'));
}

async function measure(copy: string, file: string): Promise<TestFile> {
  const records = mkdtempSync(join(tmpdir(), 'merit-coverage-'));
  try {
    const { verdict, why, ms } = await runTest(copy, file, { mostMs: 600_000, env: { NODE_V8_COVERAGE: records } });
    return { file, passes: verdict === 'passes', why, ms, imports: importsOf(file), ran: readRecords(records, copy) };
  } finally {
    rmSync(records, { recursive: true, force: true });
  }
}

/** Measures those of the tests that no record has, `atOnce` at a time, in a copy of the project. */
export async function coverage(copy: string, tests: readonly string[], atOnce: number): Promise<TestFile[]> {
  const code = createHash('sha256');
  for (const file of globSync('{src,test,lib,scripts}/**/*.ts')
    .filter((path) => !path.endsWith('.test.ts'))
    .sort())
    code.update(file).update(readFileSync(file));
  const base = code.digest('hex');
  const cache = 'node_modules/.cache/mutants';
  mkdirSync(cache, { recursive: true });
  const left = [...tests];
  const found: TestFile[] = [];
  const work = async () => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      const key = createHash('sha256').update(base).update(file).update(readFileSync(file)).digest('hex');
      const kept = join(cache, `${key.slice(0, 32)}.json`);
      if (!existsSync(kept)) {
        const measured = await measure(copy, file);
        console.error(`${(measured.ms / 1000).toFixed(1).padStart(6)} s  ${file}  ${measured.why}`);
        if (measured.passes) writeFileSync(kept, JSON.stringify(measured));
        found.push(measured);
      } else found.push(JSON.parse(readFileSync(kept, 'utf8')) as TestFile);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return found;
}
