/** Keeps the house ticking: calls `keepTime()` whenever something is due. */

import type { Ports } from '../../auction/ports.ts';
import { type Failure, KeepTimeError, keepTime } from '../../auction/schedule/keep-time.ts';
import type { WatchedClock } from './clock.ts';
import { errorEntry, type Log, logToStderr } from './log.ts';

/**
 * The longest it sleeps, in ms. Not until the next due instant alone: auctions are made on request meanwhile, clocks get
 * stepped, and machines sleep. (It also keeps far away from where setTimeout's range ends.)
 */
const longest = 1000;
/** The shortest, so that an instant that cannot be dealt with makes no busy loop. */
const shortest = 5;

/** In ms: what fails for long is told as often as this. */
const rarest = 600_000;

export interface Timekeeper {
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** @param clock  of the ports, where it is watched: while it is off nothing is opened, closed, called off or planned */
export function startTimekeeper(ports: Ports, log: Log = logToStderr, clock?: WatchedClock): Timekeeper {
  const isOff = clockWatch(ports, log, clock);
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let tick = Promise.resolve();
  const troubles = new Troubles(log);

  async function look(): Promise<void> {
    let sleep = longest;
    try {
      const nextAt = await keep();
      if (nextAt !== undefined) {
        const left = Date.parse(nextAt) - ports.clock.now().getTime();
        sleep = Math.min(longest, Math.max(shortest, left));
      }
    } catch (error) {
      troubles.told([{ of: 'the house', error }]);
    }
    if (stopped) return;
    timer = setTimeout(() => {
      tick = look();
    }, sleep);
  }

  async function keep(): Promise<string | undefined> {
    try {
      if (isOff()) return undefined;
      const { nextAt } = await keepTime(clock ? { ...ports, clock: clock.gates } : ports);
      troubles.told([]);
      return nextAt;
    } catch (error) {
      if (!(error instanceof KeepTimeError)) throw error;
      troubles.told(error.failures);
      return error.nextAt;
    }
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

/** Looks at the clock; it says when it has jumped, and when it is back. */
function clockWatch({ meter }: Ports, log: Log, clock: WatchedClock | undefined): () => boolean {
  let since: string | undefined;
  return () => {
    const fault = clock?.fault();
    if (fault !== undefined && since === undefined) log({ event: 'clock-jumped', ...fault });
    if (fault === undefined && since !== undefined) log({ event: 'clock-back', since });
    since = fault?.since;
    meter.record('clock_jump_seconds', Math.abs(fault?.seconds ?? 0));
    return fault !== undefined;
  };
}

/** What fails is tried at each tick, and told at first, after a second, after two, four and so on, and when it is over. */
class Troubles {
  readonly #log: Log;
  readonly #known = new Map<string, { readonly since: number; times: number; nextAt: number }>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** All that failed in one tick. */
  told(failures: readonly Failure[]): void {
    const now = performance.now();
    for (const { of, error } of failures) {
      const trouble = this.#known.get(of) ?? { since: now, times: 0, nextAt: now };
      this.#known.set(of, trouble);
      trouble.times++;
      if (now < trouble.nextAt) continue;
      trouble.nextAt = now + Math.min(rarest, Math.max(longest, now - trouble.since));
      this.#log({ event: 'timekeeping-failed', of, times: trouble.times, error: errorEntry(error) });
    }
    const failing = new Set(failures.map(({ of }) => of));
    for (const [of, { since, times }] of this.#known) {
      if (failing.has(of)) continue;
      this.#known.delete(of);
      this.#log({ event: 'timekeeping-goes-on', of, times, seconds: Math.round(now - since) / 1000 });
    }
  }
}
