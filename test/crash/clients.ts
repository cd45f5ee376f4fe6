/** Clients that keep sending orders, never give up an unanswered request, and remember every receipt. */

import assert from 'node:assert/strict';
import type { Receipt } from '../../src/book/intake.ts';
import { receiptFaults } from '../../src/book/receipts.ts';
import type { Book } from '../../src/market/book.ts';
import type { Problem } from '../../src/market/errors.ts';
import type { ServerProcess } from './server-process.ts';

export interface SentOrder {
  readonly record_id: string;
  readonly side: 'buy' | 'sell';
  readonly price: number;
  readonly power: number;
}

/** What the clients know of one auction. */
export interface Traded {
  readonly id: string;
  open: boolean;
  readonly sent: Map<string, SentOrder>;
  readonly receipts: Map<string, Receipt>;
  /** Cancelled with a receipt, and those of which nobody knows. */
  readonly cancelled: Set<string>;
  readonly maybeCancelled: Set<string>;
}

export const traded = (id: string): Traded => ({
  id,
  open: true,
  sent: new Map(),
  receipts: new Map(),
  cancelled: new Set(),
  maybeCancelled: new Set(),
});

/** What of receipts that were held at some moment does not fit a book: orders that the clients cancelled later are withdrawn rightly. */
export const faultsOf = (book: Book, receipts: readonly Receipt[], { maybeCancelled }: Traded): Problem[] =>
  receiptFaults(book, receipts).filter(
    ({ code, record_id }) => !(code === 'order-withdrawn' && maybeCancelled.has(record_id!)),
  );

/** Orders of one auction; more would only make the test slower. */
const enough = 2000;

export class Clients {
  readonly #server: ServerProcess;
  readonly #random: () => number;
  readonly #auctions: readonly Traded[];
  readonly #working: Promise<void>[];
  #stopped = false;
  #named = 0;

  constructor(server: ServerProcess, auctions: readonly Traded[], random: () => number, count: number) {
    this.#server = server;
    this.#auctions = auctions;
    this.#random = random;
    this.#working = Array.from({ length: count }, () => this.#work());
  }

  /** Call it when every gate is closed; earlier, requests that were not answered are given up. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#working);
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      const open = this.#auctions.filter((auction) => auction.open && auction.sent.size < enough);
      const auction = open[Math.floor(this.#random() * open.length)];
      if (auction === undefined) await pause(5);
      else if (this.#random() < 0.1) await this.#cancel(auction);
      else await this.#submit(auction);
      await pause(8);
    }
  }

  /** The same batch again until it is answered: that it arrives twice must not matter. */
  async #submit(auction: Traded): Promise<void> {
    const orders = Array.from({ length: 1 + Math.floor(this.#random() * 40) }, () => this.#order());
    for (const order of orders) auction.sent.set(order.record_id, order);
    while (!this.#stopped) {
      const answer = await this.#server.ask('POST', '/orders', { auction: auction.id, orders });
      if (answer?.status === 201) {
        for (const receipt of (answer.json as { receipts: Receipt[] }).receipts) {
          auction.receipts.set(receipt.record_id, receipt);
        }
        return;
      }
      if (this.#isOver(auction, answer)) return;
      await pause(5);
    }
  }

  async #cancel(auction: Traded): Promise<void> {
    const ids = [...auction.receipts.keys()].filter((id) => !auction.cancelled.has(id));
    const id = ids[Math.floor(this.#random() * ids.length)];
    if (id === undefined) return;
    auction.maybeCancelled.add(id);
    while (!this.#stopped) {
      const answer = await this.#server.ask('DELETE', `/orders/${id}?auction=${auction.id}`);
      if (answer?.status === 200) {
        auction.cancelled.add(id);
        return;
      }
      if (this.#isOver(auction, answer)) return;
      await pause(5);
    }
  }

  /** Whether the gate is closed (or not open yet): then what was not answered stays unknown. */
  #isOver(auction: Traded, answer: { status: number; json: unknown } | undefined): boolean {
    if (answer === undefined) return false;
    assert.equal(answer.status, 409, JSON.stringify(answer.json));
    const { code } = answer.json as { code: string };
    if (code === 'gate-closed') auction.open = false;
    else assert.equal(code, 'gate-not-open');
    return true;
  }

  #order(): SentOrder {
    const side = this.#random() < 0.5 ? 'buy' : 'sell';
    const price = Math.round((side === 'buy' ? 20 : 0) * 100 + this.#random() * 10_000) / 100;
    return { record_id: `o-${++this.#named}`, side, price, power: 1 + Math.floor(this.#random() * 100) };
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
