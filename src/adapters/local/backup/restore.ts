/** A backup becomes a data folder, which is checked as a whole before anybody can start a house on it. */

import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Receipt } from '../../../book/intake.ts';
import { AuctionError } from '../../../market/errors.ts';
import type { Check } from '../check/checks.ts';
import { checkFolder } from '../check/folder.ts';
import { backupsIn, copySynced, syncFolder } from './backup.ts';

export interface Restored {
  /** The backup that was taken. */
  readonly from: string;
  readonly checks: readonly Check[];
  readonly ok: boolean;
}

/**
 * @param from    a backup, or the folder where backups lie: then the newest
 * @param folder  where the data folder is to be: empty, or not there
 * @returns what the checks found, each result verified against its book once more; when something is wrong, no house starts on it
 * @throws AuctionError `conflict` for a folder with something in it, `not-found` without a backup, `unavailable`
 */
export async function restoreBackup(from: string, folder: string, receipts?: readonly Receipt[]): Promise<Restored> {
  const [newest] = await backupsIn(from);
  const source = existsSync(join(from, 'merit.json')) ? from : newest && join(from, newest);
  if (source === undefined) throw new AuctionError('not-found', `${from} is no backup, and there is none in it`);
  if (existsSync(folder) && (await readdir(folder)).length > 0)
    throw new AuctionError('conflict', `${folder} is not empty: a backup is restored into an empty folder only`);
  const version = 'merit.json';
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const entries = await readdir(source, { recursive: true, withFileTypes: true });
    const folders = new Set([folder]);
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      const copy = join(folder, relative(source, path));
      // What a look into the backup left beside its databases is nothing of it.
      if (!entry.isFile() || copy === join(folder, version) || /-(wal|shm)$/.test(entry.name)) continue;
      await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
      folders.add(dirname(copy));
      await copySynced(path, copy);
    }
    for (const each of folders) await syncFolder(each);
    // Last, because no house starts without it.
    await copySynced(join(source, version), join(folder, version));
    const checks = await checkFolder(folder, { verified: true, ...(receipts && { receipts }) });
    const ok = checks.every(({ found }) => found.length === 0);
    if (!ok) await rm(join(folder, version));
    await syncFolder(folder);
    return { from: source, checks, ok };
  } catch (cause) {
    await rm(join(folder, version), { force: true });
    if (cause instanceof AuctionError) throw cause;
    throw new AuctionError('unavailable', `${source} can't be restored: ${(cause as Error).message}`, [], { cause });
  }
}
