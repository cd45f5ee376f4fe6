/**
 * Runs the tasks of the workflow in process: so many at one time, each try within the time that the workflow file gives it.
 *
 * What the machine cannot do (full disk, lock, lost archive) is no fault of the auction: such a task is tried again for as long as that
 * lasts, however often `Retry` in the file would. Only the time of a try counts, not the time of waiting.
 */

import definition from '../../../workflow/auction.asl.json' with { type: 'json' };
import type { TaskName } from '../../auction/steps/tasks.ts';
import { AuctionError } from '../../market/errors.ts';
import { limiter } from '../limiter.ts';
import { errorEntry, type Log } from './log.ts';
import { persistently } from './persistently.ts';
import { isMachineFault } from './unavailable.ts';

export interface TaskRunnerOptions {
  readonly runTask: (task: TaskName, input: unknown) => Promise<unknown>;
  readonly log: Log;
  readonly closing: AbortSignal;
  /** Milliseconds before a task is tried the second time, by its name. */
  readonly waits: Readonly<Record<string, number>>;
}

/** Tasks at work at one time; executions that only wait cost nothing and are not limited. */
const tasksAtOnce = 4;
/** Between tries: a search or a seal is work of its own, so the pauses grow. */
const pauses = { firstMs: 500, mostMs: 15_000 };

/** Seconds of one try, by the name of the task. */
const timeouts = new Map<string, number>();
JSON.stringify(definition, (name, value) => {
  if (value?.Type === 'Task') timeouts.set(name, value.TimeoutSeconds);
  return value as unknown;
});

export function taskRunner({ runTask, log, closing, waits }: TaskRunnerOptions) {
  const limit = limiter(tasksAtOnce);
  const atWork = new Set<Promise<unknown>>();

  const attempt = (name: TaskName, input: unknown): Promise<unknown> =>
    limit(() => {
      // The library tries once more after it was told to stop.
      if (closing.aborted) throw new AuctionError('unavailable', 'the house is closing');
      const task = runTask(name, input);
      atWork.add(task);
      return within(timeouts.get(name)!, task).finally(() => atWork.delete(task));
    });

  return {
    /** @param onWait  told once, when the machine is in the way */
    async run(execution: string, name: TaskName, input: unknown, onWait: (cause: string) => void): Promise<unknown> {
      try {
        return await persistently(() => attempt(name, input), {
          log,
          what: `${name} of execution ${execution}`,
          stop: closing,
          passes: isMachineFault,
          onFailure: (error, count) => {
            if (count === 1) onWait((error as Error).message);
          },
          ...pauses,
          ...(name in waits && { firstMs: waits[name]! }),
        });
      } catch (error) {
        if (!closing.aborted) log({ event: 'task-failed', execution, task: name, error: errorEntry(error) });
        throw plain(error);
      }
    },
    /** Resolves when nothing is at work. */
    rest: () => Promise.allSettled(atWork),
  };
}

async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(Object.assign(new Error(`it took longer than ${seconds} s`), { name: 'States.Timeout' }));
  }, seconds * 1000);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Name and message are all that crosses to the workflow, in the cloud too. */
function plain(error: unknown): Error {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return Object.assign(new Error(message), { name });
}
