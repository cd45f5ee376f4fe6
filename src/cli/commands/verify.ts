/**
 * `merit verify BOOK RESULT [--proof PROOF] [--receipts FILE] [--require GRADE]`: does this result keep the rules, what is known of its
 * decisions, and is it the book that took these orders? Exit code 1 when the rules, the proof or the receipts do not hold, or less is known
 * of the decisions than is required.
 */

import { bookHash } from '../../book/seal.ts';
import { type Grade, reaches } from '../../verify/standing.ts';
import { readBook, readProof, readReceipts, readResult } from '../books.ts';
import { exitCodes } from '../failure.ts';
import { verifyAndTell } from '../verification.ts';

export async function verifyResult(
  bookFile: string,
  resultFile: string,
  options: { proof?: string; receipts?: string; require?: Grade; json?: boolean },
): Promise<void> {
  const book = await readBook(bookFile);
  const result = await readResult(resultFile);
  const proof = options.proof === undefined ? undefined : await readProof(options.proof);
  const receipts = options.receipts === undefined ? undefined : await readReceipts(options.receipts);
  const found = verifyAndTell(book, bookHash(book), result, { ...options, proof, receipts });
  const isEnough = options.require === undefined || reaches(found, options.require);
  if (!found.ok || !isEnough) process.exitCode = exitCodes.no;
  if (found.ok && !isEnough)
    console.error(`merit: decisions are ${found.decisions.grade}, required is ${options.require}`);
}
