/**
 * Whether the files that are open are still those of the data folder.
 *
 * A process goes on writing into files that somebody has deleted or put others in the place of, and nobody would ever find what it
 * acknowledged. So every write looks first: a `stat` of each file, some microseconds.
 */

import { statSync } from 'node:fs';
import { AuctionError } from '../../market/errors.ts';

export interface Storage {
  /** What has happened to the files; undefined while all is well. */
  fault(): string | undefined;
  /** @throws AuctionError `unavailable` */
  check(): void;
}

export interface OpenFile {
  readonly path: string;
  /** Of the file that is open; undefined once it is closed. */
  readonly inode: () => number | undefined;
}

export const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

export function watchStorage(files: readonly OpenFile[]): Storage {
  const fault = (): string | undefined => {
    for (const { path, inode } of files) {
      const [open, there] = [inode(), inodeOf(path)];
      if (open === undefined || open === there) continue;
      return `${path} ${there === undefined ? 'is gone' : 'is another file'} than the one that is open: stop the house and put it back`;
    }
    return undefined;
  };
  return {
    fault,
    check() {
      const found = fault();
      if (found !== undefined) throw new AuctionError('unavailable', `the store can't write: ${found}`);
    },
  };
}
