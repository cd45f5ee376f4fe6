/** The deployed house: every port over AWS, made once per container. */

import { awsPorts } from '../adapters/aws/ports.ts';
import type { Ports } from '../auction/ports.ts';
import { readEnvironment } from './environment.ts';
import { deployedMarkets } from './markets.ts';
import { meter } from './meter.ts';

/** A function lives for 890 s at most (`lib/functions.ts`); what is left after the search is for reading and writing. */
const longestSearchMs = 600_000;

export const deployedHouse = (): Ports => ({
  ...awsPorts(readEnvironment(process.env), deployedMarkets(), { meter }),
  longestSearchMs,
});
