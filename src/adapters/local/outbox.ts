/**
 * A loop that hands over what is due and writes down what became of it, until it is closed.
 *
 * It goes in portions: some are handed over, what became of them is written in one transaction, others have the event loop, and so on. While
 * the database cannot be written (full disk, lock) the outcomes wait, and nothing more is handed over.
 */

import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../auction/ports.ts';
import type { Durability } from './durability.ts';
import { errorEntry, type Log } from './log.ts';
import { persistently } from './persistently.ts';

export interface OutboxOptions<Due, Outcome> {
  /** What goes out, as the log calls it. */
  readonly what: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly durability: Durability;
  readonly stop: AbortSignal;
  /** A portion of what is due now (milliseconds since 1970). */
  readonly due: (now: number) => readonly Due[];
  /** When something that waits is due. */
  readonly next: () => number | undefined;
  /** `undefined` where it was cut by `stop`. It does not throw. */
  readonly deliver: (due: Due) => Promise<Outcome | undefined>;
  /** In one transaction. */
  readonly write: (outcomes: readonly Outcome[]) => void;
}

export interface Outbox {
  /** There is news. */
  wake(): void;
  /** Resolves when the loop has ended; `stop` first. */
  readonly ended: Promise<void>;
}

/** The longest sleep: clocks get stepped. */
const longestMs = 60_000;

export function startOutbox<Due, Outcome>(options: OutboxOptions<Due, Outcome>): Outbox {
  const { what, clock, log, durability, stop, due, next, deliver, write } = options;
  const wait = (step: string) => ({ log, what: step, stop });
  let woken = Promise.withResolvers<void>();

  /** Until there is news, or something that was put off is due. */
  const sleep = async (): Promise<void> => {
    const at = await persistently(next, wait(`the look for the next of the ${what}`));
    const left = at === undefined ? longestMs : Math.min(Math.max(at - clock.now().getTime(), 1), longestMs);
    const timer = setTimeout(() => woken.resolve(), left);
    await woken.promise;
    clearTimeout(timer);
  };

  const run = async (): Promise<void> => {
    while (!stop.aborted) {
      woken = Promise.withResolvers<void>();
      const some = await persistently(() => due(clock.now().getTime()), wait(`the look for ${what}`));
      if (some.length === 0) {
        await sleep();
        continue;
      }
      await durability.settled(); // what goes out is there after a loss of power too
      const outcomes = await Promise.all(some.map(deliver));
      const ended = outcomes.filter((outcome) => outcome !== undefined);
      const record = async () => {
        write(ended);
        await durability.synced();
      };
      await persistently(record, wait(`the record of delivered ${what}`));
      await turn();
    }
  };
  stop.addEventListener('abort', () => woken.resolve(), { once: true });
  // It ends by `stop`, perhaps in the middle of waiting for room: what it had to write is delivered again at the next start.
  const ended = run().catch((error: unknown) => log({ event: `${what}-held`, error: errorEntry(error) }));
  return { wake: () => woken.resolve(), ended };
}
