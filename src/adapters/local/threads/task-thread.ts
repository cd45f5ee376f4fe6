/**
 * One thread that runs tasks of the workflow beside the server, as a function in the cloud does: sealing, clearing, verification and
 * settlement take their time here, and the server's event loop none of it.
 *
 * It reads the intake and reads and writes the archive by itself. Whatever changes the database it asks the server for, so that there is
 * one writer. It may be ended at any moment: every task may run twice.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { createBirpc } from 'birpc';
import type { Clock, OrderStore, Ports } from '../../../auction/ports.ts';
import { tasks } from '../../../auction/steps/tasks.ts';
import { openSigner } from '../access/signing-keys.ts';
import { openArchive } from '../archive.ts';
import { readHeads } from '../heads.ts';
import { readEntries } from '../order-store.ts';
import {
  crossing,
  isLong,
  type ServerFunctions,
  type SharedPort,
  type ThreadData,
  type ThreadFunctions,
} from './messages.ts';

assert(parentPort !== null, 'this file is a thread of the server');
const port = parentPort;
const { folder, markets, longestSearchMs } = workerData as ThreadData;

/**
 * A book, its text and its result are of use to one task; left alone, V8 keeps those of the task before until it has half a gigabyte. Here
 * nobody waits for its tens of milliseconds.
 */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** The server's clock, as it was when the task came. */
let ahead = 0;
const clock: Clock = { now: () => new Date(performance.now() + ahead) };

/** A port of the server, but for what of it is done here. */
const shared = <Name extends SharedPort>(name: Name, here: Partial<Ports[Name]> = {}): Ports[Name] =>
  new Proxy(here as Ports[Name], {
    get: (_, method) =>
      here[method as keyof typeof here] ?? ((...args: unknown[]) => server.callPort(name, String(method), args)),
  });

const database = new DatabaseSync(join(folder, 'merit.sqlite'), { readOnly: true });
const entries: OrderStore['entries'] = async (auction) =>
  readEntries(database, auction, readHeads(folder)?.heads.get(auction));
const ports: Ports = {
  clock,
  markets,
  auctions: shared('auctions'),
  orders: shared('orders', { entries }),
  archive: openArchive(join(folder, 'archive')),
  notices: shared('notices'),
  workflow: shared('workflow'),
  signer: openSigner(folder),
  meter: { record: (...args) => void server.callPort('meter', 'record', args) },
  longestSearchMs,
};

const server = createBirpc<ServerFunctions, ThreadFunctions>(
  {
    async runTask(task, input, now) {
      ahead = now - performance.now();
      try {
        return await tasks[task](ports, input);
      } finally {
        if (isLong[task]) setImmediate(collect);
      }
    },
  },
  { ...crossing, post: (message) => port.postMessage(message), on: (take) => port.on('message', take) },
);
