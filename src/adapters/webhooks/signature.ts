/**
 * Signatures of webhooks as Standard Webhooks has them (standardwebhooks.com, 1.0): HMAC-SHA256 over id, time and body, so that a receiver
 * knows who sent what and when. Receivers refuse what is older than five minutes, and what they have had by its id.
 */

import { createHmac, randomBytes } from 'node:crypto';

export interface SigningKey {
  /** Named beside its signature, so that a receiver with several secrets knows which one to take. */
  readonly id: string;
  /** `whsec_` and 24 to 64 bytes in base64. */
  readonly secret: string;
}

export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

const bytesOf = (secret: string): Buffer => Buffer.from(secret.slice('whsec_'.length), 'base64');

/**
 * The headers of one message. Several keys sign it while one takes the place of another: a receiver takes it if any signature is right.
 *
 * @param id  of the message: the same in each attempt
 * @param at  seconds since 1970, of this attempt
 * @param keys  the newest first
 */
export function signedHeaders(
  { id, at, body }: { readonly id: string; readonly at: number; readonly body: string },
  keys: readonly SigningKey[],
): Record<string, string> {
  const signatureBy = ({ secret }: SigningKey) =>
    `v1,${createHmac('sha256', bytesOf(secret)).update(`${id}.${at}.${body}`).digest('base64')}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(at),
    ...(keys.length > 0 && {
      'webhook-signature': keys.map(signatureBy).join(' '),
      'webhook-key-id': keys.map((key) => key.id).join(' '),
    }),
  };
}
