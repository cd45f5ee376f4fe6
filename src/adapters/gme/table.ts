/**
 * Tables as GME's publications are passed on: one CSV file each, gzipped or not, a row per market time unit and thing.
 *
 * What a file says wrong is told with the file's name, the line and the column.
 */

import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type CsvError, parse } from 'csv-parse';
import { AuctionError } from '../../market/errors.ts';
import { toKilowatt } from './italy.ts';

export interface Row<Column extends string> {
  text(column: Column): string;
  /** @throws AuctionError `invalid-book` unless it is a finite number */
  number(column: Column): number;
  /** A power. @throws AuctionError `invalid-book` when it is negative */
  megawatts(column: Column): number;
  /** The market time unit, 1 to the day's number of them. @throws AuctionError `invalid-book` */
  period(): number;
}

/** The rows of one delivery day of a table, and the days that it has. */
export interface Table<Column extends string> {
  readonly rows: readonly Row<Column | 'period'>[];
  readonly days: readonly string[];
}

/** Which day of which folder is read. */
export interface Source {
  readonly folder: string;
  /** Delivery day, `YYYY-MM-DD`. */
  readonly day: string;
  /** How many market time units the day has. */
  readonly periods: number;
  /** Told of each piece of a file that was read, in bytes. */
  readonly onRead?: (bytes: number) => void;
}

/** The file of a table, if there is one. */
export const fileOf = (folder: string, name: string): string | undefined =>
  [`${name}.csv.gz`, `${name}.csv`].map((base) => join(folder, base)).find((path) => existsSync(path));

/**
 * @param name such as `published-prices`; the file is `{name}.csv.gz`, or else `{name}.csv`
 * @throws AuctionError `not-found` without the file, `invalid-book` when it is no such table
 */
export async function readTable<Column extends string>(
  { folder, day, periods, onRead }: Source,
  name: string,
  columns: readonly Column[],
): Promise<Table<Column>> {
  const file = fileOf(folder, name);
  if (file === undefined) throw new AuctionError('not-found', `${join(folder, name)}.csv.gz: there is no such file`);
  const wanted = ['delivery_day', 'period', ...columns];
  const days = new Set<string>();
  const rows: Row<Column | 'period'>[] = [];

  const parser = parse({
    bom: true,
    info: true,
    columns: (header: string[]) => {
      const missing = wanted.filter((column) => !header.includes(column));
      if (missing.length > 0)
        throw wrong(file, 1, missing.join(', '), `no such column; it has ${header.join(', ') || 'none'}`);
      return header;
    },
    // Fifteen days lie in one file: what is not of this day never becomes a row.
    on_record: ({ record, info }: { record: Record<string, string>; info: { lines: number } }) => {
      days.add(record.delivery_day!);
      if (record.delivery_day === day) rows.push(rowOf(file, info.lines, record, periods));
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
  if (days.size === 0) throw new AuctionError('invalid-book', `${file}: the table has no rows`);
  return { rows, days: [...days].sort() };
}

const wrong = (file: string, line: number, column: string, what: string) =>
  new AuctionError('invalid-book', `${file}, line ${line}, ${column}: ${what}`);

function rowOf<Column extends string>(
  file: string,
  line: number,
  record: Record<string, string>,
  periods: number,
): Row<Column> {
  const number = (column: string) => {
    const text = record[column]!;
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value))
      throw wrong(file, line, column, `${JSON.stringify(text)} is no number`);
    // "-0.0" is a zero too.
    return value + 0;
  };
  return {
    text: (column) => record[column]!,
    number,
    megawatts: (column) => {
      const value = number(column);
      if (value < 0) throw wrong(file, line, column, `${value} is negative; the side says which way`);
      return toKilowatt(value);
    },
    period: () => {
      const period = number('period');
      if (!Number.isInteger(period) || period < 1 || period > periods)
        throw wrong(file, line, 'period', `${period} is none of the ${periods} of this day`);
      return period;
    },
  };
}
