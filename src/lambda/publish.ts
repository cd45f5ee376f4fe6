/** Sets an auction settled and says so. The last task of the workflow; safe to run twice. */

import { publish } from '../auction/steps/publish.ts';
import { run } from '../auction/steps/step.ts';
import { task } from '../auction/steps/task.ts';
import { deployedHouse } from './house.ts';
import { traced } from './traced.ts';

const ports = deployedHouse();
const work = task(run, publish);

export const handler = traced((event: unknown) => work(ports, event));
