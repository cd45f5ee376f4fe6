/** The thread that copies the write-ahead log into the database; asked by `checkpoints.ts`, it answers whether it could. */

import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

const port = parentPort!;
const database = new DatabaseSync(workerData as string);
const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');

port.on('message', (word: 'copy' | 'end') => {
  if (word === 'end') {
    database.close();
    port.close();
    return;
  }
  let error: string | undefined;
  try {
    checkpoint.get();
  } catch (fault) {
    error = (fault as Error).message;
  }
  port.postMessage({ error });
});
