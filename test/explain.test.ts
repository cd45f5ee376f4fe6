/** What would have been with a rejected order in, and how `merit explain` tells it. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { randomBlocks } from '../bench/random-blocks.ts';
import { bookHash } from '../src/book/seal.ts';
import { type Clearing, clearWith } from '../src/clearing/clear.ts';
import { withOrderIn } from '../src/clearing/report/counterfactual.ts';
import { loadSolver } from '../src/clearing/solver/highs.ts';
import type { Book } from '../src/market/book.ts';
import { AuctionError } from '../src/market/errors.ts';
import { run, temporaryFolder } from './cli-house.ts';
import { exampleBook } from './support/example-book.ts';
import { randomOrders } from './support/random-orders.ts';

const solver = await loadSolver();
const cleared = (book: Book) => clearWith(solver, book, bookHash(book)).result;
const indexOf = (book: Book, id: string) => book.orders.findIndex(({ record_id }) => record_id === id);

/** E6 of the market rules: accepted, the block would push the price from 50 to 10 and lose 70 * 20. */
const block = { kind: 'block', record_id: 'block', side: 'sell', from: 1, to: 1, price: 30, power: 70 };
const e6 = exampleBook('sell 40@10, buy 100@50', [block]);

test('withOrderIn() E6: with the block in, the price falls and the block itself pays for it', async () => {
  const instead = (await withOrderIn(e6, cleared(e6), indexOf(e6, 'block')))!;
  assert.deepEqual([instead.status, instead.welfare, instead.welfareDifference], ['optimal', 2600, 1000]);
  assert.deepEqual([instead.outcome.status, instead.outcome.power, instead.gain], ['accepted', [70], -1400]);
  assert.deepEqual(instead.losers, [{ record_id: 'block', loss: 1400 }]);
  assert.deepEqual(instead.prices, [{ zone: 'A', period: 1, published: 50, instead: 10 }]);
  assert.deepEqual(instead.others, [
    { record_id: 'o1', published: 'accepted', instead: 'partially_accepted', difference: -1600 },
    { record_id: 'o2', published: 'partially_accepted', instead: 'accepted', difference: 4000 },
  ]);
});

test('withOrderIn() is undefined where the market cannot take the order', async () => {
  const book = exampleBook('sell 40@10, buy 50@50', [block]);
  const result = cleared(book);
  assert.equal(result.orders[2]?.reason?.code, 'paradoxically_rejected');
  assert.equal(await withOrderIn(book, result, 2), undefined);
});

test('withOrderIn() on books of all order kinds: what is worth more has somebody lose', async () => {
  let asked = 0;
  for (let seed = 0; seed < 150; seed++) {
    const book = randomOrders(seed, 8);
    const result = clearedOr(book)?.result;
    if (result?.status !== 'optimal') continue;
    for (const [k, { record_id, reason }] of result.orders.entries()) {
      if (!reason?.code.startsWith('paradoxically_rejected')) continue;
      if (!['block', 'flexible', 'complex'].includes(book.orders[k]!.kind)) continue;
      const instead = await withOrderIn(book, result, k);
      if (instead === undefined) continue;
      asked++;
      const where = `seed ${seed}, ${record_id}`;
      assert.notEqual(instead.outcome.status, 'rejected', where);
      if (instead.welfareDifference > 0.01) assert(instead.losers.length > 0, where);
    }
  }
  assert(asked > 50, `${asked} orders`);
});

function clearedOr(book: Book): Clearing | undefined {
  try {
    return clearWith(solver, book, bookHash(book));
  } catch (error) {
    if (error instanceof AuctionError) return undefined;
    throw error;
  }
}

async function filesOf(t: TestContext, book: Book): Promise<[book: string, result: string]> {
  const folder = await temporaryFolder(t);
  const files: [string, string] = [join(folder, 'book.json'), join(folder, 'result.json')];
  await writeFile(files[0], JSON.stringify(book));
  await writeFile(files[1], JSON.stringify(cleared(book)));
  return files;
}

test('merit explain tells a paradoxical rejection: reason, and what would have been', async (t) => {
  const files = await filesOf(t, e6);
  const { code, out, err } = await run(['explain', ...files, 'block']);
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^block: block, sell at 30\.00 EUR\/MWh in A, periods 1 to 1$/m);
  assert.match(out, /^reason: paradoxically rejected, that is: in the money, but/m);
  assert.match(out, /^missed: 1,400\.00 EUR at the published prices$/m);
  assert.match(out, /^With block in \(proven\):$/m);
  assert.match(out, /welfare 2,600\.00 EUR, 1,000\.00 EUR more than published/);
  assert.match(out, /block would get 70\.0 MW and lose 1,400\.00 EUR/);
  assert.match(out, /No prices make good for that/);
  assert.match(out, /^A +1 +50\.00 +10\.00$/m);
  assert.match(out, /^o1 +accepted +partially accepted +-1,600\.00$/m);
});

test('merit explain --json is for programs', async (t) => {
  const files = await filesOf(t, e6);
  const { code, out } = await run(['explain', ...files, 'block', '--json']);
  const told = JSON.parse(out);
  assert.equal(code, 0);
  assert.equal(told.order.record_id, 'block');
  assert.equal(told.outcome.reason.code, 'paradoxically_rejected');
  assert.equal(told.withOrderIn.welfareDifference, 1000);
});

test('merit explain tells other orders reason, distance and what decided, without clearing again', async (t) => {
  const parent = { kind: 'block', record_id: 'parent', side: 'sell', from: 1, to: 1, price: 90, power: 10 };
  const child = { ...parent, record_id: 'child', price: 20, linkedTo: 'parent' };
  const files = await filesOf(t, exampleBook('sell 100@10, sell 50@60, buy 100@50', [parent, child]));
  const [far, held, full] = await Promise.all(['o2', 'child', 'o1'].map((id) => run(['explain', ...files, id])));
  assert.match(far!.out, /^o2: sell 50 MW at 60\.00 EUR\/MWh in A, period 1$/m);
  assert.match(far!.out, /^reason: out of the money, that is: /m);
  assert.match(far!.out, /^distance: \d+\.00 EUR\/MWh between its limit and the price$/m);
  assert.match(held!.out, /^reason: parent rejected/m);
  assert.match(held!.out, /^decided by: parent$/m);
  assert.doesNotMatch(held!.out, /With child in/);
  assert.match(full!.out, /^accepted: 100\.0 MW; fully accepted it would gain/m);
  assert.doesNotMatch(full!.out, /reason/);
});

test('merit explain: unknown orders, orders of several participants, results of another book', async (t) => {
  const files = await filesOf(t, e6);
  const unknown = await run(['explain', ...files, 'nobody']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /^merit: .*book\.json: there is no order nobody$/m);

  const stamp = (participant: string, sequence: number) => ({ participant, sequence, received_at: e6.start });
  const orders = e6.orders.flatMap((order, k) =>
    k === 0
      ? [
          { ...order, power: 20, ...stamp('p', 1) },
          { ...order, power: 20, ...stamp('q', 2) },
        ]
      : [{ ...order, ...stamp('p', k + 2) }],
  );
  const stamped = await filesOf(t, { ...e6, orders });
  const whose = await run(['explain', ...stamped, 'o1']);
  assert.equal(whose.code, 2);
  assert.match(whose.err, /several participants have an order o1: say --participant \(p, q\)/);
  const named = await run(['explain', ...stamped, 'o1', '--participant', 'q']);
  assert.deepEqual([named.code, named.err], [0, '']);
  assert.match(named.out, /^o1 of q: /);
  const wrong = await run(['explain', ...stamped, 'o1', '--participant', 'r']);
  assert.equal(wrong.code, 1);

  const foreign = await run(['explain', files[0], stamped[1], 'o1']);
  assert.equal(foreign.code, 2);
  assert.match(foreign.err, /result\.json: is of the book sha256:/);
});

test('merit clear --branches and --seconds stop the search, and the gap is told', async (t) => {
  const folder = await temporaryFolder(t);
  const book = join(folder, 'book.json');
  await writeFile(book, JSON.stringify(randomBlocks({ seed: 2, blocks: 40, zones: 2, periods: 8, steps: 4 })));
  const to = (name: string) => ['clear', book, '-o', join(folder, name), '--verify'];
  const [few, none, all] = await Promise.all([
    run([...to('few.json'), '--branches', '2']),
    run([...to('none.json'), '--seconds', '0', '--json']),
    run([...to('all.json'), '--seconds', '600']),
  ]);
  assert.deepEqual([few!.code, none!.code, all!.code], [0, 0, 0]);
  assert.match(few!.out, /: feasible, welfare [\d,.]+ EUR, gap \d\.\de-\d+$/m);
  assert.match(few!.out, /^by the engine’s word no answer is worth more than [\d,.]+ EUR; /m);
  const { status, gap } = JSON.parse(none!.out);
  assert.equal(status, 'feasible');
  assert(gap > 0);
  assert.match(all!.out, /: optimal, welfare [\d,.]+ EUR, gap 0$/m);
  const wrong = await run([...to('no.json'), '--branches', 'many']);
  assert.equal(wrong.code, 2);
});
