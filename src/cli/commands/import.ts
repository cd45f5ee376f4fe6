/** `merit import gme DIR --day D -o BOOK`, `merit import mp DIR -o BOOK`: an exchange's publications, or a public instance, as a book. */

import { type ImportOptions, importDay } from '../../adapters/gme/import-day.ts';
import { importInstance } from '../../adapters/mp/import-instance.ts';
import { canonical } from '../../book/canonical.ts';
import type { Book } from '../../market/book.ts';
import { exitCodes, Failure } from '../failure.ts';
import { writeWhole } from '../files.ts';
import { count, counted, print, printJson } from '../output.ts';
import { startProgress } from '../progress.ts';

interface Options extends Partial<Pick<ImportOptions, 'day' | 'borders' | 'blocks'>> {
  output: string;
  json?: boolean;
}

export async function importBook(source: string, folder: string, options: Options): Promise<void> {
  const { output } = options;
  const book = await read(source, folder, options);
  await writeWhole(output, canonical(book));
  if (output === '-') return;
  const { auction, zones, lines, orders, periods } = book;
  if (options.json) return printJson({ auction, periods, zones, lines: lines.length, orders: orders.length });
  const size = `${counted(orders.length, 'order')}, ${zones.length} zones, ${lines.length} lines, ${count(periods)} hours`;
  print(`${output}: written, ${auction}: ${size}`);
}

async function read(source: string, folder: string, { day, borders, blocks }: Options): Promise<Book> {
  if (source === 'mp') {
    const given = Object.entries({ day, borders, blocks }).find(([, value]) => value !== undefined);
    if (given) throw new Failure(exitCodes.usage, `--${given[0]}: a minimum-profit instance has no such choice`);
    return importInstance(folder);
  }
  if (source !== 'gme') throw new Failure(exitCodes.usage, `${source}: no such source; there are gme and mp`);
  if (day === undefined) throw new Failure(exitCodes.usage, '--day: which delivery day? such as 2025-04-01');
  const progress = await startProgress('merit import', 100);
  return importDay({
    folder,
    day,
    borders: borders ?? 'prices',
    ...(blocks && { blocks }),
    onProgress: (share) => progress.update(Math.floor(100 * share)),
  }).finally(() => progress.stop());
}
