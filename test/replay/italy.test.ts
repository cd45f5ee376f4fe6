/**
 * A real day through the whole house: an Italian book is sent over HTTP in batches, the gate closes, the workflow runs, and
 * the published prices are those of GME. See `italy-days.ts` for what is replayed.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { importDay } from '../../src/adapters/gme/import-day.ts';
import type { Auction } from '../../src/auction/auction.ts';
import type { Receipt } from '../../src/book/intake.ts';
import { HouseClient } from '../../src/cli/house-client.ts';
import type { Book } from '../../src/market/book.ts';
import { type Market, parseMarket } from '../../src/market/market.ts';
import type { Result } from '../../src/market/result.ts';
import { serve } from '../../src/server.ts';
import { compareWithPublished, italyFolder, withoutItaly } from './italy-data.ts';

const day = '2025-04-01';
const batch = 2000;

/** A market in which this book could have been collected; auctions only on request. */
const marketOf = ({ currency, resolution, zones, lines, priceLimits }: Book): Market =>
  parseMarket(
    {
      market: 'italy',
      description: 'Seven Italian zones and the zones around them.',
      currency,
      timeZone: 'Europe/Rome',
      resolution,
      zones,
      lines,
      priceLimits,
      powerLimits: { lot: 0.1, max: 100_000 },
      orderKinds: ['limit'],
      schedule: { kind: 'manual' },
      patience: { firstSeconds: 1, mostSeconds: 10, attempts: 10 },
    },
    'the market of the replay',
  );

test('an Italian day over HTTP gets the prices that GME published', {
  skip: withoutItaly,
  timeout: 60_000,
}, async (t) => {
  const book = await importDay({ folder: italyFolder, day, borders: 'prices', blocks: 'replay' });
  const data = await mkdtemp(join(tmpdir(), 'merit-replay-'));
  t.after(() => rm(data, { recursive: true }));
  const faults: unknown[] = [];
  const log = (entry: object) => 'error' in entry && faults.push(entry);
  const serving = await serve({ markets: [marketOf(book)], data, port: 0, log });
  t.after(() => serving.close());
  const house = new HouseClient(serving.url);

  const { auction: id, start, periods, orders } = book;
  const gateClosure = new Date(Date.now() + 3_600_000).toISOString();
  await house.post('/auctions', { id, start, periods, gateClosure });
  const receipts: Receipt[] = [];
  for (let first = 0; first < orders.length; first += batch) {
    const body = { auction: id, orders: orders.slice(first, first + batch) };
    receipts.push(...(await house.post<{ receipts: Receipt[] }>('/orders', body)).receipts);
  }
  assert.equal(receipts.length, orders.length);

  await house.post(`/auctions/${id}/close`);
  const settled = await reachesEnd(house, id);
  assert.equal(settled.state, 'settled', settled.cause);
  assert.equal(settled.book?.orders, orders.length);
  assert.equal(settled.result?.status, 'optimal');

  const { zones } = await house.get<{ zones: Result['prices'] }>(`/auctions/${id}/prices`);
  const { compared, exact, differences } = await compareWithPublished(day, zones);
  t.diagnostic(`${exact} of ${compared} prices are the published ones`);
  assert.deepEqual(differences, []);
  assert.equal(compared, 168);
  assert.deepEqual(faults, []);
});

async function reachesEnd(house: HouseClient, id: string): Promise<Auction> {
  for (;;) {
    const auction = await house.get<Auction>(`/auctions/${id}`);
    if (['settled', 'failed', 'cancelled'].includes(auction.state)) return auction;
    await sleep(20);
  }
}
