/** Tables as GME's publications are passed on: a row per market time unit and thing, many delivery days in one file. */

import { type Row as AnyRow, readTable as readRows } from '../table.ts';
import { toKilowatt } from './italy.ts';

export interface Row<Column extends string> extends Pick<AnyRow<Column>, 'text' | 'number'> {
  /** A power. @throws AuctionError `invalid-book` when it is negative */
  megawatts(column: Column): number;
  /** The market time unit, 1 to the day's number of them. @throws AuctionError `invalid-book` */
  period(): number;
}

/** The rows of one delivery day of a table, and the days that it has. */
export interface Table<Column extends string> {
  readonly rows: readonly Row<Column>[];
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

/**
 * @param name such as `published-prices`; the file is `{name}.csv.gz`, or else `{name}.csv`
 * @throws AuctionError `not-found` without the file, `invalid-book` when it is no such table
 */
export async function readTable<Column extends string>(
  { folder, day, periods, onRead }: Source,
  name: string,
  columns: readonly Column[],
): Promise<Table<Column>> {
  const days = new Set<string>();
  const rows = await readRows<Column | 'delivery_day' | 'period'>(
    folder,
    name,
    ['delivery_day', 'period', ...columns],
    {
      // Fifteen days lie in one file: what is not of this day never becomes a row.
      keep: (row) => {
        days.add(row.text('delivery_day'));
        return row.text('delivery_day') === day;
      },
      ...(onRead && { onRead }),
    },
  );
  return { rows: rows.map((row) => rowOf(row, periods)), days: [...days].sort() };
}

function rowOf<Column extends string>(row: AnyRow<Column | 'period'>, periods: number): Row<Column> {
  return {
    text: row.text,
    number: row.number,
    megawatts: (column) => {
      const value = row.number(column);
      if (value < 0) throw row.wrong(column, `${value} is negative; the side says which way`);
      return toKilowatt(value);
    },
    period: () => {
      const period = row.number('period');
      if (!Number.isInteger(period) || period < 1 || period > periods)
        throw row.wrong('period', `${period} is none of the ${periods} of this day`);
      return period;
    },
  };
}
