/** `merit clear BOOK [-o RESULT] [--proof PROOF]`: a book in, a result out, without a house. */

import { executedVolumes } from '../../auction/views/executed-volumes.ts';
import { untradedPeriods } from '../../auction/views/untraded.ts';
import { canonical } from '../../book/canonical.ts';
import { bookHash } from '../../book/seal.ts';
import { clear } from '../../clearing/clear.ts';
import { namingFile, readBook } from '../books.ts';
import { type BudgetOptions, budgetFrom } from '../budget.ts';
import { exitCodes } from '../failure.ts';
import { writeWhole } from '../files.ts';
import { figure, gapText, print, printJson } from '../output.ts';
import { startProgress } from '../progress.ts';
import { blockTable, outcomeTable, priceTable, reasonTable, summaryOf } from '../summary.ts';

/** Orders from which on clearing is known to take over a second. */
const manyOrders = 50_000;

export async function clearBook(
  file: string,
  options: BudgetOptions & { output?: string; proof?: string; verify?: boolean; json?: boolean },
): Promise<void> {
  const start = performance.now();
  const book = await readBook(file);
  const progress = await startProgress('merit clear', 4, { atOnce: book.orders.length > manyOrders });
  progress.update(1, `${book.orders.length} orders`);
  const hash = bookHash(book);
  const began = performance.now();
  const budget = { ...budgetFrom(options), proves: options.proof !== undefined };
  const { result, proof, solved } = await clear(book, hash, budget).catch((error) => {
    throw namingFile(file, error);
  });
  const clearingMs = performance.now() - began;
  progress.update(2, 'checking');
  const told = options.verify ? await import('../verification.ts') : undefined;
  const found = told?.verifyAndTell(book, hash, result, { quiet: true, proof });
  // A result that the verifier rejects is not written.
  if (found?.ok === false) {
    progress.stop();
    process.exitCode = exitCodes.no;
    return;
  }
  progress.update(3, 'writing');
  const { output } = options;
  if (output !== undefined) await writeWhole(output, canonical(result));
  if (options.proof !== undefined) await writeWhole(options.proof, canonical(proof));
  progress.stop();

  if (output === '-') return;
  const seconds = (performance.now() - start) / 1000;
  const summary = summaryOf(result, untradedPeriods(book, result, executedVolumes(book, result)));
  const standing = found === undefined ? { rules: 'unchecked' } : { rules: found.rules, decisions: found.decisions };
  const times = { seconds, clearingSeconds: clearingMs / 1000 };
  if (options.json) return printJson({ ...summary, ...standing, ...times, programsSolved: solved });
  print(
    `${result.auction}: ${result.status}, welfare ${figure(result.welfare)} ${book.currency}, gap ${gapText(result.gap)}`,
  );
  if (result.status === 'feasible')
    print(
      `by the engine’s word no answer is worth more than ${figure(result.bound)} ${book.currency}; whether any is, is open`,
    );
  print(`\n${priceTable(summary.prices, `${book.currency}/MWh`)}\n\n${outcomeTable(summary.outcomes)}\n`);
  for (const more of [reasonTable(result.orders), blockTable(result.orders)]) if (more) print(`${more}\n`);
  const again = solved.slice(1).reduce((sum, count) => sum + count, 0);
  if (again > 0)
    print(`${again} of ${again + solved[0]!} programs were solved again, with other settings of the solver`);
  const done = [output === undefined ? '' : `${output}: written`, found ? 'the rules hold' : '']
    .filter(Boolean)
    .join(', ');
  const took = `${seconds.toFixed(2)} s, of it clearing ${(clearingMs / 1000).toFixed(2)} s`;
  print(done === '' ? `${took}; -o FILE writes the whole result` : `${done} (${took})`);
  if (told && found) for (const line of told.decisionLines(book, result, found.decisions)) print(line);
}
