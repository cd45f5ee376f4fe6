/**
 * The whole house in one process, on a simulated clock, disk, archive and network, from a seed (FoundationDB's and TigerBeetle's way of
 * testing). Traders and an operator act by drawn times, faults happen, then all is well again and everything must end as promised
 * (`truth.ts`). A run is a function of its seed and of what is left out.
 */

import assert from 'node:assert/strict';
import crypto, { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cancelAuction, closeGate, createAuction, restartAuction } from '../../src/auction/auctions.ts';
import { cancelOrder } from '../../src/auction/intake/cancel-order.ts';
import { findOrder, listOrders } from '../../src/auction/intake/find-order.ts';
import { replaceOrder } from '../../src/auction/intake/replace-order.ts';
import { submitOrders } from '../../src/auction/intake/submit-orders.ts';
import { readTrades } from '../../src/auction/money/read-money.ts';
import type { Ports } from '../../src/auction/ports.ts';
import { readDiagnosis } from '../../src/auction/records/diagnosis.ts';
import { loadSolver } from '../../src/clearing/solver/highs.ts';
import { AuctionError } from '../../src/market/errors.ts';
import { type Dice, diceOf, markets, requestsOf } from '../support/extreme-markets.ts';
import { simulateCloud } from './cloud.ts';
import { type FaultKind, Faults } from './faults.ts';
import { simulateMachine } from './machine.ts';
import type { Plant } from './planted.ts';
import { killed, type Setting } from './setting.ts';
import { drained, type SimulatedTime, simulateTime } from './time.ts';
import { checkAuction, type Ended, type Fields, participants, Truth } from './truth.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Without it one machine. */
  readonly on?: 'one machine' | 'cloud';
  /** Kinds of faults that do not happen. */
  readonly without?: readonly FaultKind[];
  /** Only so many of the actions are taken. */
  readonly actions?: number;
  readonly plant?: Plant | undefined;
}

export interface Simulation {
  readonly requests: number;
  readonly taken: number;
  readonly settled: number;
  /** Of everything that was kept and told: the same seed has the same. */
  readonly digest: string;
  readonly faults: Readonly<Record<FaultKind, number>>;
}

const [second, minute] = [1000, 60_000];
const start = Date.parse('2025-04-01T10:59:00Z');
const gate = Date.parse('2025-04-01T11:00:00Z');
/** From then on all is well; by the end everything has ended. */
const well = gate + minute;
const end = well + 60 * minute;

/** Its disk: what is durable is simulated, so a real one would only be slower. */
const inMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

interface World {
  readonly dice: Dice;
  readonly time: SimulatedTime;
  readonly faults: Faults;
  readonly setting: Setting;
  readonly truth: Truth;
  /** What was found wrong while it ran: the first one counts. */
  readonly found: unknown[];
  /** Auctions by id, and how many periods each has. */
  readonly auctions: Map<string, { readonly market: (typeof markets)[number]; readonly periods: number }>;
  /** Requests that are still to be sent, by auction. */
  readonly waiting: Map<string, Fields[][]>;
}

/** @throws what was promised and not kept */
export async function simulate({
  seed,
  on,
  without = [],
  actions: most,
  plant,
}: SimulationOptions): Promise<Simulation> {
  await loadSolver();
  const folder = mkdtempSync(join(inMemory, 'merit-simulation-'));
  const time = simulateTime(start);
  const restoreChance = simulateChance(seed);
  const faults = new Faults(seed, without);
  const options = { time, faults, plant };
  const setting = on === 'cloud' ? simulateCloud(options) : simulateMachine(folder, options);
  const [dice, truth, found] = [diceOf(seed), new Truth(setting.altered), [] as unknown[]];
  const world: World = { dice, time, faults, setting, truth, found, auctions: new Map(), waiting: new Map() };
  // What a dead process still does on its way to its next port hits a closed database.
  const onRejected = (error: unknown) => {
    if (!/database is not open|statement has been finalized/.test(String(error))) found.push(error);
  };
  process.on('unhandledRejection', onRejected);
  try {
    void setting.start().catch((error: unknown) => found.push(error));
    const planned = plan(world);
    for (const { at, act } of planned.slice(0, most)) {
      await passUntil(world, at);
      void act().catch((error: unknown) => found.push(error));
    }
    await passUntil(world, well);
    faults.end();
    while (time.now() < end && found.length === 0 && !(await whilePassing(time, isOver(world)))) {
      for (const id of world.auctions.keys()) void restart(world, id).catch((error: unknown) => found.push(error));
      await passUntil(world, time.now() + 10 * second);
    }
    if (found.length > 0) throw found[0];
    return await whilePassing(time, check(world, seed, plant?.trades));
  } finally {
    await setting.stop();
    await drained();
    time.stop();
    restoreChance();
    process.off('unhandledRejection', onRejected);
    rmSync(folder, { recursive: true });
  }
}

/** What waits and names draw for themselves. */
function simulateChance(seed: number): () => void {
  const [{ random }, { randomUUID }] = [Math, crypto];
  const { share, whole } = diceOf(seed + 2 ** 30);
  const put = (chance: typeof random, uuid: typeof randomUUID) => {
    Math.random = chance;
    crypto.randomUUID = uuid;
    syncBuiltinESMExports();
  };
  const hex = (digits: number) =>
    whole(0, 16 ** digits - 1)
      .toString(16)
      .padStart(digits, '0');
  put(share, () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}`);
  return () => put(random, randomUUID);
}

/** Let time pass; a house that has died is started again in its time. */
async function passUntil({ time, setting, found }: World, at: number): Promise<void> {
  while (time.now() < at && found.length === 0) {
    const dead = setting.process() === undefined;
    if (dead && setting.restartAt() <= time.now()) {
      // It waits for the disk, which waits for time to pass.
      void setting.start().catch((error: unknown) => found.push(error));
      await drained();
      continue;
    }
    // A death may happen within the step: look again before long.
    const next = dead ? setting.restartAt() : time.now() + 5 * second;
    await time.runUntil(Math.min(at, Math.max(next, time.now() + 1)));
  }
}

/** What waits for tables needs time to pass. */
async function whilePassing<T>(time: SimulatedTime, work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  work.then(done, done);
  for (await drained(); !isDone; ) await time.runUntil(time.now() + 100);
  return work;
}

/** Nothing is going on any more, and nobody waits for a notice. */
async function isOver({ setting, auctions, truth }: World): Promise<boolean> {
  const own = setting.own();
  if (own === undefined) return false;
  for (const id of auctions.keys()) {
    const { state } = (await own.auctions.find(id)) ?? { state: 'cancelled' };
    if (!['settled', 'cancelled', ...(truth.altered.has(id) ? ['failed'] : [])].includes(state)) return false;
  }
  const running = await own.workflow.list();
  return setting.isQuiet() && running.every(({ status }) => status !== 'running');
}

async function check(
  { truth, setting, faults, auctions }: World,
  seed: number,
  planted: Plant['trades'] = (right) => right,
): Promise<Simulation> {
  const own = setting.own()!;
  const trades: Ended['trades'] = async (ports, auction) => planted(await readTrades(ports, auction));
  let settled = 0;
  for (const id of auctions.keys()) {
    const auction = await own.auctions.find(id);
    if (auction === undefined) continue;
    const { objects, heard } = setting;
    await checkAuction({ truth, ports: own, objects, heard, trades, isClearedAgain: seed % 10 === 0 }, auction);
    if (auction.state === 'settled') settled++;
  }
  const taken = [...truth.sent.values()].reduce((sum, { receipts }) => sum + receipts.size, 0);
  const digest = createHash('sha256')
    .update(JSON.stringify([[...setting.objects], setting.heard]))
    .digest('hex');
  return { requests: truth.requests, taken, settled, digest, faults: faults.counts };
}

interface Action {
  readonly at: number;
  act(): Promise<void>;
}

/** What traders, the operator and the machine will do, by time. */
function plan(world: World): Action[] {
  const { dice } = world;
  for (let k = 0; k < dice.whole(1, 2); k++) {
    const market = dice.pick(markets);
    const periods = market.constraints.length > 0 ? 2 : dice.pick([1, 2, 4]);
    world.auctions.set(`x-${k}`, { market, periods });
  }
  const ids = [...world.auctions.keys()];
  const actions: Action[] = ids.map((id) => ({ at: start, act: () => make(world, id) }));
  // Most come in the last minutes, and some too late.
  const anyTime = () =>
    dice.isSo(0.5) ? gate - dice.whole(0, 15 * second) : dice.whole(start + second, gate + 30 * second);
  for (let k = dice.whole(5, 40); k > 0; k--) {
    const id = dice.pick(ids);
    const kinds = [submitSome, submitSome, submitSome, again, changed, replaceSome, cancelSome, look];
    const act = dice.pick(kinds);
    actions.push({ at: anyTime(), act: () => act(world, id) });
  }
  for (const id of ids) {
    if (dice.isSo(0.3)) actions.push({ at: anyTime(), act: () => close(world, id) });
    if (dice.isSo(0.05)) actions.push({ at: anyTime(), act: () => callOff(world, id) });
    for (let k = 0; k < 6; k++) actions.push({ at: gate + k * 10 * second, act: () => restart(world, id) });
  }
  for (let k = 0; k < 10 && world.setting.mishaps.length > 0; k++) {
    const [happens, id] = [dice.pick(world.setting.mishaps), dice.pick(ids)];
    actions.push({ at: anyTime(), act: () => happens(id) });
  }
  return actions.sort((a, b) => a.at - b.at);
}

/** Ask the house; nothing while it is dead. @returns what it answered, or `undefined` where it died or could not */
async function ask<T>({ setting, truth }: World, of: (ports: Ports) => Promise<T>): Promise<Answer<T>> {
  const process = setting.process();
  if (process === undefined) return { kind: 'nobody' };
  truth.requests++;
  const died = process.died.then((): Answer<T> => ({ kind: 'unknown' }));
  const answered = of(process.ports).then(
    (value): Answer<T> => ({ kind: 'done', value }),
    (error: unknown): Answer<T> => {
      if (error instanceof Error && error.message === killed) return { kind: 'unknown' };
      return { kind: truth.refused(error) ? 'refused' : 'unknown', error };
    },
  );
  return Promise.race([answered, died]);
}

type Answer<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'refused' | 'unknown'; readonly error?: unknown }
  | { readonly kind: 'nobody' };

const requestOf = (id: string, { market, periods }: { market: { market: string }; periods: number }) => ({
  ...{ id, market: market.market, periods, start: '2025-04-01T12:00:00Z' },
  gateClosure: new Date(gate).toISOString(),
});

/** The operator asks until it is there. */
async function make(world: World, id: string): Promise<void> {
  for (let k = 0; k < 50; k++) {
    const answer = await ask(world, (ports) => createAuction(ports, requestOf(id, world.auctions.get(id)!)));
    if (answer.kind === 'done') return;
    await new Promise((resolve) => setTimeout(resolve, second));
  }
}

async function send(world: World, id: string, participant: string, orders: readonly Fields[]): Promise<void> {
  const sent = orders.map((order) => world.truth.of(id, participant, order));
  const isNew = sent.every(({ receipts, isUnknown }) => receipts.size === 0 && !isUnknown);
  const isLate = world.time.now() >= gate;
  const answer = await ask(world, (ports) => submitOrders(ports, { participant }, { auction: id, orders }));
  if (answer.kind === 'done') {
    assert(!(isNew && isLate), `orders that were sent after the gate were taken`);
    world.truth.taken(sent, answer.value.receipts, gate);
  }
  if (answer.kind === 'unknown') for (const each of sent) each.isUnknown = true;
}

async function submitSome(world: World, id: string): Promise<void> {
  const { dice, waiting, auctions } = world;
  if (!waiting.get(id)?.length) waiting.set(id, requestsOf({ ...auctions.get(id)!, dice }) as Fields[][]);
  const orders = waiting.get(id)!.shift();
  if (orders !== undefined) await send(world, id, dice.pick(participants), orders);
}

/** The same order once more, as clients do that had no answer. */
async function again(world: World, id: string): Promise<void> {
  const known = world.truth.all(id);
  if (known.length === 0) return;
  const { participant, body } = world.dice.pick(known);
  await send(world, id, participant, [body]);
}

/** Another body under an id that is taken. */
async function changed(world: World, id: string): Promise<void> {
  const known = world.truth.all(id).filter(({ body }) => typeof body.price === 'number');
  if (known.length === 0) return;
  const { participant, body } = world.dice.pick(known);
  const { min, max } = world.auctions.get(id)!.market.priceLimits;
  await send(world, id, participant, [{ ...body, price: body.price === min ? max : min }]);
}

/** Another price in the place of what is there, by who knows which version that is, believes it or does not ask. */
async function replaceSome(world: World, id: string): Promise<void> {
  const { truth, dice } = world;
  const known = truth.all(id).filter(({ body }) => typeof body.price === 'number');
  if (known.length === 0) return;
  const { participant, body } = dice.pick(known);
  const { min, max, tick = 1 } = world.auctions.get(id)!.market.priceLimits;
  const order = { ...body, price: dice.pick([min, max, min + tick, max - tick]) };
  const own = truth.all(id, participant).filter((each) => each.body.record_id === body.record_id);
  const last = Math.max(1, ...own.flatMap(({ receipts }) => [...receipts.keys()]));
  const expected = dice.pick([{}, { expected: last }, { expected: last }, { expected: last + 1 }]);
  const isLate = world.time.now() >= gate;
  const sent = truth.of(id, participant, order);
  const isNew = sent.receipts.size === 0 && !sent.isUnknown;
  const change = { record_id: body.record_id, order, auction: id, ...expected };
  const answer = await ask(world, (ports) => replaceOrder(ports, { participant }, change));
  if (answer.kind === 'unknown') sent.isUnknown = true;
  if (answer.kind !== 'done') return;
  assert(!(isNew && isLate), 'a change that was sent after the gate was taken');
  truth.taken([sent], [answer.value], gate);
}

async function cancelSome(world: World, id: string): Promise<void> {
  const { truth, dice } = world;
  const known = truth.all(id);
  if (known.length === 0) return;
  const { participant, body } = dice.pick(known);
  const answer = await ask(world, (ports) => cancelOrder(ports, participant, body.record_id, id));
  // A loop's other leg goes with it, whichever of the bodies under that id the house has.
  const mine = truth.all(id, participant);
  const same = mine.filter((each) => each.body.record_id === body.record_id);
  const partners = [body.record_id, ...same.map((each) => each.body.loopWith)];
  const own = mine.filter((each) => partners.includes(each.body.record_id));
  if (answer.kind === 'unknown') for (const each of own) each.isCancelUnknown = true;
  if (answer.kind !== 'done') return;
  for (const each of own)
    if (each.body.record_id === body.record_id) each.cancellation = answer.value;
    else each.isCancelUnknown = true;
}

/** A participant looks at what is theirs, and at what is not. */
async function look(world: World, id: string): Promise<void> {
  const { truth, dice } = world;
  const participant = dice.pick(participants);
  const listed = await ask(world, (ports) => listOrders(ports, id, { participant }));
  if (listed.kind === 'done') truth.sees(id, participant, listed.value);
  const known = truth.all(id);
  if (known.length === 0) return;
  const { body } = dice.pick(known);
  const found = await ask(world, (ports) => findOrder(ports, participant, body.record_id, id));
  if (found.kind === 'done') truth.sees(id, participant, [found.value]);
}

const operatorMay = async (world: World, of: (ports: Ports) => Promise<unknown>): Promise<void> => {
  const act = async (ports: Ports) => {
    try {
      return await of(ports);
    } catch (error) {
      if (error instanceof AuctionError && error.code === 'wrong-state') return undefined;
      throw error;
    }
  };
  await ask(world, act);
};

const close = (world: World, id: string) => operatorMay(world, (ports) => closeGate(ports, id));
const callOff = (world: World, id: string) => operatorMay(world, (ports) => cancelAuction(ports, id, 'drawn'));

/** A failed auction goes on without what its diagnosis names. Also looks whether the sealed book is still the same. */
async function restart(world: World, id: string): Promise<void> {
  const { truth, setting, time } = world;
  const auction = await setting.own()?.auctions.find(id);
  if (auction?.book !== undefined && !truth.books.has(id)) truth.books.set(id, auction.book.hash);
  if (auction?.failure === undefined || truth.altered.has(id)) return;
  // Without a diagnosis it is tried again as it is, once all is well.
  if (auction.failure.diagnosis === undefined && time.now() < well) return;
  await operatorMay(world, async (ports) => {
    const { without } = auction.failure?.diagnosis ? await readDiagnosis(ports, id) : { without: [] };
    await restartAuction(ports, id, without);
  });
}
