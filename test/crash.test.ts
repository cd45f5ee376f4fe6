/**
 * `kill -9` of a real server, during intake and in each state of an auction: nothing acknowledged is lost, nothing is
 * counted twice, every auction reaches its end.
 *
 * Every third kill is followed by one while the house recovers from it, at any moment from its start on.
 *
 * Six kills and two more in `npm test`; `npm run test:crash` does fifty, `MERIT_CRASHES=150 npm run test:crash` two hundred in all.
 * `MERIT_SEED` repeats a run's choices (not its timing).
 */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../src/adapters/local/stores.ts';
import type { Auction, AuctionState } from '../src/auction/auction.ts';
import { chain, chainStart, entryDigest, linkDigest } from '../src/book/intake.ts';
import { bookHash } from '../src/book/seal.ts';
import type { Book } from '../src/market/book.ts';
import type { Order } from '../src/market/order.ts';
import type { Result } from '../src/market/result.ts';
import { Clients, pause, type Traded, traded } from './crash/clients.ts';
import { ServerProcess } from './crash/server-process.ts';
import { testMarket } from './support/house.ts';
import { randomBy } from './support/random-by.ts';

const kills = Number(process.env.MERIT_CRASHES || 6);
const seed = Number(process.env.MERIT_SEED || Math.floor(Math.random() * 2 ** 31));
const targets = ['open', 'closed', 'clearing', 'preliminary', 'final', 'scheduled'] as const satisfies AuctionState[];
/** Longer than a start with what follows from it. */
const recoveryMs = 1500;
const order: readonly AuctionState[] = ['scheduled', 'open', 'closed', 'clearing', 'preliminary', 'final', 'settled'];

test(`kill -9, ${kills} times by seed ${seed}: no receipt is broken and every auction settles`, async (t) => {
  const random = randomBy(seed);
  const folder = await mkdtemp(join(tmpdir(), 'merit-crash-'));
  const data = join(folder, 'data');
  const server = new ServerProcess(data, await marketsIn(folder));
  const auctions: Traded[] = [];
  const clients = new Clients(server, auctions, random, 3);
  t.after(async () => {
    try {
      await clients.stop();
    } finally {
      await server.kill();
      await rm(folder, { recursive: true });
    }
  });

  server.start();
  const killedIn = new Map<string, number>();
  let recovering = 0;
  for (let kill = 0; kill < kills; kill++) {
    const target = targets[kill % targets.length]!;
    const auction = traded(`crash-${kill + 1}`);
    await hold(server, auction.id, target);
    auctions.push(auction);
    await comesTo(server, auction, target, random);
    await server.kill();
    const state = await lastState(data, auction.id);
    killedIn.set(state, (killedIn.get(state) ?? 0) + 1);
    server.start();
    if (kill % 3 !== 2) continue;
    await pause(random() * recoveryMs);
    await server.kill();
    recovering++;
    server.start();
  }
  for (const auction of auctions) await closeAndSettle(server, auction);
  await clients.stop();

  let orders = 0;
  for (const auction of auctions) orders += await check(server, auction);
  const receipts = auctions.reduce((sum, auction) => sum + auction.receipts.size, 0);
  const summary = order.map((state) => `${state} ${killedIn.get(state) ?? 0}`).join(', ');
  t.diagnostic(
    `seed ${seed}: killed in ${summary}, while recovering ${recovering}; ${receipts} receipts, ${orders} orders in ${auctions.length} books`,
  );
});

async function marketsIn(folder: string): Promise<string> {
  const markets = join(folder, 'markets');
  await mkdir(markets);
  const market = testMarket({
    rehearsal: { lateResults: { probability: 0.4, seed: 1 } },
    patience: { firstSeconds: 1, mostSeconds: 1, attempts: 1000 },
  });
  await writeFile(join(markets, 'test.json'), JSON.stringify(market));
  return markets;
}

/** Auctions to be killed early close when they are told to, the others by the clock. */
async function hold(server: ServerProcess, id: string, target: AuctionState): Promise<void> {
  assert.equal((await server.ask('GET', '/healthz'))?.status, 200, server.errors); // it is up: now the time counts
  const isEarly = target === 'scheduled' || target === 'open';
  for (;;) {
    const now = Date.now();
    const request = {
      id,
      start: '2025-04-01T00:00:00Z',
      gateOpening: new Date(now + (target === 'scheduled' ? 1500 : 0)).toISOString(),
      gateClosure: new Date(now + (isEarly ? 600_000 : 1000)).toISOString(),
    };
    const answer = await server.ask('POST', '/auctions', request);
    if (answer?.status === 201) return;
    // On a busy machine the request may be longer under way than its gate would be open.
    assert.match(JSON.stringify(answer?.json), /in-the-past/);
  }
}

async function stateOf(server: ServerProcess, id: string): Promise<AuctionState | undefined> {
  const answer = await server.ask('GET', `/auctions/${id}`);
  return (answer?.json as Auction | undefined)?.state;
}

/** A random moment in the wanted state, or as near to it as the polls come. */
async function comesTo(server: ServerProcess, { id }: Traded, target: AuctionState, random: () => number) {
  for (;;) {
    const state = await stateOf(server, id);
    if (state !== undefined && order.indexOf(state) >= order.indexOf(target)) break;
  }
  const span = target === 'open' ? 500 : target === 'clearing' ? 100 : target === 'scheduled' ? 50 : 3;
  await pause(random() * span);
}

/** The state that the dead process left behind. */
async function lastState(data: string, id: string): Promise<AuctionState> {
  const store = openStore(data, { now: () => new Date() });
  const auction = await store.auctions.find(id);
  await store.close();
  return auction!.state;
}

async function closeAndSettle(server: ServerProcess, { id }: Traded): Promise<void> {
  for (const since = Date.now(); ; await pause(10)) {
    const state = await stateOf(server, id);
    if (state === 'settled') return;
    assert(state !== 'failed' && state !== 'cancelled', `${id} is ${state}: ${server.errors}`);
    assert(Date.now() - since < 60_000, `${id} is still ${state}`);
    if (state === 'open') await server.ask('POST', `/auctions/${id}/close`);
  }
}

/** Everything that a receipt promises, from the published files alone. @returns how many orders the book has */
async function check(server: ServerProcess, auction: Traded): Promise<number> {
  const read = async (path: string) => (await server.ask('GET', `/auctions/${auction.id}${path}`))?.json;
  const book = (await read('/book')) as Book;
  const result = (await read('/result')) as Result;
  assert.equal(bookHash(book), ((await read('')) as Auction).book?.hash);
  assert.equal(result.orders.length, book.orders.length);

  const inBook = new Map(book.orders.map((o) => [o.record_id, o]));
  assert.equal(inBook.size, book.orders.length, `${auction.id}: an order is in the book twice`);
  for (const id of inBook.keys()) assert(auction.sent.has(id), `${auction.id}: nobody sent ${id}`);
  const hashes = runningHashes(book);
  for (const [id, receipt] of auction.receipts) {
    assert.equal(
      hashes.get(receipt.sequence),
      receipt.hash,
      `${auction.id}: the intake changed after the receipt of ${id}`,
    );
    const found = inBook.get(id);
    if (auction.cancelled.has(id)) assert.equal(found, undefined, `${auction.id}: cancelled ${id} is in the book`);
    else if (!auction.maybeCancelled.has(id))
      assert(found, `${auction.id}: ${id} has a receipt and is not in the book`);
    if (found === undefined) continue;
    const { record_id, side, price, power } = found as Order & { side: string; price: number; power: number };
    assert.deepEqual({ record_id, side, price, power }, auction.sent.get(id));
    assert.deepEqual([found.sequence, found.received_at], [receipt.sequence, receipt.received_at]);
  }
  return book.orders.length;
}

/** The hash of the intake after each sequence, recomputed from the book. */
function runningHashes(book: Book): Map<number, string> {
  const { intake } = book;
  assert(intake?.rule === 2);
  const digests = new Map(intake.withdrawn.map((link) => [link.sequence, linkDigest(link)]));
  for (const { participant, sequence, received_at, version, ...order } of book.orders) {
    const entry = {
      participant: participant!,
      sequence: sequence!,
      received_at: received_at!,
      order: order as Order,
      ...(version && { version }),
    };
    digests.set(sequence!, entryDigest(2, entry));
  }
  let hash = chainStart(intake.terms);
  const hashes = new Map<number, string>();
  for (let sequence = 1; sequence <= digests.size; sequence++) {
    hash = chain(hash, digests.get(sequence)!);
    hashes.set(sequence, hash);
  }
  assert.equal(hash, intake.hash);
  return hashes;
}
