/**
 * Clears a sealed book: `results: false` until there is a result. A task of the workflow; safe to run twice.
 *
 * Whoever calls it without a run is not the workflow and only asks whether there are results.
 */

import { askResults, question } from '../auction/intake/ask-results.ts';
import { clearAuction, clearInput } from '../auction/steps/clear-auction.ts';
import { task } from '../auction/steps/task.ts';
import { deployedHouse } from './house.ts';
import { traced } from './traced.ts';

const ports = deployedHouse();
const clear = task(clearInput, clearAuction);
const ask = task(question, askResults);

export const handler = traced((event: object) => ('run' in event ? clear : ask)(ports, event));
