/** A house of each setting with its workflow run by hand: on one machine, and over the adapters of AWS on tables and keys in memory. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openAuctionStore } from '../../src/adapters/aws/auction-store.ts';
import { openOrderStore } from '../../src/adapters/aws/order-store.ts';
import { openSigner } from '../../src/adapters/aws/signer.ts';
import { openArchive } from '../../src/adapters/local/archive.ts';
import type { Ports } from '../../src/auction/ports.ts';
import { tasks } from '../../src/auction/steps/tasks.ts';
import type { Market } from '../../src/market/market.ts';
import { openTestHouse, start, testMarket } from './house.ts';
import { memoryKms } from './memory-kms.ts';
import { openMemoryTables } from './memory-table.ts';
import { recordingMeter } from './meter.ts';
import { byHand } from './races.ts';

export interface HandHouse {
  readonly ports: Ports;
  readonly clock: { time: string };
}

const shards = 3;

async function awsHouse(t: TestContext, market: Market): Promise<HandHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-aws-'));
  t.after(() => rm(folder, { recursive: true }));
  const clock = { time: start, now: () => new Date(clock.time) };
  const database = openMemoryTables();
  const auctions = openAuctionStore(database, 'auctions', shards);
  const kms = memoryKms();
  const ports: Ports = {
    clock,
    markets: new Map([[market.market, market]]),
    auctions,
    orders: openOrderStore({ database, ordersTable: 'orders', intakeTable: 'intake', auctions, clock }),
    archive: openArchive(join(folder, 'archive')),
    notices: { send: async () => undefined },
    workflow: byHand,
    meter: recordingMeter(),
    signer: openSigner(kms.client, [kms.createKey()]),
    longestSearchMs: 60_000,
  };
  return { ports, clock };
}

async function localHouse(t: TestContext, market: Market): Promise<HandHouse> {
  const { ports, clock } = await openTestHouse(t, { markets: [market] });
  return { ports: { ...ports, workflow: byHand }, clock };
}

/** One zone and one hour that takes blocks too. */
const market = testMarket({ orderKinds: ['limit', 'curve', 'block'] });

export const houses: readonly (readonly [name: string, open: (t: TestContext) => Promise<HandHouse>])[] = [
  ['on one machine', (t) => localHouse(t, market)],
  ['over the adapters of AWS', (t) => awsHouse(t, market)],
];

const of = (auction: string) => ({ auction, run: 1 });
export const seal = (ports: Ports, auction = 'a') => tasks.SealBook(ports, of(auction));
export const clear = (ports: Ports, auction = 'a') => tasks.Clear(ports, { ...of(auction), attempt: 1 });
export const verify = (ports: Ports, auction = 'a') => tasks.Verify(ports, of(auction));
