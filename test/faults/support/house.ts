/** A real server under faults: its auctions, the orders with a receipt, and what became of them. */

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Auction, AuctionState } from '../../../src/auction/auction.ts';
import type { Receipt } from '../../../src/book/intake.ts';
import type { Book } from '../../../src/market/book.ts';
import { pause } from '../../crash/clients.ts';
import { type Answer, ServerProcess } from '../../crash/server-process.ts';
import { testMarket } from '../../support/house.ts';
import type { Place } from './place.ts';

const order: readonly AuctionState[] = ['scheduled', 'open', 'closed', 'clearing', 'preliminary', 'final', 'settled'];

export class FaultyHouse {
  readonly server: ServerProcess;
  readonly receipts: Receipt[] = [];
  /** The longest that anybody waited for `/livez`, in ms. */
  healthMs = 0;
  #named = 0;

  private constructor(server: ServerProcess) {
    this.server = server;
  }

  /** It ends with the test. */
  static async start({ folder, undo }: Place, data = join(folder, 'data'), env: Record<string, string> = {}) {
    const markets = join(folder, 'markets');
    await mkdir(markets, { recursive: true });
    await writeFile(join(markets, 'test.json'), JSON.stringify(testMarket()));
    const server = new ServerProcess(data, markets, env);
    server.start();
    undo(() => server.kill());
    const house = new FaultyHouse(server);
    await house.health();
    return house;
  }

  async ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await this.server.ask(method, path, body);
    assert(answer !== undefined, `the server is gone: ${this.server.errors}`);
    return answer;
  }

  /** Until `/healthz` says so of something. */
  async isFailing(what: string): Promise<void> {
    for (const since = performance.now(); ; await pause(50)) {
      const { status, json } = await this.ask('GET', '/healthz');
      const { findings } = json as { findings: { name: string; status: string }[] };
      if (status === 503 && findings.some((finding) => finding.name === what && finding.status === 'failing')) return;
      assert(performance.now() - since < 60_000, JSON.stringify(json));
    }
  }

  /** Until `/healthz` says so. */
  async isWell(): Promise<void> {
    for (const since = performance.now(); ; await pause(200)) {
      const { status, json } = await this.ask('GET', '/healthz');
      if (status === 200) return;
      assert(performance.now() - since < 60_000, JSON.stringify(json));
    }
  }

  async health(): Promise<void> {
    const since = performance.now();
    assert.equal((await this.ask('GET', '/livez')).status, 200);
    this.healthMs = Math.max(this.healthMs, performance.now() - since);
  }

  /** An auction whose gate closes so much later. */
  async hold(id: string, openMs: number): Promise<void> {
    const gateClosure = new Date(Date.now() + openMs).toISOString();
    const answer = await this.ask('POST', '/auctions', { id, start: '2031-01-01T00:00:00Z', gateClosure });
    assert.equal(answer.status, 201, JSON.stringify(answer.json));
  }

  /** Half of them are out of the money. */
  async send(auction: string, count: number): Promise<Answer> {
    const orders = Array.from({ length: count }, () => {
      const n = this.#named++;
      const side = n % 2 === 0 ? 'buy' : 'sell';
      return { record_id: `o-${n}`, side, price: ((n * 7919) % 9000) / 100, power: 1 + (n % 50) / 10 };
    });
    const answer = await this.ask('POST', '/orders', { auction, orders });
    if (answer.status === 201) this.receipts.push(...(answer.json as { receipts: Receipt[] }).receipts);
    return answer;
  }

  async close(auction: string): Promise<void> {
    assert.equal((await this.ask('POST', `/auctions/${auction}/close`)).status, 200);
  }

  async state(auction: string): Promise<AuctionState> {
    const { state, cause } = (await this.ask('GET', `/auctions/${auction}`)).json as Auction;
    assert(state !== 'failed' && state !== 'cancelled', `${auction} is ${state}: ${cause}`);
    return state;
  }

  async reaches(auction: string, wanted: AuctionState, withinMs = 60_000): Promise<void> {
    for (const since = performance.now(); ; await pause(2)) {
      const state = await this.state(auction);
      if (order.indexOf(state) >= order.indexOf(wanted)) return;
      assert(performance.now() - since < withinMs, `${auction} is still ${state}: ${this.server.errors}`);
    }
  }

  /** Every receipt is in the book at its place, and nothing else. */
  async checkBook(auction: string): Promise<void> {
    const book = (await this.ask('GET', `/auctions/${auction}/book`)).json as Book;
    const inBook = new Map(book.orders.map(({ sequence, record_id }) => [sequence, record_id]));
    const own = this.receipts.filter((receipt) => receipt.auction === auction);
    for (const { sequence, record_id } of own) assert.equal(inBook.get(sequence), record_id, `${record_id} is lost`);
    assert.equal(inBook.size, own.length);
  }
}
