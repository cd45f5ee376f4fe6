/**
 * How far a result stands after it was checked, in words that mean no more than was looked at.
 *
 * That the rules hold is seen from book and result alone. That no other decisions (which blocks and complex orders are on, which way
 * a line with losses carries) would be worth more is a different question, which only a proof answers: `docs/trust.md`.
 */

import type { Result } from '../market/result.ts';
import type { Check } from './check.ts';
import type { Claim, ProofVerification } from './proof/check-proof.ts';

/** What is known of the decisions, from the least to the most. */
export const grades = ['unchecked', 'claimed', 'proven'] as const;
export type Grade = (typeof grades)[number];

interface Bounded {
  /** Money that no answer exceeds. */
  readonly bound: number;
  /** (bound - welfare) / max(1, |bound|). */
  readonly gap: number;
  readonly leaves: number;
}

export type Decisions =
  /** No proof, or one that does not hold: nothing says that no better set of decisions exists. */
  | { readonly grade: 'unchecked' }
  /** Proven to the gap unless one of these claims is false; even then no answer exceeds `boundWithoutClaims`. */
  | (Bounded & {
      readonly grade: 'claimed';
      readonly claims: readonly Claim[];
      readonly boundWithoutClaims: number;
    })
  | (Bounded & { readonly grade: 'proven' });

export interface Standing {
  readonly rules: 'hold' | 'broken';
  readonly decisions: Decisions;
}

/**
 * @param checks  of the rules
 * @param proof  of a proof that was checked; of a result that breaks a rule it says nothing
 */
export function standingOf(result: Result, checks: readonly Check[], proof?: ProofVerification): Standing {
  const isBroken = checks.some(({ violations }) => violations.length > 0);
  if (isBroken || proof === undefined || !proof.ok)
    return { rules: isBroken ? 'broken' : 'hold', decisions: { grade: 'unchecked' } };
  const { bound, leaves, claims, boundWithoutClaims } = proof;
  const gap = Math.max(0, bound - result.welfare) / Math.max(1, Math.abs(bound));
  const decisions: Decisions =
    claims.length === 0
      ? { grade: 'proven', bound, gap, leaves }
      : { grade: 'claimed', bound, gap, leaves, claims, boundWithoutClaims };
  return { rules: 'hold', decisions };
}

/** Whether as much is known of the decisions as is asked for. */
export const reaches = ({ decisions }: Standing, least: Grade): boolean =>
  grades.indexOf(decisions.grade) >= grades.indexOf(least);
