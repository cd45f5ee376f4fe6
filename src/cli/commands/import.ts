/** `merit import gme DIR --day D -o BOOK`: an exchange's publications as a book. */

import { type ImportOptions, importDay } from '../../adapters/gme/import-day.ts';
import { canonical } from '../../book/canonical.ts';
import { exitCodes, Failure } from '../failure.ts';
import { writeWhole } from '../files.ts';
import { count, counted, print, printJson } from '../output.ts';
import { startProgress } from '../progress.ts';

export async function importBook(
  source: string,
  folder: string,
  options: Pick<ImportOptions, 'day' | 'borders' | 'blocks'> & { output: string; json?: boolean },
): Promise<void> {
  if (source !== 'gme') throw new Failure(exitCodes.usage, `${source}: no such source; there is gme`);
  const { day, borders, blocks, output } = options;
  const progress = await startProgress('merit import', 100);
  const book = await importDay({
    folder,
    day,
    borders,
    ...(blocks && { blocks }),
    onProgress: (share) => progress.update(Math.floor(100 * share)),
  }).finally(() => progress.stop());
  await writeWhole(output, canonical(book));
  if (output === '-') return;
  const { auction, zones, lines, orders, periods } = book;
  if (options.json) return printJson({ auction, periods, zones, lines: lines.length, orders: orders.length });
  const size = `${counted(orders.length, 'order')}, ${zones.length} zones, ${lines.length} lines, ${count(periods)} hours`;
  print(`${output}: written, ${auction}: ${size}`);
}
