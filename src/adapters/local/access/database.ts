/**
 * Who may do what, in a database of its own in the data folder: clients, their secrets' hashes, and the keys that tokens and
 * evidence are signed with. Nobody but the owner of the folder may read the file.
 *
 * It stands apart from the orders so that the command line can write to it while a house has the folder.
 */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AuctionError } from '../../../market/errors.ts';
import { makePrivate } from '../data-folder.ts';
import { unusableFile } from '../unavailable.ts';

const layout = 1;
const patienceMs = 5000;

const tables = `
  CREATE TABLE IF NOT EXISTS issuer (name TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS keys (
    kid TEXT PRIMARY KEY,
    jwk TEXT NOT NULL, -- private
    made_at INTEGER NOT NULL, -- unix seconds
    retired_at INTEGER, -- of the one that signs nothing
    holds_until INTEGER NOT NULL -- unix seconds: when its last token expires
  ) STRICT;
  CREATE TABLE IF NOT EXISTS signing_keys (
    number INTEGER PRIMARY KEY,
    x TEXT NOT NULL UNIQUE, -- public, base64url
    jwk TEXT -- private, of the one that signs; nothing of those that did
  ) STRICT;
  CREATE TABLE IF NOT EXISTS clients (
    client TEXT PRIMARY KEY,
    scopes TEXT NOT NULL, -- separated by spaces
    secret TEXT, -- hash; nothing where another issuer knows the client
    participant TEXT UNIQUE,
    access TEXT, -- read or write, of a participant
    portfolios TEXT -- JSON, of a participant
  ) STRICT;
`;

/** @param folder  the data folder, which is there. @throws AuctionError `incompatible-data` */
export function openAccessDatabase(folder: string): DatabaseSync {
  const file = join(folder, 'access.sqlite');
  let database: DatabaseSync | undefined;
  try {
    makePrivate(file);
    database = new DatabaseSync(file, { timeout: patienceMs });
    const { user_version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (user_version !== 0 && user_version !== layout)
      throw new AuctionError('incompatible-data', `${file} has layout ${user_version}, expected ${layout}`);
    database.exec(`PRAGMA synchronous = FULL; PRAGMA user_version = ${layout}; ${tables}`);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof AuctionError) throw cause;
    throw unusableFile(folder, file, cause);
  }
}
