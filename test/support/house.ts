/** A house over the real adapters in a fresh folder, with a clock that is turned by hand. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type HouseOptions, openHouse } from '../../src/adapters/local/house.ts';
import { type Auction, type AuctionState, states } from '../../src/auction/auction.ts';
import { createAuction, findAuction } from '../../src/auction/auctions.ts';
import { submitOrders } from '../../src/auction/intake/submit-orders.ts';
import type { Ports } from '../../src/auction/ports.ts';
import type { Webhooks } from '../../src/auction/webhooks.ts';
import { type Market, parseMarket } from '../../src/market/market.ts';
import { until } from '../ports/workflow.cases.ts';

export const start = '2025-04-01T10:30:00Z';

/** One zone, one hour, auctions on request. */
export const testMarket = (changes: object = {}): Market =>
  parseMarket(
    {
      market: 'test',
      description: 'one zone, one hour, auctions on request',
      currency: 'EUR',
      timeZone: 'Europe/Paris',
      resolution: 'PT60M',
      zones: ['Z'],
      priceLimits: { min: -500, max: 4000, tick: 0.01 },
      powerLimits: { lot: 0.1, max: 10_000 },
      orderKinds: ['limit', 'curve'],
      schedule: { kind: 'manual' },
      patience: { firstSeconds: 1, mostSeconds: 4, attempts: 20 },
      ...changes,
    },
    'test',
  );

export interface TestHouse {
  ports: Ports;
  readonly folder: string;
  readonly clock: { time: string; now(): Date };
  readonly logged: Record<string, unknown>[];
  /** What `/metrics` answers. */
  readonly metrics: () => Promise<string>;
  readonly webhooks: () => Webhooks;
  readonly storageFault: () => string | undefined;
  /** Close the house and open it again on the same folder; in between nobody has it. */
  reopen(options?: Partial<HouseOptions>, whileClosed?: (folder: string) => unknown): Promise<void>;
}

export async function openTestHouse(t: TestContext, options: Partial<HouseOptions> = {}): Promise<TestHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-house-'));
  const logged: Record<string, unknown>[] = [];
  const clock = { time: start, now: () => new Date(clock.time) };
  const open = (changes: Partial<HouseOptions>) =>
    openHouse({
      folder,
      markets: [testMarket()],
      clock,
      log: (entry) => logged.push(entry),
      waits: { WaitForResults: 0 },
      ...options,
      ...changes,
    });
  let house = await open({});
  t.after(async () => {
    await house.close();
    await rm(folder, { recursive: true });
  });
  const opened: TestHouse = {
    ports: house.ports,
    folder,
    clock,
    logged,
    metrics: () => house.metrics(),
    webhooks: () => house.webhooks,
    storageFault: () => house.storageFault(),
    async reopen(changes = {}, whileClosed = () => undefined) {
      await house.close();
      await whileClosed(folder);
      house = await open(changes);
      opened.ports = house.ports;
    },
  };
  return opened;
}

/** An auction whose gate is open for half an hour. */
export const hold = (ports: Ports, id = 'a', request: object = {}): Promise<Auction> =>
  createAuction(ports, { id, gateClosure: '2025-04-01T11:00:00Z', ...request });

/** Two orders that trade 40 MW at 45, and one that is out of the money. */
export const tradingOrders = [
  { record_id: 'plant', side: 'sell', price: 30, power: 40 },
  { record_id: 'load', side: 'buy', price: 60, power: 40 },
  { record_id: 'peaker', side: 'sell', price: 90, power: 10 },
];

export const submit = (ports: Ports, orders: readonly object[] = tradingOrders, auction = 'a') =>
  submitOrders(ports, { participant: 'p' }, { auction, orders });

export const reaches = (ports: Ports, id: string, ...wanted: AuctionState[]): Promise<Auction> =>
  until(`${id} is ${wanted.join(' or ')}`, async () => {
    const auction = await findAuction(ports, id);
    if (wanted.includes(auction.state)) return auction;
    assert(
      states[auction.state].next.length > 0 && auction.state !== 'failed',
      `${id} is ${auction.state}: ${auction.cause}`,
    );
    return undefined;
  });

/** From now until the test ends, the notices that are sent. */
export function watchNotices(ports: Ports) {
  const sent: Parameters<Ports['notices']['send']>[0][number][] = [];
  const { notices } = ports;
  const send = notices.send.bind(notices);
  notices.send = async (news) => {
    await send(news);
    sent.push(...news);
  };
  return sent;
}
