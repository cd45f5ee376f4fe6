/**
 * The operator's word that a damaged data folder is all there is: go on with it as it is.
 *
 * What was acknowledged and is missing is lost by that, so nothing calls this but the operator. Unsettled auctions with something wrong
 * become `failed` with what was found, and their operator restarts them or calls them off; an intake that was changed is not cleared
 * even so. Books and results that the database does not know are moved aside, not deleted.
 */

import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Auction, auction as auctionSchema, mayFollow } from '../../../auction/auction.ts';
import { canonical } from '../../../book/canonical.ts';
import { AuctionError } from '../../../market/errors.ts';
import { utc } from '../../../market/time.ts';
import { recordHash } from '../auction-store.ts';
import { holdDataFolder } from '../data-folder.ts';
import { type Head, type HeadsFile, readHeads, writeHeads } from '../heads.ts';
import { databaseName, headsNow, sealedKeys } from '../stores.ts';
import type { Check, Found } from './checks.ts';
import { checkDatabase } from './database.ts';

/** Rules that can be gone on without; a database that SQLite can't read is none. */
const acceptable = ['records', 'heads', 'intake', 'sealed', 'owners'];

/**
 * @returns what was found, and is accepted now; nothing when nothing was wrong
 * @throws AuctionError `unavailable` while a house has the folder; `damaged-data` for what nobody can go on with
 */
export function acceptDamage(folder: string, now: Date): Found[] {
  const file = join(folder, databaseName);
  if (!existsSync(file)) throw new AuctionError('not-found', `${file} is missing: there is nothing to go on with`);
  const hold = holdDataFolder(folder);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    const heads = readHeads(folder);
    const checks = checkDatabase(database, { heads, sealed: sealedKeys(folder), intakes: 'unsettled' });
    const [beyond] = checks.filter(({ rule }) => !acceptable.includes(rule)).flatMap(({ found }) => found);
    if (beyond) throw new AuctionError('damaged-data', `${beyond.where}: ${beyond.message}: restore a backup`);
    const found = checks.flatMap((check) => check.found);
    if (found.length > 0) accept(folder, database, checks, heads, now);
    return found;
  } finally {
    database?.close();
    hold.release();
  }
}

function accept(
  folder: string,
  database: DatabaseSync,
  checks: readonly Check[],
  heads: HeadsFile | undefined,
  now: Date,
): void {
  const known = heads?.heads ?? new Map<string, Head>();
  const foundBy = (rule: string): readonly Found[] => checks.find((check) => check.rule === rule)!.found;
  const bad = new Map(
    [...foundBy('records'), ...foundBy('heads'), ...foundBy('intake')].map((each) => [each.where, each.message]),
  );
  database.exec('BEGIN IMMEDIATE');
  for (const [id, message] of bad) writeRecord(database, id, message, known.get(id), now);
  for (const { where } of foundBy('owners')) database.prepare('DELETE FROM entries WHERE auction = ?').run(where);
  const changed = foundBy('intake').map(({ where, message }) => ({ auction: where, fault: message }));
  for (const { where: key } of foundBy('sealed')) {
    const aside = join(folder, 'lost', utc(now).replaceAll(':', '-'), key);
    mkdirSync(dirname(aside), { recursive: true, mode: 0o700 });
    renameSync(join(folder, 'archive', key), aside);
  }
  writeHeads(folder, headsNow(database, known, changed));
  database.exec('COMMIT');
}

/** The record as it stands, in a revision of its own; failed, if its auction has not ended. */
function writeRecord(database: DatabaseSync, id: string, message: string, head: Head | undefined, now: Date): void {
  const row = database.prepare('SELECT body, revision FROM auctions WHERE id = ?').get(id);
  if (row === undefined) return; // it is gone, and so are its orders
  const { body, revision } = row as { body: string; revision: number };
  const parsed = auctionSchema.safeParse(JSON.parse(body));
  if (!parsed.success || parsed.data.id !== id)
    throw new AuctionError('damaged-data', `${id}: its record can't be read: restore a backup`);
  const auction = parsed.data;
  const failed = {
    state: 'failed' as const,
    cause: `accepted by the operator: ${message}`,
    failure: { from: auction.state },
  };
  const next: Auction = mayFollow(auction.state, 'failed') ? { ...auction, ...failed, updatedAt: utc(now) } : auction;
  const [text, number] = [canonical(next), Math.max(revision, head?.revision ?? 0) + 1];
  database
    .prepare(
      'UPDATE auctions SET market = ?, state = ?, gateClosure = ?, body = ?, revision = ?, hash = ? WHERE id = ?',
    )
    .run(next.market, next.state, Date.parse(next.gateClosure), text, number, recordHash(number, text), id);
}
