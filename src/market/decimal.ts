/**
 * Decimals on a grid: prices on ticks, powers on lots.
 *
 * JSON numbers are read as binary floating point. A decimal of up to 15 digits and its nearest double stand for each other, so a
 * double is taken as a decimal on the grid only if it is the very one that reading that decimal gives: 0.1 + 0.2 is not 0.3.
 * Nothing here has a tolerance.
 */

import assert from 'node:assert/strict';

/** Multiples of `step`, which is `numerator / scale`; `scale` is a power of ten. */
export interface Grid {
  readonly step: number;
  readonly numerator: number;
  readonly scale: number;
}

/** Grids by step: every order asks for the same few. */
const grids = new Map<number, Grid>();
const mostGrids = 1000;

/** @param step  a positive decimal, such as a tick or a lot */
export function gridOf(step: number): Grid {
  const known = grids.get(step);
  if (known !== undefined) return known;
  if (grids.size === mostGrids) grids.clear();
  const grid = newGrid(step);
  grids.set(step, grid);
  return grid;
}

function newGrid(step: number): Grid {
  assert(Number.isFinite(step) && step > 0, `a grid has a step above 0, not ${step}`);
  const [, whole, fraction = '', exponent = '0'] = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(step))!;
  const decimals = fraction.length - Number(exponent);
  const digits = Number(`${whole}${fraction}`);
  return decimals > 0
    ? { step, numerator: digits, scale: 10 ** decimals }
    : { step, numerator: digits * 10 ** -decimals, scale: 1 };
}

/** The multiple of the step that is nearest, as the double that its decimal is read as. */
export function nearestOn({ numerator, scale }: Grid, value: number): number {
  // Whole numbers below 2^53 are exact, and one division rounds once: the result is the double nearest to the decimal.
  return (Math.round((value * scale) / numerator) * numerator) / scale + 0;
}

/** How many steps make up the value, if it is one of the grid and small enough to be counted exactly; else undefined. */
export function stepsOf(grid: Grid, value: number): number | undefined {
  const steps = Math.round((value * grid.scale) / grid.numerator);
  const isExact = Math.abs(steps) * grid.numerator <= Number.MAX_SAFE_INTEGER;
  return isExact && (steps * grid.numerator) / grid.scale === value ? steps + 0 : undefined;
}

export const isOn = (grid: Grid, value: number): boolean => stepsOf(grid, value) !== undefined;
