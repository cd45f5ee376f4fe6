/** Documents of the archive that something else names by their hash: none is used that is not the one. */

import { sha256 } from '../../book/intake.ts';
import { AuctionError } from '../../market/errors.ts';
import { readStrictJson } from '../../market/json.ts';
import type { Ports } from '../ports.ts';

/** @throws AuctionError `damaged-data` when the archive has not the document that was written */
export async function readDocument({ archive }: Pick<Ports, 'archive'>, key: string, hash: string): Promise<string> {
  const text = await archive.read(key);
  if (text === undefined) throw new AuctionError('damaged-data', `${key} is missing from the archive`);
  const found = sha256(text);
  if (found !== hash) throw new AuctionError('damaged-data', `${key} was changed: its hash is ${found}, not ${hash}`);
  return text;
}

/** The JSON of such a document. @throws AuctionError `damaged-data` also where it may be read in more than one way */
export async function readJsonDocument(ports: Pick<Ports, 'archive'>, key: string, hash: string): Promise<unknown> {
  const { value, problems } = readStrictJson(await readDocument(ports, key, hash));
  const [first] = problems;
  if (first === undefined) return value;
  throw new AuctionError('damaged-data', `${key} may be read in more than one way: ${first.field}: ${first.message}`);
}
