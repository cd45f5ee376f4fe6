/** Files in and out: gzipped or not, written whole or not at all, faults told with the file's name. */

import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readStrictJson, type StrictJson } from '../market/json.ts';
import { exitCodes, Failure, withOrder } from './failure.ts';

/** The text of a file; `-` is standard input. Gzip is recognised by its first bytes. */
export async function readText(file: string): Promise<string> {
  const bytes = await (file === '-' ? buffer(process.stdin) : readFile(file)).catch((cause) => {
    throw new Failure(exitCodes.usage, `${file}: ${reasonOf(cause)}`, [], { cause });
  });
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return withoutMark(bytes.toString('utf8'));
  try {
    return withoutMark(gunzipSync(bytes).toString('utf8'));
  } catch (cause) {
    throw new Failure(exitCodes.usage, `${file}: the gzip data is damaged: ${(cause as Error).message}`, [], { cause });
  }
}

/** A byte order mark is how some programs begin a file. */
const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);

/** The JSON in a file. @throws Failure that names the file, and each place that may be read in more than one way */
export async function readJson(file: string): Promise<unknown> {
  return jsonOf(await readText(file), file);
}

export function jsonOf(text: string, file: string): unknown {
  if (text.trim() === '') throw new Failure(exitCodes.usage, `${file}: the file is empty`);
  const { value, problems } = strictJsonOf(text, file);
  if (problems.length === 0) return value;
  const named = problems.map((problem) => withOrder(problem, value));
  throw new Failure(exitCodes.usage, `${file}: may be read in more than one way`, named);
}

function strictJsonOf(text: string, file: string): StrictJson {
  try {
    return readStrictJson(text);
  } catch (cause) {
    throw new Failure(exitCodes.usage, `${file}: not JSON: ${(cause as Error).message}`, [], { cause });
  }
}

/** Write a file so that nobody ever sees half of it; `-` is standard output. Gzipped when the name ends in `.gz`. */
export async function writeWhole(file: string, text: string): Promise<void> {
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  const bytes = file.endsWith('.gz') ? gzipSync(text) : text;
  const half = join(dirname(file), `.${basename(file)}.${process.pid}.half`);
  const abandon = () => {
    process.exitCode = 130;
    rm(half, { force: true }).finally(() => process.exit());
  };
  process.once('SIGINT', abandon);
  try {
    await writeFile(half, bytes, { flush: true });
    await rename(half, file);
  } catch (cause) {
    await rm(half, { force: true });
    throw new Failure(exitCodes.failed, `${file}: cannot be written: ${reasonOf(cause as Error)}`, [], { cause });
  } finally {
    process.off('SIGINT', abandon);
  }
}

function reasonOf(error: Error): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file or folder';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
      return 'no permission';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return error.message;
  }
}
