/** One auction of the demo, seen from outside: everything goes over HTTP, as any client would do it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Auction } from '../../auction/auction.ts';
import type { Receipt } from '../../book/intake.ts';
import { bookHash } from '../../book/seal.ts';
import { parseBook } from '../../market/book.ts';
import { parseResult, type Result } from '../../market/result.ts';
import { exitCodes, Failure } from '../failure.ts';
import type { HouseClient } from '../house-client.ts';
import { counted, figure, gapText } from '../output.ts';
import type { Untraded } from '../summary.ts';
import { verificationOf } from '../verification.ts';
import type { Identities } from './identities.ts';
import { bidsOfDay } from './participants.ts';

export interface Round {
  readonly auction: Auction;
  readonly result: Result;
  readonly untraded: Untraded;
}

/** How long after its gate an auction may take. The demo's is done in a fraction of a second. */
const patienceMs = 30_000;
const lookEveryMs = 60;

/** Open the gate of an auction for so long, and let the simulated participants send their orders. */
export async function openGate(
  { house, bidder }: Identities,
  { seed, openMs }: { seed: number; openMs: number },
  say: (line: string) => void,
): Promise<Auction> {
  const auction = await callAuction(house, openMs);
  say(`${auction.id}: the gate is open for ${openMs / 1000} s`);
  await sendOrders(bidder, auction, seed, say);
  return auction;
}

/** Wait until the gate has closed. */
export async function gateOf({ house }: Identities, { id }: Auction, signal: AbortSignal, say: (line: string) => void) {
  const closed = await reach(house, id, signal, ({ state }) => state !== 'open');
  say(`${id}: gate closed, ${closed.state === 'cancelled' ? 'cancelled' : 'no more orders'}`);
}

/**
 * What becomes of an auction whose gate has closed.
 *
 * @param say told what happens, a line each
 * @throws Failure when the auction does not end well
 */
export async function endOf(
  { house }: Identities,
  auction: Auction,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Round> {
  const sealed = await reach(house, auction.id, signal, ({ book, state }) => book !== undefined || isOver(state));
  say(`book sealed: ${sealed.book?.orders} orders, ${sealed.book?.hash.slice(0, 23)}...`);
  const end = await reach(house, auction.id, signal, ({ state }) => isOver(state));
  if (end.state !== 'settled')
    throw new Failure(exitCodes.no, `${end.id} is ${end.state}: ${end.cause ?? 'no cause is known'}`);

  const book = parseBook(await house.get(`/auctions/${auction.id}/book`));
  const result = parseResult(await house.get(`/auctions/${auction.id}/result`));
  say(`cleared: ${result.status}, welfare ${figure(result.welfare)} ${book.currency}, gap ${gapText(result.gap)}`);
  const { checks, decisions } = verificationOf(book, bookHash(book), result);
  const broken = checks.filter(({ violations }) => violations.length > 0);
  if (broken.length > 0)
    throw new Failure(
      exitCodes.no,
      `${end.id}: the published result breaks ${broken.map((c) => c.invariant).join(', ')}`,
    );
  const total = checks.reduce((sum, { checked }) => sum + checked, 0);
  say(`rules hold, here too: ${counted(total, 'check')}; decisions ${decisions.grade}, there is no proof`);
  const { untraded } = await house.get<{ untraded: Untraded }>(`/auctions/${auction.id}/prices`);
  return { auction: end, result, untraded };
}

const isOver = (state: Auction['state']): boolean => ['settled', 'failed', 'cancelled'].includes(state);

/** An auction for the day that begins with the next hour. */
function callAuction(house: HouseClient, openMs: number): Promise<Auction> {
  const now = Date.now();
  const stamp = new Date(now)
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '')
    .toLowerCase();
  const gateClosure = new Date(now + openMs).toISOString();
  return house.post('/auctions', { market: 'demo', id: `demo-${stamp}`, gateClosure, periods: 24 });
}

async function sendOrders(
  bidder: Identities['bidder'],
  { id, delivery }: Auction,
  seed: number,
  say: (line: string) => void,
) {
  const first = new Date(delivery.start).getUTCHours();
  const all = bidsOfDay(
    seed,
    Array.from({ length: delivery.periods }, (_, index) => (first + index) % 24),
  );
  let orders = 0;
  for (const { name, orders: batch } of all) {
    const { receipts } = await bidder(name).post<{ receipts: Receipt[] }>('/orders', { auction: id, orders: batch });
    orders += receipts.length;
  }
  say(`orders in: ${counted(orders, 'order')} of ${all.length} participants, each with a receipt`);
}

async function reach(
  house: HouseClient,
  id: string,
  signal: AbortSignal,
  isThere: (auction: Auction) => boolean,
): Promise<Auction> {
  let deadline: number | undefined;
  for (;;) {
    const auction = await house.get<Auction>(`/auctions/${id}`);
    if (isThere(auction)) return auction;
    deadline ??= Math.max(Date.parse(auction.gateClosure), Date.now()) + patienceMs;
    if (Date.now() > deadline)
      throw new Failure(exitCodes.failed, `${id} is still ${auction.state}, ${patienceMs / 1000} s after its gate`);
    await sleep(lookEveryMs, undefined, { signal });
  }
}
