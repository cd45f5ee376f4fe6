/**
 * Copies the write-ahead log into the database in a thread, since that waits for the disk several times; left to itself SQLite does it in
 * the commit that makes the log a thousand pages long, in the event loop.
 *
 * The log begins at its front again once all of it is copied. Where somebody always writes, the thread is never quite done; so from some
 * length on what it has left, little, is copied here.
 */

import { once } from 'node:events';
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { Durability } from './durability.ts';
import { errorEntry, type Log } from './log.ts';

export interface CheckpointsOptions {
  readonly database: DatabaseSync;
  readonly file: string;
  readonly durability: Durability;
  readonly log: Log;
  /** Pages that are copied together. */
  readonly pages?: number;
}

/** Of a log that is so many times longer than what is copied together the rest is copied in the event loop. */
const tooLong = 8;
/** From a sync to the look at how long the log is, one for all syncs in between: it costs as much as the receipts of an order. */
const lookMs = 20;
/** After one that failed: the disk is full, say. */
const pauseMs = 1000;

interface State {
  /** Pages of the log, and those of them that the database has. */
  readonly log: number;
  readonly checkpointed: number;
}

/** @returns what ends it; SQLite goes on by itself then */
export function startCheckpoints(options: CheckpointsOptions): { close(): Promise<void> } {
  const { database, file, durability, log, pages = 1000 } = options;
  const look = database.prepare('PRAGMA wal_checkpoint(NOOP)');
  const copyHere = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  const byItself = (every: number) => database.exec(`PRAGMA wal_autocheckpoint = ${every}`);
  let worker: Worker | undefined;
  let isAtWork = false;
  let notBefore = 0;
  let looking: NodeJS.Timeout | undefined;

  function start(): Worker {
    const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };
    const url = new URL('threads/checkpoint-thread.ts', import.meta.url);
    const started = new Worker(url, { workerData: file, resourceLimits });
    started.on('message', ({ error }: { error?: string }) => over(error));
    started.on('error', (error) => {
      worker = undefined;
      over(errorEntry(error));
    });
    return started;
  }

  function over(error: unknown): void {
    isAtWork = false;
    if (error !== undefined) {
      failed(error);
      return;
    }
    try {
      const { log: all, checkpointed } = state();
      if (all > tooLong * pages && checkpointed < all) copyHere.get();
    } catch (fault) {
      failed(errorEntry(fault));
    }
  }

  /** The log grows meanwhile, and where it cannot, writes say so. */
  function failed(error: unknown): void {
    notBefore = performance.now() + pauseMs;
    log({ event: 'checkpoint-failed', error });
  }

  const state = () => look.get() as unknown as State;

  const copyIfLong = (): void => {
    looking = undefined;
    if (isAtWork || performance.now() < notBefore) return;
    try {
      const { log: all, checkpointed } = state();
      if (all - checkpointed < pages) return;
    } catch (fault) {
      failed(errorEntry(fault));
      return;
    }
    isAtWork = true;
    worker ??= start();
    worker.postMessage('copy');
  };

  durability.onSynced = () => {
    looking ??= setTimeout(copyIfLong, lookMs).unref();
  };
  byItself(0);
  return {
    async close() {
      durability.onSynced = () => undefined;
      clearTimeout(looking);
      byItself(1000);
      if (worker === undefined) return;
      const ended = once(worker, 'exit');
      worker.postMessage('end');
      await ended;
    },
  };
}
