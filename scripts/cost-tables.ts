/** The tables of docs/cost.md, made anew: `npm run cost-tables` writes them between the marks of the file. */

import { readFile, writeFile } from 'node:fs/promises';
import { costOf, type Day } from '../lib/cost/model.ts';
import { byService, dollars, sum, templatesOf } from './cost.ts';

export const document = new URL('../docs/cost.md', import.meta.url);

const usual = { auctions: 24, ordersPerRequest: 10, clients: 10, reads: 1000 };
const days: readonly [name: string, day: Day][] = [
  ['1 thousand orders', { ...usual, orders: 1000 }],
  ['100 thousand', { ...usual, orders: 100_000, ordersPerRequest: 50, clients: 30, reads: 20_000 }],
  ['10 million', { ...usual, orders: 10_000_000, ordersPerRequest: 500, clients: 100, reads: 1_000_000 }],
];

type Row = readonly (string | number)[];

/** As the formatter leaves it: names to the left, figures to the right. */
function table(rows: readonly Row[]): string {
  const width = (at: number) => Math.max(...rows.map((row) => String(row[at]).length));
  const cell = (text: string | number, at: number) =>
    at === 0 ? String(text).padEnd(width(at)) : String(text).padStart(width(at));
  const line = (row: Row) => `| ${row.map(cell).join(' | ')} |`;
  const rule = rows[0]!.map((_, at) => (at === 0 ? '-'.repeat(width(at)) : `${'-'.repeat(width(at) - 1)}:`));
  return [line(rows[0]!), line(rule), ...rows.slice(1).map(line)].join('\n');
}

/** By name of the mark in the document. */
export async function costTables(): Promise<Record<string, string>> {
  const prod = await templatesOf({ environment: 'prod' });
  const monthly = days.map(([, day]) => costOf(prod, day));
  const services = [...new Set(monthly.flatMap((lines) => byService(lines).map(([service]) => service)))];
  const of = (lines: (typeof monthly)[number], service: string) =>
    dollars(sum(lines.filter((line) => line.service === service)));
  const cells = (each: (day: Day) => number) => days.map(([, day]) => each(day).toLocaleString('en'));
  return {
    days: table([
      ['dollars a month', ...days.map(([name]) => `${name} a day`)],
      ['orders a request', ...cells((day) => day.ordersPerRequest)],
      ['clients', ...cells((day) => day.clients)],
      ['reads a day', ...cells((day) => day.reads)],
      ...services.map((service) => [service, ...monthly.map((lines) => of(lines, service))]),
      ['**together**', ...monthly.map((lines) => `**${dollars(sum(lines))}**`)],
      ['of which the dearest line', ...monthly.map(([most]) => `${most!.service}: ${most!.what}`)],
      [
        'dollars per thousand orders',
        ...monthly.map((lines, i) => (sum(lines) / (days[i]![1].orders * 0.03)).toFixed(4)),
      ],
    ]),
    options: table([
      ['change, dollars a month', ...days.map(([name]) => `${name} a day`)],
      ...(await Promise.all(
        options.map(async ([name, context, changed]) => {
          const base = await templatesOf({ environment: 'prod', ...context.from });
          const other = await templatesOf({ environment: 'prod', ...context.to });
          const change = days.map(([, day]) => sum(costOf(other, { ...day, ...changed })) - sum(costOf(base, day)));
          return [name, ...change.map((each) => `${each > 0 ? '+' : ''}${each.toFixed(2)}`)];
        }),
      )),
    ]),
  };
}

type Context = Readonly<Record<string, string>>;
const options: readonly (readonly [name: string, { from?: Context; to?: Context }, Partial<Day>])[] = [
  ['`cache=edge`', { to: { cache: 'edge' } }, {}],
  ['`workflow=express`', { to: { workflow: 'express' } }, {}],
  ['`warmMinutes=0`', { to: { warmMinutes: '0' } }, {}],
  ['`waf=on`', { to: { waf: 'on' } }, {}],
  ['orders one by one', {}, { ordersPerRequest: 1 }],
  ['orders a thousand a request', {}, { ordersPerRequest: 1000 }],
  ['auctions each quarter of an hour', {}, { auctions: 96 }],
];

/** @throws Error for a document without the marks of a table */
export function withTables(text: string, tables: Readonly<Record<string, string>>): string {
  let made = text;
  for (const [name, content] of Object.entries(tables)) {
    const marks = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end -->)`);
    if (!marks.test(made)) throw new Error(`the document has no mark <!-- ${name} -->`);
    made = made.replace(marks, (_, begin, end) => `${begin}\n${content}\n\n${end}`);
  }
  return made;
}

if (import.meta.main) await writeFile(document, withTables(await readFile(document, 'utf8'), await costTables()));
