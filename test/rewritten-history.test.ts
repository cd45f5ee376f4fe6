/**
 * A house that rewrites history: its operator alters an order in the store and works every hash out anew, so that the intake, the book and
 * the result agree with each other. One participant with one receipt sees it, and so do two who compare what they kept.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeGate, findAuction } from '../src/auction/auctions.ts';
import { proveOrder } from '../src/auction/evidence/prove-order.ts';
import { signTree } from '../src/auction/evidence/statements.ts';
import { readTree } from '../src/auction/evidence/tree.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import type { Ports } from '../src/auction/ports.ts';
import { readBook, readResult } from '../src/auction/views/results.ts';
import { canonical } from '../src/book/canonical.ts';
import { compareHeads, evidenceFaults } from '../src/book/check-evidence.ts';
import { checkIntake } from '../src/book/check-intake.ts';
import type { Evidence, TreeAnswer } from '../src/book/evidence.ts';
import { type Receipt, sha256 } from '../src/book/intake.ts';
import { MerkleTree } from '../src/book/merkle.ts';
import { receiptFaults } from '../src/book/receipts.ts';
import { bookHash } from '../src/book/seal.ts';
import { evidenceChecks } from '../src/cli/evidence.ts';
import type { AuctionError } from '../src/market/errors.ts';
import type { Order } from '../src/market/order.ts';
import { clear, type HandHouse, houses, seal, verify } from './support/evidence-houses.ts';
import { hold } from './support/house.ts';

const limit = (record_id: string, price: number) => ({
  record_id,
  side: price < 50 ? 'sell' : 'buy',
  price,
  power: 10,
});
const faultsOf = (receipt: Receipt, evidence: Evidence) => evidenceFaults(receipt, evidence).map(({ code }) => code);
const kept = (from: string, head: TreeAnswer) => ({ from, ...head });

interface Witnesses {
  /** Of `victim`, whose order is altered, and of others. */
  readonly receipts: Receipt[];
  /** Heads that `other` kept while the gate was open. */
  readonly heads: TreeAnswer[];
}

async function take({ ports, clock }: HandHouse): Promise<Witnesses> {
  await hold(ports);
  const receipts: Receipt[] = [];
  const heads: TreeAnswer[] = [];
  const send = async (participant: string, orders: object[]) =>
    void receipts.push(...(await submitOrders(ports, { participant }, { auction: 'a', orders })).receipts);
  await send('victim', [limit('mine', 30)]);
  for (let i = 0; i < 20; i++) {
    await send('other', [limit(`o${i}`, 10 + 4 * i)]);
    clock.time = new Date(Date.parse(clock.time) + 2000).toISOString();
    heads.push(await readTree(ports, 'a'));
  }
  return { receipts, heads: heads.filter(({ size }) => size > 0) };
}

/** A house that finds the damage as it starts has closed it already. */
async function closeGateOf(ports: Ports): Promise<void> {
  const { state } = await findAuction(ports, 'a');
  if (state === 'open') await closeGate(ports, 'a');
}

async function holdTheRest(ports: Ports): Promise<void> {
  await closeGate(ports, 'a');
  await seal(ports);
  await clear(ports);
  await verify(ports);
}

const dearer = (order: Order): Order =>
  order.record_id === 'mine' && order.kind === 'limit' ? { ...order, price: 44 } : order;

for (const [setting, open] of houses) {
  test(`${setting}: an honest house satisfies every witness`, async (t) => {
    const house = await open(t);
    const { receipts, heads } = await take(house);
    const { ports } = house;
    await holdTheRest(ports);
    const all = await Promise.all(receipts.map((receipt) => proveOrder(ports, receipt)));
    const book = await readBook(ports, 'a');
    const result = await readResult(ports, 'a');
    const cleared = {
      book: { hash: bookHash(book), book },
      result: { hash: sha256(canonical(result)), book: result.book },
    };
    const checks = await evidenceChecks(receipts, all, await ports.signer.keys(), cleared);
    assert.deepEqual(
      checks.map(({ checked, violations, unchecked }) => [checked, violations, unchecked]),
      [
        [receipts.length, [], undefined],
        [2 * receipts.length, [], undefined],
      ],
    );
    const proofs = await Promise.all(heads.map(({ size }) => readTree(ports, 'a', size)));
    const files = [...heads, ...proofs].map((head, at) => kept(`file ${at}`, head));
    assert.deepEqual(compareHeads(files), { faults: [], unlinked: [] });
    const [first] = heads;
    assert.equal(compareHeads([kept('a', first!), kept('b', heads.at(-1)!)]).unlinked.length, 1);
  });

  test(`${setting}: an order that was altered in the store alone is never cleared, and no evidence is given of it`, async (t) => {
    const house = await open(t);
    const { receipts } = await take(house);
    await house.rewrite(await findAuction(house.ports, 'a'), dearer, { chain: 'as it was' });
    const ports = { ...house.ports, orders: { ...house.ports.orders } };
    await closeGateOf(ports);
    const isRefused = ({ code }: AuctionError) => code === 'damaged-data' || code === 'wrong-state';
    await assert.rejects(seal(ports), isRefused);
    const { state, tree, book, cause } = await findAuction(ports, 'a');
    assert.deepEqual([tree, book], [undefined, undefined], `${state}: ${cause}`);
    await assert.rejects(proveOrder(ports, receipts[0]!), isRefused);
  });

  test(`${setting}: an order that was altered, with the chain worked out anew, is seen with one receipt and by two heads`, async (t) => {
    const house = await open(t);
    const { receipts, heads } = await take(house);
    await house.rewrite(await findAuction(house.ports, 'a'), dearer, { chain: 'anew' });
    // As the house was started anew: nothing of before is in its memory.
    const ports = { ...house.ports, orders: { ...house.ports.orders } };
    await holdTheRest(ports);
    const book = await readBook(ports, 'a');
    assert.deepEqual(checkIntake(book), [], 'the book agrees with itself');
    const [mine] = receipts;
    assert.equal(book.orders.find(({ record_id }) => record_id === 'mine')!.sequence, mine!.sequence);

    // The victim alone, with its receipt, whatever the house answers.
    const proof = await proveOrder(ports, mine!);
    assert.deepEqual(faultsOf(mine!, proof), ['other-leaf']);
    assert.deepEqual(faultsOf(mine!, { ...proof, leaf: mine!.leaf! }), ['not-in-the-tree']);
    // Anybody with a later receipt and the book.
    const later = receipts.filter(({ sequence }) => sequence > mine!.sequence);
    assert(receiptFaults(book, later).length > 0);
    // Two who compare heads: one from while the gate was open, one of the sealed book.
    for (const head of heads.filter(({ size }) => size >= mine!.sequence)) {
      const sealed = await readTree(ports, 'a', head.size);
      const { faults } = compareHeads([kept('mine', head), kept('theirs', sealed)]);
      assert.equal(faults.length, 1);
      assert.match(faults[0]!, /mine and theirs: /);
    }
  });

  test(`${setting}: a house that shows the victim a tree of its own is seen by two who compare their heads`, async (t) => {
    const house = await open(t);
    const { receipts } = await take(house);
    const mine = receipts[0]!;
    await house.rewrite(await findAuction(house.ports, 'a'), dearer, { chain: 'anew' });
    const ports = { ...house.ports, orders: { ...house.ports.orders } };
    await holdTheRest(ports);
    const theirs = await proveOrder(ports, receipts[1]!);
    // The old leaf in its place, a path that leads to it, and a head that the house signs for the victim alone.
    const tree = new MerkleTree();
    const leaves = [...receipts].sort((a, b) => a.sequence - b.sequence).map(({ leaf }) => leaf!);
    for (const leaf of leaves) tree.append(leaf);
    const index = leaves.indexOf(mine.leaf!);
    const { auction, book, head } = theirs.tree;
    const statement = { auction, size: leaves.length, root: tree.root(), head, book: book! };
    const shown: Evidence = {
      ...(await proveOrder(ports, mine)),
      ...{ leaf: mine.leaf!, index, path: tree.inclusion(index) },
      tree: { ...statement, ...(await signTree(ports, statement)) },
    };
    const keys = await ports.signer.keys();
    for (const evidence of [shown, theirs]) {
      const receipt = evidence === shown ? mine : receipts[1]!;
      const checks = await evidenceChecks([receipt], [evidence], keys);
      assert.deepEqual(
        checks.flatMap(({ violations }) => violations),
        [],
        'each alone is satisfied',
      );
    }
    const { faults } = compareHeads([kept('mine', shown.tree), kept('theirs', theirs.tree)]);
    assert.match(faults[0]!, /two trees of 21 entries/);
  });
}
