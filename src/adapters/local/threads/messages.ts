/**
 * What crosses the border between the server's thread and a task's: calls by name (birpc), and errors as plain values, since a
 * structured clone keeps neither their class nor their code.
 */

import type { Ports } from '../../../auction/ports.ts';
import { Unavailable } from '../../../auction/steps/task.ts';
import type { TaskName } from '../../../auction/steps/tasks.ts';
import { AuctionError, type ErrorCode, type Problem } from '../../../market/errors.ts';
import type { Market } from '../../../market/market.ts';

/** What a thread is started with. */
export interface ThreadData {
  /** The data folder. */
  readonly folder: string;
  readonly markets: ReadonlyMap<string, Market>;
  readonly longestSearchMs: number;
}

/** What a thread does for the server. */
export interface ThreadFunctions {
  /** @param now  the server's time, in ms since 1970: the thread's clock goes on from there */
  runTask(task: TaskName, input: unknown, now: number): Promise<unknown>;
}

/** What may hold a thread for long; the others come in numbers, and take milliseconds each. */
export const isLong: Readonly<Record<TaskName, boolean>> = {
  SealBook: true,
  Clear: true,
  Verify: true,
  Diagnose: true,
  SettlePage: false,
  Publish: false,
  NotifyFailure: false,
};

/** The server's ports that a thread uses: whatever writes to the database does so there, in one process and on one connection. */
export const sharedPorts = ['auctions', 'orders', 'notices', 'workflow', 'meter'] as const satisfies (keyof Ports)[];
export type SharedPort = (typeof sharedPorts)[number];

/** What the server does for a thread. */
export interface ServerFunctions {
  callPort(port: SharedPort, method: string, args: readonly unknown[]): Promise<unknown>;
}

interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: ErrorCode;
  readonly problems?: readonly Problem[];
  readonly cause?: PlainError;
}

interface Message {
  readonly e?: unknown;
}

/** Options of birpc: no answer is waited for with a limit, since a search may take as long as its market allows. */
export const crossing = {
  timeout: -1,
  serialize: (message: Message) => (message.e === undefined ? message : { ...message, e: plainError(message.e) }),
  deserialize: (message: Message) =>
    message.e === undefined ? message : { ...message, e: errorOf(message.e as PlainError) },
} as const;

function plainError(error: unknown): PlainError {
  const { name, message, stack, cause } = error instanceof Error ? error : new Error(String(error));
  return {
    name,
    message,
    ...(stack !== undefined && { stack }),
    ...(error instanceof AuctionError && { code: error.code, problems: error.problems }),
    ...(cause !== undefined && { cause: plainError(cause) }),
  };
}

function errorOf({ name, message, stack, code, problems = [], cause }: PlainError): Error {
  const options = cause === undefined ? {} : { cause: errorOf(cause) };
  if (code !== undefined) return new AuctionError(code, message, problems, options);
  if (name === 'Unavailable') return new Unavailable(message, options);
  return Object.assign(new Error(message, options), { name, stack });
}
