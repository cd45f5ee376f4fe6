/**
 * Whether the rows of the intake are those that were acknowledged: the chain of stored hashes worked out anew, and the columns
 * beside it (an order's id, whether it is cancelled) that the chain says as well.
 */

import type { DatabaseSync } from 'node:sqlite';
import { chainFault } from '../../book/chain-fault.ts';
import {
  type ChainRule,
  type ChainTerms,
  chain,
  chainStart,
  ruleOf,
  seedOf,
  stampedDigest,
} from '../../book/intake.ts';
import type { Head } from './heads.ts';

export interface EntryRow {
  readonly auction: string;
  readonly sequence: number;
  readonly participant: string;
  readonly record_id: string;
  readonly received_at: string;
  /** Canonical order; null of a cancellation. */
  readonly body: string | null;
  /** Running hash after this entry. */
  readonly hash: string;
  readonly cancelled: number;
}

export const entryColumns = 'auction, sequence, participant, record_id, received_at, body, hash, cancelled';

export const digestOf = (rule: ChainRule, row: EntryRow): string => stampedDigest(rule, row, row.body ?? undefined);

/** By which rule the intake of an auction is chained, and what it begins at: as its record says. */
function openChains(database: DatabaseSync): (auction: string) => { readonly rule: ChainRule; readonly seed: string } {
  const select = database.prepare(`SELECT body -> '$.chain' AS chain FROM auctions WHERE id = ?`);
  return (id) => {
    const { chain } = (select.get(id) ?? {}) as { chain?: string | null };
    const auction = { id, ...(chain && { chain: JSON.parse(chain) as ChainTerms }) };
    return { rule: ruleOf(auction), seed: seedOf(auction) };
  };
}

/** The key column against the body, which the chain covers. */
const idFault = ({ sequence, record_id, body }: EntryRow): string | undefined => {
  // Ids need no escapes in JSON, and no other field of an order is called so.
  const isIts = body === null || body.includes(`"record_id":${JSON.stringify(record_id)}`);
  return isIts ? undefined : `entry ${sequence} stands under another id than its order has`;
};

/**
 * The whole intake of an auction, by one walk over its rows.
 *
 * @param head  how far it is known to have come
 */
export function intakeFault(database: DatabaseSync, auction: string, head: Head | undefined): string | undefined {
  const select = database.prepare(`SELECT ${entryColumns} FROM entries WHERE auction = ? ORDER BY sequence`);
  const { rule, seed } = openChains(database)(auction);
  const flagged = new Set<string>();
  const cancelled = new Set<string>();
  let strayed: string | undefined;
  function* entries() {
    for (const each of select.iterate(auction)) {
      const row = each as unknown as EntryRow;
      yield { sequence: row.sequence, hash: row.hash, digest: digestOf(rule, row) };
      strayed ??= idFault(row);
      const name = `${row.participant} ${row.record_id}`;
      if (row.body === null) cancelled.add(name);
      else if (row.cancelled !== 0) flagged.add(name);
    }
  }
  const isGone = head?.expired === true && countOf(database, auction) === 0;
  const fault = isGone ? undefined : chainFault(seed, entries(), { head });
  if (fault !== undefined || strayed !== undefined) return fault ?? strayed;
  const differing = [...flagged]
    .filter((name) => !cancelled.has(name))
    .concat([...cancelled].filter((name) => !flagged.has(name))).length;
  if (differing === 0) return undefined;
  return `orders are marked as cancelled without a cancellation, or the other way round: ${differing}`;
}

export function countOf(database: DatabaseSync, auction: string): number {
  const row = database.prepare('SELECT count(*) AS entries FROM entries WHERE auction = ?').get(auction);
  return (row as { entries: number }).entries;
}

/** Check single rows as they are read: each against the one before it and its cancellation, so that it costs two look-ups. */
export function openRowCheck(database: DatabaseSync): (row: EntryRow) => string | undefined {
  const selectHash = database.prepare('SELECT hash FROM entries WHERE auction = ? AND sequence = ?');
  const selectCancellation = database.prepare(
    'SELECT 1 FROM entries WHERE record_id = ? AND auction = ? AND participant = ? AND body IS NULL',
  );
  const chainIn = openChains(database);
  return (row) => {
    const { auction, sequence, hash, record_id, participant, body } = row;
    const { rule, seed } = chainIn(auction);
    const before =
      sequence === 1 ? chainStart(seed) : (selectHash.get(auction, sequence - 1) as { hash: string } | undefined)?.hash;
    if (before === undefined) return `entry ${sequence - 1} is missing`;
    const computed = chain(before, digestOf(rule, row));
    if (computed !== hash) return `entry ${sequence} was changed: its stored hash is ${hash}, computed ${computed}`;
    const isCancelled = body !== null && selectCancellation.get(record_id, auction, participant) !== undefined;
    if (isCancelled !== (row.cancelled !== 0))
      return `entry ${sequence} is marked as cancelled, or live, against its chain`;
    return idFault(row);
  };
}
