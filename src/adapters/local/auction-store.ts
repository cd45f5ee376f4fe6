/** Auctions in sqlite: one row each, its state and gate closure beside the record so that they can be asked for. */

import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import { type Auction, auction as auctionSchema } from '../../auction/auction.ts';
import type { AuctionStore } from '../../auction/ports.ts';
import { canonical } from '../../book/canonical.ts';
import { AuctionError } from '../../market/errors.ts';
import { unavailable } from './unavailable.ts';

export const auctionTables = `
  CREATE TABLE IF NOT EXISTS auctions (
    id TEXT PRIMARY KEY,
    market TEXT NOT NULL,
    state TEXT NOT NULL,
    gateClosure INTEGER NOT NULL, -- milliseconds since 1970
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS auctions_by_closure ON auctions (gateClosure, id);
  CREATE INDEX IF NOT EXISTS auctions_by_state ON auctions (state, gateClosure);
`;

const parsed = (row: unknown): Auction => auctionSchema.parse(JSON.parse((row as { body: string }).body));

export function auctionStore(database: DatabaseSync): AuctionStore {
  const insert = database.prepare(
    'INSERT INTO auctions (id, market, state, gateClosure, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const update = database.prepare('UPDATE auctions SET state = ?, gateClosure = ?, body = ? WHERE id = ?');
  const select = database.prepare('SELECT body FROM auctions WHERE id = ?');
  /** The auction that was found last, since every order asks for its own. It changes by `advance` only, which forgets it. */
  let last: Auction | undefined;
  const find = (id: string): Auction | undefined => {
    if (last?.id === id) return last;
    const row = select.get(id);
    last = row === undefined ? undefined : Object.freeze(parsed(row));
    return last;
  };
  return {
    async create(auction) {
      const { id, market, state, gateClosure } = auction;
      const body = canonical(auction);
      const { changes } = unavailable(() => insert.run(id, market, state, Date.parse(gateClosure), body));
      if (changes === 0 && canonical(find(id)) !== body) {
        throw new AuctionError('conflict', `there is another auction ${id} already`);
      }
    },
    async find(id) {
      return find(id);
    },
    async list({ market, states, limit } = {}) {
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
      const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
      const query = database.prepare(`SELECT body FROM auctions ${where} ORDER BY gateClosure DESC, id LIMIT ?`);
      return query.all(...values, limit ?? -1).map(parsed);
    },
    // Nobody writes between the look and the update: this process has the folder, and there is no await.
    async advance(known, next) {
      last = undefined;
      if (!isDeepStrictEqual(find(next.id), known)) return false;
      last = undefined;
      unavailable(() => update.run(next.state, Date.parse(next.gateClosure), canonical(next), next.id));
      return true;
    },
  };
}
