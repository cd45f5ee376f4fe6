/**
 * Orders that name each other, sent and taken back at one time: a child comes in while its parent is cancelled, a process dies between
 * the cancellations of a loop's two legs, and the gate closes in the middle. Whatever comes of it, the auction is settled: each order
 * is in the book or its owner was told, once, that it was left out of it, even if the seal is run again.
 */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { closeGate, findAuction } from '../../src/auction/auctions.ts';
import { cancelOrder } from '../../src/auction/intake/cancel-order.ts';
import { submitOrders } from '../../src/auction/intake/submit-orders.ts';
import type { Notice, OrderStore, Ports, Workflow } from '../../src/auction/ports.ts';
import type { PageReference } from '../../src/auction/steps/clear-auction.ts';
import { type TaskName, tasks } from '../../src/auction/steps/tasks.ts';
import { readBook, readResult } from '../../src/auction/views/results.ts';
import { checkIntake } from '../../src/book/check-intake.ts';
import { type Chance, chance } from '../../src/cli/demo/random.ts';
import { AuctionError } from '../../src/market/errors.ts';
import { until } from '../ports/workflow.cases.ts';
import { hold, testMarket } from './house.ts';

export interface RacesHouse {
  /** With a workflow that runs nothing: the steps are called here. */
  readonly ports: Ports;
  /** Every notice that has arrived until now, twice if it did so twice. */
  told(): Promise<readonly Notice[]>;
}

export const raceMarkets = [testMarket({ orderKinds: ['limit', 'block'] })];

export const byHand: Workflow = {
  start: async (auction, run) => `${auction}-${run}`,
  find: async () => undefined,
  list: async () => [],
  history: async () => undefined,
};

const cut = 'the process died';
const auctionsHeld = 10;
const racesEach = 30;
const participants = ['ann', 'ben', 'cem'];

const block = (record_id: string, changes: object = {}) => {
  const hour = { kind: 'block', zone: 'Z', side: 'sell', price: 30, from: 1, to: 1, power: 10 };
  return { record_id, ...hour, ...changes };
};
const leg = (record_id: string, loopWith: string, changes: object = {}) =>
  block(record_id, { minAcceptance: 1, loopWith, ...changes });

/** The same orders, each request for them so many turns of the event loop earlier or later. */
function unsteady(ports: Ports, random: Chance): Ports {
  const turns = async () => {
    for (let left = Math.floor(random.between(0, 5)); left > 0; left--) await turn();
  };
  const orders = new Proxy(ports.orders, {
    get(store, name: keyof OrderStore) {
      const method = store[name] as (...given: unknown[]) => Promise<unknown>;
      return async (...given: unknown[]) => {
        await turns();
        const answer = await method.apply(store, given);
        await turns();
        return answer;
      };
    },
  });
  return { ...ports, orders };
}

/** A process that dies between the cancellations of a loop's legs. */
function diesBetween(ports: Ports): Ports {
  let cancelled = 0;
  const cancel: OrderStore['cancel'] = async (...given) => {
    if (cancelled++ > 0) throw new Error(cut);
    return ports.orders.cancel(...given);
  };
  return { ...ports, orders: instead(ports.orders, { cancel }) };
}

/** A process that dies before it can say that the book is sealed. */
function diesSealing(ports: Ports): Ports {
  const advance = async () => {
    throw new Error(cut);
  };
  return { ...ports, auctions: instead(ports.auctions, { advance }) };
}

/** The store with these methods instead of its own. */
const instead = <T extends object>(store: T, methods: Partial<T>): T =>
  new Proxy(store, {
    get: (_, name) => Reflect.get(methods, name) ?? (Reflect.get(store, name) as () => unknown).bind(store),
  });

type Race = (ports: Ports, id: string, auction: string, participant: string) => Promise<unknown>[];

/** What is in the book before, and who races for it. */
const kinds: readonly { readonly before: (id: string) => object[]; readonly race: Race }[] = [
  {
    before: (id) => [block(`${id}-parent`)],
    race: (ports, id, auction, participant) => [
      submitOrders(ports, { participant }, { auction, orders: [block(`${id}-child`, { linkedTo: `${id}-parent` })] }),
      cancelOrder(ports, participant, `${id}-parent`, auction),
    ],
  },
  {
    before: (id) => [block(`${id}-parent`)],
    race: (ports, id, auction, participant) => [
      submitOrders(
        ports,
        { participant },
        {
          auction,
          orders: [
            block(`${id}-child`, { linkedTo: `${id}-parent` }),
            block(`${id}-grandchild`, { linkedTo: `${id}-child` }),
          ],
        },
      ),
      cancelOrder(ports, participant, `${id}-parent`, auction),
    ],
  },
  {
    before: (id) => [leg(`${id}-in`, `${id}-out`), leg(`${id}-out`, `${id}-in`, { side: 'buy', from: 2, to: 2 })],
    race: (ports, id, auction, participant) => [
      cancelOrder(diesBetween(ports), participant, `${id}-in`, auction),
      submitOrders(ports, { participant }, { auction, orders: [block(`${id}-child`, { linkedTo: `${id}-in` })] }),
    ],
  },
];

export function raceCases(name: string, open: (t: TestContext) => Promise<RacesHouse>): void {
  test(`${name}: ${auctionsHeld * racesEach} races of orders that name each other`, async (t) => {
    const { ports, told } = await open(t);
    const random = chance(20250401);
    const answers = new Map<string, number>();
    const leftOut: string[] = [];
    for (let held = 0; held < auctionsHeld; held++) {
      const auction = `a${held}`;
      for (const answer of await race(ports, auction, random)) answers.set(answer, (answers.get(answer) ?? 0) + 1);
      leftOut.push(...(await settle(ports, auction)));
    }
    t.diagnostic(`answers: ${[...answers].map(([answer, times]) => `${times} ${answer}`).join(', ')}`);
    t.diagnostic(`${leftOut.length} orders were left out of a book`);
    assert(leftOut.length > 0, 'no race was close enough to leave an order out');

    const settled = Array.from({ length: auctionsHeld }, (_, held) => `auction-settled:a${held}`);
    const expected = [...leftOut, ...settled].sort();
    const isExpected = ({ kind }: Notice) => kind === 'order-left-out' || kind === 'auction-settled';
    await until('everybody is told', async () => {
      const ids = new Set((await told()).filter(isExpected).map(({ id }) => id));
      return expected.every((id) => ids.has(id)) || undefined;
    });
    const heard = (await told()).filter(isExpected).map(({ id }) => id);
    assert.deepEqual(heard.sort(), expected);
  });
}

/** @returns how each request was answered */
async function race(ports: Ports, auction: string, random: Chance): Promise<string[]> {
  await hold(ports, auction, { start: '2025-04-01T22:00:00Z', periods: 2 });
  const races = Array.from({ length: racesEach }, (_, i) => ({
    id: `r${i}`,
    participant: participants[i % participants.length]!,
    kind: kinds[Math.floor(i / participants.length) % kinds.length]!,
  }));
  for (const [participant, own] of Map.groupBy(races, (each) => each.participant))
    await submitOrders(
      ports,
      { participant },
      { auction, orders: [block('stays'), ...own.flatMap(({ id, kind }) => kind.before(id))] },
    );
  const requests = races.flatMap(({ id, participant, kind }) =>
    kind.race(unsteady(ports, random), id, auction, participant),
  );
  // In every second auction the gate closes while they are under way.
  const isEarly = Number(auction.slice(1)) % 2 === 1;
  await answered(requests, isEarly ? 1 + random.between(0, requests.length / 2) : requests.length);
  await closeGate(ports, auction);
  return (await Promise.allSettled(requests)).map((answer) => {
    if (answer.status === 'fulfilled') return 'taken';
    const { reason } = answer;
    if (reason instanceof Error && reason.message === cut) return 'cut';
    assert(reason instanceof AuctionError, String(reason));
    assert(['conflict', 'invalid-order', 'gate-closed'].includes(reason.code), String(reason));
    return reason.code;
  });
}

/** Wait until so many of them have an answer of any kind. */
async function answered(requests: readonly Promise<unknown>[], many: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const one = () => {
    if (++count >= many) resolve();
  };
  for (const request of requests) request.then(one, one);
  await promise;
}

/**
 * The steps of the workflow, each of them twice, the seal once more in between.
 *
 * @returns the ids of the notices that are due to the owners of orders that were left out
 */
async function settle(ports: Ports, auction: string): Promise<string[]> {
  const run = async (task: TaskName, input: object = { auction, run: 1 }) => {
    const answer = await tasks[task](ports, input);
    assert.deepEqual(await tasks[task](ports, input), answer, `${task}, run again`);
    return answer;
  };
  await assert.rejects(tasks.SealBook(diesSealing(ports), { auction, run: 1 }), new RegExp(cut));
  await run('SealBook');
  const { pages } = (await run('Clear', { auction, run: 1, attempt: 1 })) as { pages: PageReference[] };
  await run('Verify');
  for (const page of pages) await run('SettlePage', page);
  await run('Publish');
  assert.equal((await findAuction(ports, auction)).state, 'settled');

  const book = await readBook(ports, auction);
  assert.deepEqual(checkIntake(book), []);
  const name = (each: { participant?: string | undefined; record_id: string }) =>
    `${each.participant}:${each.record_id}`;
  const inBook = new Set(book.orders.map(name));
  for (const order of book.orders)
    for (const named of order.kind === 'block' ? [order.linkedTo, order.loopWith] : [])
      assert(
        named === undefined || inBook.has(name({ ...order, record_id: named })),
        `${name(order)} names ${named}, which is not in the book`,
      );
  assert.deepEqual((await readResult(ports, auction)).orders.map(name).sort(), [...inBook].sort());
  const received = await ports.orders.list(auction);
  return received
    .filter(({ participant, order, cancelled }) => !cancelled && !inBook.has(name({ participant, ...order })))
    .map(({ participant, order }) => `order-left-out:${auction}:${participant}:${order.record_id}`);
}
