/** Keeps the house ticking: calls `keepTime()` whenever something is due. */

import { keepTime } from '../../auction/keep-time.ts';
import type { Ports } from '../../auction/ports.ts';
import { errorEntry, type Log, logToStderr } from './log.ts';

/**
 * The longest it sleeps, in ms. Not until the next due instant alone: auctions are made on request meanwhile, clocks get
 * stepped, and machines sleep. (It also keeps far away from where setTimeout's range ends.)
 */
const longest = 1000;
/** The shortest, so that an instant that cannot be dealt with makes no busy loop. */
const shortest = 5;

export interface Timekeeper {
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

export function startTimekeeper(ports: Ports, log: Log = logToStderr): Timekeeper {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let tick = Promise.resolve();

  async function look(): Promise<void> {
    let sleep = longest;
    try {
      const { nextAt } = await keepTime(ports);
      if (nextAt !== undefined) {
        const left = Date.parse(nextAt) - ports.clock.now().getTime();
        sleep = Math.min(longest, Math.max(shortest, left));
      }
    } catch (error) {
      for (const each of error instanceof AggregateError ? error.errors : [error])
        log({ event: 'timekeeping-failed', error: errorEntry(each) });
    }
    if (stopped) return;
    timer = setTimeout(() => {
      tick = look();
    }, sleep);
  }

  tick = look();
  return {
    async stop() {
      stopped = true;
      await tick;
      clearTimeout(timer);
    },
  };
}
