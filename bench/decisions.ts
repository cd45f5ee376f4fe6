/**
 * Clearing with yes/no decisions: Italian days with their blocks decided blind, the minimum-profit instances, random blocks; and
 * whether a process that clears for long keeps its size. What needs real data says so and is skipped where it is absent.
 */

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importDay } from '../src/adapters/gme/import-day.ts';
import { importInstance } from '../src/adapters/mp/import-instance.ts';
import { bookHash } from '../src/book/seal.ts';
import { clearWith } from '../src/clearing/clear.ts';
import { loadSolver, type Solver } from '../src/clearing/solver/highs.ts';
import type { Book } from '../src/market/book.ts';
import { row, wholeProcess } from './figures.ts';
import { randomBlocks } from './random-blocks.ts';

const data = fileURLToPath(new URL('../../shared/data', import.meta.url));
const italy = join(data, 'italy-2025-04');
const minimumProfit = join(data, 'minimum-profit');

export async function benchDecisions(smoke: boolean): Promise<void> {
  const solver = await loadSolver();
  const table: Record<string, ReturnType<typeof row>> = {};
  if (existsSync(italy)) await italianDays(solver, smoke, table);
  else console.log(`decisions: no Italian days, there is no ${italy}`);
  if (existsSync(minimumProfit)) {
    for (const instance of smoke ? [2] : [1, 2, 3, 4, 5]) {
      const book = await importInstance(join(minimumProfit, `instance-${instance}`));
      table[`minimum-profit instance ${instance} (ms)`] = row(timesOf(solver, book, smoke ? 1 : 5));
    }
  } else console.log(`decisions: no minimum-profit instances, there is no ${minimumProfit}`);
  const size = smoke ? { blocks: 30, zones: 2, periods: 6 } : { blocks: 500, zones: 4, periods: 24 };
  const blocks = (smoke ? [1] : [1, 2, 3, 4, 5]).flatMap((seed) =>
    timesOf(solver, randomBlocks({ seed, ...size }), smoke ? 1 : 3),
  );
  table[`${size.blocks} random blocks, ${size.zones} zones, ${size.periods} hours (ms)`] = row(blocks);
  // Few curves against many blocks: the hard kind.
  const thin = (smoke ? [1] : [1, 2, 3]).flatMap((seed) =>
    timesOf(solver, randomBlocks({ seed, ...size, steps: 8 }), 1),
  );
  table['the same with 8 steps a curve instead of 20 (ms)'] = row(thin);
  console.table(table);
  growth(solver, smoke ? 20 : 1000);
}

/** Milliseconds of the engine; its welfare is printed, a checksum. */
function timesOf(solver: Solver, book: Book, runs: number): number[] {
  const hash = bookHash(book);
  const times: number[] = [];
  clearWith(solver, book, hash); // once to warm up
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    const { result, programs } = clearWith(solver, book, hash);
    times.push(performance.now() - start);
    const { auction, status, welfare } = result;
    if (run === 0) console.log(`${auction}: ${status}, ${programs} linear programs, checksum ${welfare.toFixed(2)}`);
  }
  return times;
}

async function italianDays(solver: Solver, smoke: boolean, table: Record<string, ReturnType<typeof row>>) {
  const days = Array.from({ length: smoke ? 1 : 15 }, (_, i) => `2025-04-${String(i + 1).padStart(2, '0')}`);
  const times: number[] = [];
  const work = await mkdtemp(join(tmpdir(), 'merit-bench-'));
  try {
    for (const day of days) {
      const book = await importDay({ folder: italy, day, borders: 'prices', blocks: 'orders' });
      times.push(...timesOf(solver, book, smoke ? 1 : 3));
      if (day === days[0]) await writeFile(join(work, 'book.json'), JSON.stringify(book));
    }
    const whole = wholeProcess(join(work, 'book.json'), join(work, 'result.json'), smoke ? 1 : 5);
    table['Italian day, blocks blind, engine (ms)'] = row(times);
    table['Italian day, blocks blind, memory of merit clear (MB)'] = row(whole.megabytes);
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Many clearings in one process: its memory before the second half and after it. What grows by the clearing grows in that half too. */
function growth(solver: Solver, clearings: number): void {
  const books = [1, 2, 3, 4].map((seed) => randomBlocks({ seed, blocks: 40, zones: 2, periods: 8, steps: 6 }));
  const hashes = books.map(bookHash);
  const half = () => {
    for (let k = 0; k < clearings / 2; k++) clearWith(solver, books[k % 4]!, hashes[k % 4]!);
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    return { 'heap (MB)': heapUsed, 'solver (MB)': solver.memoryBytes(), 'resident (MB)': rss };
  };
  const before = half();
  const after = half();
  const megabytes = (bytes: number) => Number((bytes / 2 ** 20).toFixed(1));
  const collected = globalThis.gc === undefined ? ' (garbage not collected: node --expose-gc)' : '';
  console.log(`memory of one process over ${clearings} clearings${collected}`);
  const rows = Object.keys(before).map((name) => {
    const [half, all] = [before, after].map((of) => megabytes(of[name as keyof typeof of]));
    return [name, { 'after half': half, 'after all': all }];
  });
  console.table(Object.fromEntries(rows));
}
