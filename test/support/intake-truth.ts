/**
 * Promises 1 to 3 at the gate, under faults: several processes take orders for one auction, over tables that lose answers, deliver late
 * or twice, are throttled, and die with their process; in the middle the gate closes and the book is sealed while they go on.
 *
 * Beside them a model of the truth keeps what each was told. Seeds are printed; `SEED=` tries one.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Auction } from '../../src/auction/auction.ts';
import type { AuctionStore, OrderStore } from '../../src/auction/ports.ts';
import { canonical } from '../../src/book/canonical.ts';
import { checkIntake } from '../../src/book/check-intake.ts';
import type { Entry, Receipt } from '../../src/book/intake.ts';
import { chain, chainStart, entryDigest, shardOf } from '../../src/book/intake.ts';
import { bookHash, sealBook } from '../../src/book/seal.ts';
import { type Chance, chance } from '../../src/cli/demo/random.ts';
import { AuctionError } from '../../src/market/errors.ts';
import type { LimitOrder } from '../../src/market/order.ts';
import { type Faults, killed } from '../cloud/faults.ts';
import { anAuction } from '../ports/auction-store.cases.ts';
import { testMarket } from './house.ts';

/** What goes wrong between a process and its tables, put there. */
export interface Injected {
  /** How often each fault happened. */
  readonly counts: Record<keyof Faults, number>;
  /** From now on every request of this process fails; what is on its way arrives all the same. */
  kill(): void;
  /** Resolves when nothing is on its way any more. */
  arrived(): Promise<void>;
}

/** A process that takes orders; when it dies, the next one is another. */
export interface Process {
  readonly orders: OrderStore;
  readonly injected: Injected;
  close(): void;
}

/** Fresh tables, as a process finds them. */
export interface Opened {
  /** Without faults. */
  readonly auctions: AuctionStore;
  readonly orders: OrderStore;
  process(random: Chance, faults: Faults): Process;
  close(): void;
}

export interface TruthOptions {
  readonly seeds: readonly number[];
  readonly shards: readonly number[];
  readonly writers: number;
  readonly requestsEach: number;
  open(shards: number, clock: { now(): Date }): Promise<Opened>;
}

const participants = ['ann', 'ben'];

/** What everybody was told about one order. */
interface Known {
  readonly participant: string;
  readonly order: LimitOrder;
  receipt?: Receipt;
  cancellation?: Receipt;
  /** Somebody was not told what became of it, or of its cancellation. */
  unknown: boolean;
  cancelUnknown: boolean;
}

const expected = ['gate-closed', 'conflict', 'unavailable', 'not-found', 'order-cancelled', 'precondition-failed'];

class Truth {
  readonly orders = new Map<string, Known>();
  readonly refusals = new Map<string, number>();

  known(participant: string, order: LimitOrder): Known {
    // Another body under the same id is another order, of which at most one is taken.
    const key = `${participant}/${canonical(order)}`;
    const known = this.orders.get(key) ?? { participant, order, unknown: false, cancelUnknown: false };
    this.orders.set(key, known);
    return known;
  }

  /** @returns whether nobody knows what became of the request */
  refused(error: unknown): boolean {
    if (!(error instanceof AuctionError)) {
      if (error instanceof Error && error.message.includes(killed)) return true;
      throw error;
    }
    this.refusals.set(error.code, (this.refusals.get(error.code) ?? 0) + 1);
    assert(expected.includes(error.code), error.stack);
    return /can't be found out/.test(error.message);
  }
}

interface Run {
  readonly opened: Opened;
  readonly random: Chance;
  readonly truth: Truth;
  readonly faults: Faults;
  readonly processes: Process[];
  readonly requestsEach: number;
}

function startProcess({ opened, random, faults, processes }: Run): Process {
  const process = opened.process(random, faults);
  processes.push(process);
  return process;
}

const whole = (random: Chance, below: number): number => Math.floor(random.between(0, below));

const anOrder = (n: number, random: Chance): LimitOrder => ({
  record_id: `o${n}`,
  zone: 'Z',
  kind: 'limit',
  side: whole(random, 2) === 0 ? 'buy' : 'sell',
  period: 1,
  price: whole(random, 100),
  power: 1 + whole(random, 50),
});

/** One client after another at one process: new orders, the same again, other bodies, cancellations. */
async function write(run: Run, from: number, sent: LimitOrder[][], isOver: () => boolean): Promise<void> {
  const { random, requestsEach } = run;
  let process = startProcess(run);
  let next = from;
  for (let request = 0; request < requestsEach || !isOver(); request++) {
    const participant = participants[whole(random, participants.length)]!;
    const dice = random.between(0, 1);
    if (dice < 0.15 && sent.length > 0) {
      const [order] = sent[whole(random, sent.length)]!;
      await cancelOne(run, process, participant, order!);
    } else if (dice < 0.25 && sent.length > 0) {
      const [order] = sent[whole(random, sent.length)]!;
      // No two have the same body; the first two versions are what several desks meet at.
      const next = { ...order!, price: 200 + whole(random, 4), power: 100 + whole(random, 1_000_000) / 10 };
      await replaceOne(run, process, participant, next, 1 + whole(random, 2));
    } else {
      const size = dice > 0.95 ? 120 : 1 + whole(random, 4);
      let orders = Array.from({ length: size }, () => anOrder(next++, random));
      if (dice < 0.35 && sent.length > 0) orders = sent[whole(random, sent.length)]!;
      else if (dice < 0.4 && sent.length > 0) {
        orders = sent[whole(random, sent.length)]!.map((order, i) => (i === 0 ? { ...order, price: 101 } : order));
      } else sent.push(orders);
      if (dice > 0.9) setTimeout(process.injected.kill, random.between(0, 40));
      await submit(run, process, participant, orders);
      if (dice > 0.9) {
        process.injected.kill();
        process = startProcess(run);
        // The client sends it again, to somebody else.
        await submit(run, process, participant, orders);
      }
    }
  }
}

async function submit({ truth }: Run, { orders: store }: Process, participant: string, orders: LimitOrder[]) {
  const known = orders.map((order) => truth.known(participant, order));
  try {
    const receipts = await store.append('a1', participant, orders);
    receipts.forEach((receipt, i) => {
      assert.equal(receipt.record_id, orders[i]!.record_id);
      assert.deepEqual(known[i]!.receipt ?? receipt, receipt, 'one order has two receipts');
      known[i]!.receipt = receipt;
    });
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    if (truth.refused(error)) for (const each of known) each.unknown = true;
  }
}

async function replaceOne(
  { truth }: Run,
  { orders: store }: Process,
  participant: string,
  order: LimitOrder,
  version: number,
) {
  const known = truth.known(participant, order);
  try {
    const receipt = await store.replace('a1', participant, order, version);
    assert.equal(receipt.version, version + 1);
    assert.deepEqual(known.receipt ?? receipt, receipt, 'one version has two receipts');
    known.receipt = receipt;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    if (truth.refused(error)) known.unknown = true;
  }
}

async function cancelOne({ truth }: Run, { orders: store }: Process, participant: string, order: LimitOrder) {
  const own = () =>
    [...truth.orders.values()].filter((k) => k.participant === participant && k.order.record_id === order.record_id);
  try {
    const receipt = await store.cancel('a1', participant, order.record_id);
    for (const known of own()) {
      assert.deepEqual(known.cancellation ?? receipt, receipt, 'one cancellation has two receipts');
      known.cancellation = receipt;
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    if (truth.refused(error)) for (const known of own()) known.cancelUnknown = true;
  }
}

const isReplaced = ({ participant, order, version = 1 }: Entry, entries: readonly Entry[]): boolean =>
  entries.some(
    (each) =>
      each.participant === participant && each.order?.record_id === order!.record_id && (each.version ?? 1) > version,
  );

function check(truth: Truth, auction: Auction, entries: readonly Entry[], shards: number): void {
  const book = sealBook(testMarket(), auction, entries, shards);
  assert.deepEqual(checkIntake(book), []);
  const heads = Array.from({ length: shards }, (_, shard) => chainStart('a1', shard, shards));
  const hashes = new Map<number, string>();
  for (const entry of entries) {
    const shard = shardOf(entry.sequence, shards);
    heads[shard] = chain(heads[shard]!, entryDigest(1, entry));
    hashes.set(entry.sequence, heads[shard]!);
  }
  const ordered = entries.filter(({ order }) => order !== undefined);
  const times = Map.groupBy(ordered, ({ participant, order }) => `${participant}/${order!.record_id}`);
  const versionOf = ({ version = 1 }: Entry) => version;
  for (const [id, same] of times)
    assert.deepEqual(
      same.map(versionOf).sort((a, b) => a - b),
      same.map((_, i) => i + 1),
      `versions of ${id} in the log`,
    );

  const inLog = new Map(ordered.map((entry) => [`${entry.participant}/${canonical(entry.order)}`, entry]));
  const inBook = new Set(book.orders.map((order) => order.sequence));
  for (const [key, known] of truth.orders) {
    const { receipt, cancellation, unknown, cancelUnknown } = known;
    const entry = inLog.get(key);
    inLog.delete(key);
    if (receipt !== undefined) {
      assert(entry !== undefined, `${key} has a receipt and is not in the log`);
      assert.deepEqual([entry.sequence, entry.received_at], [receipt.sequence, receipt.received_at]);
      assert.equal(hashes.get(entry.sequence), receipt.hash, `the receipt of ${key} has another hash`);
    } else assert(unknown || entry === undefined, `${key} was refused and is in the log`);
    if (entry === undefined) continue;
    if (cancellation !== undefined) {
      assert(!inBook.has(entry.sequence), `${key} was cancelled and is in the book`);
      assert.equal(hashes.get(cancellation.sequence), cancellation.hash);
    } else if (isReplaced(entry, entries))
      assert(!inBook.has(entry.sequence), `${key} was replaced and is in the book`);
    else if (!cancelUnknown)
      assert(inBook.has(entry.sequence), `${key} is in the log, not cancelled and not in the book`);
  }
  assert.deepEqual([...inLog.keys()], [], 'nobody sent these');
}

export function truthCases(
  name: string,
  { seeds, shards: shardCounts, writers, requestsEach, open }: TruthOptions,
): void {
  for (const seed of process.env.SEED ? [Number(process.env.SEED)] : seeds)
    for (const shards of shardCounts)
      test(`${name}: the sealed book has what was acknowledged, each once, and nothing that was refused (seed ${seed}, ${shards} shards)`, async (t) => {
        const random = chance(seed);
        const since = performance.now();
        let jump = 0;
        const start = Date.parse('2025-04-01T10:30:00Z');
        const opened = await open(shards, { now: () => new Date(start + performance.now() - since + jump) });
        const faults = { throttled: 0.03, unanswered: 0.04, late: 0.04, doubled: 0.03, slow: 0.05, partial: 0.2 };
        const run: Run = { opened, random, truth: new Truth(), faults, processes: [], requestsEach };
        const sent: LimitOrder[][] = [];
        let isSealed = false;
        let all: Promise<unknown> = Promise.resolve();
        t.after(async () => {
          isSealed = true;
          await Promise.allSettled([all]);
          for (const process of run.processes) process.close();
          opened.close();
        });
        const { auctions, orders } = opened;
        await auctions.create(anAuction());

        all = Promise.all(Array.from({ length: writers }, (_, i) => write(run, 100_000 * i, sent, () => isSealed)));
        const isBusy = async () => {
          while (sent.length < (writers * requestsEach) / 3) await new Promise((resolve) => setTimeout(resolve, 5));
        };
        await Promise.race([isBusy(), all]);
        // The gate: by the clock with one seed, by hand with the next.
        if (seed % 2 === 0) jump = 3600_000;
        const closed = anAuction({ state: 'closed' });
        assert(await auctions.advance(anAuction(), closed));
        const entries = await orders.entries('a1');
        assert.equal(await orders.shards('a1'), shards);
        const sealed = bookHash(sealBook(testMarket(), closed, entries, shards));
        isSealed = true;
        await all;
        await Promise.all(run.processes.map(({ injected }) => injected.arrived()));

        check(run.truth, closed, entries, shards);
        const again = await orders.entries('a1');
        assert.equal(bookHash(sealBook(testMarket(), closed, again, shards)), sealed, 'the sealed book has changed');
        const listed = await orders.list('a1');
        assert.deepEqual(
          listed.map(({ sequence }) => sequence),
          entries.filter((entry) => entry.order && !isReplaced(entry, entries)).map(({ sequence }) => sequence),
        );

        const happened = (Object.keys(faults) as (keyof Faults)[]).map(
          (fault) => `${fault} ${run.processes.reduce((sum, { injected }) => sum + injected.counts[fault], 0)}`,
        );
        const told = [...run.truth.orders.values()];
        t.diagnostic(
          `${entries.length} entries; ${told.filter(({ receipt }) => receipt).length} orders acknowledged, ` +
            `${told.filter(({ unknown }) => unknown).length} unknown; refusals ${JSON.stringify(Object.fromEntries(run.truth.refusals))}; ` +
            `${run.processes.length} processes; ${happened.join(', ')}`,
        );
      });
}
