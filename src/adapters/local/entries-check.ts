/**
 * Whether the rows of the intake are those that were acknowledged: the chain of stored hashes worked out anew, and the columns
 * beside it (an order's id, whether it is cancelled or replaced) that the chain says as well.
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
  readonly version: number;
  readonly replaced: number;
}

export const entryColumns =
  'auction, sequence, participant, record_id, received_at, body, hash, cancelled, version, replaced';

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
  // What the columns say is gone, and what the chain does: a version of an order, and how.
  const flagged = new Set<string>();
  const gone = new Set<string>();
  let strayed: string | undefined;
  function* entries() {
    for (const each of select.iterate(auction)) {
      const row = each as unknown as EntryRow;
      yield { sequence: row.sequence, hash: row.hash, digest: digestOf(rule, row) };
      strayed ??= idFault(row);
      const { participant, record_id, version } = row;
      const name = `${participant} ${record_id}`;
      if (row.body === null) gone.add(`${name} ${version} cancelled`);
      else {
        if (version > 1) gone.add(`${name} ${version - 1} replaced`);
        if (row.cancelled !== 0) flagged.add(`${name} ${version} cancelled`);
        if (row.replaced !== 0) flagged.add(`${name} ${version} replaced`);
      }
    }
  }
  const isGone = head?.expired === true && countOf(database, auction) === 0;
  const fault = isGone ? undefined : chainFault(seed, entries(), { head });
  if (fault !== undefined || strayed !== undefined) return fault ?? strayed;
  const differing = [...flagged]
    .filter((each) => !gone.has(each))
    .concat([...gone].filter((each) => !flagged.has(each))).length;
  if (differing === 0) return undefined;
  return `orders are marked as cancelled without a cancellation, or as replaced without a replacement, or the other way round: ${differing}`;
}

export function countOf(database: DatabaseSync, auction: string): number {
  const row = database.prepare('SELECT count(*) AS entries FROM entries WHERE auction = ?').get(auction);
  return (row as { entries: number }).entries;
}

/** Check single rows as they are read: each against the one before it, its cancellation and its next version, so that it costs three look-ups. */
export function openRowCheck(database: DatabaseSync): (row: EntryRow) => string | undefined {
  const selectHash = database.prepare('SELECT hash FROM entries WHERE auction = ? AND sequence = ?');
  const select = database.prepare(
    'SELECT 1 FROM entries WHERE record_id = ? AND auction = ? AND participant = ? AND (body IS NULL) = ? AND version = ?',
  );
  const chainIn = openChains(database);
  return (row) => {
    const { auction, sequence, hash, record_id, participant, body, version } = row;
    const { rule, seed } = chainIn(auction);
    const before =
      sequence === 1 ? chainStart(seed) : (selectHash.get(auction, sequence - 1) as { hash: string } | undefined)?.hash;
    if (before === undefined) return `entry ${sequence - 1} is missing`;
    const computed = chain(before, digestOf(rule, row));
    if (computed !== hash) return `entry ${sequence} was changed: its stored hash is ${hash}, computed ${computed}`;
    const has = (kind: 'order' | 'cancellation', version: number) =>
      select.get(record_id, auction, participant, kind === 'order' ? 0 : 1, version) !== undefined;
    const isCancelled = body !== null && has('cancellation', version);
    const isReplaced = body !== null && has('order', version + 1);
    if (isCancelled !== (row.cancelled !== 0) || isReplaced !== (row.replaced !== 0))
      return `entry ${sequence} is marked as cancelled, replaced or live against its chain`;
    return idFault(row);
  };
}
