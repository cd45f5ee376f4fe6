/**
 * Auctions and orders in one sqlite database of the data folder.
 *
 * Durable means durable: a write-ahead log, and nobody has an answer before the disk has what it says (`durability.ts`). That takes a
 * millisecond or more, so requests that come meanwhile are committed together: each in a savepoint of its own, all in one transaction.
 */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AuctionStore, Clock, OrderStore } from '../../auction/ports.ts';
import { AuctionError, type Problem } from '../../market/errors.ts';
import { auctionStore, auctionTables } from './auction-store.ts';
import { checkDatabase } from './check/database.ts';
import { makePrivate } from './data-folder.ts';
import { type Durability, type Log, noLog, openDurability, writeAheadLog } from './durability.ts';
import { type Head, type Heads, type HeadsFile, headsName, openHeads, readHeads, writeHeads } from './heads.ts';
import { addRevisions, addVersions, headsIn } from './layouts.ts';
import { orderStore, orderTables } from './order-store.ts';
import { inodeOf, type Storage, watchStorage } from './storage.ts';
import { busyMs, isMachineFault, patienceMs, patient, unusableFile } from './unavailable.ts';

export interface Store {
  readonly auctions: AuctionStore;
  readonly orders: OrderStore;
  /** For the tables of the other adapters; one transaction at a time, and none across an `await`. */
  readonly database: DatabaseSync;
  readonly durability: Durability;
  readonly storage: Storage;
  /** Unsettled auctions whose intake is not the one that was acknowledged, with what was found. */
  readonly damaged: readonly { readonly auction: string; readonly fault: string }[];
  /** All of an auction may be deleted. Said before it is done, so that it is never taken for lost. @throws AuctionError `unavailable` */
  forget(auction: string): void;
  /** A promise only if the disk is at work. */
  close(): Promise<void> | undefined;
}

/** Names the file as ours to whoever finds it, and its layout to ourselves: 'MRIT', 5. */
const applicationId = 0x4d524954;
export const layout = 5;

export const databaseName = 'merit.sqlite';

/**
 * @param folder  the data folder, or `:memory:`
 * @param gates  decides whether an order is in time
 * @throws AuctionError `incompatible-data` when the database is of another program or version; `unavailable` when the machine does not
 *         let it be used (full disk, no rights); `damaged-data` when it is not what the house wrote, or lacks what was acknowledged.
 *         Nothing is changed then.
 */
export function openStore(folder: string, clock: Clock, gates: Clock = clock): Store {
  const { database, heads, log, storage, damaged } = folder === ':memory:' ? inMemory() : inFolder(folder);
  const durability = openDurability(log, heads);
  const orders = orderStore({ database, durability, clock, gates, heads, storage });
  const closeFiles = (): undefined => {
    heads.close();
    database.close();
  };
  const close = () => {
    orders.close();
    const closing = durability.close();
    return closing === undefined ? closeFiles() : closing.then(closeFiles);
  };
  const { close: _, ...port } = orders;
  return {
    auctions: patient(auctionStore(database, durability, heads, storage)),
    orders: patient(port),
    database,
    durability,
    storage,
    damaged,
    forget: (auction) => heads.say(auction, { forgotten: true }),
    close,
  };
}

type Opened = Pick<Store, 'database' | 'storage' | 'damaged'> & { readonly heads: Heads; readonly log: Log };

const settings = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;';
const tables = `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${layout}; ${auctionTables} ${orderTables}`;

function inMemory(): Opened {
  const database = new DatabaseSync(':memory:');
  database.exec(`${settings} ${tables}`);
  return { database, heads: openHeads(undefined, new Map()), log: noLog, storage: watchStorage([]), damaged: [] };
}

function inFolder(folder: string): Opened {
  const file = join(folder, databaseName);
  let database: DatabaseSync | undefined;
  try {
    if (!existsSync(file) || statSync(file).size === 0) checkNothingIsMissing(folder, file);
    makePrivate(file);
    database = new DatabaseSync(file, { timeout: patienceMs });
    const version = versionOf(database, file);
    if (version === 0) checkNothingIsMissing(folder, file);
    database.exec(settings);
    // What is there already is not written again: a house whose disk is full can start, answer what is asked, and wait for room.
    bringUp(database, folder, version);
    const known = readHeads(folder);
    const damaged = version === 0 ? [] : check(database, folder, known);
    // What a process that was killed has committed may not be on the disk, and the heads are about to say that it is there.
    const log = writeAheadLog(database, file);
    log.syncNow();
    const heads = openHeads(folder, headsNow(database, known?.heads, damaged));
    const inodes = [file, `${file}-wal`].map((path) => ({ path, inode: constant(inodeOf(path)) }));
    const storage = watchStorage([...inodes, { path: join(folder, headsName), inode: heads.inode }]);
    // From here on `durability.ts` has the disk's word; the layout above was brought up with SQLite's own.
    database.exec(`PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = ${busyMs}`);
    return { database, heads, log, storage, damaged };
  } catch (cause) {
    database?.close();
    if (cause instanceof AuctionError) throw cause;
    if (isMachineFault(cause)) {
      const message = `${file} can't be used now: ${(cause as Error).message}; mend that (room, rights), then start again`;
      throw new AuctionError('unavailable', message, [], { cause });
    }
    throw unusableFile(folder, file, cause);
  }
}

const constant =
  <T>(value: T) =>
  () =>
    value;

function versionOf(database: DatabaseSync, file: string): number {
  const { application_id } = database.prepare('PRAGMA application_id').get() as { application_id: number };
  const { user_version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if ((application_id !== 0 && application_id !== applicationId) || user_version > layout || user_version < 0) {
    const message = `${file} has layout ${user_version} of application ${application_id}, expected ${layout} of ${applicationId}`;
    throw new AuctionError('incompatible-data', message);
  }
  return user_version;
}

/**
 * The tables as this version has them. The heads, which layout 2 brought, are written before the layout is, so that a database of it has
 * them always. Layout 3 has other indexes, layout 4 versions of orders, layout 5 the keys of requests.
 */
function bringUp(database: DatabaseSync, folder: string, version: number): void {
  if (version === layout) return;
  database.exec('BEGIN IMMEDIATE');
  if (version === 1) addRevisions(database);
  if (version >= 1 && version < 4) addVersions(database);
  database.exec(tables);
  if (version < 2) writeHeads(folder, headsIn(database));
  database.exec('COMMIT');
}

/** The database may be ahead of the heads by what was committed last. An end that does not hold, or is gone in its time, stays as it was. */
export function headsNow(
  database: DatabaseSync,
  before: ReadonlyMap<string, Head> = new Map(),
  damaged: Opened['damaged'] = [],
): Map<string, Head> {
  const now = headsIn(database);
  const isDamaged = new Set(damaged.map(({ auction }) => auction));
  for (const [id, { sequence, hash, expired, forgotten }] of before) {
    const own = now.get(id);
    if (own === undefined) continue; // forgotten by now
    if (forgotten) now.set(id, { ...own, forgotten });
    else if (expired) now.set(id, { ...own, sequence, hash, expired });
    else if (isDamaged.has(id)) now.set(id, { ...own, sequence, hash });
  }
  return now;
}

/** Books and results of the archive. */
export function sealedKeys(folder: string): string[] {
  return ['books', 'results'].flatMap((kind) => {
    const path = join(folder, 'archive', kind);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .filter((name) => name.endsWith('.json'))
      .map((name) => `${kind}/${name}`);
  });
}

/** @throws AuctionError `damaged-data` where there is no database, but what a house with auctions leaves behind */
function checkNothingIsMissing(folder: string, file: string): void {
  const auctions = readHeads(folder)?.heads.size ?? 0;
  const sealed = sealedKeys(folder).length;
  if (auctions === 0 && sealed === 0) return;
  const message = `it is missing or empty, and there are ${auctions} auctions in ${headsName}, ${sealed} books and results in the archive`;
  throw refusal(folder, [{ field: file, code: 'database', message }]);
}

/** @returns unsettled auctions with a damaged intake: they stop, the others go on */
function check(database: DatabaseSync, folder: string, heads: HeadsFile | undefined): Opened['damaged'] {
  const checks = checkDatabase(database, {
    heads,
    sealed: sealedKeys(folder),
    intakes: 'unsettled',
  });
  const problems = checks
    .filter(({ rule }) => rule !== 'intake')
    .flatMap(({ rule, found }): Problem[] =>
      found.map(({ where, message }) => ({ field: where, code: rule, message })),
    );
  if (problems.length > 0) throw refusal(folder, problems);
  return checks
    .filter(({ rule }) => rule === 'intake')
    .flatMap(({ found }) => found.map(({ where, message }) => ({ auction: where, fault: message })));
}

function refusal(folder: string, problems: readonly Problem[]): AuctionError {
  const [{ field, message }] = problems as [Problem];
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  const what = `${field}: ${message}${more}. Nothing was changed. merit check ${folder} shows all; put the missing files back, merit restore a backup, or lose it by merit accept-loss`;
  return new AuctionError('damaged-data', `data folder ${folder} is damaged: ${what}`, problems);
}
