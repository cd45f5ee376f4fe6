/** Older layouts of the database, brought up to this one. */

import type { DatabaseSync } from 'node:sqlite';
import { chainStart } from '../../book/intake.ts';
import { recordHash } from './auction-store.ts';
import type { Head } from './heads.ts';

/** Layout 1 had auctions without revision and hash: what is there when it is brought up is their first revision. */
export function addRevisions(database: DatabaseSync): void {
  database.exec(`ALTER TABLE auctions ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE auctions ADD COLUMN hash TEXT NOT NULL DEFAULT ''`);
  const update = database.prepare('UPDATE auctions SET hash = ? WHERE id = ?');
  const rows = database.prepare('SELECT id, body FROM auctions').all() as unknown as { id: string; body: string }[];
  for (const { id, body } of rows) update.run(recordHash(1, body), id);
}

/** Layouts before 4 had one version of each order, and an index that would not take a second. */
export function addVersions(database: DatabaseSync): void {
  database.exec(`ALTER TABLE entries ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE entries ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0;
    DROP INDEX IF EXISTS entries_by_record`);
}

/** The heads as the database has them. */
export function headsIn(database: DatabaseSync): Map<string, Head> {
  const auctions = database.prepare('SELECT id, revision, hash FROM auctions').all();
  const last = database.prepare('SELECT sequence, hash FROM entries WHERE auction = ? ORDER BY sequence DESC LIMIT 1');
  return new Map(
    (auctions as unknown as { id: string; revision: number; hash: string }[]).map(({ id, revision, hash }) => {
      const end = last.get(id) as { sequence: number; hash: string } | undefined;
      return [id, { revision, record: hash, sequence: end?.sequence ?? 0, hash: end?.hash ?? chainStart(id) }];
    }),
  );
}
