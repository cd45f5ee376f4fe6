/** Keys of the archive: parts of letters, digits and `. _ -`, none of them a way out of it. */

import { AuctionError } from '../market/errors.ts';

const valid = /^(?!.*(^|\/)\.{1,2}(\/|$))[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;

/** @throws AuctionError `invalid-request` */
export function checkArchiveKey(key: string): string {
  if (!valid.test(key)) throw new AuctionError('invalid-request', `${JSON.stringify(key)} is not a key of the archive`);
  return key;
}
