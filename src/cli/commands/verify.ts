/**
 * `merit verify BOOK RESULT [--proof PROOF] [--receipts FILE]`: does this result follow from this book, is there no better one, and is it
 * the book that took these orders? Exit code 1 when not.
 */

import { bookHash } from '../../book/seal.ts';
import { readBook, readProof, readReceipts, readResult } from '../books.ts';
import { exitCodes } from '../failure.ts';
import { verifyAndTell } from '../verification.ts';

export async function verifyResult(
  bookFile: string,
  resultFile: string,
  options: { proof?: string; receipts?: string; json?: boolean },
): Promise<void> {
  const book = await readBook(bookFile);
  const result = await readResult(resultFile);
  const proof = options.proof === undefined ? undefined : await readProof(options.proof);
  const receipts = options.receipts === undefined ? undefined : await readReceipts(options.receipts);
  if (!verifyAndTell(book, bookHash(book), result, { ...options, proof, receipts })) process.exitCode = exitCodes.no;
}
