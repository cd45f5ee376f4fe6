/** Sealing: from the entries of the intake to the book that nobody can change (`check-intake.ts` sees whether anybody did). */

import { type Book, type IntakeLink, type IntakeRecord, rulesVersion } from '../market/book.ts';
import type { Network } from '../market/network.ts';
import type { BookOrder, Order } from '../market/order.ts';
import type { AuctionTerms } from '../market/terms.ts';
import type { Delivery } from '../market/time.ts';
import { canonical, canonicalOrder } from './canonical.ts';
import {
  type ChainTerms,
  chain,
  chainStart,
  type Entry,
  entryDigest,
  intakeHash,
  linkOf,
  ruleOf,
  seedOf,
  sha256,
  shardOf,
} from './intake.ts';
import type { MerkleTree } from './merkle.ts';
import { networkHashIn } from './opening.ts';
import { leftOut } from './relations.ts';

/** An auction as far as its book needs it. */
export interface SealedAuction {
  readonly id: string;
  readonly delivery: Delivery;
  readonly gateOpening: string;
  readonly gateClosure: string;
  /** Without it the chain goes by rule 1. */
  readonly chain?: ChainTerms | undefined;
}

/**
 * The book of an auction: its market's network and limits, and the last version of every order that was not cancelled and
 * names none that was, by sequence.
 *
 * @param market   its terms and its network
 * @param entries  all of the intake, by sequence
 * @param shards   how many chains they are divided into
 * @param tree     gets a leaf for each entry
 */
export function sealBook(
  market: Pick<AuctionTerms, 'currency' | 'zones' | 'priceLimits' | 'powerLimits'> &
    Network & { readonly market: string },
  auction: SealedAuction,
  entries: readonly Entry[],
  shards = 1,
  tree?: MerkleTree,
): Book {
  const { live } = sorted(entries);
  const kept = new Set(live.map(({ sequence }) => sequence));
  for (const { sequence } of leftOutOf(entries)) kept.delete(sequence);
  const orders = entries.filter(({ sequence }) => kept.has(sequence)).map(stampedOrder);
  const network = {
    lines: [...market.lines],
    constraints: [...market.constraints],
    ...(market.rampSets && { rampSets: [...market.rampSets] }),
    ...(market.netPositionRamps && { netPositionRamps: [...market.netPositionRamps] }),
    ...(market.flowBased && { flowBased: market.flowBased }),
  };
  return {
    merit: 'book/1',
    auction: auction.id,
    market: market.market,
    currency: market.currency,
    start: auction.delivery.start,
    resolution: auction.delivery.resolution,
    periods: auction.delivery.periods,
    priceLimits: market.priceLimits,
    lot: market.powerLimits.lot,
    zones: market.zones,
    ...network,
    intake: intakeOf(auction, entries, kept, networkHashIn(network), shards, tree),
    orders,
  };
}

const stampedOrder = ({ order, participant, sequence, received_at, version }: Entry): BookOrder => ({
  ...order!,
  participant,
  sequence,
  received_at,
  ...(version !== undefined && version > 1 && { version }),
});

/** What leads from the receipts to the book. @param kept  sequences of the orders that are in it */
function intakeOf(
  auction: SealedAuction,
  entries: readonly Entry[],
  kept: ReadonlySet<number>,
  network: string,
  shards: number,
  tree: MerkleTree | undefined,
): IntakeRecord {
  const rule = ruleOf(auction);
  const heads = Array.from({ length: shards }, (_, shard) => chainStart(seedOf(auction), shard, shards));
  const gone: { entry: Entry; digest: string }[] = [];
  for (const entry of entries) {
    const digest = entryDigest(rule, entry);
    tree?.append(digest);
    const shard = shardOf(entry.sequence, shards);
    heads[shard] = chain(heads[shard]!, digest);
    if (!kept.has(entry.sequence)) gone.push({ entry, digest });
  }
  const ends = { hash: intakeHash(heads), ...(shards > 1 && { heads }) };
  if (auction.chain === undefined)
    return { ...ends, withdrawn: gone.map(({ entry: { sequence }, digest }) => ({ sequence, digest })) };
  const vain = new Set(leftOutOf(entries).map(({ sequence }) => sequence));
  const leftOut = gone.filter(({ entry }) => vain.has(entry.sequence)).map(({ entry }) => stampedOrder(entry));
  const withdrawn = gone.filter(({ entry }) => !vain.has(entry.sequence)).map(({ entry }) => entryLink(entry));
  return {
    rule: 2,
    ...ends,
    terms: auction.chain.terms,
    network: auction.chain.network,
    ...(network !== auction.chain.network && { replaced: network }),
    rules: rulesVersion,
    gateOpening: auction.gateOpening,
    gateClosure: auction.gateClosure,
    withdrawn,
    ...(leftOut.length > 0 && { leftOut }),
  };
}

function entryLink({ order, cancels, ...stamps }: Entry): IntakeLink {
  return linkOf({ ...stamps, record_id: order?.record_id ?? cancels! }, order && canonicalOrder(order));
}

interface LeftOut {
  readonly sequence: number;
  readonly participant: string;
  readonly record_id: string;
  /** Which order it names in vain. */
  readonly cause: string;
}

/** Live orders that the book leaves out because they name something that is not in it; by sequence. */
export function leftOutOf(entries: readonly Entry[]): LeftOut[] {
  const { live, cancelled } = sorted(entries);
  return leftOut(live, cancelled).map(({ entry: { sequence, participant, order }, cause }) => ({
    sequence,
    participant,
    record_id: order.record_id,
    cause,
  }));
}

/** The orders of the intake, live and cancelled, each in its last version. A sequence may be lower than that of an earlier version, in another shard. */
function sorted(entries: readonly Entry[]) {
  const taken = new Set<string>();
  const replaced = new Map<string, number>();
  for (const { participant, order, cancels, version = 1 } of entries) {
    if (cancels !== undefined) taken.add(`${participant}/${cancels}`);
    else if (version > 1) {
      const owner = `${participant}/${order!.record_id}`;
      replaced.set(owner, Math.max(version, replaced.get(owner) ?? 0));
    }
  }
  const live: Live[] = [];
  const cancelled: Live[] = [];
  for (const { sequence, participant, order, version = 1 } of entries) {
    if (order === undefined) continue;
    const owner = `${participant}/${order.record_id}`;
    if (version < (replaced.get(owner) ?? 1)) continue;
    (taken.has(owner) ? cancelled : live).push({ sequence, participant, order });
  }
  return { live, cancelled };
}

interface Live {
  readonly sequence: number;
  readonly participant: string;
  readonly order: Order;
}

/** `sha256:...` of the book's canonical form: what a result names, and what anyone can recompute. */
export const bookHash = (book: Book): string => sha256(canonical(book));
