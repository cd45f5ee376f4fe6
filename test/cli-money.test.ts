/** The commands about trades and money, against a running house. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openHouse, run, temporaryFolder } from './cli-house.ts';
import { until } from './ports/workflow.cases.ts';

test('merit auctions trades and settlement, and merit statement, show what was traded and what it comes to', async (t) => {
  const { url } = await openHouse(t);
  const file = join(await temporaryFolder(t), 'statement.csv');
  const orders = [
    { record_id: 's1', side: 'sell', period: 1, price: 10, power: 80 },
    { record_id: 'b1', side: 'buy', period: 1, price: 1060.01, power: 80 },
  ];
  const post = (path: string, body: object = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await post('/orders', { auction: 'a1', orders });
  await post('/auctions/a1/close');
  const { delivery } = await until('a1 is settled', async () => {
    const auction = (await (await fetch(`${url}/auctions/a1`)).json()) as {
      state: string;
      delivery: { start: string };
    };
    return auction.state === 'settled' ? auction : undefined;
  });
  const day = delivery.start.slice(0, 10);
  const here = ['--url', url];
  const [trades, sheet, statement, csv, printed] = await Promise.all([
    run(['auctions', 'trades', 'a1', ...here]),
    run(['auctions', 'settlement', 'a1', ...here]),
    run(['statement', '--day', day, ...here]),
    run(['statement', '--day', day, '--csv', file, ...here]),
    run(['statement', '--day', day, '--csv', '-', ...here]),
  ]);
  assert.match(
    trades.out,
    /^order +zone +delivery +side +MW +price +hours +EUR\ns1 +A +\S+ \S+ +sell +80 +535\.01 +1 +42,800\.80\nb1 /,
  );
  assert.match(sheet.out, /paid by buyers +42,800\.80\npaid to sellers +42,800\.80\ncongestion income +0\.00/);
  assert.match(statement.out, /bought 80 MWh for 42,800\.80 EUR\n +sold 80 MWh for 42,800\.80 EUR\n +to pay 0\.00 EUR/);
  assert.equal(csv.out, `${file}: written\n`);
  const text = await readFile(file, 'utf8');
  assert.match(text, /,s1,limit,A,[^,]+,[^,]+,sell,80,535\.01,1,80,42800\.80,EUR\r\n/);
  assert.equal(printed.out, text);
});
