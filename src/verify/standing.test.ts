import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '../market/result.ts';
import type { Check } from './check.ts';
import type { ProofVerification } from './proof/check-proof.ts';
import { reaches, standingOf } from './standing.ts';

const result = { welfare: 900 } as Result;
const held: Check = { invariant: 'INV-01', title: '', checked: 1, violations: [] };
const broken: Check = { ...held, violations: [{ where: 'x', message: 'y' }] };
const proof = (changes: Partial<ProofVerification> = {}): ProofVerification => ({
  ok: true,
  checks: [],
  bound: 1000,
  leaves: 3,
  claimed: 0,
  claims: [],
  boundWithoutClaims: 1000,
  ...changes,
});

test('standingOf() says that decisions are unchecked without a proof, and with one that does not hold', () => {
  const unchecked = { rules: 'hold', decisions: { grade: 'unchecked' } };
  assert.deepEqual(standingOf(result, [held]), unchecked);
  assert.deepEqual(standingOf(result, [held], proof({ ok: false })), unchecked);
});

test('standingOf() says that decisions are proven to the gap that the proof shows, not the one that was told', () => {
  const { decisions } = standingOf({ ...result, gap: 0, bound: 900 } as Result, [held], proof());
  assert.deepEqual(decisions, { grade: 'proven', bound: 1000, gap: 0.1, leaves: 3 });
});

test('standingOf() names each claim with its orders and what it could hide', () => {
  const claims = [{ orders: ['/a', '/b'], hides: 250 }];
  const { decisions } = standingOf(result, [held], proof({ claimed: 1, claims, boundWithoutClaims: 1250 }));
  assert.deepEqual(decisions, { grade: 'claimed', bound: 1000, gap: 0.1, leaves: 3, claims, boundWithoutClaims: 1250 });
});

test('standingOf() takes no proof for a result that breaks a rule', () => {
  assert.deepEqual(standingOf(result, [held, broken], proof()), {
    rules: 'broken',
    decisions: { grade: 'unchecked' },
  });
});

test('reaches() orders the grades: unchecked, claimed, proven', () => {
  const claims = [{ orders: ['/a'], hides: 1 }];
  const all = [undefined, proof({ claims }), proof()].map((each) => standingOf(result, [held], each));
  assert.deepEqual(
    all.map((standing) => (['unchecked', 'claimed', 'proven'] as const).map((least) => reaches(standing, least))),
    [
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ],
  );
});
