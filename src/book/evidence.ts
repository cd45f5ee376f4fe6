/**
 * What the house puts its name to: the tree over an intake, the book that it sealed from it, and the result.
 *
 * A statement is a small JSON object. Its signature is a JWS with detached content (RFC 7515, appendix F) by Ed25519 over the statement's
 * canonical form, so that whoever has the two can show them to anybody. The header's `typ` says what the statement is, its `kid` which of the
 * house's keys signed.
 */

import { createHash } from 'node:crypto';
import * as z from 'zod';
import { auctionId, sha256Text } from '../market/book.ts';
import { recordId, stamps } from '../market/order.ts';
import { instant } from '../market/time.ts';
import { canonical } from './canonical.ts';

const signature = z
  .string()
  .regex(/^[\w-]+\.\.[\w-]+$/, 'a JWS without its content: header, two dots, signature')
  .meta({ description: 'JWS with detached content, of the canonical form of the other fields' });
const at = instant.meta({ description: 'when it was signed' });

/** How far an intake had come; of a sealed book all of it. */
export const treeHead = z.strictObject({
  auction: auctionId,
  size: z.int().min(0).meta({ description: 'entries in the tree' }),
  root: sha256Text.meta({ description: 'of the Merkle tree over them (RFC 6962)' }),
  head: sha256Text.meta({ description: 'running hash of the intake after them' }),
  at,
  book: sha256Text.exactOptional().meta({ description: 'the book that was sealed from these entries and no others' }),
});
export type TreeHead = z.output<typeof treeHead>;
export const signedTreeHead = treeHead.extend({ signature }).meta({ id: 'SignedTreeHead' });
export type SignedTreeHead = z.output<typeof signedTreeHead>;

/** Of a result that is binding: which book it is of. */
export const resultStatement = z.strictObject({ auction: auctionId, book: sha256Text, result: sha256Text, at });
export type ResultStatement = z.output<typeof resultStatement>;
export const signedResult = resultStatement.extend({ signature }).meta({ id: 'SignedResult' });
export type SignedResult = z.output<typeof signedResult>;

/** As an auction's record has them: what its other fields say is left out. */
export const sealedTree = signedTreeHead.omit({ auction: true, book: true }).meta({ id: 'SealedTree' });
export type SealedTree = z.output<typeof sealedTree>;

const hashes = z.array(sha256Text).max(64);

/** That a tree only added to an earlier one (RFC 6962, 2.1.2). */
export const consistency = z
  .strictObject({ first: z.int().min(1).meta({ description: 'size of the earlier tree' }), path: hashes })
  .meta({ id: 'Consistency' });
export type Consistency = z.output<typeof consistency>;

/** A tree head as the house answers it, with what leads to it from an earlier one where that was asked for. */
export const treeAnswer = signedTreeHead.extend({ consistency: consistency.exactOptional() }).meta({ id: 'Tree' });
export type TreeAnswer = z.output<typeof treeAnswer>;

/** That one entry is in the book that was sealed, and in which result that book ended. The file format `evidence/1`. */
export const evidence = z
  .strictObject({
    merit: z.literal('evidence/1'),
    auction: auctionId,
    participant: stamps.participant,
    record_id: recordId,
    sequence: stamps.sequence,
    leaf: sha256Text.meta({ description: 'digest of the entry, as its receipt has it' }),
    index: z.int().min(0).meta({ description: 'place of the leaf in the tree' }),
    path: hashes.meta({ description: 'audit path from the leaf to the root (RFC 6962, 2.1.1)' }),
    tree: signedTreeHead.meta({ description: 'of the sealed book' }),
    result: signedResult.exactOptional().meta({ description: 'once it is binding' }),
  })
  .meta({ id: 'Evidence' });
export type Evidence = z.output<typeof evidence>;

/** A public key of the house, as JSON Web Key (RFC 8037). */
export const evidenceKey = z
  .strictObject({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: z.string().regex(/^[\w-]{43}$/),
    kid: z.string().meta({ description: 'thumbprint of the key, RFC 7638' }),
    alg: z.literal('EdDSA'),
    use: z.literal('sig'),
  })
  .meta({ id: 'EvidenceKey' });
export type EvidenceKey = z.output<typeof evidenceKey>;

/** All keys that ever signed, the one that signs now first: evidence holds after its key has retired. */
export const evidenceKeys = z.strictObject({ keys: z.array(evidenceKey).min(1).max(1000) }).meta({
  id: 'EvidenceKeys',
  description: 'JSON Web Key Set, RFC 7517',
});
export type EvidenceKeys = z.output<typeof evidenceKeys>;

/** @param x  the public key, 32 bytes as base64url */
export function evidenceKeyOf(x: string): EvidenceKey {
  const kid = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
  return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' };
}

/** What a statement is, by the `typ` of its signature. */
export const statementTypes = ['merit-tree-head', 'merit-result'] as const;
export type StatementType = (typeof statementTypes)[number];

/** Signs, by whatever has the private half: a signature is 64 bytes (RFC 8032, pure). */
export interface SigningKey {
  readonly kid: string;
  sign(input: Uint8Array): Promise<Uint8Array>;
}

const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes as string).toString('base64url');

/** The statement as the signature covers it. */
export const contentOf = (statement: object): string => base64(canonical(statement));

/** The statement with its signature. */
export async function signed<T extends object>(
  key: SigningKey,
  typ: StatementType,
  statement: T,
): Promise<T & { signature: string }> {
  const header = base64(canonical({ alg: 'EdDSA', kid: key.kid, typ }));
  const bytes = await key.sign(Buffer.from(`${header}.${contentOf(statement)}`));
  return { ...statement, signature: `${header}..${base64(bytes)}` };
}
