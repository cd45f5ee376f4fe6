/** Books, results and settled orders as files: each written to a name of its own first, and never changed after. */

import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import type { Archive } from '../../auction/ports.ts';
import { AuctionError } from '../../market/errors.ts';
import { checkArchiveKey } from '../archive-key.ts';

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;

/** @param check  called before each write; what it throws stops the write */
export function openArchive(folder: string, check: () => void = () => undefined): Archive {
  const fileOf = (key: string): string => join(folder, checkArchiveKey(key));

  const read = async (key: string): Promise<string | undefined> => {
    try {
      return await readFile(fileOf(key), 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  };

  const write = async (key: string, text: string): Promise<void> => {
    const file = fileOf(key);
    const unfinished = `${file}.${randomUUID()}.part`;
    check();
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await durably(unfinished, text);
      // A link fails where the key is taken, so of two writers one is first and nobody overwrites.
      await link(unfinished, file);
      await syncFolder(dirname(file));
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') {
        throw new AuctionError('unavailable', `the archive can't write ${key}: ${(error as Error).message}`, [], {
          cause: error,
        });
      }
      if ((await read(key)) !== text) throw new AuctionError('conflict', `${key} is in the archive with other content`);
    } finally {
      await unlink(unfinished).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error;
      });
    }
  };

  const list = async (prefix: string): Promise<string[]> => {
    // Only the folder that the prefix leads into is read.
    const inside = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')));
    const deepest = inside === '' ? folder : fileOf(inside);
    try {
      const entries = await readdir(deepest, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile() && !entry.name.endsWith('.part'))
        .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length))
        .filter((key) => key.startsWith(prefix))
        .sort();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  };

  /** Files whose hash was compared since they were written last, by key. */
  const compared = new LRUCache<string, string>({ max: 10_000 });

  const stream: Archive['stream'] = async (key, hash) => {
    const handle = await open(fileOf(key)).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
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
