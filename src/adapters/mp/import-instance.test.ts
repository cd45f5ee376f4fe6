import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkBook } from '../../book/check-book.ts';
import { parseBook } from '../../market/book.ts';
import type { ComplexOrder } from '../../market/order.ts';
import { importInstance } from './import-instance.ts';

/** Two zones, two hours, one minimum-profit order. */
const tables = (): Record<string, string[]> => ({
  areas: ['"V1"', '11', '12'],
  periods: ['"V1"', '1', '2'],
  line_cap: ['"from","too","t","linecap"', '12,11,1,1800', '11,12,1,2000', '12,11,2,2100', '11,12,2,1550'],
  hourly_quad: ['"I","PI0","PI1","QI","LI","TI"', '1,0,0,-30445.5,11,1', '2,180.3,180.3,93.9,12,2', '3,5,5,0,12,2'],
  mp_headers: ['"MP","LC","FC","VC"', '7,11,10000,22.5'],
  mp_hourly: ['"H","PH","QH","TH","MP","AR","LH","VH"', '1,24.5,-80,1,7,0.6,11,65.3', '2,67.6,-322.2,1,7,0,11,65.3'],
});

async function folderWith(t: TestContext, change: (all: Record<string, string[]>) => void = () => {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-mp-'));
  t.after(() => rm(folder, { recursive: true }));
  const all = tables();
  change(all);
  for (const [name, lines] of Object.entries(all))
    await writeFile(join(folder, `${name}.csv`), `${lines.join('\n')}\n`);
  return folder;
}

test('importInstance() makes limit orders of the curves and a complex order of each minimum-profit order', async (t) => {
  const book = await importInstance(await folderWith(t));
  assert.deepEqual(parseBook(JSON.parse(JSON.stringify(book))), book);
  checkBook(book);
  assert.deepEqual([book.periods, book.priceLimits, book.zones], [2, { min: -500, max: 3000 }, ['11', '12']]);
  assert.match(book.auction, /^minimum-profit-merit-mp-/);
  assert.deepEqual(book.orders, [
    { record_id: 'i-1', kind: 'limit', zone: '11', side: 'sell', period: 1, price: 0, power: 30445.5 },
    { record_id: 'i-2', kind: 'limit', zone: '12', side: 'buy', period: 2, price: 180.3, power: 93.9 },
    {
      record_id: 'mp-7',
      kind: 'complex',
      zone: '11',
      side: 'sell',
      condition: 'minimum-profit',
      fixedTerm: 10_000,
      variableTerm: 0,
      steps: [
        { period: 1, price: 24.5, power: 80, minAcceptance: 0.6 },
        { period: 1, price: 67.6, power: 322.2 },
      ],
    },
  ]);
});

test('importInstance() makes one line of the two directions of a pair of zones', async (t) => {
  const { lines } = await importInstance(await folderWith(t));
  assert.deepEqual(lines, [
    {
      id: '12-11',
      from: '12',
      to: '11',
      capacity: [1800, 2100],
      reverse: [2000, 1550],
      loss: 0,
      tariff: 0,
      ramp: null,
    },
  ]);
});

for (const [what, table, line, text, message] of [
  ['a table that is not there', 'mp_headers', -1, '', /mp_headers\.csv\.gz: there is no such file/],
  ['a column that is not there', 'mp_hourly', 0, 'H,PH', /mp_hourly\.csv, line 1, QH, .*: no such column/],
  ['a slope', 'hourly_quad', 1, '1,0,5,-10,11,1', /hourly_quad\.csv, line 2, PI1: 5 after 0: only steps/],
  ['a price that is none', 'hourly_quad', 1, '1,x,x,-10,11,1', /line 2, PI0: "x" is no number/],
  ['a step of no order', 'mp_hourly', 1, '1,24.5,-80,1,8,0.6,11,65.3', /line 2, MP: there is no order 8/],
  ['a step in another zone', 'mp_hourly', 1, '1,24.5,-80,1,7,0.6,12,65.3', /line 2, LH: order 7 lies in zone 11/],
  ['a step that buys', 'mp_hourly', 1, '1,24.5,80,1,7,0.6,11,65.3', /line 2, QH: 80 buys/],
  ['an order twice', 'mp_headers', 2, '7,11,1,1', /line 3, MP: order 7 is there twice/],
  ['a capacity twice', 'line_cap', 5, '12,11,1,1', /line 6, t: hour 1 of 12 -> 11 is there twice/],
  ['a capacity of no hour', 'line_cap', 5, '12,11,3,1', /line 6, t: 3 is none of 2 hours/],
  ['a capacity that is missing', 'line_cap', 4, '', /12-11 lacks hour 2 in one direction/],
  ['hours out of order', 'periods', 1, '2', /periods\.csv, line 2, V1: hour 2 where 1 comes/],
] as const) {
  test(`importInstance() names file, line and column of ${what}`, async (t) => {
    const folder = await folderWith(t, (all) => {
      if (line < 0) delete all[table];
      else if (text === '') all[table]!.splice(line, 1);
      else all[table]![line] = text;
    });
    await assert.rejects(importInstance(folder), { name: 'AuctionError', message });
  });
}

const data = fileURLToPath(new URL('../../../../shared/data/minimum-profit', import.meta.url));
const skip = existsSync(data) ? false : 'there is no ../shared/data/minimum-profit';

test('importInstance() reads the five public instances whole', { skip }, async () => {
  const seen = [];
  for (const instance of [1, 2, 3, 4, 5]) {
    const book = await importInstance(join(data, `instance-${instance}`));
    checkBook(book);
    const complex = book.orders.filter((order): order is ComplexOrder => order.kind === 'complex');
    const steps = complex.flatMap((order) => order.steps);
    seen.push([
      book.auction,
      book.orders.length - complex.length,
      complex.length,
      steps.length,
      steps.filter(({ minAcceptance }) => minAcceptance === 0.6).length,
    ]);
    assert.deepEqual([book.periods, [...book.zones].sort(), book.lines.length], [24, ['11', '12'], 1]);
  }
  // Rows of the tables, counted apart.
  assert.deepEqual(seen, [
    ['minimum-profit-instance-1', 4500, 92, 9994, 2208],
    ['minimum-profit-instance-2', 4386, 90, 9923, 2160],
    ['minimum-profit-instance-3', 4435, 91, 9894, 2184],
    ['minimum-profit-instance-4', 4971, 89, 9399, 2136],
    ['minimum-profit-instance-5', 5865, 89, 9226, 2124],
  ]);
});
