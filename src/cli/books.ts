/** Books, results and receipts from files, checked, with faults told by file, order and field. */

import { checkBook } from '../book/check-book.ts';
import type { Receipt } from '../book/intake.ts';
import { receiptFile } from '../book/receipts.ts';
import { type Book, parseBook } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import { type Proof, parseProof } from '../market/proof.ts';
import { parseResult, type Result } from '../market/result.ts';
import { exitCodes, Failure, withOrder } from './failure.ts';
import { readJson } from './files.ts';

/** @throws AuctionError `invalid-book` that names the file, and each order and field that is wrong */
export async function readBook(file: string): Promise<Book> {
  const json = await readJson(file);
  return inFile(file, json, () => {
    const book = parseBook(json);
    checkBook(book);
    return book;
  });
}

/** @throws AuctionError `invalid-result` likewise */
export async function readResult(file: string): Promise<Result> {
  const json = await readJson(file);
  return inFile(file, json, () => parseResult(json));
}

/** @throws AuctionError `invalid-proof` likewise */
export async function readProof(file: string): Promise<Proof> {
  const json = await readJson(file);
  return inFile(file, json, () => parseProof(json));
}

/** Receipts as `POST /orders` answers them, or a list. @throws Failure where there are none */
export async function readReceipts(file: string): Promise<Receipt[]> {
  const parsed = receiptFile.safeParse(await readJson(file));
  if (parsed.success) return parsed.data;
  throw new Failure(exitCodes.usage, `${file}: these are no receipts, nor an answer with \`receipts\``);
}

function inFile<T>(file: string, json: unknown, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw namingFile(file, error, json);
  }
}

/** The same error, with the file's name, and with the `record_id` of orders that it knows by position only. */
export function namingFile(file: string, error: unknown, json?: unknown): unknown {
  if (!(error instanceof AuctionError)) return error;
  const problems = error.problems.map((problem) => withOrder(problem, json));
  return new AuctionError(error.code, `${file}: ${error.message}`, problems, { cause: error });
}
