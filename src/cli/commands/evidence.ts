/** `merit orders proof` and `merit auctions tree`: what a participant keeps to hold the house to it, written to files. */

import type { Evidence, TreeAnswer } from '../../book/evidence.ts';
import { writeWhole } from '../files.ts';
import { HouseClient } from '../house-client.ts';
import { count, print } from '../output.ts';
import type { Asking } from './auctions.ts';

interface Keeping extends Asking {
  readonly output?: string;
  /** Where the house's public keys go. */
  readonly keys?: string;
}

const keysPath = '/.well-known/evidence-keys.json';

export async function proveOrder(
  record_id: string,
  options: Keeping & { auction?: string; sequence?: number },
): Promise<void> {
  const house = new HouseClient(options.url, options.token);
  const query = { auction: options.auction, sequence: options.sequence };
  const text = await house.text(`/orders/${encodeURIComponent(record_id)}/proof`, query);
  const { auction, sequence, tree, result } = JSON.parse(text) as Evidence;
  const ends = result === undefined ? 'there is no result yet' : 'and in the result that is binding';
  await keep(
    house,
    text,
    options,
    `entry ${sequence} is in the sealed book of ${auction}, one of ${count(tree.size)}; ${ends}`,
  );
}

export async function readTree(id: string, options: Keeping & { first?: number }): Promise<void> {
  const house = new HouseClient(options.url, options.token);
  const text = await house.text(`/auctions/${encodeURIComponent(id)}/tree`, { first: options.first });
  const { size, root, book } = JSON.parse(text) as TreeAnswer;
  const of = book === undefined ? 'the open gate' : 'the sealed book';
  await keep(house, text, options, `${id}: ${count(size)} entries of ${of}, root ${root}`);
}

async function keep(house: HouseClient, text: string, { output, keys, json }: Keeping, said: string): Promise<void> {
  if (output !== undefined) await writeWhole(output, text);
  if (keys !== undefined) await writeWhole(keys, await house.text(keysPath));
  if (output === '-' || keys === '-') return;
  if (json) return print(text);
  print(said);
  const files = [output, keys].filter((file) => file !== undefined);
  if (files.length > 0) print(`${files.join(' and ')}: written`);
}
