/**
 * Two readings of docs/proof.md: the checker in Python (`clients/python`), which shares no line with ours, is asked about the same proofs, honest and
 * forged, and has to say the same of each.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { clearWith } from '../src/clearing/clear.ts';
import { loadSolver } from '../src/clearing/solver/highs.ts';
import type { Book } from '../src/market/book.ts';
import { AuctionError } from '../src/market/errors.ts';
import { type Proof, parseProof } from '../src/market/proof.ts';
import type { Result } from '../src/market/result.ts';
import { checkProof } from '../src/verify/proof/check-proof.ts';
import { bend } from './support/bent-proofs.ts';
import { bookOf, families } from './support/families/families.ts';
import { holes } from './support/proof-holes.ts';
import { Dice, randomOrders } from './support/random-orders.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;
const seed = Number(process.env.SEED ?? 1);
const runs = Number(process.env.RUNS ?? 6);
console.log(`# second checker: SEED=${seed} RUNS=${runs}`);

type Case = readonly [book: Book, result: Result, proof: Proof];

/** What the checker in Python says, case by case. */
function second(cases: readonly Case[]): { ok: boolean; why?: string; bound?: number; boundWithoutClaims?: number }[] {
  const cwd = fileURLToPath(new URL('../clients/python', import.meta.url));
  const input = cases.map((each) => JSON.stringify(each)).join('\n');
  const told = spawnSync('python3', ['-m', 'merit_verify', '--lines'], {
    cwd,
    input,
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  assert.equal(told.status, 0, told.stderr);
  return told.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function same(cases: readonly Case[], names: readonly string[]): number {
  let held = 0;
  second(cases).forEach(({ ok, why, bound, boundWithoutClaims }, k) => {
    const [book, result, proof] = cases[k]!;
    const ours = oursOf(book, result, proof);
    assert.equal(ok, ours?.ok ?? false, `${names[k]}: ${why ?? bound}, ours ${JSON.stringify(ours?.checks)}`);
    if (!ok) return;
    held++;
    for (const [theirs, own] of [
      [bound!, ours!.bound],
      [boundWithoutClaims!, ours!.boundWithoutClaims],
    ] as const)
      assert(Math.abs(theirs - own) <= 1e-6 + 1e-12 * Math.abs(own), `${names[k]}: ${theirs}, ours ${own}`);
  });
  return held;
}

function oursOf(book: Book, result: Result, proof: Proof) {
  try {
    return checkProof(book, hash, result, parseProof(JSON.parse(JSON.stringify(proof))));
  } catch (error) {
    if (error instanceof AuctionError) return undefined;
    throw error;
  }
}

function proven(book: Book): Case | undefined {
  try {
    const { result, proof } = clearWith(solver, book, hash, { proves: true });
    return [book, result, proof!];
  } catch (error) {
    if (error instanceof AuctionError) return undefined;
    throw error;
  }
}

const drawn = [
  ...Object.keys(families).flatMap((name) =>
    Array.from({ length: runs }, (_, k) => [`${name} ${seed + k}`, proven(bookOf(name, seed + k))] as const),
  ),
  ...Array.from({ length: 8 * runs }, (_, k) => [`orders ${seed + k}`, proven(randomOrders(seed + k, 6))] as const),
].flatMap(([name, each]) => (each === undefined ? [] : [{ name, each }]));

test('the checker in Python accepts the honest proofs of all families, and shows the same bounds', () => {
  const held = same(
    drawn.map(({ each }) => each),
    drawn.map(({ name }) => name),
  );
  assert.equal(held, drawn.length);
});

test('the checker in Python says of bent proofs what ours says', () => {
  const dice = new Dice(seed);
  const bent = drawn.map(({ each: [book, result, proof] }): Case => {
    const draft = structuredClone(proof);
    for (let times = dice.whole(1, 3); times > 0; times--) bend(draft, () => dice.share());
    return [book, result, draft];
  });
  const held = same(
    bent,
    drawn.map(({ name }) => `bent ${name}`),
  );
  assert(held < bent.length, 'all of them hold');
});

test('the checker in Python refuses what a checker with tolerances took', () => {
  const cases = holes.map(({ book, out, forge }): Case => {
    const { result: honest, proof } = clearWith(solver, book, hash, { proves: true });
    const rest = { ...book, orders: book.orders.filter(({ record_id }) => !out.includes(record_id)) };
    const { result: forged } = clearWith(solver, rest, hash);
    const group = { first: 1, last: book.periods, root: 0, ...forge(forged, honest, 9e14) };
    return [book, forged, { ...proof!, groups: [group] }];
  });
  assert.equal(
    same(
      cases,
      holes.map(({ name }) => name),
    ),
    0,
  );
});
