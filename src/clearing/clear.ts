/** Clearing: a sealed book in, a result out. Contract; the engine follows. */

import type { Book } from '../market/book.ts';
import type { Result } from '../market/result.ts';

/** Everything clearing measured on the way, for benchmarks and people. Never part of the result. */
export interface Clearing {
  readonly result: Result;
}

/**
 * Clear a book.
 *
 * @param book  the sealed book, checked by `checkBook()`
 * @param hash  `sha256:…` of its canonical form; it goes into the result
 * @throws AuctionError `invalid-book` when the book asks for what is not supported or contradicts itself
 */
export async function clear(_book: Book, _hash: string): Promise<Clearing> {
  throw new Error('not there yet');
}
