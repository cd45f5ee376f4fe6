/**
 * Auctions and orders in one sqlite database of the data folder.
 *
 * Durable means durable: write-ahead log with `synchronous = FULL`, so a commit returns when the disk has it. That costs a
 * millisecond or more, so requests that wait are committed together: each in a savepoint of its own, all in one transaction,
 * and nobody gets a receipt before it ends.
 */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AuctionStore, Clock, OrderStore } from '../../auction/ports.ts';
import { AuctionError } from '../../market/errors.ts';
import { auctionStore, auctionTables } from './auction-store.ts';
import { makePrivate } from './data-folder.ts';
import { orderStore, orderTables } from './order-store.ts';
import { busyMs, isMachineFault, patienceMs, patient } from './unavailable.ts';

export interface Store {
  readonly auctions: AuctionStore;
  readonly orders: OrderStore;
  /** For the tables of the other adapters; one transaction at a time, and none across an `await`. */
  readonly database: DatabaseSync;
  close(): void;
}

/** Names the file as ours to whoever finds it, and its layout to ourselves: 'MRIT', 1. */
const applicationId = 0x4d524954;
const layout = 1;

/**
 * @param folder  the data folder, or `:memory:`
 * @param gates  decides whether an order is in time
 * @throws AuctionError `incompatible-data` when the database is of another program or version; `unavailable` when the machine
 *         does not let it be used (full disk, no rights)
 */
export function openStore(folder: string, clock: Clock, gates: Clock = clock): Store {
  const file = folder === ':memory:' ? folder : join(folder, 'merit.sqlite');
  const database = open(file);
  const orders = orderStore(database, clock, gates);
  const close = () => {
    orders.close();
    database.close();
  };
  const { close: _, ...port } = orders;
  return { auctions: patient(auctionStore(database)), orders: patient(port), database, close };
}

function open(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (file !== ':memory:') makePrivate(file);
    database = new DatabaseSync(file, { timeout: patienceMs });
    const { application_id } = database.prepare('PRAGMA application_id').get() as { application_id: number };
    const { user_version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if ((application_id !== 0 && application_id !== applicationId) || (user_version !== 0 && user_version !== layout)) {
      const message = `${file} has layout ${user_version} of application ${application_id}, expected ${layout} of ${applicationId}`;
      throw new AuctionError('incompatible-data', message);
    }
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON`);
    // What is there already is not written again: a house whose disk is full can start, answer what is asked, and wait for room.
    if (user_version === 0) database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${layout}`);
    database.exec(`${auctionTables} ${orderTables} PRAGMA busy_timeout = ${busyMs}`);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof AuctionError) throw cause;
    if (isMachineFault(cause)) {
      const message = `${file} can't be used now: ${(cause as Error).message}; mend that (room, rights), then start again`;
      throw new AuctionError('unavailable', message, [], { cause });
    }
    throw new AuctionError('incompatible-data', `${file} can't be used: ${(cause as Error).message}`, [], { cause });
  }
}
