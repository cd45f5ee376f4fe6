/**
 * What the machine cannot do now (full disk, somebody else's lock, lost folder, no rights), in the house's words: `unavailable`.
 *
 * It is never an auction's fault, and passes: whoever waits tries again (`persistently.ts`), whoever called hears 503.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { AuctionError } from '../../market/errors.ts';

/** Primary result codes of sqlite: busy, locked, out of memory, read only, I/O error, full, can't open, lock protocol. */
const sqliteFaults: readonly number[] = [5, 6, 7, 8, 10, 13, 14, 15];
const [busy, locked] = sqliteFaults;

const systemFaults: readonly unknown[] = [
  ...['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'EBUSY', 'EMFILE', 'ENFILE', 'ENOMEM'],
  ...['ENXIO', 'ENODEV', 'ESTALE', 'ETIMEDOUT', 'ENOTDIR'],
];

/** The primary code is the low byte of the extended one. */
const sqliteCode = (error: unknown): number | undefined => {
  const { errcode } = error as { errcode?: number };
  return errcode === undefined ? undefined : errcode & 0xff;
};

/** Whether an error, or what caused it, is the machine's. */
export function isMachineFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (code === 'unavailable' || error.name === 'Unavailable' || systemFaults.includes(code)) return true;
  const ofSqlite = sqliteCode(error);
  return (ofSqlite !== undefined && sqliteFaults.includes(ofSqlite)) || isMachineFault(error.cause);
}

/** Whether another process has the database. */
export const isLocked = (error: unknown): boolean => {
  const code = error instanceof Error ? sqliteCode(error) : undefined;
  return code !== undefined && (code === busy || code === locked);
};

export function notWritten(cause: unknown): AuctionError {
  if (cause instanceof AuctionError) return cause; // it says so itself
  const why = cause instanceof Error ? cause.message : cause;
  return new AuctionError('unavailable', `the store can't write: ${why}`, [], { cause });
}

/** Run a write; what sqlite throws becomes `unavailable`. */
export function unavailable<T>(write: () => T): T {
  try {
    return write();
  } catch (cause) {
    throw notWritten(cause);
  }
}

/**
 * How long sqlite itself waits for another process's lock. It waits in the event loop, so it is short: enough for a polite neighbour
 * (a checkpoint, one small transaction), and what takes longer is asked again between turns.
 */
export const busyMs = 50;
/** How long a call waits for such a lock in all, before it hears `unavailable`. */
export const patienceMs = 5000;
/** Between two tries; others have the event loop meanwhile. */
export const betweenTriesMs = 50;

/** Do something with the database, and again while another process has it. Nothing of a try that met a lock stays. */
async function patiently<T>(step: () => T | Promise<T>): Promise<T> {
  const since = performance.now();
  for (;;) {
    try {
      return await step();
    } catch (error) {
      const isOthers = isLocked(error) || (error instanceof AuctionError && isLocked(error.cause));
      if (isOthers && performance.now() - since < patienceMs) await sleep(betweenTriesMs);
      else if (!(error instanceof AuctionError) && isMachineFault(error)) throw unusable(error);
      else throw error;
    }
  }
}

const unusable = (cause: unknown): AuctionError =>
  new AuctionError('unavailable', `the store can't be used: ${(cause as Error).message}`, [], { cause });

/** A port over the database whose every method waits for others' locks, and calls what the machine cannot do `unavailable`. */
export function patient<Port extends object>(port: Port): Port {
  const methods = Object.entries(port).map(([name, method]) => [
    name,
    (...given: unknown[]) => patiently(() => (method as (...given: unknown[]) => unknown)(...given)),
  ]);
  return Object.fromEntries(methods) as Port;
}

/** Corrupt, and no database at all. */
const damaged: readonly unknown[] = [11, 26];

/** Why a database file of the data folder cannot be used, and what helps where its bytes are not what they were. */
export function unusableFile(folder: string, file: string, cause: unknown): AuctionError {
  const why = `${file} can't be used: ${(cause as Error).message}`;
  const isDamaged = damaged.includes(sqliteCode(cause));
  const help = `. It is damaged, or of another program; nothing was changed. Put the file of before in its place, or merit restore a backup into an empty folder instead of ${folder}`;
  return new AuctionError('incompatible-data', isDamaged ? why + help : why, [], { cause });
}
