/** What a person reads: tables and figures. Programs get JSON instead. */

import Table from 'cli-table3';

const isPretty = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;

export type Align = 'left' | 'right';

/** A table with a head; numbers stand on the right. Without frames, so that it is easy to read and to cut. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const none = Object.fromEntries(
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
      .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'])
      .map((part) => [part, '']),
  );
  const out = new Table({
    head: [...head],
    chars: { ...none, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: isPretty ? ['bold'] : [], border: [] },
    colAligns: head.map((_, column): Align => {
      const cells = rows.map((row) => row[column]);
      return cells.length > 0 && cells.every((cell) => typeof cell === 'number' || isFigure(cell)) ? 'right' : 'left';
    }),
  });
  for (const row of rows) out.push([...row]);
  return (
    out
      .toString()
      .split('\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the end of bold is one
      .map((line) => line.replace(/\s+(\x1b\[\d+m)$/, '$1').trimEnd())
      .join('\n')
  );
}

const isFigure = (cell: string | undefined): boolean => /^(-?[\d,]+(\.\d+)?( ?[%a-zA-Z/]+)?|-)?$/.test(cell ?? '');

/** `1,234.50` */
export const figure = (value: number, decimals = 2): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

const mostDecimals = 6;

/** Figures that stand together. Where the largest is below 1 they have as many decimals more as it has noughts, and one: households trade kilowatts, at 0.21 a kWh. */
export function alike(values: readonly number[], decimals: number): string[] {
  const largest = Math.max(0, ...values.map(Math.abs));
  const more = largest > 0 && largest < 1 ? 1 + Math.ceil(-Math.log10(largest)) : 0;
  return values.map((value) => figure(value, Math.min(mostDecimals, decimals + more)));
}

/** One such figure. */
export const smallFigure = (value: number, decimals: number): string => alike([value], decimals)[0]!;

/** A relative gap: `0`, or `4.6e-10`. */
export const gapText = (gap: number): string => (gap === 0 ? '0' : gap.toExponential(1));

export const count = (value: number): string => value.toLocaleString('en-US');

/** `1 order`, `2 orders` */
export const counted = (value: number, what: string): string => `${count(value)} ${what}${value === 1 ? '' : 's'}`;

export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, undefined, 2));

/** `2025-04-01 10:00:05Z`, from any RFC 3339 instant. */
export const shortInstant = (at: string): string =>
  new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
    .replace(/:00Z$/, 'Z');
