/**
 * Tasks of the workflow in threads beside the server (`task-thread.ts`): as many as there are processors, and at least two, so that a long
 * search keeps no other auction from its result. A thread is started when it is needed first, and stays.
 *
 * A thread that dies (out of memory, say) takes its tasks with it and nothing else: they fail, and the next task gets another one.
 */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type BirpcReturn, createBirpc } from 'birpc';
import type { Ports } from '../../../auction/ports.ts';
import type { TaskName } from '../../../auction/steps/tasks.ts';
import { AuctionError } from '../../../market/errors.ts';
import { crossing, isLong, type ServerFunctions, type ThreadData, type ThreadFunctions } from './messages.ts';

export interface TaskThreads {
  runTask(task: TaskName, input: unknown): Promise<unknown>;
  /** Give what is at work a moment to end, then end it: it goes on at the next start. */
  close(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  readonly calls: BirpcReturn<ThreadFunctions, ServerFunctions>;
  /** What it has at the moment. */
  readonly tasks: TaskName[];
}

/** Named as Lambda names it, so that the workflow tries the task again. */
class ThreadEnded extends Error {
  override readonly name = 'Runtime.ExitError';
}

const most = Math.max(2, availableParallelism());
/** Little room for what is young has it collected sooner: a thread then takes a third less memory and is as quick. */
const resourceLimits = { maxYoungGenerationSizeMb: 8 };
/** So long tasks have to end when the house closes, in ms. */
const graceMs = 1000;

/** @param ports  of the server, once they are there */
export function openTaskThreads(data: ThreadData, ports: () => Ports): TaskThreads {
  const threads = new Set<Thread>();
  const atWork = new Set<Promise<unknown>>();
  let closed = false;

  function startThread(): Thread {
    const worker = new Worker(new URL('task-thread.ts', import.meta.url), { workerData: data, resourceLimits });
    const calls = createBirpc<ThreadFunctions, ServerFunctions>(
      { callPort: async (port, method, args) => callable(ports()[port])[method]!(...args) },
      { ...crossing, post: (message) => worker.postMessage(message), on: (take) => worker.on('message', take) },
    );
    const thread: Thread = { worker, calls, tasks: [] };
    threads.add(thread);
    worker.on('error', (error) =>
      end(thread, new ThreadEnded(`a thread of the server died: ${(error as Error).message}`)),
    );
    worker.on('exit', (code) => end(thread, new ThreadEnded(`a thread of the server ended with ${code}`)));
    return thread;
  }

  function end(thread: Thread, why: Error): void {
    if (threads.delete(thread)) thread.calls.$close(why);
  }

  /** The one with the least work that no long task holds, or a new one, or the one with the least of all. */
  function pick(): Thread {
    const byWork = [...threads].sort((a, b) => a.tasks.length - b.tasks.length);
    const free = byWork.find(({ tasks }) => !tasks.some((task) => isLong[task]));
    return free ?? (threads.size < most ? startThread() : byWork[0]!);
  }

  return {
    async runTask(task, input) {
      if (closed) throw new AuctionError('unavailable', 'the house is closing');
      const thread = pick();
      thread.tasks.push(task);
      const done = thread.calls.runTask(task, input, ports().clock.now().getTime());
      atWork.add(done);
      try {
        return await done;
      } finally {
        atWork.delete(done);
        thread.tasks.splice(thread.tasks.indexOf(task), 1);
      }
    },
    async close() {
      closed = true;
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([Promise.allSettled(atWork), grace]);
      clearTimeout(timer);
      await Promise.all(
        [...threads].map(async (thread) => {
          end(thread, new AuctionError('unavailable', 'the house is closing'));
          await thread.worker.terminate();
        }),
      );
    },
  };
}

const callable = (port: object) => port as Record<string, (...args: readonly unknown[]) => unknown>;
