/**
 * DynamoDB as the stores use it: consistent reads, batches that are whole or fail, transactions whose refusal is an answer, and
 * what passes (throttling, time-outs, a service that is down) as `unavailable`. The one place that knows how values are marshalled.
 */

import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { pause } from './pause.ts';
import { unavailable } from './unavailable.ts';

export type Item = Readonly<Record<string, unknown>>;
export type Key = Readonly<Record<string, string>>;

/** A condition or an update, with the values that its `:names` stand for. */
export interface Expression {
  readonly text: string;
  readonly values?: Item;
}

export type Action = { readonly table: string; readonly condition?: Expression } & (
  | { readonly put: Item }
  | { readonly update: Key; readonly set: Expression }
  | { readonly remove: Key }
);

/** What became of a transaction: done, or refused with what stood in the way, by position of the action. */
export type Transacted =
  | { readonly done: true }
  | { readonly done: false; readonly refused: ReadonlyMap<number, Refusal> };

export interface Refusal {
  /** `ConditionalCheckFailed`, or a code that passes, such as `TransactionConflict`. */
  readonly code: string;
  /** The item that did not meet the condition, where there is one. */
  readonly found?: Item;
}

/** What DynamoDB takes at most. */
export const limits = { actions: 100, itemBytes: 400_000, transactionBytes: 4_000_000, batchGet: 100, batchWrite: 25 };
const batchAttempts = 10;

export interface Range {
  readonly from?: string;
  readonly to?: string;
  readonly descending?: boolean;
  readonly limit?: number;
}

export interface Database {
  get(table: string, key: Key): Promise<Item | undefined>;
  /** Those that exist, in no order. Keys that are there twice are asked for once. */
  getMany(table: string, keys: readonly Key[]): Promise<Item[]>;
  /**
   * Items of a partition by sort key, read page by page as they are asked for. Bounds are inclusive. Whoever wants some only says how
   * many (`limit`), or pays for a whole page of a megabyte.
   */
  query(table: string, pk: string, range?: Range): AsyncGenerator<Item>;
  put(table: string, item: Item): Promise<void>;
  update(table: string, key: Key, set: Expression): Promise<void>;
  putMany(table: string, items: readonly Item[]): Promise<void>;
  deleteMany(table: string, keys: readonly Key[]): Promise<void>;
  /** @throws AuctionError `unavailable`, and then nobody knows whether it was done */
  transact(actions: readonly Action[]): Promise<Transacted>;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a scope: its methods, each short, share one client and its retries
export function openDatabase(client: DynamoDBClient): Database {
  /** @param pending  what is left to do, of which `step` returns what it did not get to */
  async function wholly<T>(pending: T[], step: (some: T[]) => Promise<T[]>, size: number): Promise<void> {
    let attempt = 0;
    while (pending.length > 0) {
      const batch = pending.splice(0, size);
      const left = await step(batch);
      pending.push(...left);
      // Throttled: what came through counts as progress, none of it as an attempt.
      attempt = left.length === batch.length ? attempt + 1 : 0;
      if (attempt === batchAttempts)
        throw unavailable('the tables', new Error(`${left.length} items were not processed`));
      if (left.length > 0) await pause(attempt);
    }
  }

  const writeMany = (table: string, requests: WriteRequest[]) =>
    wholly(
      requests,
      async (some) => {
        const { UnprocessedItems } = await sent(
          client.send(new BatchWriteItemCommand({ RequestItems: { [table]: some } })),
        );
        return UnprocessedItems?.[table] ?? [];
      },
      limits.batchWrite,
    );

  return {
    async get(table, key) {
      const command = new GetItemCommand({ TableName: table, Key: marshall(key), ConsistentRead: true });
      const { Item } = await sent(client.send(command));
      return Item && unmarshall(Item);
    },
    async getMany(table, keys) {
      const found: Item[] = [];
      const distinct = [...new Map(keys.map((key) => [JSON.stringify(key), marshall(key)])).values()];
      await wholly<Record<string, AttributeValue>>(
        distinct,
        async (some) => {
          const command = new BatchGetItemCommand({ RequestItems: { [table]: { Keys: some, ConsistentRead: true } } });
          const { Responses, UnprocessedKeys } = await sent(client.send(command));
          found.push(...(Responses?.[table] ?? []).map((item) => unmarshall(item)));
          return UnprocessedKeys?.[table]?.Keys ?? [];
        },
        limits.batchGet,
      );
      return found;
    },
    async *query(table, pk, { from = ' ', to = '~', descending = false, limit = Number.POSITIVE_INFINITY } = {}) {
      let next: Record<string, AttributeValue> | undefined;
      let left = limit;
      do {
        const command = new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
          ExpressionAttributeValues: marshall({ ':pk': pk, ':from': from, ':to': to }),
          ScanIndexForward: !descending,
          ConsistentRead: true,
          ...(Number.isFinite(left) && { Limit: left }),
          ...(next && { ExclusiveStartKey: next }),
        });
        const { Items = [], LastEvaluatedKey } = await sent(client.send(command));
        yield* Items.map((item) => unmarshall(item));
        left -= Items.length;
        next = LastEvaluatedKey;
      } while (next !== undefined && left > 0);
    },
    async put(table, item) {
      await sent(client.send(new PutItemCommand({ TableName: table, Item: marshall(item) })));
    },
    async update(table, key, { text, values }) {
      const command = new UpdateItemCommand({
        TableName: table,
        Key: marshall(key),
        UpdateExpression: text,
        ...(values && { ExpressionAttributeValues: marshall(values) }),
      });
      await sent(client.send(command));
    },
    putMany: (table, items) =>
      writeMany(
        table,
        items.map((item) => ({ PutRequest: { Item: marshall(item) } })),
      ),
    deleteMany: (table, keys) =>
      writeMany(
        table,
        keys.map((key) => ({ DeleteRequest: { Key: marshall(key) } })),
      ),
    async transact(actions) {
      try {
        await client.send(new TransactWriteItemsCommand({ TransactItems: actions.map(transactItem) }));
        return { done: true };
      } catch (error) {
        const refused = error instanceof TransactionCanceledException ? refusalsOf(error) : undefined;
        if (refused === undefined) throw unavailable('the tables', error);
        return { done: false, refused };
      }
    },
  };
}

function transactItem(action: Action): TransactWriteItem {
  const { table, condition } = action;
  const values = { ...condition?.values, ...('set' in action && action.set.values) };
  const common = {
    TableName: table,
    ...(condition && {
      ConditionExpression: condition.text,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    }),
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: marshall(values) }),
  };
  if ('put' in action) return { Put: { ...common, Item: marshall(action.put) } };
  if ('remove' in action) return { Delete: { ...common, Key: marshall(action.remove) } };
  return { Update: { ...common, Key: marshall(action.update), UpdateExpression: action.set.text } };
}

const passing = /^(TransactionConflict|ThrottlingError|ProvisionedThroughputExceeded)$/;

/** Undefined when one of them is a fault of ours, which no retry heals. */
function refusalsOf({ CancellationReasons = [] }: TransactionCanceledException): Map<number, Refusal> | undefined {
  const refused = new Map<number, Refusal>();
  for (const [index, { Code, Item }] of CancellationReasons.entries()) {
    if (Code === undefined || Code === 'None') continue;
    if (Code !== 'ConditionalCheckFailed' && !passing.test(Code)) return undefined;
    refused.set(index, { code: Code, ...(Item && { found: unmarshall(Item) }) });
  }
  return refused.size > 0 ? refused : undefined;
}

async function sent<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw unavailable('the tables', error);
  }
}
