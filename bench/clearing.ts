/** Clearing of Italian days: engine time, and the whole `merit clear` process. Skips visibly where the days are absent. */

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importDay } from '../src/adapters/gme/import-day.ts';
import { bookHash } from '../src/book/seal.ts';
import { clearWith } from '../src/clearing/clear.ts';
import { loadSolver } from '../src/clearing/solver/highs.ts';
import { verify } from '../src/verify/verify.ts';
import { row, wholeProcess } from './figures.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '../shared/data/italy-2025-04');

export async function benchClearing(smoke: boolean): Promise<void> {
  if (!existsSync(folder)) {
    console.log(`clearing: skipped, there are no Italian days in ${folder}`);
    return;
  }
  const days = Array.from({ length: smoke ? 1 : 15 }, (_, i) => `2025-04-${String(i + 1).padStart(2, '0')}`);
  const solver = await loadSolver();
  const engine: number[] = [];
  const checks: number[] = [];
  let welfare = 0;
  let orders = 0;
  let first: string | undefined;
  const work = await mkdtemp(join(tmpdir(), 'merit-bench-'));
  try {
    for (const day of days) {
      const book = await importDay({ folder, day, borders: 'prices', blocks: 'replay' });
      const hash = bookHash(book);
      clearWith(solver, book, hash); // once to warm up
      const start = performance.now();
      const { result } = clearWith(solver, book, hash);
      engine.push(performance.now() - start);
      const before = performance.now();
      if (!verify(book, hash, result).ok) throw new Error(`the verifier rejects ${day}`);
      checks.push(performance.now() - before);
      welfare += result.welfare;
      orders += book.orders.length;
      if (first === undefined) {
        first = join(work, 'book.json');
        await writeFile(first, JSON.stringify(book));
      }
    }
    const process_ = wholeProcess(first!, join(work, 'result.json'), smoke ? 1 : 5);
    console.log(`clearing of ${days.length} Italian days, ${orders} orders, checksum ${welfare.toFixed(2)}`);
    console.table({
      'engine, a day (ms)': row(engine),
      'verifier, a day (ms)': row(checks),
      'merit clear, whole process (ms)': row(process_.milliseconds),
      'merit clear, memory (MB)': row(process_.megabytes),
    });
  } finally {
    await rm(work, { recursive: true });
  }
}
