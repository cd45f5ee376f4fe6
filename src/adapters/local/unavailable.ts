/** What sqlite says when it can't write (full disk, lost folder), in the house's words. */

import { AuctionError } from '../../market/errors.ts';

export const notWritten = (cause: unknown): AuctionError =>
  new AuctionError('unavailable', `the store can't write: ${cause instanceof Error ? cause.message : cause}`, [], {
    cause,
  });

/** Run a write; what sqlite throws becomes `unavailable`. */
export function unavailable<T>(write: () => T): T {
  try {
    return write();
  } catch (cause) {
    throw notWritten(cause);
  }
}
