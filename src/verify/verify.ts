/** The independent checker of a book and a result. Contract; the checks follow. */

import type { Book } from '../market/book.ts';
import type { Result } from '../market/result.ts';

export interface Violation {
  /** What it is about: an order's record_id, `ZONE/period`, or a line's id and period. */
  readonly where: string;
  readonly message: string;
}

export interface Check {
  /** `INV-01` and so on, of market rules section 11. */
  readonly invariant: string;
  readonly title: string;
  /** How many things were looked at. 0: the book has nothing that the invariant concerns. */
  readonly checked: number;
  readonly violations: readonly Violation[];
}

export interface Verification {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/** @param hash `sha256:…` of the book's canonical form, which the result must name */
export function verify(_book: Book, _hash: string, _result: Result): Verification {
  throw new Error('not there yet');
}
