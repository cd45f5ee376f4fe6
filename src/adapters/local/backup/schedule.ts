/** Backups at an interval while the house serves, each in a thread of its own: copying and checking take nothing from the others. */

import { Worker } from 'node:worker_threads';
import type { Clock } from '../../../auction/ports.ts';
import { errorEntry, type Log } from '../log.ts';
import { backupsIn, timeOf } from './backup.ts';
import type { BackupOrder, BackupReport } from './worker.ts';

export interface ScheduledBackups {
  readonly data: string;
  readonly to: string;
  readonly everyMinutes: number;
  readonly keep: number;
  readonly clock: Clock;
  readonly log: Log;
  /** How often it is looked whether one is due, in ms. */
  readonly lookEveryMs?: number;
}

/** After one that failed. */
const pauseMinutes = 10;

export interface Backups {
  /** When the last good one was made, in ms since 1970, as the last look found it; where there is none, when the house began. */
  newest(): number;
  stop(): Promise<void>;
}

/** The first is made at once, unless there is one that is young enough. */
export function startBackups(options: ScheduledBackups): Backups {
  const { data, to, everyMinutes, keep, clock, log, lookEveryMs = 20_000 } = options;
  let last = clock.now().getTime();
  let worker: Worker | undefined;
  let notBefore = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const now = clock.now();
    // One that is said to be of the future was made before the clock was set back.
    const newest = (await backupsIn(to)).map(timeOf).find((time) => time <= now.getTime());
    if (newest !== undefined) last = newest;
    const isYoung = newest !== undefined && now.getTime() - newest < everyMinutes * 60_000;
    if (stopped || isYoung || now.getTime() < notBefore) return;
    const began = performance.now();
    try {
      const { folder, deleted } = await inThread({ data, to, keep, now });
      last = now.getTime();
      log({ event: 'backup-made', folder, deleted, milliseconds: Math.round(performance.now() - began) });
    } catch (error) {
      if (stopped) return;
      notBefore = now.getTime() + Math.min(pauseMinutes, everyMinutes) * 60_000;
      log({ event: 'backup-failed', to, error: errorEntry(error) });
    }
  }

  function inThread(order: BackupOrder): Promise<Extract<BackupReport, { done: true }>> {
    return new Promise((resolve, reject) => {
      worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: order });
      worker.once('message', (report: BackupReport) =>
        report.done ? resolve(report) : reject(new Error(report.error)),
      );
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the thread ended without a word'))); // no more than a word too late
    });
  }

  const tick = (): void => {
    looking ??= look()
      .catch((error: unknown) => log({ event: 'backup-failed', to, error: errorEntry(error) }))
      .finally(() => {
        looking = undefined;
      });
  };
  const timer = setInterval(tick, lookEveryMs).unref();
  tick();

  return {
    newest: () => last,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await worker?.terminate();
      await looking;
    },
  };
}
