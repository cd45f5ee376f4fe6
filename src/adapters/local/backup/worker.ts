/** The thread that makes one backup. */

import { parentPort, workerData } from 'node:worker_threads';
import { type BackupOptions, makeBackup } from './backup.ts';

export type BackupOrder = BackupOptions;
export type BackupReport =
  | { readonly done: true; readonly folder: string; readonly deleted: readonly string[] }
  | { readonly done: false; readonly error: string };

async function report(): Promise<BackupReport> {
  try {
    const { folder, deleted } = await makeBackup(workerData as BackupOrder);
    return { done: true, folder, deleted };
  } catch (error) {
    return { done: false, error: (error as Error).message };
  }
}

parentPort!.postMessage(await report());
