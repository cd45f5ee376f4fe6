/**
 * The keys that a house on one machine signs its evidence with (Ed25519), in `access.sqlite`, which nobody but the owner of the folder may
 * read. The first is made when the house starts first. Of a retired key only the public half is left, for good.
 *
 * They are read at each use, so a rotation from the command line holds from the next statement on.
 */

import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Signer } from '../../../auction/ports.ts';
import { evidenceKeyOf } from '../../../book/evidence.ts';
import { inTransaction } from '../transaction.ts';
import { openAccessDatabase } from './database.ts';

interface Row {
  readonly x: string;
  readonly jwk: string;
}

export interface LocalSigner extends Signer {
  /** Sign with a new key from now on. */
  rotate(): void;
  close(): void;
}

/** @param folder  the data folder, which is there. @throws AuctionError `incompatible-data` */
export function openSigner(folder: string): LocalSigner {
  const database = openAccessDatabase(folder);
  const signer = signerIn(database);
  return { ...signer, close: () => database.close() };
}

/** The same in a database that is open. */
export function signerIn(database: DatabaseSync): Omit<LocalSigner, 'close'> {
  const insert = database.prepare('INSERT INTO signing_keys (x, jwk) VALUES (?, ?)');
  const selectSigning = database.prepare('SELECT x, jwk FROM signing_keys WHERE jwk IS NOT NULL');
  const selectAll = database.prepare('SELECT x FROM signing_keys ORDER BY number DESC');
  const retire = database.prepare('UPDATE signing_keys SET jwk = NULL WHERE jwk IS NOT NULL');
  const make = () => {
    const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    insert.run(jwk.x!, JSON.stringify(jwk));
  };
  inTransaction(database, () => {
    if (selectSigning.get() === undefined) make();
  });
  return {
    async signingKey() {
      const { x, jwk } = selectSigning.get() as unknown as Row;
      const key = createPrivateKey({ key: JSON.parse(jwk), format: 'jwk' });
      return { kid: evidenceKeyOf(x).kid, sign: async (input) => sign(null, input, key) };
    },
    async keys() {
      return { keys: (selectAll.all() as unknown as Row[]).map(({ x }) => evidenceKeyOf(x)) };
    },
    rotate: () =>
      inTransaction(database, () => {
        retire.run();
        make();
      }),
  };
}
