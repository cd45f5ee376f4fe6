/** Secrets of clients: made here, told once, kept as a hash (scrypt, RFC 7914). */

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const saltBytes = 16;
const hashBytes = 32;
/** 16 MB and some tens of milliseconds a try. */
const cost = { N: 2 ** 14, r: 8, p: 1 };

export const newSecret = (): string => randomBytes(32).toString('base64url');

export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  return `scrypt:${salt.toString('base64url')}:${(await derive(secret, salt)).toString('base64url')}`;
}

/** @param hash  without one the answer is no, after the same time */
export async function isSecret(secret: string, hash: string | undefined): Promise<boolean> {
  const [, salt = '', known = ''] = hash?.split(':') ?? [];
  const expected = Buffer.concat([Buffer.from(known, 'base64url'), Buffer.alloc(hashBytes)], hashBytes);
  const found = await derive(secret, Buffer.from(salt, 'base64url'));
  return timingSafeEqual(found, expected) && hash !== undefined;
}

const derive = (secret: string, salt: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(secret, salt, hashBytes, cost, (error, key) => (error ? reject(error) : resolve(key)));
  });
