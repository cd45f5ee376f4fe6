/** Keys of requests in sqlite: a row each, put in the transaction that its request is written in. */

import type { DatabaseSync } from 'node:sqlite';
import { keyLifetimeMs, type Once } from '../../auction/ports.ts';
import type { Receipt } from '../../book/intake.ts';
import { keyReused } from '../changes.ts';

export const requestKeyTables = `
  CREATE TABLE IF NOT EXISTS request_keys (
    participant TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    auction TEXT NOT NULL,
    sequences TEXT NOT NULL, -- of the entries that were answered, a JSON list
    expires_at INTEGER NOT NULL, -- ms since 1970
    PRIMARY KEY (participant, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS request_keys_by_expiry ON request_keys (expires_at);
`;

interface KeyRow {
  readonly fingerprint: string;
  readonly auction: string;
  readonly sequences: string;
}

/** @param receiptOf  of an entry; undefined where it is gone */
export function openRequestKeys(
  database: DatabaseSync,
  receiptOf: (auction: string, sequence: number) => Receipt | undefined,
) {
  const select = database.prepare(
    'SELECT fingerprint, auction, sequences FROM request_keys WHERE participant = ? AND key = ? AND expires_at > ?',
  );
  const put = database.prepare(
    `INSERT OR REPLACE INTO request_keys (participant, key, fingerprint, auction, sequences, expires_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const deleteExpired = database.prepare('DELETE FROM request_keys WHERE expires_at <= ?');

  /** What a request of that key was answered; undefined too where its entries are gone. @throws AuctionError `key-reused` */
  function answerTo(participant: string, once: Once, now: Date): Receipt[] | undefined {
    const row = select.get(participant, once.key, now.getTime()) as KeyRow | undefined;
    if (row === undefined) return undefined;
    if (row.fingerprint !== once.fingerprint) throw keyReused(once);
    const receipts = (JSON.parse(row.sequences) as number[]).map((sequence) => receiptOf(row.auction, sequence));
    return receipts.every((receipt) => receipt !== undefined) ? receipts : undefined;
  }

  return {
    answerTo,

    /** Do this once for its key, which is kept in the same transaction. @param work  writes an entry at least, or finds one */
    atMostOnce(now: Date, participant: string, once: Once | undefined, work: () => Receipt[]): Receipt[] {
      if (once === undefined) return work();
      const answered = answerTo(participant, once, now);
      if (answered !== undefined) return answered;
      const receipts = work();
      const sequences = JSON.stringify(receipts.map(({ sequence }) => sequence));
      const { auction } = receipts[0]!;
      put.run(participant, once.key, once.fingerprint, auction, sequences, now.getTime() + keyLifetimeMs);
      return receipts;
    },

    expire: (now: Date): void => void deleteExpired.run(now.getTime()),
  };
}
