/** A house of each setting with its workflow run by hand: on one machine, and over the adapters of AWS on tables and keys in memory. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openAuctionStore } from '../../src/adapters/aws/auction-store.ts';
import { contentOf, entriesOf } from '../../src/adapters/aws/log-pages.ts';
import { openOrderStore } from '../../src/adapters/aws/order-store.ts';
import { openSigner } from '../../src/adapters/aws/signer.ts';
import { openArchive } from '../../src/adapters/local/archive.ts';
import { readHeads, writeHeads } from '../../src/adapters/local/heads.ts';
import type { Auction } from '../../src/auction/auction.ts';
import type { Ports } from '../../src/auction/ports.ts';
import { tasks } from '../../src/auction/steps/tasks.ts';
import { canonical } from '../../src/book/canonical.ts';
import { chain, chainStart, ruleOf, seedOf, stampedDigest } from '../../src/book/intake.ts';
import type { Market } from '../../src/market/market.ts';
import type { Order } from '../../src/market/order.ts';
import { openTestHouse, start, testMarket } from './house.ts';
import { memoryKms } from './memory-kms.ts';
import { openMemoryTables } from './memory-table.ts';
import { recordingMeter } from './meter.ts';
import { byHand } from './races.ts';
import { randomBy } from './random-by.ts';

export interface HandHouse {
  readonly ports: Ports;
  readonly clock: { time: string };
  /**
   * Write another history, as who has the database can: one order is another. With `chain: 'anew'` every hash that the store keeps is worked
   * out again, so that the intake agrees with itself.
   */
  rewrite(auction: Auction, alter: (order: Order) => Order, how: { chain: 'as it was' | 'anew' }): Promise<void>;
}

const shards = 3;

async function awsHouse(t: TestContext, market: Market): Promise<HandHouse> {
  t.mock.method(Math, 'random', randomBy(21)); // which shard a request goes to
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
  const rewrite: HandHouse['rewrite'] = async (auction, alter, { chain }) => {
    for (let shard = 0; shard < shards; shard++) {
      const pk = `${auction.id}#${shard}`;
      const own = database.items('intake').filter((item) => item.pk === pk);
      const pages = own.filter(({ sk }) => String(sk).startsWith('page#'));
      let hash = chainStart(seedOf(auction), shard, shards);
      for (const page of pages.sort((a, b) => (String(a.sk) < String(b.sk) ? -1 : 1))) {
        const altered = contentOf(page.content as Uint8Array).map(({ order, ...rest }) => ({
          ...rest,
          ...(order && { order: alter(order) }),
        }));
        const before = chain === 'anew' ? hash : page.before;
        const item = { ...page, before, content: gzipSync(JSON.stringify(altered)) };
        await database.put('intake', item);
        hash = entriesOf(item, shard, shards).at(-1)!.hash;
      }
      const head = own.find(({ sk }) => sk === 'head');
      if (head?.entries !== undefined && chain === 'anew') await database.put('intake', { ...head, chain: hash });
    }
  };
  return { ports, clock, rewrite };
}

async function localHouse(t: TestContext, market: Market): Promise<HandHouse> {
  const house = await openTestHouse(t, { markets: [market] });
  return {
    get ports() {
      return { ...house.ports, workflow: byHand };
    },
    clock: house.clock,
    rewrite: (auction, alter, how) => house.reopen({}, (folder) => rewriteRows(folder, auction, alter, how.chain)),
  };
}

interface Row {
  readonly sequence: number;
  readonly participant: string;
  readonly record_id: string;
  readonly received_at: string;
  readonly body: string | null;
  readonly version: number;
  readonly hash: string;
}

function rewriteRows(
  folder: string,
  auction: Auction,
  alter: (order: Order) => Order,
  how: 'as it was' | 'anew',
): void {
  const database = new DatabaseSync(join(folder, 'merit.sqlite'));
  const update = database.prepare('UPDATE entries SET body = ?, hash = ? WHERE auction = ? AND sequence = ?');
  let hash = chainStart(seedOf(auction));
  let last = 0;
  const rows = database.prepare('SELECT * FROM entries WHERE auction = ? ORDER BY sequence').all(auction.id);
  for (const row of rows as unknown as Row[]) {
    const body = row.body === null ? null : canonical(alter(JSON.parse(row.body)));
    hash = chain(hash, stampedDigest(ruleOf(auction), row, body ?? undefined));
    update.run(body, how === 'anew' ? hash : row.hash, auction.id, row.sequence);
    last = row.sequence;
  }
  database.close();
  if (how === 'as it was') return;
  const { heads } = readHeads(folder)!;
  writeHeads(folder, new Map([...heads, [auction.id, { ...heads.get(auction.id)!, sequence: last, hash }]]));
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
