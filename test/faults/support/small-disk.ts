/** Two ways to a disk without room: a small file system, which needs the right to mount, and a limit on the size of files. */

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './place.ts';

export interface SmallDisk {
  /** For the data folder. */
  readonly folder: string;
  /** No room from now on, for this process. */
  fill(pid: number): void;
  /** Room again. */
  free(pid: number): void;
}

export type Way = (place: Place) => SmallDisk;

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });

/** 8 MB, filled by a file of zeros. */
export const smallFileSystem: Way = ({ folder, undo }) => {
  const disk = join(folder, 'disk');
  const ballast = join(disk, 'ballast');
  mkdirSync(disk);
  run('mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk);
  undo(() => run('umount', '-l', disk));
  return {
    folder: disk,
    fill() {
      const file = openSync(ballast, 'a');
      try {
        for (;;) writeSync(file, Buffer.alloc(4096));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast),
  };
};

/** No file of the process may grow beyond nothing. */
export const fileSizeLimit: Way = ({ folder }) => ({
  folder,
  fill: (pid) => void run('prlimit', '--pid', String(pid), '--fsize=0:unlimited'),
  free: (pid) => void run('prlimit', '--pid', String(pid), '--fsize=unlimited:unlimited'),
});

/** Why a way cannot be gone here; `undefined` when it can. */
export function obstacle(way: 'mount' | 'prlimit'): string | undefined {
  try {
    if (way === 'prlimit') run('prlimit', '--pid', String(process.pid), '--fsize');
    else run('unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp');
    return undefined;
  } catch (error) {
    return `${way} is not possible here: ${(error as Error).message.split('\n').at(-1)}`;
  }
}
