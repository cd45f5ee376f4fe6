/** The house can be held to what it signed: heads while the gate is open, the root of the sealed book, a proof for each entry. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeGate, findAuction } from '../src/auction/auctions.ts';
import { proveOrder } from '../src/auction/evidence/prove-order.ts';
import { readTree } from '../src/auction/evidence/tree.ts';
import { cancelOrder } from '../src/auction/intake/cancel-order.ts';
import { replaceOrder } from '../src/auction/intake/replace-order.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import { readBook } from '../src/auction/views/results.ts';
import { entriesIn } from '../src/book/book-chain.ts';
import type { SignedTreeHead } from '../src/book/evidence.ts';
import type { Receipt } from '../src/book/intake.ts';
import { isExtension, MerkleTree, rootFrom } from '../src/book/merkle.ts';
import { openAccessHouse } from './access-house.ts';
import { isSigned } from './ports/signer.cases.ts';
import { clear, houses, seal, verify } from './support/evidence-houses.ts';
import { hold } from './support/house.ts';

const limit = (record_id: string, price: number) => ({
  record_id,
  side: price < 50 ? 'sell' : 'buy',
  price,
  power: 10,
});

for (const [setting, open] of houses) {
  test(`${setting}: the root of the sealed book is signed before it is cleared, and each entry has a proof`, async (t) => {
    const { ports, clock } = await open(t);
    await hold(ports);
    const receipts: Receipt[] = [];
    const heads: SignedTreeHead[] = [];
    for (let i = 0; i < 25; i++) {
      const orders = [limit(`o${i}`, 2 * i), limit(`also${i}`, 99 - i)];
      receipts.push(...(await submitOrders(ports, { participant: `p${i % 3}` }, { auction: 'a', orders })).receipts);
      clock.time = new Date(Date.parse(clock.time) + 2000).toISOString();
      heads.push(await readTree(ports, 'a'));
    }
    receipts.push(await cancelOrder(ports, 'p0', 'o0', 'a'));
    const replacement = { record_id: 'o2', auction: 'a', order: limit('o2', 5), expected: 1 };
    receipts.push(await replaceOrder(ports, { participant: 'p2' }, replacement));
    const own = { participant: 'mallory' };
    await submitOrders(ports, own, { auction: 'a', orders: [limit('o1', 3)] }).then((taken) =>
      receipts.push(...taken.receipts),
    );
    for (const head of heads) assert(await isSigned(ports.signer, head));
    await assert.rejects(proveOrder(ports, { participant: 'p0', record_id: 'o0' }), { code: 'wrong-state' });
    await assert.rejects(readTree(ports, 'a', 1), { code: 'wrong-state', message: /not sealed/ });

    await closeGate(ports, 'a');
    await seal(ports);
    const sealed = await findAuction(ports, 'a');
    assert.equal(sealed.state, 'clearing');
    assert.equal(sealed.result, undefined);
    const book = await readBook(ports, 'a');
    const tree = new MerkleTree();
    for (const { digest } of entriesIn(book)) tree.append(digest);
    const head = await readTree(ports, 'a');
    assert(await isSigned(ports.signer, head));
    assert.deepEqual(
      { ...head, at: '', signature: '' },
      {
        ...{ auction: 'a', size: receipts.length, root: tree.root(), head: book.intake!.hash },
        ...{ at: '', book: sealed.book!.hash, signature: '' },
      },
    );

    for (const receipt of receipts) {
      const { participant, record_id, sequence, leaf } = receipt;
      const proof = await proveOrder(ports, { participant, record_id, auction: 'a', sequence });
      assert.deepEqual([proof.leaf, proof.sequence, proof.result], [leaf, sequence, undefined]);
      assert.deepEqual(proof.tree, head);
      assert.equal(rootFrom({ ...proof, size: head.size }), head.root);
      const asked = proveOrder(ports, { participant: 'mallory', record_id, auction: 'a', sequence });
      if (participant !== 'mallory') await assert.rejects(asked, { code: 'not-found' });
    }
    for (const earlier of heads.filter(({ size }) => size > 0)) {
      const { consistency, ...later } = await readTree(ports, 'a', earlier.size);
      assert.deepEqual(later, head);
      assert(isExtension(earlier, later, consistency!.path), `from ${earlier.size}`);
    }
    await assert.rejects(readTree(ports, 'a', head.size + 1), { code: 'invalid-request' });

    await clear(ports);
    await verify(ports);
    const { result } = await proveOrder(ports, { participant: 'p1', record_id: 'o1' });
    assert(await isSigned(ports.signer, result!));
    const final = await findAuction(ports, 'a');
    assert.deepEqual([result!.book, result!.result], [final.book!.hash, final.result!.hash]);
    assert.deepEqual(await readTree(ports, 'a'), head, 'what was signed stays');
  });

  test(`${setting}: a proof outlives the orders of the store`, async (t) => {
    const { ports, clock } = await open(t);
    await hold(ports);
    const { receipts } = await submitOrders(
      ports,
      { participant: 'p' },
      { auction: 'a', orders: [limit('o', 10), limit('b', 60)] },
    );
    const withdrawal = await cancelOrder(ports, 'p', 'b', 'a');
    await closeGate(ports, 'a');
    await seal(ports);
    await clear(ports);
    await verify(ports);
    const before = await proveOrder(ports, { participant: 'p', record_id: 'o', auction: 'a' });
    const final = await findAuction(ports, 'a');
    assert(await ports.auctions.advance(final, { ...final, state: 'settled' }));
    clock.time = '2025-04-03T00:00:00Z';
    await ports.orders.expire(new Date(clock.time));
    assert.deepEqual(await ports.orders.find('a', 'p', ['o']), []);
    // As a house that was started since has it: nothing is in its memory.
    const later = { ...ports, orders: { ...ports.orders } };
    assert.deepEqual(await proveOrder(later, { participant: 'p', record_id: 'o', auction: 'a' }), before);
    for (const { record_id, sequence, leaf } of [...receipts, withdrawal]) {
      const proof = await proveOrder(later, { participant: 'p', record_id, auction: 'a', sequence });
      assert.equal(proof.leaf, leaf);
      assert.equal(rootFrom({ ...proof, size: proof.tree.size }), proof.tree.root);
    }
    await assert.rejects(proveOrder(later, { participant: 'q', record_id: 'o', auction: 'a' }), { code: 'not-found' });
  });
}

test('a head while the gate is open costs the intake a bounded share: it is made once a second, of some thousand entries more', async (t) => {
  const [[, open]] = houses as [(typeof houses)[number]];
  const { ports, clock } = await open(t);
  await hold(ports);
  const orders = Array.from({ length: 6000 }, (_, i) => limit(`o${i}`, i % 40));
  await submitOrders(ports, { participant: 'p' }, { auction: 'a', orders });
  const pass = (ms: number) => void Object.assign(clock, { time: new Date(Date.parse(clock.time) + ms).toISOString() });
  const sizes: number[] = [];
  for (const ms of [0, 900, 100, 1000]) {
    pass(ms);
    const [one, other] = await Promise.all([readTree(ports, 'a'), readTree(ports, 'a')]);
    assert.deepEqual(one, other);
    sizes.push(one.size);
  }
  assert.deepEqual(sizes, [5000, 5000, 6000, 6000]);
});

test('GET /auctions/{id}/tree is for callers with a token while the gate is open, and for everybody once the book is sealed', async (t) => {
  const { ask, ports } = await openAccessHouse(t);
  const gateClosure = '2030-01-01T11:00:00Z';
  await ask('operator', 'POST', '/auctions', { market: 'hourly', gateClosure, id: 'a' });
  const order = { record_id: 'o', side: 'buy', price: 10, power: 5 };
  const { json: receipt } = await ask('acme', 'POST', '/orders?auction=a', order);
  assert.equal((await ask('none', 'GET', '/auctions/a/tree')).json.code, 'wrong-state');
  const { json: early } = await ask('umbra', 'GET', '/auctions/a/tree');
  assert.equal(early.size, 1);
  assert.equal((await ask('umbra', 'GET', '/auctions/a/tree?first=1')).json.code, 'wrong-state');
  assert.equal((await ask('acme', 'GET', '/orders/o/proof')).json.code, 'wrong-state');
  await ask('operator', 'POST', '/auctions/a/close');
  while ((await ask('none', 'GET', '/auctions/a')).json.tree === undefined) await new Promise(setImmediate);
  const { json: head } = await ask('none', 'GET', '/auctions/a/tree?first=1');
  assert.deepEqual(head.consistency, { first: 1, path: [] });
  assert.equal(head.root, early.root);
  const { json: proof } = await ask('acme', 'GET', '/orders/o/proof?auction=a');
  assert.deepEqual([proof.leaf, proof.index, proof.tree.root], [receipt.leaf, 0, head.root]);
  assert.equal((await ask('umbra', 'GET', '/orders/o/proof?auction=a')).status, 404);
  const { json: keys } = await ask('none', 'GET', '/.well-known/evidence-keys.json');
  assert.deepEqual(keys, await ports.signer.keys());
});
