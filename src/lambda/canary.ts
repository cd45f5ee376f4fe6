/** Holds a canary auction in the default market; started by the rule of `lib/canary.ts`. A rule that fires twice holds one. */

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { holdCanary } from '../auction/schedule/hold-canary.ts';
import { deployedHouse } from './house.ts';
import { traced } from './traced.ts';

const ports = deployedHouse();
/** The function lives for 290 s (`lib/functions.ts`). */
const seconds = 240;

/** Of EventBridge; what else is in it does not matter here. */
const tick = z.object({ time: z.iso.datetime() });

export const handler = traced((event: unknown) => {
  const [market] = ports.markets.keys();
  assert(market !== undefined, 'the house has no market');
  const id = `canary-${tick
    .parse(event)
    .time.slice(0, 16)
    .replaceAll(/[^0-9]/g, '')}`;
  return holdCanary(ports, { id, market, seconds, pause });
});
