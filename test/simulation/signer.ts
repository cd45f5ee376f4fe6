/** A signer whose key is always the same, so that what is signed follows from the seed (Ed25519 signatures are deterministic). */

import { createPrivateKey, sign } from 'node:crypto';
import type { Signer } from '../../src/auction/ports.ts';
import { evidenceKeyOf } from '../../src/book/evidence.ts';

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 7). */
const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

export function simulateSigner(): Signer {
  const key = createPrivateKey({ key: Buffer.concat([prefix, Buffer.alloc(32, 1)]), format: 'der', type: 'pkcs8' });
  const own = evidenceKeyOf(key.export({ format: 'jwk' }).x!);
  return {
    signingKey: async () => ({ kid: own.kid, sign: async (input) => sign(null, input, key) }),
    keys: async () => ({ keys: [own] }),
  };
}
