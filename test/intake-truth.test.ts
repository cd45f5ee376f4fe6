/** The truth at the gate (`test/support/intake-truth.ts`) over tables in memory, whose transactions refuse each other as DynamoDB's do. */

import { setTimeout as sleep } from 'node:timers/promises';
import { openAuctionStore } from '../src/adapters/aws/auction-store.ts';
import type { Database, Item } from '../src/adapters/aws/database.ts';
import { openOrderStore } from '../src/adapters/aws/order-store.ts';
import type { Chance } from '../src/cli/demo/random.ts';
import { AuctionError } from '../src/market/errors.ts';
import { type Faults, killed } from './cloud/faults.ts';
import { type Injected, truthCases } from './support/intake-truth.ts';
import { openMemoryTables, realistic } from './support/memory-table.ts';

truthCases('dynamodb in memory', {
  seeds: [1, 2],
  shards: [1, 2],
  writers: 12,
  requestsEach: 12,
  open: async (shards, clock) => {
    const tables = openMemoryTables(realistic);
    const open = (database: Database) => {
      const auctions = openAuctionStore(database, 'auctions', shards);
      const options = { ordersTable: 'orders', intakeTable: 'intake', patienceMs: 400, budgetMs: 5000 };
      return { auctions, orders: openOrderStore({ database, auctions, clock, ...options }) };
    };
    return {
      ...open(tables),
      process: (random, faults) => {
        const { database, injected } = faulty(tables, random, faults);
        return { ...open(database), injected, close: () => undefined };
      },
      close: () => undefined,
    };
  },
});

/** How late, in ms, what is late or slow arrives at most. */
const lateMs = 60;

/** Tables as a process sees them over a bad line. What is read is late at worst: it has no effect. */
function faulty(tables: Database, chance: Chance, faults: Faults): { database: Database; injected: Injected } {
  const counts = { throttled: 0, unanswered: 0, late: 0, doubled: 0, slow: 0, partial: 0 };
  const onTheirWay = new Set<Promise<unknown>>();
  let isDead = false;
  const happens = (fault: keyof Faults): boolean => {
    if (chance.between(0, 1) >= (faults[fault] ?? 0)) return false;
    counts[fault]++;
    return true;
  };
  const lost = () => new AuctionError('unavailable', 'no answer');
  const alive = () => {
    if (isDead) throw new Error(killed);
  };
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    alive();
    if (happens('throttled')) throw lost();
    if (happens('late')) {
      const late = sleep(chance.between(0, lateMs))
        .then(work)
        .catch(() => undefined)
        .finally(() => onTheirWay.delete(late));
      onTheirWay.add(late);
      throw lost();
    }
    if (happens('slow')) await sleep(chance.between(0, lateMs));
    const done = work();
    onTheirWay.add(done);
    try {
      const answer = await done;
      if (happens('doubled')) await work().catch(() => undefined);
      if (happens('unanswered')) throw lost();
      alive();
      return answer;
    } finally {
      onTheirWay.delete(done);
    }
  };
  const database: Database = {
    get: (...request) => asked(() => tables.get(...request)),
    getMany: (...request) => asked(() => tables.getMany(...request)),
    async *query(...request) {
      yield* await asked(async () => {
        const items: Item[] = [];
        for await (const item of tables.query(...request)) items.push(item);
        return items;
      });
    },
    put: (...request) => asked(() => tables.put(...request)),
    update: (...request) => asked(() => tables.update(...request)),
    putMany: (...request) => asked(() => tables.putMany(...request)),
    deleteMany: (...request) => asked(() => tables.deleteMany(...request)),
    transact: (...request) => asked(() => tables.transact(...request)),
  };
  const kill = () => {
    isDead = true;
  };
  const arrived = async () => {
    await Promise.allSettled(onTheirWay);
  };
  return { database, injected: { counts, kill, arrived } };
}
