/**
 * The intake of the cloud in a rush on one auction: the real order store over tables in memory that take as long as DynamoDB and refuse
 * what it would refuse (`test/support/memory-table.ts`). As many functions as there are requests at one time, each with one request.
 *
 * Requests arrive by chance at a steady rate (Poisson), whatever becomes of those before them: a store that falls behind is found out.
 */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuctionRecords } from '../src/adapters/aws/auction-store.ts';
import { openOrderStore } from '../src/adapters/aws/order-store.ts';
import type { Auction } from '../src/auction/auction.ts';
import type { Order } from '../src/market/order.ts';
import { openMemoryTables, realistic } from '../test/support/memory-table.ts';
import { mulberry32 } from './random-blocks.ts';

interface Rush {
  readonly requestsPerSecond: number;
  readonly ordersPerRequest: number;
}

const rushes: readonly Rush[] = [
  { requestsPerSecond: 200, ordersPerRequest: 1 },
  { requestsPerSecond: 100, ordersPerRequest: 10 },
];
const shardCounts = [2, 4, 8];
const seed = 42;
/** What must hold: the 99th percentile, and nobody refused. */
const goalMs = 300;

const auction: Auction = {
  id: 'rush',
  market: 'm',
  state: 'open',
  delivery: { start: '2099-01-01T00:00:00Z', resolution: 'PT60M', periods: 1 },
  gateOpening: '2020-01-01T00:00:00Z',
  gateClosure: '2099-01-01T00:00:00Z',
  run: 1,
  updatedAt: '2020-01-01T00:00:00Z',
};

export async function benchIntakeCloud(smoke: boolean): Promise<void> {
  const seconds = smoke ? 0.5 : 20;
  const table: Record<string, Record<string, number>> = {};
  for (const rush of rushes)
    for (const shards of shardCounts) {
      const { requestsPerSecond: rate, ordersPerRequest: batch } = rush;
      const { refused, ...figures } = await rushOn(rush, shards, seconds);
      table[`${rate}/s of ${batch}, ${shards} shards`] = { refused: refused.length, ...figures };
      for (const why of new Set(refused)) console.log(`refused: ${why}`);
    }
  console.log(`intake of the cloud in a rush, ${seconds} s each; goal: none refused, p99 below ${goalMs} ms`);
  console.table(table);
}

/** @returns figures of one rush, whose every order was there once in the end; requests that were refused with what they were told */
export async function rushOn({ requestsPerSecond, ordersPerRequest }: Rush, shards: number, seconds: number) {
  const database = openMemoryTables(realistic);
  const auctions = {
    record: async () => {
      await sleep(3);
      return { auction, shards };
    },
  } as unknown as AuctionRecords;
  const open = () =>
    openOrderStore({
      database,
      ordersTable: 'orders',
      intakeTable: 'intake',
      auctions,
      clock: { now: () => new Date() },
    });
  const idle: ReturnType<typeof open>[] = [];
  const took: number[] = [];
  const refused: string[] = [];
  let busy = 0;
  let functions = 0;
  const send = async (number: number): Promise<void> => {
    const store = idle.pop() ?? open();
    functions = Math.max(functions, ++busy);
    const orders = Array.from({ length: ordersPerRequest }, (_, i) => anOrder(`o${number}-${i}`));
    const began = performance.now();
    try {
      await store.append('rush', `p${number % 20}`, orders);
      took.push(performance.now() - began);
    } catch (error) {
      refused.push((error as Error).message);
    }
    busy--;
    idle.push(store);
  };

  const random = mulberry32(seed);
  const began = performance.now();
  const sent: Promise<void>[] = [];
  for (let next = 0; next < seconds * 1000; next += (-Math.log(1 - random()) * 1000) / requestsPerSecond) {
    const wait = next - (performance.now() - began);
    if (wait > 1) await sleep(wait);
    sent.push(send(sent.length));
  }
  await Promise.all(sent);
  const entries = await open().entries('rush');
  const sequences = new Set(entries.map(({ sequence }) => sequence));
  assert.equal(sequences.size, took.length * ordersPerRequest, 'an order is lost, or there twice');
  took.sort((a, b) => a - b);
  const share = (part: number) => Math.round(took[Math.min(took.length - 1, Math.floor(part * took.length))] ?? 0);
  const { transact, conflict, get, query, batchGet, put } = database.counts;
  const each = (count: number) => Number((count / sent.length).toFixed(2));
  return {
    requests: sent.length,
    refused,
    'p50 ms': share(0.5),
    'p99 ms': share(0.99),
    'max ms': share(1),
    transactions: each(transact),
    conflicts: each(conflict),
    'reads, other writes': each(get + query + batchGet + put),
    functions,
  };
}

const anOrder = (record_id: string): Order => ({
  record_id,
  zone: 'Z',
  kind: 'limit',
  side: 'buy',
  period: 1,
  price: 10,
  power: 1,
});
