/** `merit verify BOOK RESULT [--proof PROOF]`: does this result follow from this book, and is there no better one? Exit code 1 when not. */

import { bookHash } from '../../book/seal.ts';
import { readBook, readProof, readResult } from '../books.ts';
import { exitCodes } from '../failure.ts';
import { verifyAndTell } from '../verification.ts';

export async function verifyResult(
  bookFile: string,
  resultFile: string,
  options: { proof?: string; json?: boolean },
): Promise<void> {
  const book = await readBook(bookFile);
  const result = await readResult(resultFile);
  const proof = options.proof === undefined ? undefined : await readProof(options.proof);
  if (!verifyAndTell(book, bookHash(book), result, { ...options, proof })) process.exitCode = exitCodes.no;
}
