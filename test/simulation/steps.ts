/** A step of the workflow, which may be done twice, and may have no results yet. */

import type { Ports } from '../../src/auction/ports.ts';
import { type TaskName, tasks } from '../../src/auction/steps/tasks.ts';
import type { Faults } from './faults.ts';

/** @param open  who does it: another one for the second time, where each has its own */
export async function runStep(faults: Faults, open: () => Ports, task: TaskName, input: unknown): Promise<unknown> {
  if (faults.happens('step-twice')) tasks[task](open(), input).catch(() => undefined);
  if (task === 'Clear' && faults.happens('late-results')) return { results: false, retryAfterSeconds: 1 };
  return tasks[task](open(), input);
}
