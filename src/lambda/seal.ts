/** Seals the book of an auction whose gate is closed. The first task of the workflow; safe to run twice. */

import { sealAuction } from '../auction/steps/seal-book.ts';
import { run } from '../auction/steps/step.ts';
import { task } from '../auction/steps/task.ts';
import { deployedHouse } from './house.ts';
import { traced } from './traced.ts';

const ports = deployedHouse();
const work = task(run, sealAuction);

export const handler = traced((event: unknown) => work(ports, event));
