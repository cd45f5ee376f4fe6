/**
 * What goes wrong between a client and AWS, put into the client: below its own retries, so that those are tried as well.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Chance } from '../../src/cli/demo/random.ts';

/** Chances, 0 to 1, of each request to... */
export interface Faults {
  /** be refused before anything is done. */
  readonly throttled?: number;
  /** be done, and its answer lost. */
  readonly unanswered?: number;
  /** be given up by its sender, and be done later. */
  readonly late?: number;
  /** be delivered twice. */
  readonly doubled?: number;
  /** take its time. */
  readonly slow?: number;
  /** have some of a batch left undone. */
  readonly partial?: number;
}

/** How late, in ms, what is late or slow arrives at most. */
const lateMs = 150;

export interface Injected {
  /** How often each fault happened. */
  readonly counts: Record<keyof Faults, number>;
  /** From now on every request fails, as in a process that is no more; what is on its way arrives all the same. */
  kill(): void;
  /** No more faults. */
  heal(): void;
  /** Resolves when nothing is on its way any more. */
  arrived(): Promise<void>;
}

const failure = (name: string, message: string) => Object.assign(new Error(message), { name, $metadata: {} });
export const killed = 'this process is no more';

/**
 * @param client  of any service: their middleware is the same, whatever their types say
 * @param only    faults hit these commands alone, such as `TransactWriteItemsCommand`
 */
export function injectFaults(
  { middlewareStack }: { readonly middlewareStack: unknown },
  chance: Chance,
  faults: Faults,
  only?: readonly string[],
): Injected {
  const stack = middlewareStack as DynamoDBClient['middlewareStack'];
  const counts = { throttled: 0, unanswered: 0, late: 0, doubled: 0, slow: 0, partial: 0 };
  const onTheirWay = new Set<Promise<unknown>>();
  let isDead = false;
  let isHealed = false;
  const happens = (fault: keyof Faults): boolean => {
    if (isHealed || chance.between(0, 1) >= (faults[fault] ?? 0)) return false;
    counts[fault]++;
    return true;
  };

  stack.add(
    (next, context) => async (args) => {
      if (isDead) throw new Error(killed);
      if (only && !only.includes(context.commandName as string)) return next(args);
      if (happens('throttled')) throw failure('ThrottlingException', 'injected: too many requests');
      if (happens('late')) {
        const late = sleep(chance.between(0, lateMs))
          .then(() => next(args))
          .catch(() => undefined)
          .finally(() => onTheirWay.delete(late));
        onTheirWay.add(late);
        throw failure('TimeoutError', 'injected: no answer in time');
      }
      if (happens('slow')) await sleep(chance.between(0, lateMs));
      if (happens('doubled')) await next(args).catch(() => undefined);
      if (happens('unanswered')) {
        await next(args).catch(() => undefined);
        throw failure('TimeoutError', 'injected: the answer was lost');
      }
      const answer = await next(args);
      if (isDead) throw new Error(killed);
      return answer;
    },
    { step: 'finalizeRequest', priority: 'low', name: 'faults' },
  );

  stack.add(
    (next) => async (args) => {
      const batch = batchIn(args.input as Batches);
      if (batch === undefined || !happens('partial')) return next(args);
      const count = Math.floor(chance.between(1, batch.size + 1));
      const answer = await next({ ...args, input: { ...args.input, ...batch.done(count) } });
      if (count < batch.size) Object.assign(answer.output, batch.left(count));
      return answer;
    },
    { step: 'initialize', name: 'partial batches' },
  );

  return {
    counts,
    kill() {
      isDead = true;
    },
    heal() {
      isHealed = true;
    },
    async arrived() {
      await Promise.all(onTheirWay);
    },
  };
}

/**
 * Kill a process at its request number `request` (from 1), over all its clients: that request is done or not, and all later
 * ones fail.
 */
export function killAt(
  clients: readonly { readonly middlewareStack: unknown }[],
  request: number,
  isDone: boolean,
): void {
  let count = 0;
  for (const { middlewareStack } of clients) {
    (middlewareStack as DynamoDBClient['middlewareStack']).add(
      (next) => async (args) => {
        count++;
        if (count < request) return next(args);
        if (count === request && isDone) {
          const answer = await next(args).catch(() => undefined);
          // An object is read, or its connection would be cut.
          const { Body } = (answer?.output ?? {}) as { Body?: { transformToString(): Promise<string> } };
          await Body?.transformToString();
        }
        throw new Error(killed);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'death' },
    );
  }
}

type Items = readonly unknown[];
interface Batches {
  readonly RequestItems?: Readonly<Record<string, Items | { readonly Keys: Items }>>;
  readonly PublishBatchRequestEntries?: readonly { readonly Id: string }[];
}

/** A request's batch as what is done of it, and how its answer names what is left. */
function batchIn({ RequestItems, PublishBatchRequestEntries: entries }: Batches) {
  if (entries) {
    const left = (count: number) =>
      entries.slice(count).map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false }));
    return {
      size: entries.length,
      done: (count: number) => ({ PublishBatchRequestEntries: entries.slice(0, count) }),
      left: (count: number) => ({ Failed: left(count) }),
    };
  }
  const [table, batch] = Object.entries(RequestItems ?? {})[0] ?? [];
  if (table === undefined || batch === undefined) return undefined;
  const isRead = 'Keys' in batch;
  const all = isRead ? batch.Keys : batch;
  const some = (items: Items) => ({ [table]: isRead ? { ...batch, Keys: items } : items });
  return {
    size: all.length,
    done: (count: number) => ({ RequestItems: some(all.slice(0, count)) }),
    left: (count: number) => ({ [isRead ? 'UnprocessedKeys' : 'UnprocessedItems']: some(all.slice(count)) }),
  };
}

/** A request that is on its way: it arrives when it is let go. */
export interface Held {
  /** Resolves when it is on its way. */
  readonly sent: Promise<void>;
  /** Let it arrive; resolves when it has. */
  release(): Promise<void>;
}

/**
 * Hold the next request of a client that `isIt`.
 *
 * @param givenUp  its sender is told at once that it timed out; otherwise it waits
 */
export function hold(client: DynamoDBClient, isIt: (input: string) => boolean, givenUp: boolean): Held {
  const sent = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let arrived: Promise<unknown> | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      if (arrived !== undefined || !isIt(textOf((args.request as { body: string | Uint8Array }).body)))
        return next(args);
      const answer = released.promise.then(() => next(args));
      arrived = answer.catch(() => undefined);
      sent.resolve();
      if (givenUp) throw failure('TimeoutError', 'injected: no answer in time');
      return answer;
    },
    { step: 'finalizeRequest', priority: 'low', name: `held ${Math.random()}` },
  );
  return {
    sent: sent.promise,
    async release() {
      released.resolve();
      await arrived;
    },
  };
}

const textOf = (body: string | Uint8Array): string =>
  typeof body === 'string' ? body : new TextDecoder().decode(body);

/** The transaction that puts a request into the log, told by the head that it moves. */
export const isCommit = (body: string): boolean => body.includes('SET entries = :next');
