/**
 * Tables in memory in the place of DynamoDB, below the adapters: the same conditions, refusals, conflicts and latencies, without
 * an emulator. What is asked of it can be held up, to see what a request meets that comes late.
 *
 * A transaction holds its items for as long as it takes; another one that touches one of them meanwhile is refused with
 * `TransactionConflict`, and so is a write of a single item (`unavailable`), as DynamoDB does it. Reads are never held up.
 */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Action, Database, Expression, Item, Key, Refusal, Transacted } from '../../src/adapters/aws/database.ts';
import { limits } from '../../src/adapters/aws/database.ts';
import { AuctionError } from '../../src/market/errors.ts';

/** From how many milliseconds to how many each kind of request takes. */
export interface Latencies {
  readonly get: readonly [number, number];
  readonly batch: readonly [number, number];
  readonly transaction: readonly [number, number];
}

/** What DynamoDB takes within a region. */
export const realistic: Latencies = { get: [2, 4], batch: [3, 5], transaction: [6, 12] };

export interface MemoryTables extends Database {
  /** How often each kind of request was made, and how many items were read. */
  readonly counts: Record<
    'get' | 'batchGet' | 'query' | 'put' | 'batchWrite' | 'transact' | 'conflict' | 'read',
    number
  >;
  /** All items of a table, in no order. */
  items(table: string): Item[];
}

/** By partition, and within it by sort key. */
type Stored = Map<string, Map<string, Item>>;

/** @param before  called before a transaction is done, which it holds up, or lets fail by throwing */
export function openMemoryTables(
  latencies?: Latencies,
  before: (actions: readonly Action[]) => Promise<void> | undefined = () => undefined,
): MemoryTables {
  const tables = new Map<string, Stored>();
  const locked = new Set<string>();
  const counts = { get: 0, batchGet: 0, query: 0, put: 0, batchWrite: 0, transact: 0, conflict: 0, read: 0 };

  const tableOf = (name: string): Stored => tables.get(name) ?? tables.set(name, new Map()).get(name)!;
  const find = (table: string, key: Item): Item | undefined => tableOf(table).get(partitionOf(key))?.get(sortOf(key));
  const takes = async (kind: keyof Latencies, share = 1): Promise<void> => {
    if (latencies === undefined) return;
    const [least, most] = latencies[kind];
    await sleep(share * (least + Math.random() * (most - least)));
  };
  const read = (item: Item | undefined): Item | undefined => {
    if (item !== undefined) counts.read++;
    return item && { ...item };
  };
  const write = (table: string, item: Item): void => {
    assert(sizeOf(item) <= limits.itemBytes, 'an item is larger than DynamoDB takes');
    const stored = tableOf(table);
    const partition = stored.get(partitionOf(item)) ?? new Map<string, Item>();
    stored.set(partitionOf(item), partition.set(sortOf(item), { ...item }));
  };
  const remove = (table: string, key: Item): void => {
    const partition = tableOf(table).get(partitionOf(key));
    if (partition?.delete(sortOf(key)) && partition.size === 0) tableOf(table).delete(partitionOf(key));
  };
  const unlocked = (table: string, key: Item): void => {
    if (locked.has(`${table} ${nameOf(key)}`)) throw new AuctionError('unavailable', 'TransactionConflictException');
  };

  /** @returns what does not hold, by position; nothing when the transaction is done */
  function refusalsOf(actions: readonly Action[]): Map<number, Refusal> {
    const refused = new Map<number, Refusal>();
    for (const [at, action] of actions.entries()) {
      const found = find(action.table, keyIn(action));
      if (action.condition && !holds(action.condition, found))
        refused.set(at, { code: 'ConditionalCheckFailed', ...(found && { found: { ...found } }) });
    }
    return refused;
  }

  return {
    counts,
    items: (table) => [...tableOf(table).values()].flatMap((partition) => [...partition.values()]),
    async get(table, key) {
      counts.get++;
      await takes('get');
      return read(find(table, key));
    },
    async getMany(table, keys) {
      const distinct = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
      const found: Item[] = [];
      for (let from = 0; from < distinct.length; from += limits.batchGet) {
        counts.batchGet++;
        await takes('batch');
        found.push(
          ...distinct
            .slice(from, from + limits.batchGet)
            .flatMap((key): Item[] => [read(find(table, key))].filter((item) => item !== undefined)),
        );
      }
      return found;
    },
    async *query(table, pk, { from = ' ', to = '~', descending = false, limit = Number.POSITIVE_INFINITY } = {}) {
      counts.query++;
      await takes('get');
      const within = [...(tableOf(table).get(pk) ?? [])].filter(([sk]) => sk >= from && sk <= to);
      within.sort(([a], [b]) => (a < b ? -1 : 1));
      if (descending) within.reverse();
      for (const [, item] of within.slice(0, limit)) yield read(item)!;
    },
    async put(table, item) {
      counts.put++;
      await takes('get');
      unlocked(table, item);
      write(table, item);
    },
    async update(table, key, set) {
      counts.put++;
      await takes('get');
      unlocked(table, key);
      write(table, updated(find(table, key), key, set));
    },
    async putMany(table, items) {
      for (let from = 0; from < items.length; from += limits.batchWrite) {
        counts.batchWrite++;
        await takes('batch');
        for (const item of items.slice(from, from + limits.batchWrite)) write(table, item);
      }
    },
    async deleteMany(table, keys) {
      for (let from = 0; from < keys.length; from += limits.batchWrite) {
        counts.batchWrite++;
        await takes('batch');
        for (const key of keys.slice(from, from + limits.batchWrite)) remove(table, key);
      }
    },
    async transact(actions): Promise<Transacted> {
      counts.transact++;
      const names = actions.map((action) => `${action.table} ${nameOf(keyIn(action))}`);
      assert(actions.length <= limits.actions, 'a transaction has more actions than DynamoDB takes');
      assert(new Set(names).size === names.length, 'a transaction has two actions on one item');
      await before(actions);
      const conflicts = names.flatMap((name, at) => (locked.has(name) ? [at] : []));
      if (conflicts.length > 0) {
        counts.conflict++;
        await takes('transaction');
        return { done: false, refused: new Map(conflicts.map((at) => [at, { code: 'TransactionConflict' }])) };
      }
      for (const name of names) locked.add(name);
      try {
        await takes('transaction');
        const refused = refusalsOf(actions);
        if (refused.size > 0) return { done: false, refused };
        for (const action of actions) {
          if ('put' in action) write(action.table, action.put);
          else if ('remove' in action) remove(action.table, action.remove);
          else write(action.table, updated(find(action.table, action.update), action.update, action.set));
        }
        return { done: true };
      } finally {
        for (const name of names) locked.delete(name);
      }
    },
  };
}

/** Of an item or its key: the orders' table has `record_id` for its key, the others `pk` and mostly `sk`. */
const partitionOf = ({ pk, record_id }: Item): string => String(pk ?? record_id);
const sortOf = ({ sk = '' }: Item): string => String(sk);
const nameOf = (key: Item): string => JSON.stringify([partitionOf(key), sortOf(key)]);

const keyIn = (action: Action): Item => {
  if ('put' in action) return action.put;
  return 'remove' in action ? action.remove : action.update;
};

/** `a = :v` and `attribute_not_exists(a)`, joined by AND or by OR. */
function holds({ text, values = {} }: Expression, item: Item | undefined): boolean {
  const one = (condition: string): boolean => {
    const [, absent] = /^attribute_not_exists\((\w+)\)$/.exec(condition) ?? [];
    if (absent !== undefined) return item?.[absent] === undefined;
    const [, name, value] = /^(\w+) = (:\w+)$/.exec(condition) ?? assert.fail(`no condition: ${condition}`);
    assert(value! in values, `${condition} has no value`);
    return item?.[name!] === values[value!];
  };
  return text.split(' AND ').every((each) => each.split(' OR ').some(one));
}

function updated(item: Item | undefined, key: Key, { text, values = {} }: Expression): Item {
  const parts = text.replace(/^SET /, '').split(', ');
  const set = parts.map((part) => {
    const [, name, value] = /^(\w+) = (:\w+)$/.exec(part) ?? assert.fail(`no update: ${text}`);
    return [name!, values[value!]];
  });
  return { ...key, ...item, ...Object.fromEntries(set) };
}

const sizeOf = (item: Item): number =>
  Object.values(item).reduce(
    (sum: number, value) => sum + (value instanceof Uint8Array ? value.length : JSON.stringify(value ?? '').length),
    0,
  );
