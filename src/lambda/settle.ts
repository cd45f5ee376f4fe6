/**
 * Settles a page of outcomes. A task of the workflow, many at a time; safe to run twice.
 *
 * A single order, told by its status, is settled too: kept if it was accepted, an error if it was not.
 */

import { settleOrder, singleOrder } from '../auction/steps/settle-order.ts';
import { settlePage, settlePageInput } from '../auction/steps/settle-page.ts';
import { task } from '../auction/steps/task.ts';
import { deployedHouse } from './house.ts';
import { traced } from './traced.ts';

const ports = deployedHouse();
const page = task(settlePageInput, settlePage);
const single = task(singleOrder, settleOrder);

export const handler = traced((event: object) => ('status' in event ? single : page)(ports, event));
