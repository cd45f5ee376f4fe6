/**
 * What a schedule could gain more, where each step may differ from the one before by so much only.
 *
 * The gain of each step is a concave function of what it does, made of straight pieces. Then so is the most that can be gained up to a step,
 * by what that step does: going on, its rising part moves left, its falling part moves right, and the next step's gain is
 * added. Exact, and without a solver: sorted pieces that are cut and merged.
 */

import { dust } from './tolerances.ts';

export interface Piece {
  readonly width: number;
  /** Gain per unit. */
  readonly slope: number;
}

/** A concave function on an interval: where it starts, what it is there, pieces of falling slope. */
export interface Concave {
  readonly start: number;
  readonly value: number;
  readonly pieces: readonly Piece[];
}

/** How far a step may lie above and below the one before. */
export interface Reach {
  readonly up: number;
  readonly down: number;
}

/**
 * The most that a schedule can gain.
 *
 * @param steps  gain by what the step does
 * @param reaches  on the way into each step; undefined where nothing binds it to the one before
 * @param before  what was done before the first step
 * @returns -Infinity when no schedule keeps to its bounds
 */
export function mostGain(steps: readonly Concave[], reaches: readonly (Reach | undefined)[], before?: number): number {
  let sofar: Concave | undefined = before === undefined ? undefined : { start: before, value: 0, pieces: [] };
  let done = 0;
  steps.forEach((step, t) => {
    const reach = reaches[t];
    if (sofar === undefined) sofar = step;
    else if (reach === undefined) {
      done += peakOf(sofar);
      sofar = step;
    } else sofar = sum(moved(sofar, reach), step);
  });
  return sofar === undefined ? done : done + peakOf(sofar);
}

const peakOf = ({ value, pieces }: Concave): number =>
  pieces.reduce((sum, { width, slope }) => sum + Math.max(0, width * slope), value);

/** The best of all that lies within reach: a flat piece where the peak is. */
function moved({ start, value, pieces }: Concave, { up, down }: Reach): Concave {
  const peak = pieces.findIndex(({ slope }) => slope <= 0);
  const at = peak < 0 ? pieces.length : peak;
  return { start: start - down, value, pieces: pieces.toSpliced(at, 0, { width: up + down, slope: 0 }) };
}

/** The sum of two on what they have in common. */
function sum(a: Concave, b: Concave): Concave {
  const start = Math.max(a.start, b.start);
  const end = Math.min(endOf(a), endOf(b));
  // Ends that rounding moved past each other are one point.
  if (end < start - dust(start, end)) return { start, value: Number.NEGATIVE_INFINITY, pieces: [] };
  const [one, other] = [cut(a, start, end), cut(b, start, end)];
  const pieces: Piece[] = [];
  let [i, k] = [0, 0];
  let [leftOne, leftOther] = [one.pieces[0]?.width ?? 0, other.pieces[0]?.width ?? 0];
  while (i < one.pieces.length && k < other.pieces.length) {
    const width = Math.min(leftOne, leftOther);
    if (width > 0) pieces.push({ width, slope: one.pieces[i]!.slope + other.pieces[k]!.slope });
    leftOne -= width;
    leftOther -= width;
    if (leftOne <= 0) leftOne = one.pieces[++i]?.width ?? 0;
    if (leftOther <= 0) leftOther = other.pieces[++k]?.width ?? 0;
  }
  return { start, value: one.value + other.value, pieces };
}

const endOf = ({ start, pieces }: Concave): number => pieces.reduce((end, { width }) => end + width, start);

function cut({ start, value, pieces }: Concave, from: number, to: number): Concave {
  let at = start;
  let first = value;
  const kept: Piece[] = [];
  for (const { width, slope } of pieces) {
    const skipped = Math.max(0, Math.min(width, from - at));
    first += skipped * slope;
    const left = Math.min(at + width, to) - (at + skipped);
    if (left > 0) kept.push({ width: left, slope });
    at += width;
  }
  return { start: from, value: first, pieces: kept };
}

/**
 * A gain less what rounded prices explain: `tolerance` for each unit that a step does otherwise than it did.
 *
 * Pieces are those of the gain, from `start`; `did` lies among them.
 */
export function lessRounding(gain: Concave, did: number, tolerance: number): Concave {
  let at = gain.start;
  const pieces: Piece[] = [];
  for (const { width, slope } of gain.pieces) {
    const below = Math.max(0, Math.min(width, did - at));
    if (below > 0) pieces.push({ width: below, slope: slope + tolerance });
    if (width > below) pieces.push({ width: width - below, slope: slope - tolerance });
    at += width;
  }
  const away = Math.max(0, Math.min(did, at) - gain.start);
  return { start: gain.start, value: gain.value - away * tolerance, pieces };
}
