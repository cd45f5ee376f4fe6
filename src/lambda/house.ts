/** The deployed house: every port over AWS, made once per container. */

import { awsPorts } from '../adapters/aws/ports.ts';
import type { Ports } from '../auction/ports.ts';
import { readEnvironment } from './environment.ts';
import { deployedMarkets } from './markets.ts';
import { meter } from './meter.ts';

export const deployedHouse = (): Ports => awsPorts(readEnvironment(process.env), deployedMarkets(), { meter });
