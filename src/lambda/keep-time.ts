/** What the clock asks of the house; started by the schedules of `lib/clock.ts`, as often as anybody likes. */

import { keepTime } from '../auction/schedule/keep-time.ts';
import { deployedHouse } from './house.ts';
import { traced } from './traced.ts';

const ports = deployedHouse();

export const handler = traced(() => keepTime(ports));
