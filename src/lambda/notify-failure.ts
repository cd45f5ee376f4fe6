/** Sets an auction failed and tells the operator. Where every failed task of the workflow leads; safe to run twice. */

import { notifyFailure, notifyFailureInput } from '../auction/steps/notify-failure.ts';
import { task } from '../auction/steps/task.ts';
import { deployedHouse } from './house.ts';
import { traced } from './traced.ts';

const ports = deployedHouse();
const work = task(notifyFailureInput, notifyFailure);

export const handler = traced((event: unknown) => work(ports, event));
