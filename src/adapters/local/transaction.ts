/** Transactions of sqlite. */

import type { DatabaseSync } from 'node:sqlite';

/** All that `work` writes or nothing; it must not wait for anything. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const value = work();
    database.exec('COMMIT');
    return value;
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

/** After an error, which is the one to tell of: where not even this works the next transaction says so. */
export function rollBack(database: DatabaseSync): void {
  try {
    if (database.isTransaction) database.exec('ROLLBACK');
  } catch {
    // As above.
  }
}
