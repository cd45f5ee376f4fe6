/** The markets of the deployed house, the default one first: they lie beside the function, checked when the stack was made. */

import { readFileSync } from 'node:fs';
import type { Market } from '../market/market.ts';

export const deployedMarkets = (): Market[] =>
  JSON.parse(readFileSync(new URL('markets.json', import.meta.url), 'utf8')) as Market[];
