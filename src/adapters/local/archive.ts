/** Books, results and settled orders as files: each written to a name of its own first, and never changed after. */

import { createHash, randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import type { Archive } from '../../auction/ports.ts';
import { AuctionError } from '../../market/errors.ts';
import { checkArchiveKey } from '../archive-key.ts';
import { isMachineFault } from './unavailable.ts';

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;

/** @param check  called before each write; what it throws stops the write */
export function openArchive(folder: string, check: () => void = () => undefined): Archive {
  const fileOf = (key: string): string => join(folder, checkArchiveKey(key));

  /** Once there was an archive, one that is gone is a fault of the machine: nothing in it is missing, and no other is begun. */
  let wasThere = existsSync(folder);
  const checkFolder = (what: string): void => {
    if (wasThere && !existsSync(folder)) throw unavailable(what, new Error(`${folder} is gone`));
  };

  /** What is not there is no fault; what the machine cannot do is `unavailable`. */
  const reading = async <T>(what: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') {
        checkFolder(`read ${what}`);
        return undefined;
      }
      throw isMachineFault(error) ? unavailable(`read ${what}`, error) : error;
    }
  };

  const read = (key: string) => reading(key, () => readFile(fileOf(key), 'utf8'));

  const write = async (key: string, text: string): Promise<void> => {
    const file = fileOf(key);
    check();
    checkFolder(`write ${key}`);
    const isWritten = await writeOnce(file, text).catch((error: unknown) => {
      throw unavailable(`write ${key}`, error);
    });
    wasThere = true;
    if (isWritten) return;
    if ((await read(key)) !== text) throw new AuctionError('conflict', `${key} is in the archive with other content`);
  };

  const list = async (prefix: string): Promise<string[]> => {
    // Only the folder that the prefix leads into is read.
    const inside = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')));
    const deepest = inside === '' ? folder : fileOf(inside);
    const entries = await reading(prefix, () => readdir(deepest, { recursive: true, withFileTypes: true }));
    return (entries ?? [])
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.part'))
      .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length))
      .filter((key) => key.startsWith(prefix))
      .sort();
  };

  /** Files whose hash was compared since they were written last, by key. */
  const compared = new LRUCache<string, string>({ max: 10_000 });

  const stream: Archive['stream'] = async (key, hash) => {
    const handle = await open(fileOf(key)).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
      checkFolder(`read ${key}`);
      return undefined;
    });
    if (handle === undefined) return undefined;
    try {
      const { ino, size, mtimeMs, ctimeMs } = await handle.stat();
      const version = [hash, ino, size, mtimeMs, ctimeMs].join(' ');
      if (compared.get(key) !== version) {
        const found = await hashOf(handle);
        if (found !== hash)
          throw new AuctionError('damaged-data', `${key} was changed: its hash is ${found}, not ${hash}`);
        compared.set(key, version);
      }
      return Readable.toWeb(handle.createReadStream({ start: 0 })) as ReadableStream<Uint8Array>;
    } catch (error) {
      await handle.close();
      throw error;
    }
  };

  return { read, write, list, stream };
}

async function hashOf(handle: FileHandle): Promise<string> {
  const digest = createHash('sha256');
  for await (const piece of handle.createReadStream({ start: 0, autoClose: false })) digest.update(piece as Buffer);
  return `sha256:${digest.digest('hex')}`;
}

const unavailable = (what: string, cause: unknown): AuctionError =>
  new AuctionError('unavailable', `the archive can't ${what}: ${(cause as Error).message}`, [], { cause });

/** @returns false when there is a file of that name already */
async function writeOnce(file: string, text: string): Promise<boolean> {
  const unfinished = `${file}.${randomUUID()}.part`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await durably(unfinished, text);
    // A link fails where the name is taken, so of two writers one is first and nobody overwrites.
    const isFirst = await link(unfinished, file).then(
      () => true,
      (error: unknown) => (codeOf(error) === 'EEXIST' ? false : Promise.reject(error)),
    );
    if (isFirst) await syncFolder(dirname(file));
    return isFirst;
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function durably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A new name is durable when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
