/**
 * All checks of a data folder, whether a house has it or not. Nothing is written; SQLite may leave an empty log beside its database.
 *
 * While a house writes, what is read first must not be ahead of what is read later. So the heads and the names of sealed books are read
 * first, then the database as it is at one moment, then the archive, which has whatever that database names.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Auction, auction as auctionSchema } from '../../../auction/auction.ts';
import type { Receipt } from '../../../book/intake.ts';
import { runningHashes } from '../../../book/receipts.ts';
import type { Book } from '../../../market/book.ts';
import { AuctionError } from '../../../market/errors.ts';
import { openArchive } from '../archive.ts';
import { versionFault } from '../data-folder.ts';
import { type Head, type HeadsFile, readHeads } from '../heads.ts';
import { databaseName, layout, sealedKeys } from '../stores.ts';
import { checkArchive } from './archive.ts';
import { type Check, checkEach } from './checks.ts';
import { checkDatabase, checkWorkflows } from './database.ts';

export interface FolderCheckOptions {
  /** What must be there, from whoever was given them. */
  readonly receipts?: readonly Receipt[];
  /** What must be there besides what the folder says itself: of a copy, the heads of the original before it was made. */
  readonly acknowledged?: ReadonlyMap<string, Head> | undefined;
  /** Also verify each result against its book. */
  readonly verified?: boolean;
}

/** A writer holds the database for milliseconds. */
export const patienceMs = 10_000;

/** @throws AuctionError `not-found` where there is no data folder, `incompatible-data` for one of another version */
export async function checkFolder(folder: string, options: FolderCheckOptions = {}): Promise<Check[]> {
  if (!existsSync(join(folder, 'merit.json')))
    throw new AuctionError('not-found', `${folder} is no data folder: it has no merit.json`);
  const version = checkEach(
    'folder',
    'it is of this version',
    [folder],
    () => 'merit.json',
    () => versionFault(folder),
  );
  return [version, ...(await checkContents(folder, options))];
}

async function checkContents(folder: string, options: FolderCheckOptions): Promise<Check[]> {
  const file = join(folder, databaseName);
  const before = readHeads(folder);
  const sealed = sealedKeys(folder);
  if (!existsSync(file))
    return [missing(`it is missing, and there are ${before?.heads.size ?? 0} auctions in heads.log`)];
  const database = new DatabaseSync(file, { readOnly: true, timeout: patienceMs });
  try {
    const readable = checkEach(
      'database',
      'SQLite can read it',
      [database],
      () => databaseName,
      () => layoutFault(database),
    );
    if (readable.found.length > 0) return [readable];
    database.exec('BEGIN'); // all of the following is of one moment
    database.prepare('SELECT count(*) FROM auctions').get();
    const heads = merged(before, readHeads(folder), options.acknowledged);
    const checks = checkDatabase(database, { heads, sealed, intakes: 'all' });
    if (checks.length === 1) return checks; // it can't be read: nothing else can be said
    const damaged = new Set(
      checks.flatMap(({ rule, found }) => (rule === 'records' ? found.map(({ where }) => where) : [])),
    );
    const archive = openArchive(join(folder, 'archive'));
    const auctions = auctionsIn(database, damaged).filter(({ id }) => !heads?.heads.get(id)?.forgotten);
    checks.push(
      checkWorkflows(database, auctions),
      ...(await checkArchive({ auctions, archive, intakes: endsIn(database), verified: options.verified === true })),
    );
    if (existsSync(join(folder, 'access.sqlite'))) checks.push(checkAccess(folder));
    if (options.receipts) checks.push(await checkReceipts(database, archive, options.receipts));
    return checks;
  } finally {
    database.close();
  }
}

const missing = (message: string): Check => ({
  rule: 'database',
  title: 'SQLite can read it',
  checked: 1,
  found: [{ where: databaseName, message }],
});

function layoutFault(database: DatabaseSync): string | undefined {
  const { user_version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  database.prepare('SELECT count(*) FROM sqlite_master').get(); // throws where the tables' own descriptions are damaged
  if (user_version === layout) return undefined;
  return user_version === 0
    ? 'it is empty'
    : `it has layout ${user_version}, this program checks ${layout}: start the house once`;
}

/** What was acknowledged before; what is over by now may be gone. */
function merged(
  before: HeadsFile | undefined,
  now: HeadsFile | undefined,
  others: ReadonlyMap<string, Head> = new Map(),
): HeadsFile | undefined {
  if (before === undefined) return undefined;
  const heads = new Map(before.heads);
  for (const [id, head] of others) {
    const own = heads.get(id);
    const isLater = own === undefined || own.revision < head.revision || own.sequence < head.sequence;
    if (isLater) heads.set(id, head);
  }
  for (const [id, { expired, forgotten }] of now?.heads ?? []) {
    const head = heads.get(id);
    if (head) heads.set(id, { ...head, ...(expired && { expired }), ...(forgotten && { forgotten }) });
  }
  return { ...before, heads };
}

const auctionsIn = (database: DatabaseSync, damaged: ReadonlySet<string>): Auction[] =>
  (database.prepare('SELECT id, body FROM auctions ORDER BY id').all() as { id: string; body: string }[])
    .filter(({ id }) => !damaged.has(id))
    .map(({ body }) => auctionSchema.parse(JSON.parse(body)));

function endsIn(database: DatabaseSync): Map<string, string> {
  const rows = database.prepare('SELECT auction, hash, max(sequence) FROM entries GROUP BY auction').all();
  return new Map((rows as { auction: string; hash: string }[]).map(({ auction, hash }) => [auction, hash]));
}

function checkAccess(folder: string): Check {
  const file = join(folder, 'access.sqlite');
  const look = (): string | undefined => {
    const database = new DatabaseSync(file, { readOnly: true, timeout: patienceMs });
    try {
      const rows = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[];
      return rows[0]?.integrity_check === 'ok' ? undefined : rows[0]?.integrity_check;
    } finally {
      database.close();
    }
  };
  return checkEach('access', 'clients and keys can be read', [file], () => 'access.sqlite', look);
}

/** Against the entries while the database has them, against the sealed book after that. */
async function checkReceipts(
  database: DatabaseSync,
  archive: ReturnType<typeof openArchive>,
  receipts: readonly Receipt[],
): Promise<Check> {
  const select = database.prepare('SELECT hash FROM entries WHERE auction = ? AND sequence = ?');
  const sealed = new Map<string, Map<number, string>>();
  for (const auction of new Set(receipts.map((receipt) => receipt.auction))) {
    const text = await archive.read(`books/${auction}.json`).catch(() => undefined); // the rule of the books says what is wrong with it
    if (text !== undefined) sealed.set(auction, attemptHashes(text));
  }
  const look = ({ auction, sequence, hash }: Receipt): string | undefined => {
    const found =
      (select.get(auction, sequence) as { hash: string } | undefined)?.hash ?? sealed.get(auction)?.get(sequence);
    if (found === hash) return undefined;
    return found === undefined
      ? `there is no entry ${sequence}`
      : `entry ${sequence} has the hash ${found}, the receipt ${hash}`;
  };
  return checkEach(
    'receipts',
    'these receipts hold',
    receipts,
    ({ auction, record_id }) => `${auction}/${record_id}`,
    look,
  );
}

function attemptHashes(text: string): Map<number, string> {
  try {
    return runningHashes(JSON.parse(text) as Book);
  } catch {
    return new Map(); // a damaged book: the rule of the books says so, and its receipts are not found
  }
}
