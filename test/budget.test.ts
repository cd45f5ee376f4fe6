/** Clearing within a budget: the best answer so far with its gap, and a checkpoint from which the search goes on. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBlocks } from '../bench/random-blocks.ts';
import { canonical } from '../src/book/canonical.ts';
import { sha256 } from '../src/book/intake.ts';
import { bookHash } from '../src/book/seal.ts';
import { type Clearing, clearWith } from '../src/clearing/clear.ts';
import { loadSolver } from '../src/clearing/solver/highs.ts';
import type { Book } from '../src/market/book.ts';
import { AuctionError } from '../src/market/errors.ts';
import { verify } from '../src/verify/verify.ts';
import { randomOrders } from './support/random-orders.ts';

const solver = await loadSolver();

/** A day on which few curves meet many blocks, so that the search takes some turns. */
const blocksDay = randomBlocks({ seed: 2, blocks: 40, zones: 2, periods: 8, steps: 4 });
const blocksHash = bookHash(blocksDay);

/** Clear in calls of so many branches each, as the workflow does; every answer on the way. */
function inSteps(book: Book, hash: string, branches: number): Clearing[] {
  const calls = [clearWith(solver, book, hash, { branches, keeps: true })];
  for (let last = calls[0]!; last.checkpoint !== undefined; calls.push(last)) {
    last = clearWith(solver, book, hash, { branches, keeps: true, checkpoint: last.checkpoint });
  }
  return calls;
}

test('clear() within a budget: answers on the way are feasible, and what follows never makes them worse', () => {
  const whole = clearWith(solver, blocksDay, blocksHash).result;
  const calls = inSteps(blocksDay, blocksHash, 2);
  assert(calls.length > 3, `${calls.length} calls`);
  assert.equal(canonical(calls.at(-1)!.result), canonical(whole));
  let before: Clearing['result'] | undefined;
  for (const { result, checkpoint } of calls) {
    assert.equal(result.status, checkpoint === undefined ? 'optimal' : 'feasible');
    assert(result.bound >= whole.welfare && result.welfare <= whole.welfare);
    assert.equal(result.gap, (result.bound - result.welfare) / Math.max(1, Math.abs(result.bound)));
    if (before !== undefined) assert(result.welfare >= before.welfare && result.bound <= before.bound);
    assert(verify(blocksDay, blocksHash, result).ok);
    before = result;
  }
});

test('clear() in steps of one branch ends where an unlimited call ends, on books of all order kinds', () => {
  let stepped = 0;
  for (let seed = 0; seed < 120; seed++) {
    const book = randomOrders(seed, 12);
    const hash = bookHash(book);
    const whole = clearedOr(book, hash);
    if (whole === undefined) continue;
    const calls = inSteps(book, hash, 1);
    const { result } = calls.at(-1)!;
    if (calls.length > 1) stepped++;
    const { welfare, status, orders } = whole.result;
    assert.deepEqual([result.welfare, result.status], [welfare, status], `seed ${seed}`);
    // Where several decisions are worth the same, the solver's path may choose; the same decisions give the same bytes.
    const decided = (of: typeof orders) => of.map(({ status, start }) => [status, start]);
    if (JSON.stringify(decided(result.orders)) === JSON.stringify(decided(orders)))
      assert.equal(JSON.stringify(result), JSON.stringify(whole.result), `seed ${seed}`);
  }
  assert(stepped > 20, `${stepped} books took more than one call`);
});

function clearedOr(book: Book, hash: string): Clearing | undefined {
  try {
    return clearWith(solver, book, hash);
  } catch (error) {
    if (error instanceof AuctionError) return undefined;
    throw error;
  }
}

test('clear() with the same budget in branches gives the same bytes, checkpoint and all', () => {
  for (const branches of [1, 3, 5]) {
    const [one, other] = [1, 2].map(() => clearWith(solver, blocksDay, blocksHash, { branches, keeps: true }));
    assert.equal(canonical(one!.result), canonical(other!.result));
    assert.equal(one!.checkpoint, other!.checkpoint);
    assert(one!.checkpoint !== undefined);
  }
});

test('clear() stops when its caller says so, but not without an answer', () => {
  let asked = 0;
  const until = () => ++asked > 0;
  const { result, checkpoint } = clearWith(solver, blocksDay, blocksHash, { until, keeps: true });
  assert.equal(result.status, 'feasible');
  assert(asked > 0);
  assert(verify(blocksDay, blocksHash, result).ok);
  const rest = clearWith(solver, blocksDay, blocksHash, { until: () => false, checkpoint: checkpoint! });
  assert.equal(rest.result.status, 'optimal');
});

test('a checkpoint names the open branches by the record_id of their orders', () => {
  const { checkpoint } = clearWith(solver, blocksDay, blocksHash, { branches: 2, keeps: true });
  const { book, groups } = JSON.parse(checkpoint!);
  assert.equal(book, blocksHash);
  const [{ decisions, open, incumbent, from, to }] = groups;
  assert.deepEqual([from, to], [1, 8]);
  assert.match(decisions[incumbent.on[0]].record_id, /^B\d+$/);
  assert(open.length > 0);
});

test('clear() writes down where a search stopped only where that is asked for', () => {
  const { result, stopped, checkpoint } = clearWith(solver, blocksDay, blocksHash, { branches: 2 });
  assert.deepEqual([result.status, stopped, checkpoint], ['feasible', true, undefined]);
});

test('clear() refuses a checkpoint that is damaged, changed, or of another book', () => {
  const { checkpoint } = clearWith(solver, blocksDay, blocksHash, { branches: 2, keeps: true });
  const text = checkpoint!;
  const refused = (broken: string, message: RegExp, book = blocksDay) =>
    assert.throws(() => clearWith(solver, book, bookHash(book), { checkpoint: broken }), {
      name: 'AuctionError',
      code: 'invalid-checkpoint',
      message,
    });
  refused('', /not a checkpoint/);
  refused(text.slice(0, -100), /not a checkpoint/);
  refused('{"merit":"checkpoint/1"}', /not a checkpoint/);
  const changed = JSON.parse(text);
  changed.groups[0].open.pop();
  refused(JSON.stringify(changed), /was changed/);
  const other = { ...blocksDay, auction: 'other' };
  refused(text, /belongs to the book/, other);
  // Another engine's, or a forger's: the digest is right, what it says is not.
  const sealed = (change: (body: typeof changed) => void) => {
    const { digest: _, ...body } = JSON.parse(text);
    change(body);
    return canonical({ ...body, digest: sha256(canonical(body)) });
  };
  refused(
    sealed(({ groups }) => groups.pop()),
    /groups of periods/,
  );
  refused(
    sealed(({ groups }) => {
      groups[0].decisions[0].record_id = 'nobody';
    }),
    /no decision about nobody/,
  );
  refused(
    sealed(({ groups }) => {
      groups[0].lists.decision[0] = 1000;
    }),
    /no decision 1000/,
  );
  refused(
    sealed(({ groups }) => {
      groups[0].lists.before[0] = 1000;
    }),
    /no list 1000/,
  );
  refused(
    sealed(({ groups }) => {
      groups[0].open[0].on = 1_000_000;
    }),
    /no list 1000000/,
  );
  refused(
    sealed(({ groups }) => groups[0].incumbent.net.pop()),
    /not one of this engine/,
  );
  refused(
    sealed(({ groups }) => groups[0].incumbent.closed.push({ line: 'L', against: false, period: 1 })),
    /no flow of line L/,
  );
  refused(
    sealed(({ without }) => without.push({ record_id: 'nobody' })),
    /leaves out nobody/,
  );
});
