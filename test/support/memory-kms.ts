/** KMS as far as the house uses it: keys of Ed25519 that sign a message whole, as its API reference says. */

import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';

export function memoryKms() {
  const keys = new Map<string, KeyObject>();
  const fault = (name: string) => Object.assign(new Error(name), { name });
  const client = {
    async send(command: unknown) {
      if (command instanceof GetPublicKeyCommand) {
        const key = keys.get(command.input.KeyId!);
        if (key === undefined) throw fault('NotFoundException');
        return { PublicKey: createPublicKey(key).export({ format: 'der', type: 'spki' }) };
      }
      if (!(command instanceof SignCommand)) throw fault('UnknownOperationException');
      const { KeyId, Message, MessageType, SigningAlgorithm } = command.input;
      // "ED25519_SHA_512 signing algorithm requires MessageType:RAW"; a message has 4096 bytes at most.
      if (SigningAlgorithm !== 'ED25519_SHA_512' || MessageType !== 'RAW') throw fault('ValidationException');
      if (Message!.length > 4096) throw fault('ValidationException');
      return { Signature: sign(null, Message!, keys.get(KeyId!)!) };
    },
  } as unknown as KMSClient;
  return {
    client,
    createKey: () => {
      const id = `key-${keys.size + 1}`;
      keys.set(id, generateKeyPairSync('ed25519').privateKey);
      return id;
    },
  };
}
