/** What every `Signer` keeps of its promises. */

import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { Signer } from '../../src/auction/ports.ts';
import { contentOf, evidenceKeyOf, evidenceKeys, signed } from '../../src/book/evidence.ts';

export interface OpenedSigner {
  readonly signer: Signer;
  /** The same after a rotation of its keys. */
  rotate(): Promise<Signer>;
}

/** Whether one of these keys, the one that the header names, signed the statement. */
export async function isSigned(signer: Signer, { signature, ...statement }: { signature: string }): Promise<boolean> {
  const { keys } = evidenceKeys.parse(await signer.keys());
  const [header, , bytes] = signature.split('.') as [string, string, string];
  const { kid, alg } = JSON.parse(Buffer.from(header, 'base64url').toString());
  const jwk = keys.find((key) => key.kid === kid);
  assert(jwk, `no key ${kid} is published`);
  assert.equal(alg, 'EdDSA');
  const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  return verify(null, Buffer.from(`${header}.${contentOf(statement)}`), key, Buffer.from(bytes, 'base64url'));
}

export function signerCases(name: string, open: (t: TestContext) => Promise<OpenedSigner>): void {
  test(`${name}: signingKey() signs by Ed25519 what its published half verifies`, async (t) => {
    const { signer } = await open(t);
    const { keys } = await signer.keys();
    assert.deepEqual(keys, [evidenceKeyOf(keys[0]!.x)]);
    const key = await signer.signingKey();
    assert.equal(key.kid, keys[0]!.kid);
    const statement = await signed(key, 'merit-tree-head', { auction: 'a', size: 3 });
    assert(await isSigned(signer, statement));
    assert(!(await isSigned(signer, { ...statement, size: 4 } as typeof statement)));
  });

  test(`${name}: what was signed before a rotation holds after it, and another key signs`, async (t) => {
    const opened = await open(t);
    const before = await signed(await opened.signer.signingKey(), 'merit-result', { auction: 'a' });
    const [old] = (await opened.signer.keys()).keys;
    const signer = await opened.rotate();
    const { keys } = await signer.keys();
    assert.equal(keys.length, 2);
    assert.deepEqual(keys[1], old);
    const key = await signer.signingKey();
    assert.equal(key.kid, keys[0]!.kid);
    assert.notEqual(key.kid, old!.kid);
    assert(await isSigned(signer, before));
    assert(await isSigned(signer, await signed(key, 'merit-result', { auction: 'a' })));
  });
}
