/** `merit check`, `accept-loss`, `backup` and `restore`: is the data folder what the house wrote, a copy of it, and a house from a copy. */

import { makeBackup } from '../../adapters/local/backup/backup.ts';
import { restoreBackup } from '../../adapters/local/backup/restore.ts';
import { acceptDamage } from '../../adapters/local/check/accept.ts';
import type { Check } from '../../adapters/local/check/checks.ts';
import { checkFolder } from '../../adapters/local/check/folder.ts';
import { readReceipts } from '../books.ts';
import { exitCodes } from '../failure.ts';
import { count, counted, print, printJson, table } from '../output.ts';

const shownPerRule = 5;

export async function check(
  folder: string,
  options: { receipts?: string; verify?: boolean; json?: boolean },
): Promise<void> {
  const checks = await checkFolder(folder, {
    verified: options.verify === true,
    ...(options.receipts !== undefined && { receipts: await readReceipts(options.receipts) }),
  });
  const ok = tell(checks, options.json, { folder });
  if (!options.json) print(`\n${folder}: ${ok ? 'nothing is wrong' : 'DAMAGED'}`);
}

export async function acceptLoss(folder: string, { json }: { json?: boolean }): Promise<void> {
  const accepted = acceptDamage(folder, new Date());
  if (json) return printJson({ folder, accepted });
  for (const { where, message } of accepted) print(`accepted: ${where}: ${message}`);
  print(accepted.length === 0 ? `${folder}: nothing is wrong` : `${folder}: a house starts on it again`);
}

export async function backup(to: string, options: { data: string; keep?: number; json?: boolean }): Promise<void> {
  const { data, keep } = options;
  const { folder, checks, deleted } = await makeBackup({
    data,
    to,
    now: new Date(),
    ...(keep !== undefined && { keep }),
  });
  tell(checks, options.json, { folder, deleted });
  if (options.json) return;
  print(`\n${folder}: a whole copy${deleted.length > 0 ? `; deleted ${deleted.join(', ')}` : ''}`);
}

export async function restore(
  from: string,
  folder: string,
  options: { receipts?: string; json?: boolean },
): Promise<void> {
  const receipts = options.receipts === undefined ? undefined : await readReceipts(options.receipts);
  const restored = await restoreBackup(from, folder, receipts);
  const ok = tell(restored.checks, options.json, { from: restored.from, folder });
  if (options.json) return;
  print(ok ? `\n${folder}: restored from ${restored.from}` : `\n${folder}: DAMAGED, no house starts on it`);
}

/** @returns whether all is well; if not, the exit code says so */
function tell(checks: readonly Check[], json: boolean | undefined, about: object): boolean {
  const ok = checks.every(({ found }) => found.length === 0);
  if (!ok) process.exitCode = exitCodes.no;
  if (json) {
    printJson({ ok, ...about, checks });
    return ok;
  }
  const rows = checks.map(({ rule, title, checked, found }) => [
    rule,
    title,
    checked === 0 ? '-' : count(checked),
    found.length > 0 ? counted(found.length, 'fault') : checked === 0 ? 'nothing to check' : 'ok',
  ]);
  print(table(['rule', 'what', 'checked', 'found'], rows));
  for (const { rule, found } of checks) {
    for (const { where, message } of found.slice(0, shownPerRule)) print(`  ${rule} ${where}: ${message}`);
    if (found.length > shownPerRule) print(`  ${rule}: and ${count(found.length - shownPerRule)} more`);
  }
  return ok;
}
