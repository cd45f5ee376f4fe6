/**
 * Tables that publications come in: one CSV file each, gzipped or not, a row per thing.
 *
 * What a file says wrong is told with the file's name, the line and the column.
 */

import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type CsvError, parse } from 'csv-parse';
import { AuctionError } from '../market/errors.ts';

export interface Row<Column extends string> {
  text(column: Column): string;
  /** @throws AuctionError `invalid-book` unless it is a finite number */
  number(column: Column): number;
  /** What to throw when a value cannot be: names file, line and column. */
  wrong(column: Column, what: string): AuctionError;
}

/** The file of a table, if there is one: `{name}.csv.gz`, or else `{name}.csv`. */
export const fileOf = (folder: string, name: string): string | undefined =>
  [`${name}.csv.gz`, `${name}.csv`].map((base) => join(folder, base)).find((path) => existsSync(path));

export interface Reading<Column extends string> {
  /** Whether a row is kept; without it all are. */
  readonly keep?: (row: Row<Column>) => boolean;
  /** Told of each piece of the file that was read, in bytes. */
  readonly onRead?: (bytes: number) => void;
}

/**
 * @param columns  those that are read; the file may have others
 * @throws AuctionError `not-found` without the file, `invalid-book` when it is no such table or has no rows
 */
export async function readTable<Column extends string>(
  folder: string,
  name: string,
  columns: readonly Column[],
  { keep = () => true, onRead }: Reading<Column> = {},
): Promise<Row<Column>[]> {
  const file = fileOf(folder, name);
  if (file === undefined) throw new AuctionError('not-found', `${join(folder, name)}.csv.gz: there is no such file`);
  const rows: Row<Column>[] = [];
  let count = 0;

  const parser = parse({
    bom: true,
    info: true,
    columns: (header: string[]) => {
      const missing = columns.filter((column) => !header.includes(column));
      if (missing.length > 0)
        throw wrong(file, 1, missing.join(', '), `no such column; it has ${header.join(', ') || 'none'}`);
      return header;
    },
    // What is not kept never becomes a record of the parser's.
    on_record: ({ record, info }: { record: Record<string, string>; info: { lines: number } }) => {
      count++;
      const row = rowOf<Column>(file, info.lines, record);
      if (keep(row)) rows.push(row);
      return null;
    },
  });
  parser.resume();
  try {
    const source = createReadStream(file);
    if (onRead) source.on('data', (chunk) => onRead(chunk.length));
    await (file.endsWith('.gz') ? pipeline(source, createGunzip(), parser) : pipeline(source, parser));
  } catch (cause) {
    if (cause instanceof AuctionError) throw cause;
    const { message } = cause as CsvError;
    throw new AuctionError('invalid-book', `${file}: cannot be read as a table: ${message}`, [], { cause });
  }
  if (count === 0) throw new AuctionError('invalid-book', `${file}: the table has no rows`);
  return rows;
}

const wrong = (file: string, line: number, column: string, what: string) =>
  new AuctionError('invalid-book', `${file}, line ${line}, ${column}: ${what}`);

function rowOf<Column extends string>(file: string, line: number, record: Record<string, string>): Row<Column> {
  return {
    text: (column) => record[column]!,
    number: (column) => {
      const text = record[column]!;
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value))
        throw wrong(file, line, column, `${JSON.stringify(text)} is no number`);
      // "-0.0" is a zero too.
      return value + 0;
    },
    wrong: (column, what) => wrong(file, line, column, what),
  };
}
