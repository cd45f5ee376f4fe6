/** `merit simulate-traders`: participants by a seed who send orders of every kind into an open auction, and change their minds. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Auction } from '../../auction/auction.ts';
import type { Receipt } from '../../book/intake.ts';
import type { Market } from '../../market/market.ts';
import type { OrderSubmission } from '../../market/order.ts';
import { chance } from '../demo/random.ts';
import { exitCodes, Failure } from '../failure.ts';
import { HouseClient, Refusal } from '../house-client.ts';
import { count, counted, print, printJson } from '../output.ts';
import { type Scene, type Trader, tradersOf } from '../traders/orders.ts';

interface Options {
  url: string;
  token?: string;
  json?: boolean;
  traders: number;
  orders: number;
  perSecond: number;
  seed: number;
}

interface Tally {
  taken: number;
  replaced: number;
  cancelled: number;
  refused: number;
}

/** Requests that are on their way at a time. */
const width = 16;
/** How often a trader does something else than send a new order. */
const shares = { replace: 0.1, cancel: 0.05 };

export async function simulateTraders(auction: string, options: Options): Promise<void> {
  for (const name of ['traders', 'orders', 'perSecond'] as const)
    if (options[name] < 1) throw new Failure(exitCodes.usage, `--${wordOf(name)} must be at least 1`);
  const house = new HouseClient(options.url, options.token);
  const found = await house.get<Auction>(`/auctions/${auction}`);
  if (found.state !== 'open')
    throw new Failure(exitCodes.no, `${auction} is ${found.state}: only an open auction takes orders`);
  const scene = await sceneOf(house, found);
  const tally: Tally = { taken: 0, replaced: 0, cancelled: 0, refused: 0 };
  const isOver = await trade({ house, auction, scene, tally, options });
  if (options.json) return printJson({ auction, ...tally, gateClosed: isOver });
  const { taken, replaced, cancelled, refused } = tally;
  const changes = `${count(replaced)} replaced, ${count(cancelled)} cancelled, ${count(refused)} refused`;
  print(`${auction}: ${counted(taken, 'order')} of ${counted(options.traders, 'trader')} taken; ${changes}`);
  if (isOver) print('  the gate has closed before all were sent');
}

const wordOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

async function sceneOf(house: HouseClient, { market, terms, delivery }: Auction): Promise<Scene> {
  const own = terms ?? (await house.get<Market>(`/markets/${market}`));
  return { ...own, periods: delivery.periods };
}

interface Trade {
  readonly house: HouseClient;
  readonly auction: string;
  readonly scene: Scene;
  readonly tally: Tally;
  readonly options: Options;
}

interface Job {
  readonly trader: Trader;
  readonly orders: OrderSubmission[];
}

/** @returns whether the gate closed meanwhile */
async function trade(session: Trade): Promise<boolean> {
  const { scene, options } = session;
  const traders = tradersOf(scene, options.seed, options.traders);
  const luck = chance(options.seed + 1);
  const began = Date.now();
  let [sent, isOver] = [0, false];
  /** Orders go out at the rate that was asked for, whoever sends them. */
  const next = async (): Promise<Job | undefined> => {
    if (sent >= options.orders || isOver) return undefined;
    const trader = traders[Math.floor(luck.between(0, traders.length))]!;
    const orders = trader.next();
    const due = began + (1000 * sent) / options.perSecond;
    sent += orders.length;
    if (due > Date.now()) await sleep(due - Date.now());
    return { trader, orders };
  };
  const work = async (): Promise<void> => {
    for (let job = await next(); job !== undefined && !isOver; job = await next())
      isOver = !(await send(session, job, luck.between(0, 1))) || isOver;
  };
  await Promise.all(Array.from({ length: width }, work));
  return isOver;
}

/** A job of a trader, and what it does besides. @returns false once the gate has closed */
async function send(session: Trade, { trader, orders }: Job, dice: number): Promise<boolean> {
  const { house, auction, tally } = session;
  try {
    const { receipts } = await house.post<{ receipts: Receipt[] }>('/orders', { auction, orders });
    tally.taken += receipts.length;
    const [order] = orders as [OrderSubmission];
    if (order.kind !== 'limit') return true;
    const path = `/orders/${order.record_id}`;
    if (dice < shares.replace) {
      await house.put(path, trader.revised(order), { 'if-match': `"${receipts[0]!.version}"` }, { auction });
      tally.replaced++;
    } else if (dice < shares.replace + shares.cancel) {
      await house.delete(path, { auction });
      tally.cancelled++;
    }
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === 'gate-closed') return false;
    if (error.code !== 'too-many-requests') throw error;
    tally.refused += orders.length;
    return true;
  }
}
