/** Tries a step again for as long as its cause lasts, with growing pauses, and says so once: when it begins and when it is over. */

import { setTimeout as sleep } from 'node:timers/promises';
import { errorEntry, type Log } from './log.ts';

export interface Persistence {
  readonly log: Log;
  /** What waits, as the log calls it. */
  readonly what: string;
  /** Ends the trying: the last error is thrown. */
  readonly stop: AbortSignal;
  /** Other errors than these are thrown at once; without it every error is waited out. */
  readonly passes?: (error: unknown) => boolean;
  /** Told of every try that failed, the first is 1. */
  readonly onFailure?: (error: unknown, attempt: number) => void;
  /** Each pause is twice the one before. */
  readonly firstMs?: number;
  readonly mostMs?: number;
}

export async function persistently<T>(step: () => T | Promise<T>, options: Persistence): Promise<T> {
  const { log, what, stop, passes = () => true, onFailure, firstMs = 250, mostMs = 5000 } = options;
  const since = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      const value = await step();
      if (attempt > 1) log({ event: 'goes-on', what, seconds: Math.round(performance.now() - since) / 1000, attempt });
      return value;
    } catch (error) {
      if (stop.aborted || !passes(error)) throw error;
      onFailure?.(error, attempt);
      if (attempt === 1) log({ event: 'waits', what, error: errorEntry(error) });
      // Cut by `stop` it tries once more, and then throws.
      await sleep(Math.min(mostMs, firstMs * 2 ** (attempt - 1)), undefined, { signal: stop }).catch(() => undefined);
    }
  }
}
