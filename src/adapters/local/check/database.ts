/**
 * The database against itself, against the heads that are kept beside it, and against the archive.
 *
 * All of it runs at each start; only the intake is looked at for the unsettled auctions alone then. The order of the rules is the one in
 * which they explain each other: what a rule has found wrong the later ones do not say again.
 */

import type { DatabaseSync } from 'node:sqlite';
import { type Auction, inWorkflow } from '../../../auction/auction.ts';
import { bookKey, resultKey } from '../../../auction/records/keys.ts';
import { type AuctionRow, auctionColumns, recordFault } from '../auction-store.ts';
import { entryColumns, intakeFault } from '../entries-check.ts';
import type { Head, HeadsFile } from '../heads.ts';
import { headsName } from '../heads.ts';
import { type Check, checkEach, type Found } from './checks.ts';

export interface DatabaseCheckOptions {
  /** Undefined when there is no such file. */
  readonly heads: HeadsFile | undefined;
  /** Keys of the archive's books and results. */
  readonly sealed: readonly string[];
  /** Whose intakes are looked at. */
  readonly intakes: 'unsettled' | 'all';
}

const parts = [
  ...['auctions', 'auctions_by_closure', 'auctions_by_state', 'entries', 'entries_by_record', 'request_keys'],
  ...['entries_naming_linkedTo', 'entries_naming_loopWith', 'entries_naming_exclusiveGroup'],
];
const ended = ['settled', 'cancelled'];

export function checkDatabase(database: DatabaseSync, options: DatabaseCheckOptions): Check[] {
  const { heads, sealed, intakes } = options;
  const structure = checkStructure(database);
  if (structure.found.length > 0) return [structure];
  const select = database.prepare(`SELECT ${auctionColumns} FROM auctions ORDER BY id`);
  const rows = select.all() as unknown as AuctionRow[];
  const records = checkEach('records', 'auctions are as the house wrote them', rows, ({ id }) => id, recordFault);
  const damaged = new Set(records.found.map(({ where }) => where));
  const whole = new Map(rows.filter(({ id }) => !damaged.has(id)).map((row) => [row.id, row]));
  const known = checkHeads(database, heads, whole, damaged);
  const missing = new Set(known.found.map(({ where }) => where));
  const isForgotten = (id: string) => heads?.heads.get(id)?.forgotten === true;
  const looked = [...whole.values()].filter(
    ({ id, state }) => !missing.has(id) && (intakes === 'all' || !ended.includes(state)),
  );
  const intake = checkEach(
    'intake',
    'orders lead to the hashes of their receipts',
    looked,
    ({ id }) => id,
    ({ id }) => (isForgotten(id) ? undefined : intakeFault(database, id, heads?.heads.get(id))),
  );
  return [structure, records, known, intake, checkSealed(sealed, whole, damaged), checkOwners(database, rows)];
}

/** Indexes as well: an order that its index does not find would be taken twice. */
function checkStructure(database: DatabaseSync): Check {
  const look = (): string | undefined => {
    const there = database.prepare('SELECT name FROM sqlite_master').all() as { name: string }[];
    const missing = parts.filter((part) => !there.some(({ name }) => name === part));
    if (missing.length > 0) return `it has no ${missing.join(', ')}`;
    database.prepare(`SELECT ${entryColumns} FROM entries`);
    database.prepare(`SELECT ${auctionColumns} FROM auctions`);
    const rows = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[];
    const said = rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
    return said.slice(0, 5).join('; ') || undefined;
  };
  return checkEach('database', 'SQLite finds nothing wrong in it', [database], () => 'merit.sqlite', look);
}

/** No auction is missing, none is older than the house had it, and no acknowledged order is missing at the end. */
function checkHeads(
  database: DatabaseSync,
  file: HeadsFile | undefined,
  rows: ReadonlyMap<string, AuctionRow>,
  damaged: ReadonlySet<string>,
): Check {
  const [rule, title] = ['heads', 'all is there that was acknowledged'];
  if (file === undefined) {
    const message = 'it is missing: nobody can say whether acknowledged orders are missing as well';
    return { rule, title, checked: 1, found: [{ where: headsName, message }] };
  }
  const last = database.prepare('SELECT max(sequence) AS sequence FROM entries WHERE auction = ?');
  const look = ([id, head]: readonly [string, Head]): string | undefined => {
    const row = rows.get(id);
    if (head.forgotten) return undefined;
    if (row === undefined) return 'the auction is missing in the database';
    if (row.revision < head.revision)
      return `the database has revision ${row.revision} of it, which is older: it had revision ${head.revision}`;
    if (row.revision === head.revision && row.hash !== head.record)
      return `its record is another than the house wrote: its hash is ${row.hash}, written was ${head.record}`;
    const { sequence } = last.get(id) as { sequence: number | null };
    const isGone = head.expired === true && sequence === null;
    if (isGone || (sequence ?? 0) >= head.sequence) return undefined;
    return `acknowledged orders are missing: its intake ends at entry ${sequence ?? 0}, acknowledged were ${head.sequence} (${head.hash})`;
  };
  const known = [...file.heads].filter(([id]) => !damaged.has(id));
  const check = checkEach(rule, title, known, ([id]) => id, look);
  if (file.damaged.length === 0) return check;
  const message = `damaged lines: ${file.damaged.slice(0, 10).join(', ')}`;
  return { ...check, found: [...check.found, { where: headsName, message }] };
}

/** What was sealed belongs to auctions that the database knows as sealed: else it is older than the archive. */
function checkSealed(
  keys: readonly string[],
  rows: ReadonlyMap<string, AuctionRow>,
  damaged: ReadonlySet<string>,
): Check {
  const look = (key: string): string | undefined => {
    const id = auctionOf(key);
    if (damaged.has(id)) return undefined;
    const row = rows.get(id);
    if (row === undefined) return `the archive has it, and the database has no auction ${id}`;
    const auction = JSON.parse(row.body) as Auction;
    const isBefore = auction.state === 'scheduled' || auction.state === 'open';
    const isUncleared =
      isBefore || (auction.state === 'closed' && key === resultKey({ ...auction, result: undefined }));
    const isNewer = key === bookKey(id) ? isBefore : isUncleared;
    return isNewer ? `the archive has it, and in the database the auction is ${auction.state}` : undefined;
  };
  return checkEach('sealed', 'books and results belong to auctions', keys, (key) => key, look);
}

const auctionOf = (key: string): string => key.replace(/^[^/]*\//, '').replace(/(\.run-\d+)?\.json$/, '');

/** Orders of an auction that there is not. */
function checkOwners(database: DatabaseSync, rows: readonly AuctionRow[]): Check {
  const known = new Set(rows.map(({ id }) => id));
  const auctions = database.prepare('SELECT DISTINCT auction FROM entries').all() as unknown as { auction: string }[];
  const found: Found[] = auctions
    .filter(({ auction }) => !known.has(auction))
    .map(({ auction }) => ({ where: auction, message: 'there are orders of it, but no such auction' }));
  return { rule: 'owners', title: 'orders belong to auctions', checked: auctions.length, found };
}

/** Not asked at start, where such an auction becomes failed. */
export function checkWorkflows(database: DatabaseSync, auctions: readonly Auction[]): Check {
  const [rule, title] = ['workflows', 'who waits for a result has a workflow at work'];
  const select = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'executions'");
  if (select.get() === undefined) return { rule, title, checked: 0, found: [] };
  const status = database.prepare('SELECT status FROM executions WHERE auction = ? AND run = ?');
  const waiting = auctions.filter(({ state }) => (inWorkflow as readonly string[]).includes(state));
  const look = ({ id, run, state }: Auction): string | undefined => {
    const execution = status.get(id, run) as { status: string } | undefined;
    if (execution === undefined || execution.status === 'running') return undefined;
    return `it is ${state}, and its workflow is said to have ${execution.status}`;
  };
  return checkEach(rule, title, waiting, ({ id }) => id, look);
}
