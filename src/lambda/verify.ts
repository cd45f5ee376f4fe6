/** Checks a result before it becomes final, with nothing of the engine in it. A task of the workflow; safe to run twice. */

import { run } from '../auction/steps/step.ts';
import { task } from '../auction/steps/task.ts';
import { verifyResult } from '../auction/steps/verify-result.ts';
import { deployedHouse } from './house.ts';
import { traced } from './traced.ts';

const ports = deployedHouse();
const work = task(run, verifyResult);

export const handler = traced((event: unknown) => work(ports, event));
