/** Whether the house put its name to a statement: by jose, against the keys that whoever checks has kept. */

import { createLocalJWKSet, flattenedVerify } from 'jose';
import { contentOf, type EvidenceKeys, type StatementType } from '../book/evidence.ts';

/** @returns what is wrong with it; undefined when one of these keys signed just this */
export async function signatureFault(
  keys: EvidenceKeys,
  typ: StatementType,
  { signature, ...statement }: { readonly signature: string },
): Promise<string | undefined> {
  const [header = '', , bytes = ''] = signature.split('.');
  try {
    const jws = { protected: header, payload: contentOf(statement), signature: bytes };
    const { protectedHeader } = await flattenedVerify(jws, createLocalJWKSet(keys), { algorithms: ['EdDSA'] });
    if (protectedHeader?.typ === typ) return undefined;
    return `it was signed as ${JSON.stringify(protectedHeader?.typ)}, not as ${typ}`;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ERR_JWKS_NO_MATCHING_KEY') return 'none of the keys given is the one that signed it';
    if (code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') return 'the signature is of other words than these';
    return `the signature cannot be read: ${(error as Error).message}`;
  }
}
