/**
 * When what was committed is on the disk, without the event loop waiting for it.
 *
 * A commit writes to the write-ahead log and returns (`synchronous = NORMAL`: SQLite itself syncs that log only before it copies it into
 * the database). Whoever promises something waits here for a sync of the log, which runs beside the event loop; all that wait at the same
 * time wait for the same one. The log is written from front to back and read up to its first gap, so a sync covers every commit before
 * it, and none outlives one that it stands on.
 *
 * What the process has written survives the process. So all of this is about the loss of power alone.
 */

import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { AuctionError } from '../../market/errors.ts';
import type { Heads } from './heads.ts';
import { notWritten } from './unavailable.ts';

export interface Durability {
  /** Resolves when all that is committed by now is on the disk, and the heads say so. @throws AuctionError `unavailable` */
  synced(): Promise<void>;
  /** Resolves when all is over that others wait for by now, however it ended; at once where nobody waits. */
  settled(): Promise<void>;
  /** Something was committed that nobody waits for: it is synced within a second. */
  later(): void;
  /** Called after each sync; what it throws goes to those who waited. */
  onSynced: () => void;
  /** Sync what there is. A promise only if the disk is at work. */
  close(): Promise<void> | undefined;
}

/** The file that is synced. */
export interface Log {
  sync(): Promise<void>;
  /** The same while a house starts, when the event loop may wait for it. */
  syncNow(): void;
  /** Called instead after a sync that failed: the system may take what it could not write for written. */
  repair(): void;
  /** The last sync; the event loop may wait for it. */
  close(): void;
}

const laterMs = 1000;

export function openDurability(log: Log, heads: Heads): Durability {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isTorn = false;
  let isClosed = false;

  const sync = async (): Promise<void> => {
    const taken = heads.take();
    try {
      if (isTorn) log.repair();
      else await log.sync();
      isTorn = false;
      heads.write(taken);
    } catch (cause) {
      heads.putBack(taken);
      isTorn ||= !(cause instanceof AuctionError); // those are of the heads
      throw notWritten(cause);
    }
    durability.onSynced();
  };

  const begin = (): Promise<void> => {
    next = undefined;
    const mine = sync();
    running = mine;
    // First of all that wait for it: the next one begins after this.
    const over = () => {
      running = undefined;
    };
    mine.then(over, over);
    return mine;
  };

  const close = (): undefined => {
    const taken = heads.take();
    try {
      log.close();
      heads.write(taken);
    } catch {
      // Whoever was promised anything has been told before.
    }
  };

  const durability: Durability = {
    synced() {
      if (isClosed) return Promise.reject(new AuctionError('unavailable', 'the house is closing'));
      if (next !== undefined) return next;
      if (running === undefined) return begin();
      next = running.then(begin, begin); // what was committed after its begin is not covered by it
      return next;
    },
    async settled() {
      await (next ?? running)?.catch(() => undefined);
    },
    later() {
      timer ??= setTimeout(() => {
        timer = undefined;
        durability.synced().catch(() => undefined);
      }, laterMs).unref();
    },
    onSynced: () => undefined,
    close() {
      isClosed = true;
      clearTimeout(timer);
      return running === undefined ? close() : durability.settled().then(close);
    },
  };
  return durability;
}

/** The write-ahead log of a database. */
export function writeAheadLog(database: DatabaseSync, file: string): Log {
  const fd = openSync(`${file}-wal`, 'r+');
  const sync = promisify(fdatasync);
  return {
    sync: () => sync(fd),
    syncNow: () => fdatasyncSync(fd),
    /** All of it into the database, which SQLite syncs. */
    repair() {
      const { busy } = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
      if (busy !== 0) throw new Error('a sync has failed, and the database is busy');
    },
    close() {
      try {
        fdatasyncSync(fd);
      } finally {
        closeSync(fd);
      }
    },
  };
}

/** Of a database in memory there is nothing to wait for. */
export const noLog: Log = {
  sync: async () => undefined,
  syncNow: () => undefined,
  repair: () => undefined,
  close: () => undefined,
};
