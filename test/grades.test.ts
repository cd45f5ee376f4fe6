/** What `merit` says of a result that it has checked: no more than was looked at. It said "verified" of results whose decisions nobody had looked at. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { canonical } from '../src/book/canonical.ts';
import { bookHash } from '../src/book/seal.ts';
import { clear } from '../src/clearing/clear.ts';
import { decisionLines } from '../src/cli/verification.ts';
import { type Book, parseBook } from '../src/market/book.ts';
import type { Result } from '../src/market/result.ts';
import { run, temporaryFolder } from './cli-house.ts';
import { block, smallBook } from './support/small-book.ts';

/** A block that is worth its while: 50 MW at 10 for demand at 60. */
const whole = block('b', { price: 10, power: 50 });
const plain = smallBook('buy 50@60, sell 50@40');
const withBlock: Book = parseBook({ ...plain, orders: [...plain.orders, whole] });

const files = new Map<string, string>();
before(async () => {
  const hash = bookHash(withBlock);
  const { result, proof } = await clear(withBlock, hash, { proves: true });
  assert.equal(result.orders.find(({ record_id }) => record_id === 'b')?.status, 'accepted');
  for (const [name, value] of Object.entries({ book: withBlock, result, proof })) files.set(name, canonical(value));
});

test('merit verify says of a result without a proof that nothing says there are no better decisions', async (t) => {
  const { verify } = await folder(t);
  const told = await verify();
  assert.equal(told.code, 0);
  assert.match(
    told.out,
    /: the rules hold, \d+ checks\ndecisions: unchecked\. Nothing here says that no better set of decisions exists; a proof would/,
  );
  assert.doesNotMatch(told.out, /\bverified\b/);
  const { rules, decisions } = JSON.parse((await verify('--json')).out);
  assert.deepEqual([rules, decisions], ['hold', { grade: 'unchecked' }]);
});

test('merit verify --require proven ends with exit code 1 without a proof, and with 0 with one', async (t) => {
  const { verify, at } = await folder(t);
  const bare = await verify('--require', 'proven');
  assert.equal(bare.code, 1);
  assert.match(bare.err, /decisions are unchecked, required is proven/);
  const proven = await verify('--proof', at('proof'), '--require', 'proven');
  assert.equal(proven.code, 0, proven.out);
  assert.match(
    proven.out,
    /\ndecisions: proven by \d+ lea.*: no answer is worth more than 2,500\.00, 0\.00 above this one \(gap/,
  );
  assert.doesNotMatch(proven.out, /\bverified\b/);
  assert.equal((await verify('--require', 'certain')).code, 2);
});

test('a proof that does not hold proves nothing', async (t) => {
  const { verify, at } = await folder(t);
  const other = JSON.parse(files.get('proof')!);
  other.book = `sha256:${'0'.repeat(64)}`;
  await writeFile(at('other'), canonical(other));
  const { code, out } = await verify('--proof', at('other'));
  assert.equal(code, 1);
  assert.match(out, /the rules hold, .*\nthe proof does not hold\ndecisions: unchecked\./);
});

test('decisionLines() names each claim with its orders and the most it could hide', () => {
  const claims = [
    { orders: ['acme/m1', 'acme/m2'], hides: 2400 },
    { orders: ['acme/m3'], hides: 5 },
  ];
  const decisions = { grade: 'claimed', bound: 1000, gap: 0, leaves: 9, claims, boundWithoutClaims: 3400 } as const;
  assert.deepEqual(decisionLines(withBlock, { welfare: 1000 } as Result, decisions), [
    "decisions: claimed by 9 leaves: no answer is worth more than 1,000.00, 0.00 above this one (gap 0), unless one of these is false, which are the engine's word:",
    '  no prices support acme/m1, acme/m2 together; if some did, 2,400.00 at most would be hidden',
    '  no prices support acme/m3 together; if some did, 5.00 at most would be hidden',
    '  were all of them false, no answer would be worth more than 3,400.00',
  ]);
});

test('decisionLines() says where a book has no orders to decide', () => {
  const [line] = decisionLines(plain, { welfare: 1000 } as Result, { grade: 'unchecked' });
  assert.match(line!, /^decisions: unchecked, without a proof; this book has no blocks/);
});

async function folder(t: Parameters<typeof temporaryFolder>[0]) {
  const name = await temporaryFolder(t);
  const at = (file: string) => join(name, file);
  for (const [file, text] of files) await writeFile(at(file), text);
  return { at, verify: (...more: string[]) => run(['verify', at('book'), at('result'), ...more]) };
}
