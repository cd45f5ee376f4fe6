/**
 * How far the house has come, kept beside the database: `heads.log`.
 *
 * For each auction the revision and hash of its record, and the last entry of its intake with its running hash. A line is written
 * after the disk has the database's commit and before anybody is answered (`durability.ts`), so the database is never behind it, unless what
 * was acknowledged is gone: its write-ahead log was deleted or cut, or an older copy was put in its place. That the database is ahead is
 * normal.
 *
 * Lines are not synced one by one: the page cache survives the process, and a database that is cut and a machine that loses its power
 * within the same second are two accidents. They are synced once a second beside the event loop, which costs the intake nothing.
 *
 * Each line is JSON with a digest of it, so that damage here is not taken for damage of the database. The last one of an auction counts;
 * the file is written anew when most of it is old.
 */

import { hash as digestOf } from 'node:crypto';
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { chainStart } from '../../book/intake.ts';
import { notWritten } from './unavailable.ts';

export interface Head {
  /** Counts the changes of the auction's record, from 1. */
  readonly revision: number;
  /** Hash of the record in that revision. */
  readonly record: string;
  /** Of the last entry of the intake; 0 before the first. */
  readonly sequence: number;
  readonly hash: string;
  /** Its orders may be deleted by now, for their time is over. */
  readonly expired?: true;
  /** All of it may be deleted: enough others have been held after it (`retention.ts`). */
  readonly forgotten?: true;
}

export interface HeadsFile {
  readonly heads: ReadonlyMap<string, Head>;
  /** Lines that are damaged, by number from 1. What no whole line follows is none: a crash or a loss of power has cut it. */
  readonly damaged: readonly number[];
  readonly bytes: number;
}

export interface Heads {
  /** As the database has it, on the disk or not yet. */
  get(auction: string): Head;
  /** Take note of what was committed. */
  set(auction: string, change: Partial<Head>): void;
  /** What was noted and is not written yet: whoever takes it writes it once the disk has the commits, or puts it back. */
  take(): ReadonlyMap<string, Head>;
  putBack(taken: ReadonlyMap<string, Head>): void;
  /** @throws AuctionError `unavailable` */
  write(taken: ReadonlyMap<string, Head>): void;
  /** Write this at once and have it on the disk: it is said before it is done. @throws AuctionError `unavailable` */
  say(auction: string, change: Partial<Head>): void;
  /** Whose file is open, to see whether it is still the one that the folder has. */
  readonly inode: () => number | undefined;
  close(): void;
}

export const headsName = 'heads.log';

/** The file is written anew beyond this size, if the last lines alone are less than half. */
const largestBytes = 1_000_000;
const syncEveryMs = 1000;

const lineOf = (auction: string, head: Head): string => {
  const json = JSON.stringify({ auction, ...head });
  return `${checkOf(json)} ${json}\n`;
};
const checkOf = (json: string): string => digestOf('sha256', json, 'hex').slice(0, 16);
const noHead = (auction: string): Head => ({ revision: 0, record: '', sequence: 0, hash: chainStart(auction) });

/** What the file says; undefined when there is none. */
export function readHeads(folder: string): HeadsFile | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, headsName), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const lines = text.split('\n');
  lines.pop(); // what follows the last line feed: nothing, or a line that was cut
  const heads = new Map<string, Head>();
  const damaged: number[] = [];
  let whole = 0;
  for (const [index, line] of lines.entries()) {
    const json = line.slice(17);
    if (line[16] !== ' ' || line.slice(0, 16) !== checkOf(json)) damaged.push(index + 1);
    else {
      const { auction, ...head } = JSON.parse(json) as Head & { auction: string };
      heads.set(auction, head);
      whole = index;
    }
  }
  return { heads, damaged: damaged.filter((line) => line <= whole), bytes: Buffer.byteLength(text) };
}

/** The file, written whole under another name first. @returns its size */
export function writeHeads(folder: string, heads: ReadonlyMap<string, Head>): number {
  const file = join(folder, headsName);
  const text = [...heads].map(([auction, head]) => lineOf(auction, head)).join('');
  const fd = openSync(`${file}.new`, 'w', 0o600);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${file}.new`, file);
  const parent = openSync(dirname(file), 'r');
  fsyncSync(parent);
  closeSync(parent);
  return Buffer.byteLength(text);
}

/** @param folder  the data folder, or nothing for heads in memory alone */
export function openHeads(folder: string | undefined, known: ReadonlyMap<string, Head>): Heads {
  const heads = new Map(known);
  /** What the file has: never more than the disk has of the database. */
  const written = new Map(known);
  const waiting = new Set<string>();
  let file: { fd: number; bytes: number } | undefined;
  let sync: NodeJS.Timeout | undefined;

  const compact = (folder: string): number => {
    const bytes = writeHeads(folder, written);
    if (file !== undefined) closeSync(file.fd);
    file = { fd: openSync(join(folder, headsName), 'r+'), bytes };
    return bytes;
  };
  let compacted = folder === undefined ? 0 : compact(folder);

  /** At a place of its own: what a full disk left of a line is written over. */
  const append = (open: { fd: number; bytes: number }, taken: ReadonlyMap<string, Head>): void => {
    const bytes = Buffer.from([...taken].map(([auction, head]) => lineOf(auction, head)).join(''));
    const count = writeSync(open.fd, bytes, 0, bytes.length, open.bytes);
    if (count < bytes.length) throw new Error(`${headsName}: ${count} of ${bytes.length} bytes were written`);
    open.bytes += count;
    // A sync that fails tells nobody: it guards against the loss of power alone, and the next one syncs the same.
    sync ??= setTimeout(() => {
      sync = undefined;
      if (file !== undefined) fdatasync(file.fd, () => undefined);
    }, syncEveryMs).unref();
  };

  const write = (taken: ReadonlyMap<string, Head>): void => {
    if (taken.size === 0) return;
    try {
      for (const [auction, head] of taken) written.set(auction, head);
      if (file === undefined) return;
      if (file.bytes > Math.max(largestBytes, 2 * compacted)) compacted = compact(folder!);
      else append(file, taken);
    } catch (cause) {
      throw notWritten(cause);
    }
  };

  return {
    get: (auction) => heads.get(auction) ?? noHead(auction),
    set(auction, change) {
      heads.set(auction, { ...(heads.get(auction) ?? noHead(auction)), ...change });
      waiting.add(auction);
    },
    take() {
      const taken = new Map([...waiting].map((auction) => [auction, heads.get(auction)!]));
      waiting.clear();
      return taken;
    },
    putBack(taken) {
      for (const auction of taken.keys()) waiting.add(auction);
    },
    write,
    say(auction, change) {
      heads.set(auction, { ...(heads.get(auction) ?? noHead(auction)), ...change });
      write(new Map([[auction, { ...(written.get(auction) ?? noHead(auction)), ...change }]]));
      try {
        if (file !== undefined) fdatasyncSync(file.fd);
      } catch (cause) {
        throw notWritten(cause);
      }
    },
    inode: () => file && fstatSync(file.fd).ino,
    close() {
      clearTimeout(sync);
      if (file === undefined) return;
      fdatasyncSync(file.fd);
      closeSync(file.fd);
      file = undefined;
    },
  };
}
