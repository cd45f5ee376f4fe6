/** The run of a forger: every kind over many books, and what of it is accepted. */

import { AuctionError } from '../../src/market/errors.ts';
import { parseResult, type Result } from '../../src/market/result.ts';
import { checkProof } from '../../src/verify/proof/check-proof.ts';
import { verify } from '../../src/verify/verify.ts';
import { Dice } from '../support/random-orders.ts';
import { type Draft, type Honest, type Kind, kinds } from './forgery.ts';
import { type Harm, harmOf } from './harm.ts';
import './kinds/prices.ts';
import './kinds/volumes.ts';
import './kinds/units.ts';
import './kinds/network.ts';
import './kinds/words.ts';
import './kinds/cleared.ts';
import { retell } from './retell.ts';

export { kinds };

export interface Accepted {
  readonly kind: string;
  readonly book: string;
  readonly seed: number;
  readonly harm: Harm;
  readonly forged: Result;
}

export interface Tally {
  tried: number;
  readonly tries: Map<string, number>;
  readonly accepted: Accepted[];
}

export const tally = (): Tally => ({ tried: 0, tries: new Map(), accepted: [] });

export const stands = ({ book, hash, result, proof }: Honest, told: Result): boolean =>
  verify(book, hash, told).ok && checkProof(book, hash, told, proof).ok && told.auction === result.auction;

/** One forgery of a kind; undefined where the book has nothing to forge. */
export function forgedBy({ forge, rest }: Kind, honest: Honest, seed: number): Draft | undefined {
  const draft: Draft = structuredClone(honest.result);
  if (!forge(draft, honest, new Dice(seed))) return undefined;
  if (rest === 'told') retell(draft, honest);
  return JSON.stringify(draft) === JSON.stringify(honest.result) ? undefined : draft;
}

/** @returns whether there was something to forge */
export function attempt(of: Kind, honest: Honest, seed: number, into: Tally): boolean {
  const draft = forgedBy(of, honest, seed);
  if (draft === undefined) return false;
  into.tried++;
  into.tries.set(of.name, (into.tries.get(of.name) ?? 0) + 1);
  if (!isRead(draft) || !stands(honest, draft)) return true;
  const harm = harmOf(honest.book, honest.result, draft);
  into.accepted.push({ kind: of.name, book: honest.name, seed, harm, forged: draft });
  return true;
}

/** What is no result at all is refused before anybody verifies it. */
function isRead(draft: Draft): boolean {
  try {
    parseResult(JSON.parse(JSON.stringify(draft)));
    return true;
  } catch (error) {
    if (error instanceof AuctionError) return false;
    throw error;
  }
}
