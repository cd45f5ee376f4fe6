/** What the benchmarks share: figures as a row, and a whole process measured. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

export const row = (values: readonly number[]) => ({
  min: Number(Math.min(...values).toFixed(1)),
  median: Number(median(values).toFixed(1)),
  max: Number(Math.max(...values).toFixed(1)),
});

/** Time and largest memory of `merit clear`, as the process itself reports it at its end. */
export function wholeProcess(book: string, result: string, runs: number) {
  const milliseconds: number[] = [];
  const megabytes: number[] = [];
  const report = join(root, 'bench/peak-memory.ts');
  const command = join(root, 'src/cli/merit.ts');
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    const options = ['--disable-warning=ExperimentalWarning', '--import', report, command, 'clear', book, '-o', result];
    const done = spawnSync(process.execPath, options, { encoding: 'utf8' });
    milliseconds.push(performance.now() - start);
    const peak = /peak-memory-kb (\d+)/.exec(done.stderr);
    if (done.status !== 0 || peak === null) throw new Error(`merit clear ended ${done.status}: ${done.stderr}`);
    megabytes.push(Number(peak[1]) / 1024);
  }
  return { milliseconds, megabytes };
}
