/** Looks for the orders without which a failed auction would clear. A task of the workflow; safe to run twice. */

import { diagnoseFailure } from '../auction/steps/diagnose.ts';
import { run } from '../auction/steps/step.ts';
import { task } from '../auction/steps/task.ts';
import { deployedHouse } from './house.ts';
import { traced } from './traced.ts';

const ports = deployedHouse();
const work = task(run, diagnoseFailure);

export const handler = traced((event: unknown) => work(ports, event));
