/**
 * Whether the entries of an intake still lead to the running hashes that were kept with them, and acknowledged.
 *
 * A store keeps each entry with the running hash of its receipt. Who altered the one without the other, or took entries away, is
 * found by working the chain out anew.
 */

import { chain, chainStart, sequenceOf } from './intake.ts';

/** An entry as far as the chain goes: its digest is worked out from what is stored, its hash is what is stored. */
export interface ChainedEntry {
  readonly sequence: number;
  readonly digest: string;
  readonly hash: string;
}

/** The last entry that is known to be acknowledged, in one chain. */
export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}

export interface ChainOptions {
  readonly shard?: number;
  readonly shards?: number;
  /** Known from elsewhere: entries up to here must be there, and this one with this hash. */
  readonly head?: ChainHead | undefined;
}

/**
 * @param seed  what the chain begins at (`seedOf`)
 * @param entries  of one chain, by sequence
 * @returns what does not fit first, with its sequence and hashes; undefined when all fits
 */
export function chainFault(
  seed: string,
  entries: Iterable<ChainedEntry>,
  { shard = 0, shards = 1, head }: ChainOptions = {},
): string | undefined {
  let hash = chainStart(seed, shard, shards);
  let next = sequenceOf(shard, 1, shards);
  for (const { sequence, digest, hash: stored } of entries) {
    if (sequence !== next) return `entry ${next} is missing: ${sequence} comes in its place`;
    hash = chain(hash, digest);
    if (hash !== stored) return `entry ${sequence} was changed: its stored hash is ${stored}, computed ${hash}`;
    if (sequence === head?.sequence && hash !== head.hash)
      return `entry ${sequence} is another than was acknowledged: its hash is ${hash}, acknowledged ${head.hash}`;
    next = sequence + shards;
  }
  if (head !== undefined && next <= head.sequence)
    return `it ends at entry ${next - shards}, and entries up to ${head.sequence} (hash ${head.hash}) were acknowledged`;
  return undefined;
}
