/**
 * Auctions in sqlite: one row each, its state and gate closure beside the record so that they can be asked for.
 *
 * Each row has a revision and the hash of both: a record that somebody else wrote is not read as one. The newest revision is
 * kept in the heads beside the database too, so that an older one is noticed.
 */

import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Auction, auction as auctionSchema } from '../../auction/auction.ts';
import type { AuctionStore } from '../../auction/ports.ts';
import { canonical } from '../../book/canonical.ts';
import { sha256 } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Durability } from './durability.ts';
import type { Heads } from './heads.ts';
import type { Storage } from './storage.ts';
import { unavailable } from './unavailable.ts';

export const auctionTables = `
  CREATE TABLE IF NOT EXISTS auctions (
    id TEXT PRIMARY KEY,
    market TEXT NOT NULL,
    state TEXT NOT NULL,
    gateClosure INTEGER NOT NULL, -- milliseconds since 1970
    body TEXT NOT NULL,
    revision INTEGER NOT NULL,
    hash TEXT NOT NULL -- of revision and body
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS auctions_by_closure ON auctions (gateClosure, id);
  CREATE INDEX IF NOT EXISTS auctions_by_state ON auctions (state, gateClosure);
`;

/** Unix seconds, from the record: delivery starts on a quarter of an hour. */
const ofDelivery = (field: string) => `json_extract(body, '$.delivery.${field}')`;
const deliveryStart = `unixepoch(${ofDelivery('start')})`;
const deliveryEnd = `${deliveryStart} + ${ofDelivery('periods')} * 60 * CAST(substr(${ofDelivery('resolution')}, 3) AS INTEGER)`;

export interface AuctionRow {
  readonly id: string;
  readonly market: string;
  readonly state: string;
  readonly gateClosure: number;
  readonly body: string;
  readonly revision: number;
  readonly hash: string;
}

export const auctionColumns = 'id, market, state, gateClosure, body, revision, hash';

export const recordHash = (revision: number, body: string): string => sha256(`${revision}\n${body}`);

/** What is wrong with a row, if anything. */
export function recordFault({ id, market, state, gateClosure, body, revision, hash }: AuctionRow): string | undefined {
  const found = recordHash(revision, body);
  if (found !== hash) return `its record was changed: the stored hash is ${hash}, computed ${found}`;
  const auction = JSON.parse(body) as Auction;
  const beside = [auction.id, auction.market, auction.state, Date.parse(auction.gateClosure)];
  if (isDeepStrictEqual(beside, [id, market, state, gateClosure])) return undefined;
  return `the columns beside its record were changed: ${id}, ${market}, ${state}, ${gateClosure}, the record has ${beside.join(', ')}`;
}

function parsed(found: unknown): Auction {
  const row = found as AuctionRow;
  const fault = recordFault(row);
  if (fault !== undefined) throw new AuctionError('damaged-data', `auction ${row.id}: ${fault}`);
  return auctionSchema.parse(JSON.parse(row.body));
}

const turn = (): Promise<void> => nextTurn();

export function auctionStore(
  database: DatabaseSync,
  durability: Durability,
  heads: Heads,
  storage: Storage,
): AuctionStore {
  const columns = auctionColumns;
  const insert = database.prepare(
    `INSERT INTO auctions (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const update = database.prepare(
    'UPDATE auctions SET state = ?, gateClosure = ?, body = ?, revision = ?, hash = ? WHERE id = ?',
  );
  const select = database.prepare(`SELECT ${columns} FROM auctions WHERE id = ?`);
  /** By its conditions, of which there are few: the clock asks every second. */
  const listQueries = new Map<string, StatementSync>();
  const listQuery = (where: string): StatementSync => {
    const sql = `SELECT ${columns} FROM auctions ${where} ORDER BY gateClosure DESC, id LIMIT ?`;
    const query = listQueries.get(where) ?? database.prepare(sql);
    listQueries.set(where, query);
    return query;
  };
  /** The auction that was found last, since every order asks for its own. It changes by `advance` only, which forgets it. */
  let last: Auction | undefined;
  const find = (id: string): Auction | undefined => {
    if (last?.id === id) return last;
    const row = select.get(id);
    last = row === undefined ? undefined : Object.freeze(parsed(row));
    return last;
  };
  /** Records that the disk does not have yet. Who looks for one waits until it has, and until whoever wrote it has heard so. */
  const underWay = new Map<string, Promise<unknown>>();
  const untilDurable = async (id: string): Promise<void> => {
    while (underWay.has(id)) await underWay.get(id);
  };
  /** A write, then the note of it. It is done before this returns, and on the disk when the promise resolves. */
  const write = (id: string, revision: number, body: string, run: (hash: string) => unknown): Promise<void> => {
    storage.check();
    const hash = recordHash(revision, body);
    unavailable(() => run(hash));
    heads.set(id, { revision, record: hash });
    const synced = durability.synced();
    const told = synced.then(turn, turn).finally(() => {
      if (underWay.get(id) === told) underWay.delete(id);
    });
    underWay.set(id, told);
    return synced;
  };
  return {
    async create(auction) {
      const { id, market, state, gateClosure } = auction;
      const body = canonical(auction);
      const there = find(id);
      if (there === undefined) {
        await write(id, 1, body, (hash) => insert.run(id, market, state, Date.parse(gateClosure), body, 1, hash));
      } else if (canonical(there) !== body)
        throw new AuctionError('conflict', `there is another auction ${id} already`);
      else await untilDurable(id);
    },
    async find(id) {
      if (underWay.has(id)) await untilDurable(id);
      return find(id);
    },
    async list({ market, states, limit, delivering } = {}) {
      const conditions: string[] = [];
      const values: SQLInputValue[] = [];
      if (market !== undefined) {
        conditions.push('market = ?');
        values.push(market);
      }
      if (states !== undefined) {
        conditions.push(`state IN (${states.map(() => '?').join(', ')})`);
        values.push(...states);
      }
      if (delivering !== undefined) {
        conditions.push(`${deliveryStart} < ? AND ${deliveryEnd} > ?`);
        values.push(Math.ceil(delivering.to / 1000), Math.floor(delivering.from / 1000));
      }
      const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
      return listQuery(where)
        .all(...values, limit ?? -1)
        .map(parsed);
    },
    // Nobody writes between the look and the update: this process has the folder, and there is no await before it.
    async advance(known, next) {
      last = undefined;
      if (!isDeepStrictEqual(find(next.id), known)) return false;
      last = undefined;
      const { id, state, gateClosure } = next;
      const { revision: before } = select.get(id) as unknown as AuctionRow;
      const [revision, body] = [before + 1, canonical(next)];
      await write(id, revision, body, (hash) => update.run(state, Date.parse(gateClosure), body, revision, hash, id));
      return true;
    },
  };
}
