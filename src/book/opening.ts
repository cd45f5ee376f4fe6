/**
 * The terms of an auction at which its chain begins: who may see a receipt can hold the house to them.
 *
 * They are those that a book shows: its head, its network, the gate and the version of the rules.
 */

import { type Book, type IntakeRecord, rulesVersion } from '../market/book.ts';
import { type Network, network as networkSchema } from '../market/network.ts';
import type { AuctionTerms } from '../market/terms.ts';
import type { Delivery } from '../market/time.ts';
import { canonical } from './canonical.ts';
import { type ChainTerms, sha256 } from './intake.ts';

/** An auction as far as its terms go. */
export interface PlannedAuction {
  readonly id: string;
  readonly market: string;
  readonly delivery: Delivery;
  readonly gateOpening: string;
  readonly gateClosure: string;
}

type OpeningTerms = Pick<AuctionTerms, 'currency' | 'zones' | 'priceLimits' | 'powerLimits'>;

/** @param network  hash of the network that it is made with */
export const chainTermsOf = (plan: PlannedAuction, terms: OpeningTerms, network: string): ChainTerms => ({
  rule: 2,
  terms: termsHash({
    ...plan,
    ...plan.delivery,
    ...terms,
    auction: plan.id,
    lot: terms.powerLimits.lot,
    network,
    rules: rulesVersion,
  }),
  network,
});

/** The hash of the terms as the book has them. */
export const termsHashIn = (book: Book, { rules, gateOpening, gateClosure, network }: IntakeRecord & { rule: 2 }) =>
  termsHash({ ...book, rules, gateOpening, gateClosure, network });

const names = [
  'auction',
  'market',
  'currency',
  'start',
  'resolution',
  'periods',
  'priceLimits',
  'lot',
  'zones',
  'network',
  'gateOpening',
  'gateClosure',
  'rules',
] as const;

/** SHA-256 of the canonical form of these terms and nothing else. */
const termsHash = (from: { readonly [name in (typeof names)[number]]?: unknown }): string =>
  sha256(
    canonical(Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])))),
  );

/** The hash by which an auction's record names a network (`auction/records/network.ts`), of the one in a book. */
export function networkHashIn(book: Network): string {
  const fields = Object.keys(networkSchema.shape) as (keyof Network)[];
  const present = fields.filter((name) => book[name] !== undefined);
  return sha256(canonical(Object.fromEntries(present.map((name) => [name, book[name]]))));
}
