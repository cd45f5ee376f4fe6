/** `merit verify BOOK RESULT`: does this result follow from this book? Exit code 1 when it does not. */

import { bookHash } from '../../book/seal.ts';
import { readBook, readResult } from '../books.ts';
import { exitCodes } from '../failure.ts';
import { verifyAndTell } from '../verification.ts';

export async function verifyResult(bookFile: string, resultFile: string, options: { json?: boolean }): Promise<void> {
  const book = await readBook(bookFile);
  const result = await readResult(resultFile);
  if (!verifyAndTell(book, bookHash(book), result, options)) process.exitCode = exitCodes.no;
}
