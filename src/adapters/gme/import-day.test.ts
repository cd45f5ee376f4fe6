import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { checkBook } from '../../book/check-book.ts';
import { parseBook } from '../../market/book.ts';
import { AuctionError, type ErrorCode } from '../../market/errors.ts';
import { readBlockStatuses } from './blocks.ts';
import { type ImportOptions, importDay } from './import-day.ts';

const day = '2025-04-01';
const hours = Array.from({ length: 24 }, (_, index) => index + 1);

/** A tiny Italy: two zones, one line inside, one to Slovenia, one between two zones abroad. */
const tables = (): Record<string, string[]> => ({
  'simple-bid-curves': [
    'delivery_day,period,zone,side,price_eur_per_mwh,quantity_mwh',
    `${day},1,NORD,supply,-5.5,74.89999999999999`,
    `${day},1,NORD,supply,20.0,10.0`,
    `${day},1,NORD,demand,4000.0,50.0`,
    `${day},2,CNOR,demand,60.0,0.0`,
    '2025-04-02,1,NORD,supply,1.0,1.0',
  ],
  'transfer-capacities': [
    'delivery_day,period,id,from_zone,to_zone,min_flow_mwh,max_flow_mwh',
    ...hours.flatMap((hour) => [
      `${day},${hour},CNOR_NORD,CNOR,NORD,-${2000 + hour}.0,3000.0`,
      `${day},${hour},NORD_SLOV,NORD,SLOV,-0.0,500.0`,
      `${day},${hour},BSP_COUP,BSP,COUP,-1.0,1.0`,
    ]),
  ],
  'published-prices': [
    'delivery_day,period,zone,price_eur_per_mwh',
    ...hours.flatMap((hour) => [`${day},${hour},SLOV,95.03007`, `${day},${hour},NORD,90.0`]),
  ],
  'published-exchanges': [
    'delivery_day,period,zone,external_zone,exchange_mwh',
    ...hours.map((hour) => `${day},${hour},NORD,SLOV,${hour === 1 ? '-516.0' : hour === 2 ? '30.5' : '0.0'}`),
  ],
  'block-orders': [
    'delivery_day,block_id,period,zone,side,quantity_mwh,price_eur_per_mwh,published_status',
    `${day},B1,4,NORD,supply,5.5,70.0,ACC`,
    `${day},B1,3,NORD,supply,5.0,70.0,ACC`,
    `${day},B2,3,NORD,demand,9.0,10.0,PREJ`,
  ],
});

async function folderWith(t: TestContext, change: (all: Record<string, string[]>) => void = () => {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-gme-'));
  t.after(() => rm(folder, { recursive: true }));
  const all = tables();
  change(all);
  for (const [name, lines] of Object.entries(all))
    await writeFile(join(folder, `${name}.csv.gz`), gzipSync(`${lines.join('\n')}\n`));
  return folder;
}

const options = (folder: string, more: Partial<ImportOptions> = {}): ImportOptions => ({
  folder,
  day,
  borders: 'prices',
  ...more,
});

async function checkFails(t: TestContext, code: ErrorCode, message: RegExp, change: Parameters<typeof folderWith>[1]) {
  const folder = await folderWith(t, change);
  await assert.rejects(importDay(options(folder, { blocks: 'orders' })), (error) => {
    assert(error instanceof AuctionError);
    assert.match(error.message, message);
    assert.equal(error.code, code);
    return true;
  });
}

test('importDay() makes a limit order of each price step of the day, in kilowatts, without empty ones', async (t) => {
  const { orders } = await importDay(options(await folderWith(t)));
  assert.deepEqual(
    orders.filter(({ zone }) => zone !== 'SLOV'),
    [
      { record_id: 'NORD-s-1-00001', kind: 'limit', zone: 'NORD', side: 'sell', period: 1, price: -5.5, power: 74.9 },
      { record_id: 'NORD-s-1-00002', kind: 'limit', zone: 'NORD', side: 'sell', period: 1, price: 20, power: 10 },
      { record_id: 'NORD-b-1-00001', kind: 'limit', zone: 'NORD', side: 'buy', period: 1, price: 4000, power: 50 },
    ],
  );
});

test('importDay() makes a book of the local day, with lines from the signed ranges', async (t) => {
  const book = await importDay(options(await folderWith(t)));
  assert.deepEqual(parseBook(JSON.parse(JSON.stringify(book))), book);
  assert.equal(book.auction, 'italy-2025-04-01');
  assert.equal(book.start, '2025-03-31T22:00:00Z');
  assert.deepEqual(book.zones, ['NORD', 'CNOR', 'CSUD', 'SUD', 'CALA', 'SICI', 'SARD', 'SLOV']);
  assert.deepEqual(
    book.lines.map(({ id, from, to, capacity, reverse }) => ({
      id,
      from,
      to,
      last: [capacity, reverse].map((c) => Object(c)[23]),
    })),
    [
      { id: 'CNOR-NORD', from: 'CNOR', to: 'NORD', last: [3000, 2024] },
      { id: 'NORD-SLOV', from: 'NORD', to: 'SLOV', last: [500, 0] },
    ],
  );
});

test('importDay() keeps a range without zero: it forces a flow', async (t) => {
  const folder = await folderWith(t, (all) => {
    all['transfer-capacities']![1] = `${day},1,CNOR_NORD,CNOR,NORD,100.0,3000.0`;
  });
  const { lines } = await importDay(options(folder));
  assert.equal(Object(lines[0]!.reverse)[0], -100);
});

test('importDay() with borders by price lets a zone abroad buy and sell at its published price', async (t) => {
  const { orders } = await importDay(options(await folderWith(t)));
  const abroad = orders.filter(({ zone }) => zone === 'SLOV');
  assert.equal(abroad.length, 48);
  assert.deepEqual(abroad.slice(0, 2), [
    { record_id: 'SLOV-b-1', kind: 'limit', zone: 'SLOV', side: 'buy', period: 1, price: 95.03007, power: 1000 },
    { record_id: 'SLOV-s-1', kind: 'limit', zone: 'SLOV', side: 'sell', period: 1, price: 95.03007, power: 1000 },
  ]);
});

test('importDay() with borders by exchange sells imports and buys exports at any price', async (t) => {
  const { orders, lines, zones } = await importDay(options(await folderWith(t), { borders: 'exchanges' }));
  assert.deepEqual(orders.slice(3), [
    { record_id: 'NORD-SLOV-1', kind: 'limit', zone: 'NORD', side: 'sell', period: 1, price: -500, power: 516 },
    { record_id: 'NORD-SLOV-2', kind: 'limit', zone: 'NORD', side: 'buy', period: 2, price: 4000, power: 30.5 },
  ]);
  assert.deepEqual(
    lines.map(({ id }) => id),
    ['CNOR-NORD'],
  );
  assert.equal(zones.length, 7);
});

test('importDay() takes blocks as orders', async (t) => {
  const { orders } = await importDay(options(await folderWith(t), { blocks: 'orders' }));
  const profile = [
    { period: 3, power: 5 },
    { period: 4, power: 5.5 },
  ];
  assert.deepEqual(
    orders.find(({ kind }) => kind === 'block'),
    { record_id: 'B1', kind: 'block', zone: 'NORD', side: 'sell', price: 70, profile, minAcceptance: 1 },
  );
  assert.equal(orders.filter(({ kind }) => kind === 'block').length, 2);
});

test('importDay() leaves out a block of no power', async (t) => {
  const folder = await folderWith(t, (all) => all['block-orders']!.push(`${day},B3,3,NORD,demand,0.0,10.0,REJ`));
  const { orders } = await importDay(options(folder, { blocks: 'orders' }));
  assert.equal(orders.filter(({ kind }) => kind === 'block').length, 2);
});

test('readBlockStatuses() says what became of each block', async (t) => {
  const folder = await folderWith(t);
  assert.deepEqual(
    [...(await readBlockStatuses({ folder, day, periods: 24 }))],
    [
      ['B1', 'ACC'],
      ['B2', 'PREJ'],
    ],
  );
});

const italy = fileURLToPath(new URL('../../../../shared/data/italy-2025-04', import.meta.url));

test('importDay() takes a real day with its blocks as orders', {
  skip: existsSync(italy) ? false : 'there is no ../shared/data/italy-2025-04',
}, async () => {
  const book = await importDay(options(italy, { blocks: 'orders' }));
  checkBook(book);
  const blocks = book.orders.filter((order) => order.kind === 'block');
  // Block ids of the table, counted apart.
  assert.equal(blocks.length, 38);
  assert(blocks.every(({ minAcceptance, profile }) => minAcceptance === 1 && profile!.length > 0));
  const statuses = await readBlockStatuses({ folder: italy, day, periods: 24 });
  assert.deepEqual(blocks.map(({ record_id }) => record_id).sort(), [...statuses.keys()].sort());
});

test('importDay() replays accepted blocks at any price and drops the others', async (t) => {
  const { orders } = await importDay(options(await folderWith(t), { blocks: 'replay' }));
  assert.deepEqual(
    orders.filter(({ record_id }) => /^B\d/.test(record_id)),
    [3, 4].map((period) => ({
      record_id: `B1-${period}`,
      kind: 'limit',
      zone: 'NORD',
      side: 'sell',
      period,
      price: -500,
      power: period === 3 ? 5 : 5.5,
    })),
  );
});

test('importDay() says which day is not there, and which are', async (t) => {
  const folder = await folderWith(t);
  const message = /simple-bid-curves has no 2025-05-01; it has 2 days from 2025-04-01 to 2025-04-02$/;
  await assert.rejects(importDay(options(folder, { day: '2025-05-01' })), { code: 'not-found', message });
  await assert.rejects(importDay(options(folder, { day: '2025-02-30' })), {
    code: 'invalid-request',
    message: /no.* day/,
  });
});

test('importDay() says what is missing or wrong by file, line and column', async (t) => {
  await checkFails(t, 'not-found', /block-orders\.csv\.gz: there is no such file/, (all) => {
    delete all['block-orders'];
  });
  await checkFails(
    t,
    'invalid-book',
    /simple-bid-curves.*, line 1, zone: no such column; it has delivery_day/,
    (all) => {
      all['simple-bid-curves']![0] = 'delivery_day,period,area,side,price_eur_per_mwh,quantity_mwh';
    },
  );
  await checkFails(t, 'invalid-book', /simple-bid-curves.*, line 3, price_eur_per_mwh: "cheap" is no number/, (all) => {
    all['simple-bid-curves']![2] = `${day},1,NORD,supply,cheap,10.0`;
  });
  await checkFails(t, 'invalid-book', /line 3, quantity_mwh: -10 is negative/, (all) => {
    all['simple-bid-curves']![2] = `${day},1,NORD,supply,20.0,-10.0`;
  });
  await checkFails(t, 'invalid-book', /line 3, period: 25 is none of the 24/, (all) => {
    all['simple-bid-curves']![2] = `${day},25,NORD,supply,20.0,10.0`;
  });
  await checkFails(t, 'invalid-book', /published-prices lacks border zone SLOV, period 1$/, (all) => {
    all['published-prices']!.splice(1, 1);
  });
  await checkFails(t, 'invalid-book', /line CNOR_NORD lacks period 24/, (all) => {
    all['transfer-capacities']!.splice(-3, 1);
  });
  await checkFails(t, 'invalid-book', /block B1 has price 70 and 71/, (all) => {
    all['block-orders']![2] = `${day},B1,3,NORD,supply,5.0,71.0,ACC`;
  });
});

test('importDay() refuses a table that is cut off', async (t) => {
  const folder = await folderWith(t);
  const whole = gzipSync(tables()['published-prices']!.join('\n'));
  await writeFile(join(folder, 'published-prices.csv.gz'), whole.subarray(0, whole.length / 2));
  await assert.rejects(importDay(options(folder)), {
    code: 'invalid-book',
    message: /published-prices.*unexpected end/,
  });
});
