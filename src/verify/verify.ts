/**
 * The independent checker of a book and a result.
 *
 * It shares `market/` with the engine and nothing else: neither curves nor solver, and it searches for nothing. It reads
 * the book its own way, and asks of the published numbers alone whether they keep the rules (market rules, section 11). What it
 * passes may be published; what it refuses may not. Linear in the book but for a sort here and there.
 */

import type { Book } from '../market/book.ts';
import type { Result } from '../market/result.ts';
import type { Check } from './check.ts';
import { checkBlocks } from './checks/blocks.ts';
import { checkComplex } from './checks/complex.ts';
import { withoutExcluded } from './checks/excluded.ts';
import { checkFlowBased } from './checks/flow-based.ts';
import { checkMoney } from './checks/money.ts';
import { checkPrices } from './checks/prices.ts';
import { checkRamps } from './checks/ramps.ts';
import { checkReasons } from './checks/reasons.ts';
import { checkRuns } from './checks/runs.ts';
import { checkSharing } from './checks/sharing.ts';
import { checkSpot } from './checks/spot.ts';
import { checkStructure } from './checks/structure.ts';
import { checkVolumes } from './checks/volumes.ts';
import { viewOf } from './view/view.ts';

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
