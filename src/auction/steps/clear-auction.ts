/** The workflow's second step: clear the sealed book, or say that there are no results yet. */

import { hash } from 'node:crypto';
import * as z from 'zod';
import { canonical } from '../../book/canonical.ts';
import { sha256 } from '../../book/intake.ts';
import type { Market } from '../../market/market.ts';
import type { Auction } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { pageKey, pagesKey } from '../records/keys.ts';
import { marketOf } from '../records/moves.ts';
import { type Pages, readSealedBook, readUnpublished } from '../views/results.ts';
import { type SettledOrder, settledOrders } from '../views/settled-order.ts';
import { searchOn } from './search.ts';
import { auctionInRun, moveOn, run } from './step.ts';

export const clearInput = run.extend({ attempt: z.int().min(1) });

/** Where a page of outcomes lies: the input of one settlement. */
export interface PageReference {
  readonly auction: string;
  readonly run: number;
  readonly key: string;
}

export type ClearingAnswer =
  | { readonly results: false; readonly retryAfterSeconds: number }
  | {
      readonly results: true;
      readonly auction: string;
      readonly orders?: SettledOrder[];
      readonly pages: PageReference[];
    };

/** Characters of JSON that the orders may take in the answer; a workflow message may have 256 kB in all. */
const messageSize = 60_000;

export async function clearAuction(ports: Ports, input: z.output<typeof clearInput>): Promise<ClearingAnswer> {
  const { clock, meter } = ports;
  const before = clock.now().getTime();
  const answer = await attempt(ports, input);
  meter.record('clearing_milliseconds', clock.now().getTime() - before);
  if (!answer.results) meter.record('clearing_retries', 1);
  return answer;
}

async function attempt(ports: Ports, input: z.output<typeof clearInput>): Promise<ClearingAnswer> {
  const auction = await auctionInRun(ports, input, 'clearing');
  const market = marketOf(ports, auction.market);
  if (auction.state === 'clearing' && isLate(market, auction.id, input.attempt)) {
    return { results: false, retryAfterSeconds: waitAfter(market.patience, input.attempt) };
  }
  const book = await readSealedBook(ports, auction);
  const isLast = input.attempt >= market.patience.attempts;
  const found =
    auction.state === 'clearing'
      ? await searchOn(ports, market, auction, book, isLast)
      : { result: await readUnpublished(ports, auction) };
  // A search that goes on need not wait.
  if (found === undefined) return { results: false, retryAfterSeconds: 0 };
  const orders = settledOrders(book, found.result);
  const pages = await writePages(ports, auction, orders);
  if ('text' in found) {
    const { status, welfare, gap } = found.result;
    const result = { hash: sha256(found.text), status, welfare, gap };
    await moveOn(ports, auction, 'preliminary', { result, pages: { hash: pages.hash } });
    ports.meter.record('clearing_gap', gap);
  }
  const isSmall = orders.length <= 500 && JSON.stringify(orders).length <= messageSize;
  return { results: true, auction: auction.id, ...(isSmall && { orders }), pages: pages.references };
}

/** The pages, then what says which they are, by their hashes. */
async function writePages(ports: Ports, auction: Auction, orders: readonly SettledOrder[]) {
  const hashes: Record<string, string> = {};
  for (const [key, page] of Map.groupBy(orders, (order) => pageKey(auction, order.sequence))) {
    const text = canonical({ auction: auction.id, orders: page });
    await ports.archive.write(key, text);
    hashes[key] = sha256(text);
  }
  const text = canonical({ auction: auction.id, pages: hashes } satisfies Pages);
  await ports.archive.write(pagesKey(auction), text);
  const references = Object.keys(hashes).map((key): PageReference => ({ auction: auction.id, run: auction.run, key }));
  return { references, hash: sha256(text) };
}

/** In a rehearsal: whether this attempt has no results yet. The same seed, auction and attempt give the same answer. */
function isLate({ rehearsal }: Market, auction: string, attempt: number): boolean {
  if (rehearsal === undefined) return false;
  const { probability, seed } = rehearsal.lateResults;
  const drawn = hash('sha256', `${seed}/${auction}/${attempt}`, 'buffer').readUIntBE(0, 6) / 2 ** 48;
  return drawn < probability;
}

/** Whole seconds, as a Wait state takes them; twice as many after each attempt, up to a limit. */
const waitAfter = ({ firstSeconds, mostSeconds }: Market['patience'], attempt: number): number =>
  Math.ceil(Math.min(mostSeconds, firstSeconds * 2 ** (attempt - 1)));
