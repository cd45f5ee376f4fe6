/**
 * The keys that the house signs tokens with (ES256): one signs, retired ones still hold for the tokens they have signed.
 *
 * They are read from the database at each use, so a rotation from the command line holds from the next call on.
 */

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { errors, type JWK, type JWTVerifyGetKey } from 'jose';
import { clockToleranceSeconds } from '../../../access/tokens.ts';
import { inTransaction } from '../transaction.ts';

export interface Keys {
  /** Name of the issuer, as old as its first key. */
  readonly issuer: string;
  /** The key that signs, which holds at least so long from now on. */
  signingKey(holdsUntil: number): { readonly kid: string; readonly key: KeyObject };
  /** Finds the public half for `checkToken`. */
  readonly find: JWTVerifyGetKey;
  /** Public halves of the keys that hold. */
  published(): JWK[];
  /**
   * Sign with a new key from now on.
   *
   * @param revoke  the old keys hold no more, nor do their tokens: for a key that somebody else may have
   */
  rotate(revoke?: boolean): void;
}

export const algorithm = 'ES256';

interface Row {
  readonly kid: string;
  readonly jwk: string;
}

/** @param now  unix seconds */
export function openKeys(database: DatabaseSync, now: () => number): Keys {
  const selectIssuer = database.prepare('SELECT name FROM issuer');
  const insertIssuer = database.prepare('INSERT INTO issuer (name) VALUES (?)');
  const insert = database.prepare('INSERT INTO keys (kid, jwk, made_at, holds_until) VALUES (?, ?, ?, 0)');
  const selectSigning = database.prepare('SELECT kid, jwk FROM keys WHERE retired_at IS NULL');
  const holdUntil = database.prepare('UPDATE keys SET holds_until = max(holds_until, ?) WHERE kid = ?');
  const isHolding = '(retired_at IS NULL OR holds_until >= ?)';
  const selectOne = database.prepare(`SELECT kid, jwk FROM keys WHERE kid = ? AND ${isHolding}`);
  const selectHolding = database.prepare(`SELECT kid, jwk FROM keys WHERE ${isHolding} ORDER BY made_at DESC, kid`);
  const deleteGone = database.prepare(`DELETE FROM keys WHERE NOT ${isHolding}`);
  const deleteAll = database.prepare('DELETE FROM keys');
  const retire = database.prepare('UPDATE keys SET retired_at = ? WHERE retired_at IS NULL');

  /** Tokens are forgiven so much of their expiry. */
  const oldest = () => now() - clockToleranceSeconds;
  const make = () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    insert.run(randomUUID(), JSON.stringify(privateKey.export({ format: 'jwk' })), now());
  };
  const signing = () => selectSigning.get() as Row | undefined;

  const issuer = inTransaction(database, () => {
    if (signing() === undefined) make();
    const known = selectIssuer.get() as { name: string } | undefined;
    const name = known?.name ?? `urn:uuid:${randomUUID()}`;
    if (!known) insertIssuer.run(name);
    return name;
  });

  const publicKeys = new Map<string, KeyObject>();
  const publicKey = ({ kid, jwk }: Row): KeyObject => {
    const made = publicKeys.get(kid) ?? createPublicKey({ key: JSON.parse(jwk), format: 'jwk' });
    publicKeys.set(kid, made);
    return made;
  };

  return {
    issuer,
    signingKey: (until) =>
      inTransaction(database, () => {
        const { kid, jwk } = signing()!;
        holdUntil.run(until, kid);
        return { kid, key: createPrivateKey({ key: JSON.parse(jwk), format: 'jwk' }) };
      }),
    find: ({ kid, alg }) => {
      // A header says what it likes: a `kid` of any other type names no key.
      const row =
        typeof kid !== 'string' || alg !== algorithm ? undefined : (selectOne.get(kid, oldest()) as Row | undefined);
      if (row === undefined) throw new errors.JWKSNoMatchingKey();
      return publicKey(row);
    },
    published: () =>
      (selectHolding.all(oldest()) as unknown as Row[]).map((row) => ({
        ...publicKey(row).export({ format: 'jwk' }),
        kid: row.kid,
        alg: algorithm,
        use: 'sig',
      })) as JWK[],
    rotate: (revoke = false) =>
      inTransaction(database, () => {
        deleteGone.run(oldest());
        if (revoke) deleteAll.run();
        else retire.run(now());
        make();
      }),
  };
}
