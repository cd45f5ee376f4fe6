/**
 * What everybody was told, beside the house: what it must be held to at the end. It has the promises of the design from the outside alone,
 * by what was sent and what was answered, and knows nothing of how the house keeps them.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Auction } from '../../src/auction/auction.ts';
import { proveOrder } from '../../src/auction/evidence/prove-order.ts';
import { listOrders, type OrderView } from '../../src/auction/intake/find-order.ts';
import { readSettlement } from '../../src/auction/money/read-money.ts';
import type { Trade } from '../../src/auction/money/trades.ts';
import type { Notice, Ports } from '../../src/auction/ports.ts';
import { readBook, readResult } from '../../src/auction/views/results.ts';
import { canonical } from '../../src/book/canonical.ts';
import { evidenceFaults } from '../../src/book/check-evidence.ts';
import { checkIntake } from '../../src/book/check-intake.ts';
import type { Receipt } from '../../src/book/intake.ts';
import { receiptFaults } from '../../src/book/receipts.ts';
import { clear } from '../../src/clearing/clear.ts';
import { signatureFault } from '../../src/cli/signatures.ts';
import type { Book } from '../../src/market/book.ts';
import type { AuctionError } from '../../src/market/errors.ts';
import type { Result } from '../../src/market/result.ts';
import { verify } from '../../src/verify/verify.ts';
import { checkBalance, checkTrades } from './money.ts';

export const participants = ['ann', 'ben', 'cem'] as const;
export type Fields = Record<string, unknown> & { readonly record_id: string };

/** One body that a participant has sent under an id, as a new order or in the place of another: of several under one id one counts. */
export interface Sent {
  readonly auction: string;
  readonly participant: string;
  readonly body: Fields;
  /** By version. */
  readonly receipts: Map<number, Receipt>;
  cancellation?: Receipt;
  /** Somebody was not told what became of it, or of its cancellation. */
  isUnknown: boolean;
  isCancelUnknown: boolean;
}

/** Refusals that say that nothing was done. */
const refusals = [
  ...['invalid-order', 'conflict', 'gate-closed', 'gate-not-open', 'not-found', 'forbidden', 'damaged-data'],
  ...['order-cancelled', 'order-executed', 'precondition-failed', 'invalid-request'],
];

export class Truth {
  readonly sent = new Map<string, Sent>();
  /** Auctions whose rows somebody has changed: they may fail, and must not settle on what was changed. */
  readonly altered: ReadonlySet<string>;
  /** What each participant was told an auction's sealed book is, by its hash. */
  readonly books = new Map<string, string>();
  requests = 0;

  constructor(altered: ReadonlySet<string>) {
    this.altered = altered;
  }

  of(auction: string, participant: string, body: Fields): Sent {
    const key = `${auction}/${participant}/${JSON.stringify(body)}`;
    const fresh = { auction, participant, body, receipts: new Map(), isUnknown: false, isCancelUnknown: false };
    const known: Sent = this.sent.get(key) ?? fresh;
    this.sent.set(key, known);
    return known;
  }

  all(auction: string, participant?: string): Sent[] {
    return [...this.sent.values()].filter(
      (each) => each.auction === auction && (participant === undefined || each.participant === participant),
    );
  }

  taken(sent: readonly Sent[], receipts: readonly Receipt[], gateClosure: number): void {
    assert.equal(receipts.length, sent.length, 'a receipt for each order');
    for (const [at, receipt] of receipts.entries()) {
      const each = sent[at]!;
      assert.deepEqual([receipt.record_id, receipt.participant], [each.body.record_id, each.participant]);
      assert.deepEqual(each.receipts.get(receipt.version) ?? receipt, receipt, 'one version has two receipts');
      assert(Date.parse(receipt.received_at) < gateClosure, `order ${receipt.record_id} was taken after the gate`);
      each.receipts.set(receipt.version, receipt);
    }
  }

  /** @returns whether it is known that nothing was done */
  refused(error: unknown): boolean {
    const { code, name } = error as AuctionError;
    assert.equal(name, 'AuctionError', (error as Error).stack);
    assert(code === 'unavailable' || refusals.includes(code), (error as Error).stack);
    return code !== 'unavailable';
  }

  /** Whoever looks sees what they sent themselves, and no outcome that is somebody else's. */
  sees(auction: string, participant: string, views: readonly OrderView[]): void {
    for (const view of views) {
      assert.equal(view.participant, participant, `${participant} sees an order of ${view.participant}`);
      const outcome = view.outcome;
      assert(
        outcome === undefined || outcome.participant === participant,
        `${participant} sees somebody else's outcome`,
      );
      const ids = this.all(auction, participant).map(({ body }) => body.record_id);
      assert(ids.includes(view.record_id), `${participant} sees ${view.record_id}, which they never sent`);
    }
  }
}

const ended = ['settled', 'cancelled'];

export interface Ended {
  readonly truth: Truth;
  readonly ports: Ports;
  readonly objects: ReadonlyMap<string, string>;
  readonly heard: readonly Notice[];
  /** The trades of an auction, as the house makes them. */
  readonly trades: (ports: Ports, auction: Auction) => Promise<Trade[]>;
  /** Whether the engine is asked once more. */
  readonly isClearedAgain: boolean;
}

/** Promises 1 to 6 of an auction, once nothing is going on any more. */
export async function checkAuction(world: Ended, auction: Auction): Promise<void> {
  const { truth, ports } = world;
  const { id, state } = auction;
  if (truth.altered.has(id) && !ended.includes(state)) {
    assert.equal(state, 'failed', `${id} was altered and is ${state}`);
    return;
  }
  assert(ended.includes(state), `${id} has not ended: it is ${state}, ${auction.cause}`);
  if (state === 'cancelled') return;
  const book = await readBook(ports, id);
  const result = await readResult(ports, id);
  const hash = `sha256:${createHash('sha256').update(canonical(book)).digest('hex')}`;
  assert.equal(auction.book?.hash, hash, 'the sealed book has another hash');
  assert.equal(truth.books.get(id) ?? hash, hash, 'the sealed book has changed');
  assert.deepEqual(checkIntake(book), []);
  checkBook(truth.all(id), book);
  const refused = verify(book, hash, result).checks.filter(({ violations }) => violations.length > 0);
  assert.deepEqual(refused, [], 'the verifier refuses what was published');
  if (world.isClearedAgain && (result.excluded ?? []).length === 0 && result.status === 'optimal') {
    const again = await clear(book, hash);
    assert.equal(canonical(again.result), canonical(result), 'the same book gives another result');
  }
  await checkEvidence(world, auction, book);
  checkOutcomes(book, result);
  const trades = await world.trades(ports, auction);
  checkTrades(book, result, trades);
  checkBalance(await readSettlement(ports, auction), trades);
  checkSettled(world, auction, result);
  for (const participant of participants) {
    const views = await listOrders(ports, id, { participant }).catch((error: AuctionError) => {
      assert(truth.altered.has(id) && error.code === 'damaged-data', error.stack);
      return [];
    });
    truth.sees(id, participant, views);
    checkViews(views, result);
  }
}

/** Promise 1: what has a receipt is in the book unless it was cancelled, once, as it was sent; what was refused is not. */
function checkBook(sent: readonly Sent[], book: Book): void {
  const leftOut = (book.intake?.rule === 2 && book.intake.leftOut) || [];
  const inBook = new Map<string, Book['orders'][number]>();
  for (const order of [...book.orders, ...leftOut]) {
    const key = `${order.participant}/${order.record_id}`;
    assert(!inBook.has(key), `${key} is in the book twice`);
    inBook.set(key, order);
  }
  const receipts = sent.flatMap(({ receipts, cancellation }) => [
    ...receipts.values(),
    ...(cancellation === undefined ? [] : [cancellation]),
  ]);
  // Who had no answer to a change has no receipt of it.
  const isExpected = ({ code, record_id }: { code?: string; record_id?: string }) =>
    (code === 'order-withdrawn' || code === 'order-replaced') &&
    sent.some((each) => (each.isCancelUnknown || each.isUnknown) && each.body.record_id === record_id);
  assert.deepEqual(
    receiptFaults(book, receipts).filter((fault) => !isExpected(fault)),
    [],
  );
  const named = Map.groupBy(sent, ({ participant, body }) => `${participant}/${body.record_id}`);
  for (const [key, bodies] of named) checkOrder(key, bodies, inBook.get(key));
  for (const [key, order] of inBook)
    assert(
      sent.some(({ participant, body }) => key === `${participant}/${body.record_id}` && isSame(order, body)),
      `nobody sent ${key} as it is in the book: ${JSON.stringify(order)}`,
    );
}

/** @param bodies  all that was sent under the id. @param order  what the book has of it */
function checkOrder(key: string, bodies: readonly Sent[], order: Book['orders'][number] | undefined): void {
  const acknowledged = bodies.flatMap((each) => [...each.receipts.values()].map((receipt) => ({ each, receipt })));
  acknowledged.sort((a, b) => b.receipt.version - a.receipt.version);
  const [last] = acknowledged;
  const isUnknown = bodies.some((each) => each.isUnknown);
  const isThis = (each: Sent) => order !== undefined && isSame(order, each.body);
  if (bodies.some(({ cancellation }) => cancellation !== undefined))
    assert.equal(order, undefined, `${key} was cancelled and is in the book`);
  else if (last !== undefined && !bodies.some((each) => each.isCancelUnknown)) {
    assert(order !== undefined, `${key} has a receipt and is not in the book`);
    if (isUnknown) assert(isThis(last.each) || bodies.some((each) => each.isUnknown && isThis(each)), 'another body');
    else {
      assert(isThis(last.each), `${key} is in the book with another body: ${JSON.stringify(order)}`);
      assert.deepEqual([order.sequence, order.received_at], [last.receipt.sequence, last.receipt.received_at]);
    }
  } else if (last === undefined) assert(order === undefined || isUnknown, `${key} was refused and is in the book`);
}

/** Whether an order says what was sent: all fields that were, but for what the house may fill in. */
function isSame(order: object, body: Fields): boolean {
  const has = order as Record<string, unknown>;
  return Object.entries(body).every(([field, value]) => isDeepStrictEqual(has[field], value));
}

/** Whoever has a receipt can show that its entry is in the book that was cleared, by what the house has signed. */
async function checkEvidence({ truth, ports }: Ended, auction: Auction, book: Book): Promise<void> {
  const keys = await ports.signer.keys();
  const [bookHash, result] = [auction.book!.hash, { hash: auction.result!.hash, book: auction.book!.hash }];
  const receipts = truth
    .all(auction.id)
    .flatMap(({ receipts, cancellation }) => [
      ...receipts.values(),
      ...(cancellation === undefined ? [] : [cancellation]),
    ]);
  // A few show it of all: they share the tree.
  for (const receipt of receipts.slice(-3)) {
    const { participant, record_id, sequence } = receipt;
    const name = { participant, record_id, auction: auction.id, sequence };
    const evidence = await proveOrder(ports, name).catch((error: AuctionError) => {
      assert(truth.altered.has(auction.id) && error.code === 'damaged-data', error.stack);
      return undefined;
    });
    if (evidence === undefined) continue;
    assert.deepEqual(evidenceFaults(receipt, evidence, { book: { hash: bookHash, book }, result }), []);
    assert.equal(await signatureFault(keys, 'merit-tree-head', evidence.tree), undefined);
    assert.equal(await signatureFault(keys, 'merit-result', evidence.result!), undefined);
  }
}

/** Promise 6: one outcome for each order, with a reason unless all of it was accepted. */
function checkOutcomes(book: Book, { orders, excluded = [] }: Result): void {
  const names = [...orders].map(({ participant, record_id }) => `${participant}/${record_id}`).sort();
  assert.deepEqual(names, book.orders.map(({ participant, record_id }) => `${participant}/${record_id}`).sort());
  const left = new Set(excluded.map(({ participant, record_id }) => `${participant}/${record_id}`));
  for (const { status, reason, participant, record_id } of orders)
    assert(status === 'accepted' || reason !== undefined || left.has(`${participant}/${record_id}`), 'no reason');
}

/** Accepted orders lie in the archive once, each rejected one has been told once, and told what the result says. */
function checkSettled({ objects, heard }: Ended, auction: Auction, result: Result): void {
  const { id } = auction;
  const last = `/run-${result === undefined ? 1 : (auction.result?.run ?? auction.run)}/`;
  const accepted = [...objects]
    .filter(([key]) => key.startsWith(`orders/${id}/`) && key.includes('/accepted/'))
    .filter(([key]) => (last === '/run-1/' ? !key.includes('/run-') : key.includes(last)))
    .flatMap(([, text]) => (JSON.parse(text) as { orders: { participant: string; record_id: string }[] }).orders);
  const nameOf = (of: { participant?: string | undefined; record_id: string }) => `${of.participant}/${of.record_id}`;
  const wanted = result.orders.filter(({ status }) => status !== 'rejected').map(nameOf);
  assert.deepEqual(accepted.map(nameOf).sort(), wanted.sort(), 'accepted orders are settled once');
  const told = new Map<string, Set<string>>();
  for (const notice of heard) {
    if (notice.kind !== 'order-rejected' || notice.auction !== id || !notice.id.includes(auction.result!.hash))
      continue;
    const outcome = result.orders.find((order) => nameOf(order) === nameOf(notice));
    assert.equal(outcome?.status, 'rejected', `${nameOf(notice)} was told that it is rejected`);
    told.set(nameOf(notice), (told.get(nameOf(notice)) ?? new Set()).add(notice.id));
  }
  for (const outcome of result.orders.filter(({ status }) => status === 'rejected'))
    assert.equal(told.get(nameOf(outcome))?.size, 1, `${nameOf(outcome)} was rejected and told by so many notices`);
}

function checkViews(views: readonly OrderView[], result: Result): void {
  for (const { participant, record_id, outcome, cancelled } of views) {
    const published = result.orders.find((each) => each.participant === participant && each.record_id === record_id);
    if (cancelled) assert.equal(outcome, undefined, `${record_id} was cancelled and has an outcome`);
    else if (published !== undefined)
      assert.deepEqual(
        [outcome?.status, outcome?.power],
        [published.status, published.power],
        `outcome of ${record_id}`,
      );
  }
}
