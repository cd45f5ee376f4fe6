/** The data folder: made if it is not there, refused if it is of another version, held by one process at a time. */

import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AuctionError } from '../../market/errors.ts';

/** What this program writes and reads. A change of the folder's layout gets another number. */
export const dataVersion = 'data/1';

/**
 * @returns what lets go of the folder
 * @throws AuctionError `incompatible-data` when it cannot be used; `unavailable` when another process holds it
 */
export function holdDataFolder(folder: string): { release(): void } {
  makeDataFolder(folder);
  return lock(folder);
}

/**
 * A file in it that its owner alone can read, made if it is not there: orders before the gate are nobody else's to know. SQLite gives
 * its logs beside a database the same mode.
 */
export function makePrivate(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600); // it may have been copied
}

/** The folder of this version, whether or not somebody holds it. @throws AuctionError `incompatible-data` */
export function makeDataFolder(folder: string): void {
  const versionFile = join(folder, 'merit.json');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (readdirSync(folder).every((name) => name === 'merit.json.new')) {
      // Whole or not at all: a half written file would lock us out of our own folder.
      writeFileSync(`${versionFile}.new`, `${JSON.stringify({ merit: dataVersion })}\n`, { flush: true });
      renameSync(`${versionFile}.new`, versionFile);
    }
  } catch (cause) {
    throw unusable(folder, (cause as Error).message, cause);
  }
  const fault = versionFault(folder);
  if (fault !== undefined) throw unusable(folder, fault);
}

/** Why the folder is none of this version. @throws AuctionError `incompatible-data` where it says no version */
export function versionFault(folder: string): string | undefined {
  const version = versionIn(folder, join(folder, 'merit.json'));
  if (version === dataVersion) return undefined;
  return `its version is ${JSON.stringify(version)}, this program reads ${dataVersion}`;
}

function versionIn(folder: string, file: string): unknown {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { merit?: unknown }).merit;
  } catch (cause) {
    throw unusable(folder, `it has files, but merit.json cannot be read (${(cause as Error).message})`, cause);
  }
}

/** A database whose lock the operating system takes back when the process dies, however it dies. */
function lock(folder: string): { release(): void } {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, 'lock'));
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    if (/locked/.test((cause as Error).message)) {
      throw new AuctionError('unavailable', `data folder ${folder} is in use by another process`, [], { cause });
    }
    throw unusable(folder, (cause as Error).message, cause);
  }
  const held = database;
  return { release: () => held.close() };
}

const unusable = (folder: string, why: string, cause?: unknown): AuctionError =>
  new AuctionError('incompatible-data', `data folder ${folder} cannot be used: ${why}`, [], { cause });
