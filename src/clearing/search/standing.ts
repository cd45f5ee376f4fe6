/** Where a search stands, and what it hands on: its branches, its best answer, what it has spent. */

import type { ProofGroup } from '../../market/proof.ts';
import type { Part } from '../model/problem.ts';
import type { Answer, Bounds } from '../relaxation/master.ts';
import type { Made } from './made.ts';

/** What the search may spend, and has spent. It goes on in any case until it has an answer. */
export interface Budget {
  /** Branches that may be looked at, all groups together. */
  branches: number;
  /** The caller's clock: the search stops once this is true. */
  readonly until?: (() => boolean) | undefined;
}

export interface Branch {
  readonly on: Made;
  readonly off: Made;
  /** Columns closed because a line may not carry both directions at once. */
  readonly closed: Made;
  readonly bound: number;
  /** In the proof: its own node, and the prices of the branch it came from. */
  readonly node?: number;
  readonly at?: number;
}

/** Where a search stands: it can go on from there (`checkpoint.ts`). */
export interface Standing {
  /** The best answer that prices support; undefined when none was found. */
  readonly best: Found | undefined;
  /** Branches that are still open, the next one last: none when the best answer is proven. */
  readonly open: readonly Branch[];
  /** Answers so far that decided everything, but that no prices support. */
  readonly unsupported: number;
}

export interface Outcome extends Standing {
  /** What of the problem belongs to the group. */
  readonly part: Part;
  /** Currency per hour that no answer exceeds. */
  readonly bound: number;
  readonly programs: number;
  /** Where one was asked for. */
  readonly proof?: ProofGroup;
}

export interface Found extends Answer {
  readonly welfare: number;
  readonly on: readonly number[];
  readonly closed: readonly number[];
  readonly bounds: Bounds;
  /** Which kinds of rules had to give way for prices within the market's limits (`prices/giving-way.ts`); `unsupported` where that did not help. */
  readonly level: number;
}
