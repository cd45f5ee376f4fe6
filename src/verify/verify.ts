/**
 * The independent checker of a book and a result.
 *
 * It shares `market/` with the engine and nothing else: neither curves nor solver, and it searches for nothing. It reads
 * the book its own way, and asks of the published numbers alone whether they keep the rules (market rules, section 11). What it
 * passes may be published; what it refuses may not. Linear in the book but for a sort here and there.
 */

import type { Book } from '../market/book.ts';
import type { Result } from '../market/result.ts';
import { checkBlocks } from './blocks.ts';
import type { Check } from './check.ts';
import { checkComplex } from './complex.ts';
import { withoutExcluded } from './excluded.ts';
import { checkFlowBased } from './flow-based.ts';
import { checkMoney } from './money.ts';
import { checkPrices } from './prices.ts';
import { checkRamps } from './ramps.ts';
import { checkReasons } from './reasons.ts';
import { checkRuns } from './runs.ts';
import { checkSharing } from './sharing.ts';
import { checkSpot } from './spot.ts';
import { checkStructure } from './structure.ts';
import { viewOf } from './view.ts';
import { checkVolumes } from './volumes.ts';

export interface Verification {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/**
 * @param hash  `sha256:...` of the book's canonical form, which the result must name
 * @returns every check; when the result's own shape is wrong only those of the shape
 */
export function verify(whole: Book, hash: string, published: Result): Verification {
  const { book, result, checks: left } = withoutExcluded(whole, published);
  const structure = [...left, ...checkStructure(book, hash, result)];
  if (!passes(structure)) return { ok: false, checks: structure };
  const view = viewOf(book, result);
  const checks = [...structure, ...checkVolumes(view), ...checkMoney(view), ...checkPrices(view)];
  checks.push(...checkSharing(view), ...checkReasons(view));
  checks.push(...checkBlocks(view), ...checkComplex(view), checkRamps(view), ...checkFlowBased(view));
  checks.push(...checkRuns(view), checkSpot(view));
  checks.sort((a, b) => (a.invariant < b.invariant ? -1 : 1));
  return { ok: passes(checks), checks };
}

const passes = (checks: readonly Check[]): boolean => checks.every(({ violations }) => violations.length === 0);
