/** Syncs of a write-ahead log beside the event loop, in the hands of a test. On Linux, where a file is known by its descriptor. */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { TestContext } from 'node:test';

const { fdatasync } = fs;

type Done = (error: NodeJS.ErrnoException | null) => void;
/** @param sync  what would have been done */
type Instead = (sync: (done: Done) => void, done: Done) => void;

/** Until the test ends. Call it before the store is opened. */
export function replaceLogSync(t: TestContext, instead: Instead): void {
  const put = (value: typeof fdatasync) => {
    fs.fdatasync = value;
    syncBuiltinESMExports();
  };
  const isLog = (fd: number) => fs.readlinkSync(`/proc/self/fd/${fd}`).endsWith('merit.sqlite-wal');
  const replaced = (fd: number, done: Done) =>
    isLog(fd) ? instead((then) => fdatasync(fd, then), done) : fdatasync(fd, done);
  put(replaced as typeof fdatasync);
  t.after(() => put(fdatasync));
}

export const noLogSync = process.platform === 'linux' ? false : 'it looks up files by /proc';
