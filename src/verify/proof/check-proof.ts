/**
 * The checker of a proof: does it show that no answer is worth more than it says?
 *
 * It walks each tree once. On the way it keeps which decisions are on and off; at a leaf it adds up what everybody could gain at
 * the leaf's prices. No solver, no search: time grows with the book times the leaves.
 */

import type { Book } from '../../market/book.ts';
import { numberOf, scaledTo } from '../../market/exact.ts';
import type { Proof } from '../../market/proof.ts';
import type { Result } from '../../market/result.ts';
import { hoursOf } from '../../market/time.ts';
import type { Check } from '../check.ts';
import { Findings } from '../check.ts';
import { withoutExcluded } from '../checks/excluded.ts';
import { halfCent, notLookedFor } from '../numbers/tolerances.ts';
import { partOf } from './gains.ts';
import { modelOf } from './model.ts';
import { scaleOf } from './scale.ts';
import { Walk } from './walk.ts';

/** A leaf that has nothing but the engine's word that no prices support its orders together. */
export interface Claim {
  /** Decisions, as the proof names them. */
  readonly orders: readonly string[];
  /** Money by which an answer could be worth more than the bound, were the claim false. */
  readonly hides: number;
}

export interface ProofVerification {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** Money that no answer exceeds: what the proof shows. */
  readonly bound: number;
  readonly leaves: number;
  /** How many leaves are claims that could hide something. */
  readonly claimed: number;
  readonly claims: readonly Claim[];
  /** Money that no answer exceeds even where every claim is false. */
  readonly boundWithoutClaims: number;
}

/** @param hash  `sha256:...` of the book's canonical form */
export function checkProof(whole: Book, hash: string, published: Result, proof: Proof): ProofVerification {
  const { book, result } = withoutExcluded(whole, published);
  const about = new Findings('PROOF-BOOK', 'the proof is of this book and this result');
  about.expect(proof.book === hash, 'book', () => `${proof.book} is not ${hash}`);
  about.expect(result.book === hash, 'result', () => `${result.book} is not ${hash}`);
  about.expect(proof.auction === book.auction, 'auction', () => `${proof.auction} is not ${book.auction}`);
  let next = 1;
  for (const { first, last } of proof.groups) {
    about.expect(first === next && last >= first, `MTU ${first}`, () => `groups go on at ${next}, not ${first}`);
    next = last + 1;
  }
  about.expect(next === book.periods + 1, `MTU ${next}`, () => `groups end at ${next - 1} of ${book.periods}`);

  const shown = walked(book, proof);
  const bounds = new Findings('PROOF-BOUND', 'it shows the bound that is published');
  const slack = 2 * halfCent + notLookedFor * Math.abs(result.bound);
  bounds.expect(
    shown.bound <= result.bound + slack,
    'bound',
    () => `${shown.bound} is shown, ${result.bound} is published`,
  );
  // Whole lots may be worth a little more than what was cleared.
  if (book.lot === undefined)
    bounds.expect(
      shown.bound >= result.welfare - slack,
      'welfare',
      () => `${shown.bound} is shown, and ${result.welfare} is there`,
    );
  const checks = [about.check, shown.tree, bounds.check];
  const ok = checks.every(({ violations }) => violations.length === 0);
  const { bound, leaves, claims, boundWithoutClaims } = shown;
  return { ok, checks, bound, leaves, claimed: claims.length, claims, boundWithoutClaims };
}

interface Shown extends Pick<ProofVerification, 'bound' | 'leaves' | 'claims' | 'boundWithoutClaims'> {
  readonly tree: Check;
}

/** All trees: a bound is the sum of theirs. */
function walked(book: Book, proof: Proof): Shown {
  const tree = new Findings('PROOF-TREE', 'its leaves leave no answer out');
  const claims: Claim[] = [];
  let [bound, without] = [0n, 0n];
  let leaves = 0;
  let decimals = 0;
  let isWhole = true;
  const attempt = (where: string, look: () => void) => {
    try {
      look();
    } catch (error) {
      // A number with too many digits, or a tree deeper than the stack, which is no tree of a search: it makes each decision once on a way down.
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      tree.expect(false, where, () => error.message);
      isWhole = false;
    }
  };
  attempt('book', () => {
    const scale = scaleOf(book, proof);
    const model = modelOf(book, scale);
    // MTUs of a quarter of an hour: two digits more.
    decimals = 2 * scale.volumeDecimals + scale.priceDecimals + 2;
    const hours = scaledTo(hoursOf(book.resolution), 2);
    const money = (perHour: bigint): number => numberOf(perHour * hours, decimals);
    for (const group of proof.groups) {
      const where = `MTU ${group.first} to ${group.last}`;
      attempt(where, () => {
        const walk = new Walk(model, partOf(model, book.zones.length, group), group);
        const found = walk.all();
        tree.expect(found.loose === 0, where, () => `${found.loose} nodes hang loose`);
        bound += found.bound * hours;
        leaves += found.leaves;
        let most = found.bound;
        for (const { orders, bound: claimed, isNeeded } of found.claims) {
          // A claim that is within the bound anyway claims nothing.
          if (claimed <= found.bound) continue;
          const names = orders.join(', ');
          tree.expect(isNeeded, where, () => `that prices do not support ${names} together can be shown, and is not`);
          claims.push({ orders, hides: money(claimed - found.bound) });
          if (claimed > most) most = claimed;
        }
        without += most * hours;
      });
    }
  });
  const asMoney = (sum: bigint): number => (isWhole ? numberOf(sum, decimals) : Infinity);
  return { tree: tree.check, bound: asMoney(bound), boundWithoutClaims: asMoney(without), leaves, claims };
}
