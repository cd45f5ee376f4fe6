/**
 * The keys that a deployed house signs its evidence with: KMS keys (`ECC_NIST_EDWARDS25519`), whose private halves nobody has. The last of
 * them signs, and the others stay for their public halves (docs/aws.md).
 */

import { createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { Signer } from '../../auction/ports.ts';
import { type EvidenceKey, evidenceKeyOf } from '../../book/evidence.ts';
import { unavailable } from './unavailable.ts';

/** @param ids  of the keys, the one that signs last */
export function openSigner(client: KMSClient, ids: readonly string[]): Signer {
  const current = ids.at(-1)!;
  const known = new Map<string, Promise<EvidenceKey>>();

  /** Asked for once in the life of a function: the public half of a key never changes. */
  function publicKey(id: string): Promise<EvidenceKey> {
    const key = known.get(id) ?? askPublicKey(id);
    known.set(id, key);
    key.catch(() => known.delete(id));
    return key;
  }

  async function askPublicKey(KeyId: string): Promise<EvidenceKey> {
    const { PublicKey } = await asked(() => client.send(new GetPublicKeyCommand({ KeyId })));
    const { x } = createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' }).export({
      format: 'jwk',
    });
    return evidenceKeyOf(x!);
  }

  return {
    async signingKey() {
      const { kid } = await publicKey(current);
      return {
        kid,
        async sign(Message) {
          const command = new SignCommand({
            KeyId: current,
            Message,
            MessageType: 'RAW',
            SigningAlgorithm: 'ED25519_SHA_512', // the pure one of RFC 8032, as JWS has it
          });
          return (await asked(() => client.send(command))).Signature!;
        },
      };
    },
    async keys() {
      return { keys: await Promise.all(ids.toReversed().map(publicKey)) };
    },
  };
}

const asked = async <T>(ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    throw unavailable('the key that the house signs with', error);
  }
};
