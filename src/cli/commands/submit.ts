/**
 * `merit submit FILE`: send orders to a running house in batches.
 *
 * A batch is taken whole or not at all, so a refused one stops the rest; what has receipts stays taken, and sending the same
 * file again gives the same receipts.
 */

import type { Receipt } from '../../book/intake.ts';
import { exitCodes, Failure } from '../failure.ts';
import { jsonOf, readText } from '../files.ts';
import { HouseClient } from '../house-client.ts';
import { count, counted, print, printJson } from '../output.ts';
import { startProgress } from '../progress.ts';

interface Options {
  url: string;
  token?: string;
  json?: boolean;
  auction?: string;
  batch: number;
}

interface Submission {
  readonly auction?: string;
  readonly orders: readonly unknown[];
}

export async function submit(file: string, options: Options): Promise<void> {
  if (options.batch < 1) throw new Failure(exitCodes.usage, '--batch must be at least 1');
  const submission = submissionOf(await readText(file), file);
  if (submission.orders.length === 0) throw new Failure(exitCodes.usage, `${file}: there are no orders in it`);
  const house = new HouseClient(options.url, options.token);
  let auction = options.auction ?? submission.auction;
  const receipts: Receipt[] = [];
  const progress = await startProgress('merit submit', submission.orders.length);
  try {
    while (receipts.length < submission.orders.length) {
      const orders = submission.orders.slice(receipts.length, receipts.length + options.batch);
      const taken = await house.post<{ auction: string; receipts: Receipt[] }>('/orders', { auction, orders });
      // All batches go to the auction that took the first one, should its gate close meanwhile.
      auction = taken.auction;
      receipts.push(...taken.receipts);
      progress.update(receipts.length);
    }
  } catch (error) {
    progress.stop();
    throw refusal(file, error, receipts.length, submission.orders.length);
  }
  progress.stop();
  if (options.json) return printJson({ auction, receipts });
  const last = receipts.at(-1)!;
  const sequences = `sequence ${count(receipts[0]!.sequence)} to ${count(last.sequence)}`;
  print(`${auction}: ${counted(receipts.length, 'order')} taken, ${sequences}\n  intake ${last.hash}`);
}

/** Indexes are told as positions in the file, not in the batch. */
function refusal(file: string, error: unknown, taken: number, all: number): unknown {
  if (!(error instanceof Failure)) return error;
  const problems = error.problems.map((problem) =>
    problem.index === undefined ? problem : { ...problem, index: problem.index + taken },
  );
  const kept = taken > 0 ? ` after ${count(taken)} of ${count(all)} orders` : '';
  // The house names orders by their place in its request: said again by their place in the file.
  const isPlaced = problems.some(({ index }) => index !== undefined);
  const message = isPlaced ? `${file}: refused${kept}` : `${file}: ${error.message}${kept}`;
  return new Failure(error.exit, message, problems, { cause: error });
}

function submissionOf(text: string, file: string): Submission {
  const json = isJsonLines(text) ? linesOf(text, file) : jsonOf(text, file);
  if (Array.isArray(json)) return { orders: json };
  if (typeof json !== 'object' || json === null)
    throw new Failure(exitCodes.usage, `${file}: neither orders nor a book: ${JSON.stringify(json).slice(0, 60)}`);
  if (!('orders' in json)) return { orders: [json] };
  const { orders, auction } = json as { orders: unknown; auction?: unknown };
  if (!Array.isArray(orders)) throw new Failure(exitCodes.usage, `${file}: orders: this is no list`);
  if (auction !== undefined && typeof auction !== 'string')
    throw new Failure(exitCodes.usage, `${file}: auction: this is no id`);
  return { ...(auction !== undefined && { auction }), orders: orders.map(withoutStamps) };
}

/** An order of a sealed book has stamps; a house gives its own. */
function withoutStamps(order: unknown): unknown {
  if (typeof order !== 'object' || order === null) return order;
  const { participant: _p, sequence: _s, received_at: _r, version: _v, ...rest } = order as Record<string, unknown>;
  return rest;
}

/** More than one line, and the first is a whole object. */
function isJsonLines(text: string): boolean {
  const [first, second] = text.trim().split('\n', 2);
  return second !== undefined && /^\s*\{.*\}\s*$/.test(first!);
}

const linesOf = (text: string, file: string): unknown[] =>
  text
    .split('\n')
    .map((line, index) => [line, index + 1] as const)
    .filter(([line]) => line.trim() !== '')
    .map(([line, number]) => jsonOf(line, `${file}, line ${number}`));
