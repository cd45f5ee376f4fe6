/** The house signs: how far an intake had come, and which result is binding. */

import { type ResultStatement, type SealedTree, signed, type TreeHead } from '../../book/evidence.ts';
import { utc } from '../../market/time.ts';
import type { Ports } from '../ports.ts';

type SigningPorts = Pick<Ports, 'clock' | 'signer'>;

/** A tree head that is signed now, as a record has it. @throws AuctionError `unavailable` */
export async function signTree(ports: SigningPorts, statement: Omit<TreeHead, 'at'>): Promise<SealedTree> {
  const { size, root, head, at, signature } = await signNow(ports, 'merit-tree-head', statement);
  return { size, root, head, at, signature };
}

/** @throws AuctionError `unavailable` */
export async function signResult(ports: SigningPorts, statement: Omit<ResultStatement, 'at'>) {
  const { at, signature } = await signNow(ports, 'merit-result', statement);
  return { at, signature };
}

async function signNow<T extends object>(
  { clock, signer }: SigningPorts,
  typ: Parameters<typeof signed>[1],
  statement: T,
) {
  return signed(await signer.signingKey(), typ, { ...statement, at: utc(clock.now()) });
}
