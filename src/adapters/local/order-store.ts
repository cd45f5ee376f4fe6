/** The intake in sqlite: an append-only table of entries, written in groups. */

import type { DatabaseSync } from 'node:sqlite';
import { type Auction, auction as auctionSchema } from '../../auction/auction.ts';
import type { Clock, NamingField, OrderStore, StoredOrder } from '../../auction/ports.ts';
import { canonicalOrder } from '../../book/canonical.ts';
import type { ChainHead } from '../../book/chain-fault.ts';
import { chain, chainStart, type Entry, type Receipt, ruleOf, seedOf, stampedDigest } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Order } from '../../market/order.ts';
import { checkVersion, isRepeated } from '../changes.ts';
import type { Durability } from './durability.ts';
import { digestOf, type EntryRow, entryColumns, intakeFault, openRowCheck } from './entries-check.ts';
import type { Head, Heads } from './heads.ts';
import { openRequestKeys, requestKeyTables } from './request-keys.ts';
import type { Storage } from './storage.ts';
import { rollBack } from './transaction.ts';
import { betweenTriesMs, isLocked, notWritten, patienceMs } from './unavailable.ts';

/** Whether a body has that field, found out without parsing it: a quote in a string has a backslash before it. */
const hasField = (field: NamingField): string => `instr(entries.body, '"${field}":') > 0`;

/** Which order or group a block names: few orders do, so only they are in these indexes. Those of before parsed each order three times. */
const namingIndexes = (['linkedTo', 'loopWith', 'exclusiveGroup'] as const satisfies NamingField[])
  .map(
    (field) => `
  DROP INDEX IF EXISTS entries_by_${field};
  CREATE INDEX IF NOT EXISTS entries_naming_${field} ON entries (auction, participant, body ->> '${field}', sequence)
    WHERE ${hasField(field).replace('entries.', '')};`,
  )
  .join('');

export const orderTables = `
  CREATE TABLE IF NOT EXISTS entries (
    auction TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    participant TEXT NOT NULL,
    record_id TEXT NOT NULL,
    received_at TEXT NOT NULL,
    body TEXT, -- canonical order; of a cancellation nothing
    hash TEXT NOT NULL, -- running hash after this entry
    cancelled INTEGER NOT NULL DEFAULT 0, -- of an order: 1 once a later entry cancels it
    version INTEGER NOT NULL DEFAULT 1, -- of an order, or of the one that is cancelled
    replaced INTEGER NOT NULL DEFAULT 0, -- of an order: 1 once there is a later version
    PRIMARY KEY (auction, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX IF NOT EXISTS entries_by_record ON entries (record_id, auction, participant, body IS NULL, version);
  ${namingIndexes}
  ${requestKeyTables}
`;

/** Orders live this long after their gate has closed, and until their auction is settled or cancelled. */
const lifetimeSeconds = 24 * 3600;
/** Orders that one transaction takes at most, so that no receipt waits for long. */
const largestGroup = 5000;

/** A request that waits for the next group. */
interface Request {
  readonly size: number;
  /** By the monotonic clock. */
  readonly since: number;
  run(group: Group): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Called when the disk has the request, or with what went wrong on the way there. */
type Settle = (fault: unknown) => void;

/** What is known of the auctions a group writes to. */
interface Group {
  readonly now: Date;
  readonly received_at: string;
  readonly gates: Map<string, Auction>;
  readonly heads: Map<string, ChainHead>;
}

const receiptOf = (row: EntryRow, of: Auction): Receipt => {
  const { auction, record_id, version, participant, sequence, received_at, hash } = row;
  const leaf = digestOf(ruleOf(of), row);
  return { auction, record_id, version, participant, sequence, received_at, hash, leaf };
};

export interface OrderStoreOptions {
  readonly database: DatabaseSync;
  readonly durability: Durability;
  readonly clock: Clock;
  /** Stamps orders and decides whether they are in time. */
  readonly gates: Clock;
  readonly heads: Heads;
  readonly storage: Storage;
}

const damaged = (auction: string, fault: string): AuctionError =>
  new AuctionError('damaged-data', `the intake of auction ${auction} is damaged: ${fault}`);

/**
 * The whole intake of an auction.
 *
 * @param head  how far it is known to have come
 * @throws AuctionError `damaged-data`
 */
export function readEntries(database: DatabaseSync, auction: string, head: Head | undefined): Entry[] {
  const fault = intakeFault(database, auction, head);
  if (fault !== undefined) throw damaged(auction, fault);
  const select = database.prepare(`SELECT ${entryColumns} FROM entries WHERE auction = ? ORDER BY sequence`);
  return (select.all(auction) as unknown as EntryRow[]).map((row): Entry => {
    const { sequence, received_at, participant, version } = row;
    const stamps = { sequence, received_at, participant, ...(version > 1 && { version }) };
    if (row.body === null) return { ...stamps, cancels: row.record_id };
    return { ...stamps, order: JSON.parse(row.body) as Order };
  });
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a scope: its methods, each short, share the prepared statements of one database
export function orderStore(options: OrderStoreOptions): OrderStore & { close(): void } {
  const { database, durability, clock, gates, heads, storage } = options;
  const columns = entryColumns;
  const insert = database.prepare(
    `INSERT INTO entries (auction, sequence, participant, record_id, received_at, body, hash, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (record_id, auction, participant, body IS NULL, version) DO NOTHING`,
  );
  const markCancelled = database.prepare('UPDATE entries SET cancelled = 1 WHERE auction = ? AND sequence = ?');
  const markReplaced = database.prepare('UPDATE entries SET replaced = 1 WHERE auction = ? AND sequence = ?');
  const selectOrder = database.prepare(
    `SELECT ${columns} FROM entries WHERE record_id = ? AND auction = ? AND participant = ? AND (body IS NULL) = 0
     ORDER BY version DESC LIMIT 1`,
  );
  const selectCancellation = database.prepare(
    `SELECT ${columns} FROM entries WHERE record_id = ? AND auction = ? AND participant = ? AND (body IS NULL) = 1`,
  );
  const selectHead = database.prepare(
    'SELECT sequence, hash FROM entries WHERE auction = ? ORDER BY sequence DESC LIMIT 1',
  );
  const selectEntry = database.prepare(`SELECT ${columns} FROM entries WHERE auction = ? AND sequence = ?`);
  const selectAuction = database.prepare('SELECT body FROM auctions WHERE id = ?');
  const expired = `auction IN (SELECT id FROM auctions WHERE state IN ('settled', 'cancelled') AND gateClosure < ?)`;
  const selectFound = database.prepare(
    `SELECT entries.*, gateClosure FROM entries JOIN auctions ON auctions.id = entries.auction
     WHERE record_id = ? AND auction = ? AND participant = ? AND entries.body IS NOT NULL AND replaced = 0 AND NOT ${expired}`,
  );
  const selectVersions = database.prepare(
    `SELECT entries.*, gateClosure FROM entries JOIN auctions ON auctions.id = entries.auction
     WHERE record_id = ? AND auction = ? AND participant = ? AND (entries.body IS NULL) = 0 AND NOT ${expired} ORDER BY version`,
  );
  const selectNewest = database.prepare(
    `SELECT entries.*, gateClosure FROM entries JOIN auctions ON auctions.id = entries.auction
     WHERE record_id = ? AND participant = ? AND entries.body IS NOT NULL AND replaced = 0 AND NOT ${expired}
     ORDER BY gateClosure DESC, sequence DESC LIMIT 1`,
  );
  const selectPage = database.prepare(
    `SELECT ${columns} FROM entries WHERE auction = ? AND sequence > ? AND body IS NOT NULL AND replaced = 0
     AND (? IS NULL OR participant = ?) AND NOT ${expired} ORDER BY sequence LIMIT ?`,
  );
  const selectEntries = database.prepare(
    `SELECT ${columns} FROM entries WHERE auction = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
  );
  const naming = (field: NamingField) =>
    database.prepare(
      `SELECT entries.*, gateClosure FROM entries INDEXED BY entries_naming_${field} JOIN auctions ON auctions.id = entries.auction
       WHERE auction = ? AND participant = ? AND ${hasField(field)} AND entries.body ->> '${field}' = ?
       AND cancelled = 0 AND replaced = 0 AND NOT ${expired}
       ORDER BY sequence LIMIT ?`,
    );
  const selectNaming = {
    linkedTo: naming('linkedTo'),
    loopWith: naming('loopWith'),
    exclusiveGroup: naming('exclusiveGroup'),
  };
  const countExpired = database.prepare(
    `SELECT auction, count(body) - sum(replaced) AS orders FROM entries WHERE ${expired} GROUP BY auction`,
  );
  const deleteExpired = database.prepare(`DELETE FROM entries WHERE ${expired}`);
  const expiryAt = (now: Date): number => now.getTime() - lifetimeSeconds * 1000;

  /** The record that was read last, with its text: every group asks for its own, which seldom changes. */
  let last: { readonly body: string; readonly auction: Auction } | undefined;
  const auctionOf = (id: string): Auction => {
    const row = selectAuction.get(id) as { body: string } | undefined;
    if (row === undefined) throw new AuctionError('not-found', `there is no auction ${id}`);
    const { body } = row;
    if (last?.body !== body) last = { body, auction: Object.freeze(auctionSchema.parse(JSON.parse(body))) };
    return last.auction;
  };

  /** The gate, decided at the write. @returns the auction, which takes the entry */
  const checkGate = (group: Group, id: string): Auction => {
    let auction = group.gates.get(id);
    if (auction === undefined) {
      auction = auctionOf(id);
      group.gates.set(id, auction);
    }
    const now = group.now.getTime();
    if (auction.state === 'scheduled' || (auction.state === 'open' && now < Date.parse(auction.gateOpening))) {
      throw new AuctionError('gate-not-open', `auction ${id} takes orders from ${auction.gateOpening}`);
    }
    if (auction.state !== 'open') {
      throw new AuctionError('gate-closed', `auction ${id} is ${auction.state}: it takes no more orders`);
    }
    if (Date.parse(auction.gateClosure) <= now) {
      throw new AuctionError('gate-closed', `the gate of auction ${id} closed at ${auction.gateClosure}`);
    }
    return auction;
  };

  /** The end of the chain: what the database has must be what was last acknowledged. */
  const headOf = (group: Group, auction: Auction): ChainHead => {
    const { id } = auction;
    const known = group.heads.get(id);
    if (known !== undefined) return known;
    const { sequence, hash } = heads.get(id);
    const found = selectHead.get(id) as ChainHead | undefined;
    if ((found?.sequence ?? 0) !== sequence || (found !== undefined && found.hash !== hash))
      throw damaged(id, `its intake ends at entry ${found?.sequence ?? 0}, acknowledged were ${sequence} (${hash})`);
    return { sequence, hash: sequence === 0 ? chainStart(seedOf(auction)) : hash };
  };

  const faultOf = openRowCheck(database);
  const checked = (row: EntryRow): EntryRow => {
    const fault = faultOf(row);
    if (fault !== undefined) throw damaged(row.auction, fault);
    return row;
  };
  const keys = openRequestKeys(database, (auction, sequence) => {
    const row = selectEntry.get(auction, sequence) as unknown as EntryRow | undefined;
    return row && receiptOf(checked(row), auctionOf(auction));
  });

  /** Put an entry at the end of the chain; undefined when there is one of its id and version already. */
  const put = (
    group: Group,
    auction: Auction,
    participant: string,
    record_id: string,
    body: string | null,
    version = 1,
  ): Receipt | undefined => {
    const { id } = auction;
    const { received_at } = group;
    const head = headOf(group, auction);
    const sequence = head.sequence + 1;
    const stamps = { sequence, received_at, participant, record_id, version };
    const leaf = stampedDigest(ruleOf(auction), stamps, body ?? undefined);
    const hash = chain(head.hash, leaf);
    const { changes } = insert.run(id, sequence, participant, record_id, received_at, body, hash, version);
    if (changes === 0) return undefined;
    group.heads.set(id, { sequence, hash });
    return { auction: id, ...stamps, hash, leaf };
  };

  const waiting: Request[] = [];
  let scheduled = false;
  let closing = false;
  /** While the disk has a group the next one gathers: the longer the disk takes, the more share a sync. */
  let isSyncing = false;

  const schedule = (): void => {
    if (scheduled || isSyncing) return;
    scheduled = true;
    setImmediate(flush);
  };

  const flush = (): void => {
    scheduled = false;
    const settle: Settle[] = [];
    while (waiting.length > 0) {
      let size = 0;
      let count = 0;
      while (count < waiting.length && (count === 0 || size + waiting[count]!.size <= largestGroup))
        size += waiting[count++]!.size;
      const group = waiting.splice(0, count);
      const committed = commit(group);
      if (committed === undefined) {
        waiting.unshift(...group);
        scheduled = true;
        setTimeout(flush, betweenTriesMs);
        break;
      }
      settle.push(...committed);
    }
    if (settle.length > 0) void afterSync(settle);
  };

  /** Nobody has an answer before the disk has what it says; not even a refusal, which may tell of somebody else's entry. */
  const afterSync = async (settle: readonly Settle[]): Promise<void> => {
    isSyncing = true;
    const fault = await durability.synced().then(
      () => undefined,
      (error: unknown) => error,
    );
    isSyncing = false;
    // The next group is on its way to the disk while these are answered.
    if (waiting.length > 0) flush();
    for (const each of settle) each(fault);
  };

  /** Whether a request still waits for somebody else's lock. */
  const hasPatience = ({ since }: Request): boolean => !closing && performance.now() - since < patienceMs;

  /**
   * One transaction for all these requests.
   *
   * @returns what settles their promises, once the disk has it; undefined when another process has the database and all have patience:
   *          nothing was done
   */
  const commit = (requests: readonly Request[]): Settle[] | undefined => {
    const settle: Settle[] = [];
    try {
      storage.check();
      const now = gates.now();
      const group: Group = { now, received_at: now.toISOString(), gates: new Map(), heads: new Map() };
      database.exec('BEGIN IMMEDIATE');
      for (const request of requests) {
        // One entry is written or not; only a request of several can fail half done.
        const several = request.size > 1;
        const before = several ? new Map(group.heads) : group.heads;
        if (several) database.exec('SAVEPOINT request');
        try {
          const value = request.run(group);
          settle.push((fault) => (fault === undefined ? request.resolve(value) : request.reject(fault)));
        } catch (error) {
          if (!(error instanceof AuctionError)) throw error;
          if (several) database.exec('ROLLBACK TO request');
          if (several) {
            group.heads.clear();
            for (const [id, head] of before) group.heads.set(id, head);
          }
          settle.push(() => request.reject(error));
        }
        if (several) database.exec('RELEASE request');
      }
      database.exec('COMMIT');
      for (const [id, head] of group.heads) heads.set(id, head);
      return settle;
    } catch (cause) {
      rollBack(database);
      if (isLocked(cause) && requests.every(hasPatience)) return undefined;
      const error = cause instanceof AuctionError ? cause : notWritten(cause);
      for (const request of requests) request.reject(error);
      return [];
    }
  };

  const inGroup = <T>(size: number, run: (group: Group) => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const since = performance.now();
      waiting.push({ size, since, run, resolve: resolve as (value: unknown) => void, reject });
      schedule();
    });

  const stored = (row: EntryRow, gateClosure: number): StoredOrder => ({
    auction: row.auction,
    participant: row.participant,
    sequence: row.sequence,
    received_at: row.received_at,
    hash: row.hash,
    version: row.version,
    order: JSON.parse(row.body!) as Order,
    cancelled: row.cancelled === 1,
    ttl: Math.floor(gateClosure / 1000) + lifetimeSeconds,
  });
  const storedOf = (found: unknown): StoredOrder | undefined => {
    const row = found as (EntryRow & { gateClosure: number }) | undefined;
    return row && stored(checked(row), row.gateClosure);
  };

  /** The last version of an order. @throws AuctionError `not-found` */
  const lastOf = (auction: string, participant: string, record_id: string): EntryRow => {
    const row = selectOrder.get(record_id, auction, participant) as unknown as EntryRow | undefined;
    if (row !== undefined) return checked(row);
    auctionOf(auction);
    throw new AuctionError('not-found', `there is no order ${record_id} in auction ${auction}`);
  };

  const cancelOne = (group: Group, auction: string, participant: string, record_id: string): Receipt => {
    const row = lastOf(auction, participant, record_id);
    if (row.cancelled === 1) {
      const cancellation = selectCancellation.get(record_id, auction, participant) as unknown as EntryRow;
      return receiptOf(checked(cancellation), auctionOf(auction));
    }
    const receipt = put(group, checkGate(group, auction), participant, record_id, null, row.version);
    markCancelled.run(auction, row.sequence);
    return receipt!;
  };

  return {
    append(auction, participant, orders, once) {
      const bodies = orders.map(canonicalOrder);
      const write = (group: Group): Receipt[] => {
        const open = checkGate(group, auction);
        return orders.map(({ record_id }, index): Receipt => {
          const receipt = put(group, open, participant, record_id, bodies[index]!);
          if (receipt !== undefined) return receipt;
          const row = selectOrder.get(record_id, auction, participant) as unknown as EntryRow;
          checked(row);
          if (row.body === bodies[index] && row.cancelled === 0) return receiptOf(row, open);
          const why =
            row.cancelled === 1 ? 'was cancelled: its id is taken for good' : 'is there already with another body';
          const message = `order ${record_id} ${why}`;
          throw new AuctionError('conflict', message, [
            { index, record_id, field: 'record_id', code: 'conflict', message },
          ]);
        });
      };
      return inGroup(orders.length, (group) => keys.atMostOnce(group.now, participant, once, () => write(group)));
    },
    async recall(participant, once) {
      return keys.answerTo(participant, once, clock.now());
    },
    async replace(auction, participant, order, expected, once) {
      const body = canonicalOrder(order);
      const { record_id } = order;
      const replacing = { record_id, body, expected };
      const write = (group: Group): Receipt => {
        const row = lastOf(auction, participant, record_id);
        const last = { body: row.body!, version: row.version, cancelled: row.cancelled === 1 };
        if (isRepeated(replacing, last)) return receiptOf(row, auctionOf(auction));
        const open = checkGate(group, auction);
        checkVersion(replacing, last);
        const receipt = put(group, open, participant, record_id, body, row.version + 1);
        markReplaced.run(auction, row.sequence);
        return receipt!;
      };
      const [receipt] = await inGroup(1, (group) =>
        keys.atMostOnce(group.now, participant, once, () => [write(group)]),
      );
      return receipt!;
    },
    cancel(auction, participant, record_id) {
      return inGroup(1, (group) => cancelOne(group, auction, participant, record_id));
    },
    cancelAll(auction, participant, record_ids, once) {
      const write = (group: Group) => record_ids.map((record_id) => cancelOne(group, auction, participant, record_id));
      return inGroup(record_ids.length, (group) => keys.atMostOnce(group.now, participant, once, () => write(group)));
    },
    async find(auction, participant, record_ids) {
      const expiry = expiryAt(clock.now());
      return record_ids.flatMap((id) => storedOf(selectFound.get(id, auction, participant, expiry)) ?? []);
    },
    async findNewest(participant, record_id) {
      return storedOf(selectNewest.get(record_id, participant, expiryAt(clock.now())));
    },
    async findNaming(auction, participant, field, names) {
      const expiry = expiryAt(clock.now());
      const found = names.flatMap((name): [string, StoredOrder][] => {
        const first = storedOf(selectNaming[field].get(auction, participant, name, expiry, 1));
        return first === undefined ? [] : [[name, first]];
      });
      return new Map(found);
    },
    async allNaming(auction, participant, field, name) {
      return selectNaming[field]
        .all(auction, participant, name, expiryAt(clock.now()), -1)
        .map((row) => storedOf(row)!);
    },
    async versions(auction, participant, record_id) {
      return selectVersions.all(record_id, auction, participant, expiryAt(clock.now())).map((row) => storedOf(row)!);
    },
    async list(auction, { after = 0, limit = -1, participant } = {}) {
      const gateClosure = Date.parse(auctionOf(auction).gateClosure);
      const whose = participant ?? null;
      const rows = selectPage.all(auction, after, whose, whose, expiryAt(clock.now()), limit) as unknown as EntryRow[];
      return rows.map((row) => stored(checked(row), gateClosure));
    },
    async entries(auction) {
      flush();
      return readEntries(database, auction, heads.get(auction));
    },
    async leaves(id, after, limit) {
      const rule = ruleOf(auctionOf(id));
      const rows = selectEntries.all(id, after, limit) as unknown as EntryRow[];
      return rows.map((row) => {
        const { sequence, hash, participant, record_id } = row;
        return { sequence, digest: digestOf(rule, row), hash, participant, record_id };
      });
    },
    async shards() {
      return 1;
    },
    async expire(now) {
      keys.expire(now);
      const expiring = countExpired.all(expiryAt(now)) as unknown as { auction: string; orders: number }[];
      if (expiring.length === 0) return 0;
      // Said before it is done, so that orders which are gone are never taken for lost ones.
      for (const { auction } of expiring) heads.say(auction, { expired: true });
      deleteExpired.run(expiryAt(now));
      return expiring.reduce((sum, { orders }) => sum + orders, 0);
    },
    close() {
      closing = true;
      flush();
    },
  };
}
