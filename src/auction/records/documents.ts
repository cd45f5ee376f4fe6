/** Documents of the archive that something else names by their hash: none is used that is not the one. */

import { sha256 } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Ports } from '../ports.ts';

/** @throws AuctionError `damaged-data` when the archive has not the document that was written */
export async function readDocument({ archive }: Pick<Ports, 'archive'>, key: string, hash: string): Promise<string> {
  const text = await archive.read(key);
  if (text === undefined) throw new AuctionError('damaged-data', `${key} is missing from the archive`);
  const found = sha256(text);
  if (found !== hash) throw new AuctionError('damaged-data', `${key} was changed: its hash is ${found}, not ${hash}`);
  return text;
}
