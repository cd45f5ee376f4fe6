/**
 * A copy of the data folder that is whole at one moment, made while a house writes to it.
 *
 * The database first, by SQLite's own backup in one step, so that it is of one moment; then the archive, which has whatever that
 * database names, since a document is written before a record names it. The copy is a data folder itself. It has its name, the time in
 * UTC, only once it has passed all checks, among them that nothing is missing that was acknowledged before the backup began. Until then
 * it ends in `.part`; what has not passed ends in `.damaged`, is kept all the same, and no older backup is deleted for it.
 *
 * Documents of the archive never change, so those that the backup before has are linked from there and take no room twice.
 */

import { constants, existsSync } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { backup as backupDatabase, DatabaseSync } from 'node:sqlite';
import { AuctionError } from '../../../market/errors.ts';
import type { Check } from '../check/checks.ts';
import { checkFolder, patienceMs } from '../check/folder.ts';
import { type Head, readHeads, writeHeads } from '../heads.ts';
import { headsIn } from '../layouts.ts';
import { databaseName } from '../stores.ts';

export interface BackupOptions {
  /** The data folder. */
  readonly data: string;
  /** Where backups lie, each in a folder of its own. */
  readonly to: string;
  /** How many stay, this one included; older ones are deleted. All, if not given. */
  readonly keep?: number;
  readonly now: Date;
}

export interface BackedUp {
  readonly folder: string;
  readonly checks: readonly Check[];
  /** Names of older backups that were deleted for this one. */
  readonly deleted: readonly string[];
}

const complete = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(\.\d+)?Z$/;
/** A backup that was cut leaves its part; it is deleted when nobody can be at work on it any more. */
const partLifeMs = 24 * 3_600_000;

/** @throws AuctionError `damaged-data` when the copy does not pass, `not-found`, `unavailable` */
export async function makeBackup({ data, to, keep, now }: BackupOptions): Promise<BackedUp> {
  if (!existsSync(join(data, databaseName)))
    throw new AuctionError('not-found', `${data} is no data folder: it has no ${databaseName}`);
  const name = now.toISOString().replaceAll(':', '-');
  const folder = join(to, name);
  const part = `${folder}.part`;
  const [previous] = await backupsIn(to);
  try {
    await mkdir(to, { recursive: true, mode: 0o700 });
    await mkdir(part, { mode: 0o700 });
    const acknowledged = readHeads(data)?.heads;
    await copyDatabase(data, part, databaseName);
    if (existsSync(join(data, 'access.sqlite'))) await copyDatabase(data, part, 'access.sqlite');
    const heads = readHeads(data)?.heads;
    // Without those of the original nobody can say whether the copy has everything: then it is found to have none either.
    if (heads) writeHeads(part, headsOf(part, heads));
    await copyArchive(data, part, previous && join(to, previous), ownersIn(part));
    await copySynced(join(data, 'merit.json'), join(part, 'merit.json'));
    const checks = await checkFolder(part, { acknowledged });
    const found = checks.flatMap((check) => check.found);
    if (found.length > 0) {
      await rename(part, `${folder}.damaged`);
      const [{ where, message }] = found as [(typeof found)[number]];
      throw new AuctionError(
        'damaged-data',
        `the copy is damaged, and stays as ${folder}.damaged: ${where}: ${message}`,
      );
    }
    await rename(part, folder);
    await syncFolder(to);
    return { folder, checks, deleted: await rotate(to, keep, now) };
  } catch (cause) {
    if (cause instanceof AuctionError) throw cause;
    throw new AuctionError('unavailable', `no backup into ${to}: ${(cause as Error).message}`, [], { cause });
  }
}

/** Names of the complete backups, newest first. */
export async function backupsIn(to: string): Promise<string[]> {
  if (!existsSync(to)) return [];
  return (await readdir(to))
    .filter((name) => complete.test(name))
    .sort()
    .reverse();
}

/** When a backup was made, by its name. */
export const timeOf = (name: string): number => Date.parse(name.replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:'));

async function copyDatabase(from: string, to: string, name: string): Promise<void> {
  const database = new DatabaseSync(join(from, name), { readOnly: true, timeout: patienceMs });
  try {
    // All pages in one step: between two steps a writer would make it begin again.
    await backupDatabase(database, join(to, name), { rate: 2 ** 31 - 1 });
  } finally {
    database.close();
  }
  // One file, without a log beside it, whoever looks into it; the house that opens it makes the log anew.
  const copy = new DatabaseSync(join(to, name));
  copy.exec('PRAGMA journal_mode = DELETE');
  copy.close();
  await sync(join(to, name));
}

/** The heads of the copy; what is over by now may be gone in it. */
function headsOf(folder: string, original: ReadonlyMap<string, Head>): Map<string, Head> {
  const database = new DatabaseSync(join(folder, databaseName), { readOnly: true });
  try {
    const heads = headsIn(database);
    for (const [id, { expired, forgotten, sequence, hash }] of original) {
      const own = heads.get(id);
      if (forgotten && own) heads.set(id, { ...own, forgotten });
      else if (expired && own) heads.set(id, { ...own, sequence, hash, expired });
    }
    return heads;
  } finally {
    database.close();
  }
}

/** Auctions of the copied database whose gate has closed: others have nothing in the archive as of its moment. */
function ownersIn(folder: string): ReadonlySet<string> {
  const database = new DatabaseSync(join(folder, databaseName), { readOnly: true });
  try {
    const rows = database.prepare(`SELECT id FROM auctions WHERE state NOT IN ('scheduled', 'open')`).all();
    return new Set((rows as { id: string }[]).map(({ id }) => id));
  } finally {
    database.close();
  }
}

const byAuction = new Set(['books', 'results', 'orders', 'checkpoints', 'diagnoses', 'exclusions']);

/** Written after the database was copied, of an auction that had no book then: a house that goes on from the copy writes its own. */
function isLater(key: string, owners: ReadonlySet<string>): boolean {
  const [kind, name] = key.split('/') as [string, string];
  return byAuction.has(kind) && !owners.has(name.replace(/(\.run-\d+)?\.json$/, ''));
}

async function copyArchive(
  from: string,
  to: string,
  previous: string | undefined,
  owners: ReadonlySet<string>,
): Promise<void> {
  const source = join(from, 'archive');
  if (!existsSync(source)) return;
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const folders = new Set<string>();
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.endsWith('.part')) continue;
    const path = join(entry.parentPath, entry.name);
    if (isLater(relative(source, path), owners)) continue;
    const copy = join(to, 'archive', relative(source, path));
    if (!folders.has(dirname(copy))) await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
    folders.add(dirname(copy));
    const there = previous && join(previous, 'archive', relative(source, path));
    if (there === undefined || !(await linked(there, copy))) await copySynced(path, copy);
  }
  for (const folder of folders) await syncFolder(folder);
}

/** False where the backup before has no such file. */
async function linked(file: string, copy: string): Promise<boolean> {
  try {
    await link(file, copy);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** A file that is on the disk when this resolves; without room of its own where the file system can share it until one changes. */
export async function copySynced(file: string, copy: string): Promise<void> {
  await copyFile(file, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await sync(copy);
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.sync().finally(() => handle.close());
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

/** After a backup that is good: of the good ones so many stay, of the damaged ones none that is older. */
async function rotate(to: string, keep: number | undefined, now: Date): Promise<string[]> {
  const all = await readdir(to);
  const over = keep === undefined ? [] : (await backupsIn(to)).slice(Math.max(1, keep));
  const isLeft = (name: string): boolean => {
    const base = name.replace(/\.(part|damaged)$/, '');
    if (base === name || !complete.test(base)) return false;
    return name.endsWith('.part') ? now.getTime() - timeOf(base) > partLifeMs : keep !== undefined;
  };
  const deleted = [...over, ...all.filter(isLeft)];
  for (const name of deleted) await rm(join(to, name), { recursive: true });
  return deleted;
}
