/** Sealing: from the entries of the intake to the book that nobody can change, and the check that nobody did. */

import type { Book } from '../market/book.ts';
import type { Problem } from '../market/errors.ts';
import type { Network } from '../market/network.ts';
import type { AuctionTerms } from '../market/terms.ts';
import type { Delivery } from '../market/time.ts';
import { canonical } from './canonical.ts';
import { chain, chainStart, type Entry, entryDigest, intakeHash, sequenceOf, sha256, shardOf } from './intake.ts';
import { leftOut } from './relations.ts';

/**
 * The book of an auction: its market's network and limits, and every order that was not cancelled and
 * names none that was, by sequence.
 *
 * @param market   its terms and its network
 * @param entries  all of the intake, by sequence
 * @param shards   how many chains they are divided into
 */
export function sealBook(
  market: Pick<AuctionTerms, 'currency' | 'zones' | 'priceLimits' | 'powerLimits'> &
    Network & { readonly market: string },
  auction: { id: string; delivery: Delivery },
  entries: readonly Entry[],
  shards = 1,
): Book {
  const { live } = sorted(entries);
  const kept = new Set(live.map(({ sequence }) => sequence));
  for (const { sequence } of leftOutOf(entries)) kept.delete(sequence);
  const orders: Book['orders'] = [];
  const withdrawn: { sequence: number; digest: string }[] = [];
  const heads = chainStarts(auction.id, shards);
  for (const entry of entries) {
    const { order, participant, sequence, received_at } = entry;
    const digest = entryDigest(entry);
    const shard = shardOf(sequence, shards);
    heads[shard] = chain(heads[shard]!, digest);
    if (order === undefined || !kept.has(sequence)) withdrawn.push({ sequence, digest });
    else orders.push({ ...order, participant, sequence, received_at });
  }
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
    lines: [...market.lines],
    constraints: [...market.constraints],
    ...(market.rampSets && { rampSets: [...market.rampSets] }),
    ...(market.netPositionRamps && { netPositionRamps: [...market.netPositionRamps] }),
    ...(market.flowBased && { flowBased: market.flowBased }),
    intake: { hash: intakeHash(heads), ...(shards > 1 && { heads }), withdrawn },
    orders,
  };
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

/** The orders of the intake, live and cancelled. */
function sorted(entries: readonly Entry[]) {
  const owner = (participant: string, record_id: string) => `${participant}/${record_id}`;
  const taken = new Set(
    entries.flatMap(({ participant, cancels }) => (cancels === undefined ? [] : [owner(participant, cancels)])),
  );
  const orders = entries.flatMap(({ sequence, participant, order }) =>
    order === undefined ? [] : [{ sequence, participant, order }],
  );
  const isCancelled = (each: (typeof orders)[number]) => taken.has(owner(each.participant, each.order.record_id));
  return { live: orders.filter((each) => !isCancelled(each)), cancelled: orders.filter(isCancelled) };
}

const chainStarts = (auction: string, shards: number): string[] =>
  Array.from({ length: shards }, (_, shard) => chainStart(auction, shard, shards));

/** `sha256:...` of the book's canonical form: what a result names, and what anyone can recompute. */
export const bookHash = (book: Book): string => sha256(canonical(book));

/**
 * Recompute the running hash of the intake, or of each of its shards, from the orders and the digests of what was withdrawn. Nothing is wrong when the list
 * is empty; a book that did not come through an intake has none to check.
 */
export function checkIntake({ auction, intake, orders }: Book): Problem[] {
  if (intake === undefined) return [];
  const digests = intake.withdrawn.map(({ sequence, digest }) => ({ sequence, digest }));
  for (const { participant, sequence, received_at, ...order } of orders) {
    if (participant === undefined || sequence === undefined || received_at === undefined) {
      const message = `order ${order.record_id} has no stamps, but the book has an intake`;
      return [{ record_id: order.record_id, field: 'sequence', code: 'no-stamps', message }];
    }
    digests.push({ sequence, digest: entryDigest({ sequence, received_at, participant, order }) });
  }
  digests.sort((a, b) => a.sequence - b.sequence);
  const shards = intake.heads?.length ?? 1;
  const heads = chainStarts(auction, shards);
  const next = heads.map((_, shard) => sequenceOf(shard, 1, shards));
  for (const { sequence, digest } of digests) {
    const shard = shardOf(sequence, shards);
    if (sequence !== next[shard]) {
      const message = `the intake's entry ${next[shard]} is missing or there twice`;
      return [{ field: 'intake', code: 'gap-in-sequence', message }];
    }
    heads[shard] = chain(heads[shard]!, digest);
    next[shard] = sequence + shards;
  }
  const changed = heads.findIndex((head, shard) => intake.heads !== undefined && head !== intake.heads[shard]);
  const [field, found, said] =
    changed >= 0
      ? [`intake.heads.${changed}`, heads[changed], intake.heads![changed]]
      : ['intake.hash', intakeHash(heads), intake.hash];
  if (found === said) return [];
  const message = `the orders give the running hash ${found}, the book says ${said}: an order was changed`;
  return [{ field, code: 'hash-mismatch', message }];
}
