/** The wait before something is tried again: longer each time, and never the same for two that met. */

import { setTimeout as sleep } from 'node:timers/promises';

const firstMs = 20;
const mostMs = 1000;

/** @param attempt  how often it was tried already, from 0 */
export const pause = (attempt: number): Promise<void> =>
  sleep(Math.ceil(Math.random() * Math.min(mostMs, firstMs * 2 ** attempt)));
