/**
 * Small random books of all order kinds mixed, by seed: the same seed gives the same book.
 *
 * Half of them have round numbers, so that ties, indeterminate prices and exact zeros are common; the others have numbers that never
 * meet. Most have walls: sells at the highest price and buys at the lowest, so deep that no price has to lie beyond the
 * limits.
 */

import { checkBook } from '../../src/book/check-book.ts';
import { type Book, parseBook } from '../../src/market/book.ts';
import { AuctionError } from '../../src/market/errors.ts';

/** Draws from one seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to 1 (mulberry32). */
  share(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  whole(least: number, most: number): number {
    return least + Math.floor(this.share() * (most - least + 1));
  }

  chance(of: number): boolean {
    return this.share() < of;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.whole(0, from.length - 1)]!;
  }
}

type Fields = Record<string, unknown>;

/** What a book has besides: volumes in whole lots (MW), straight lines among its curves. The oracle knows neither. */
export interface Flavour {
  readonly lot?: number;
  readonly straight?: boolean;
}

/** @param decisions  most yes/no decisions; a flexible order counts as many as its starts have bits */
export function randomOrders(seed: number, decisions: number, { lot, straight = false }: Flavour = {}): Book {
  for (let attempt = 0; ; attempt++) {
    const drawn = draw(new Dice(seed + attempt * 1_000_003), decisions);
    const bent = straight ? withStraightLines(drawn, new Dice(seed + 7_919)) : drawn;
    const book = lot === undefined ? bent : inLots(bent, lot);
    try {
      checkBook(book);
      return book;
    } catch (error) {
      if (!(error instanceof AuctionError)) throw error;
    }
  }
}

/** A third of the limit orders become straight lines that end or begin at their limit. */
function withStraightLines(book: Book, dice: Dice): Book {
  const { min, max } = book.priceLimits;
  return parseBook({
    ...book,
    orders: book.orders.map((order) => {
      if (order.kind !== 'limit' || order.price === min || order.price === max || !dice.chance(0.35)) return order;
      const { side, price: at, power: mw, kind: _, ...rest } = order;
      const other = Math.min(max - 1, Math.max(min + 1, at + (side === 'buy' ? -1 : 1) * dice.pick([5, 10, 30])));
      const [low, high] = at < other ? [at, other] : [other, at];
      if (low === high) return order;
      const points =
        side === 'buy'
          ? [
              { price: low, power: mw },
              { price: high, power: 0 },
            ]
          : [
              { price: low, power: 0 },
              { price: high, power: -mw },
            ];
      return { ...rest, kind: 'curve', shape: 'linear', points };
    }),
  });
}

/** All volumes of the orders in whole lots, at least one; what is the network's stays. */
function inLots(book: Book, lot: number): Book {
  const onLot = (mw: number): number =>
    Number((Math.sign(mw) * Math.max(1, Math.round(Math.abs(mw) / lot)) * lot).toFixed(6));
  const each = <T extends { power: number }>(list: readonly T[]): T[] =>
    list.map((item) => ({ ...item, power: item.power === 0 ? 0 : onLot(item.power) }));
  const orders = book.orders.map((order) => {
    if (order.kind === 'curve') return { ...order, points: each(order.points) };
    if (order.kind === 'complex') {
      const { minPower } = order;
      return { ...order, steps: each(order.steps), ...(minPower && { minPower: each(minPower) }) };
    }
    if (order.kind === 'block' && order.profile !== undefined) return { ...order, profile: each(order.profile) };
    return { ...order, power: onLot(order.power!) };
  });
  return parseBook({ ...book, lot, orders });
}

function draw(dice: Dice, decisions: number): Book {
  const zones = Array.from({ length: dice.pick([1, 1, 1, 2, 2, 3, 4]) }, (_, z) => `Z${z}`);
  const periods = dice.pick([1, 1, 2, 2, 3, 4, 4, 6, 8]);
  const mixed = periods % 2 === 0 && dice.chance(0.2);
  const scene: Scene = {
    dice,
    zones,
    periods,
    resolution: mixed ? dice.pick(['PT15M', 'PT30M']) : dice.pick(['PT60M', 'PT60M', 'PT15M']),
    round: dice.chance(0.5),
    lossy: zones.length > 1 && dice.chance(0.2),
    mixed,
    orders: [],
  };
  const network = zones.length > 1 ? networkOf(scene) : {};
  addSteps(scene);
  let left = dice.whole(Math.min(1, decisions), decisions);
  while (left > 0) left -= addDecisions(scene, left);
  if (dice.chance(0.15)) addComplex(scene, 'free');
  const limits = { min: scene.lossy ? 1 : dice.pick([-100, 0]), max: 200 };
  if (dice.chance(0.7) || isTied(scene, network)) addWalls(scene, limits);
  const tick = dice.chance(0.3) ? { tick: 0.01 } : {};
  return parseBook({
    merit: 'book/1',
    auction: 'random',
    currency: 'EUR',
    start: '2025-04-01T00:00:00+02:00',
    resolution: scene.resolution,
    periods,
    priceLimits: { ...limits, ...tick },
    zones,
    ...network,
    orders: scene.orders.map((order, i) => ({ record_id: `o${i}`, ...order })),
  });
}

/**
 * Longer orders, load gradients, costs of lines, ramps and constraints tie prices together so that what is best may ask for a price beyond
 * the limits; what then happens is no question of decisions.
 */
const isTied = ({ mixed, orders }: Scene, { lines = [], constraints = [], ...ramps }: Fields): boolean =>
  mixed ||
  orders.some(({ loadGradient }) => loadGradient !== undefined) ||
  (constraints as Fields[]).length > 0 ||
  ramps.rampSets !== undefined ||
  ramps.netPositionRamps !== undefined ||
  (lines as Fields[]).some(({ loss, tariff, ramp }) => loss !== 0 || tariff !== 0 || ramp !== undefined);

interface Scene {
  readonly dice: Dice;
  readonly zones: readonly string[];
  readonly periods: number;
  readonly resolution: string;
  readonly round: boolean;
  readonly lossy: boolean;
  readonly mixed: boolean;
  readonly orders: Fields[];
}

const price = ({ dice, round, lossy }: Scene): number =>
  round ? dice.whole(lossy ? 1 : 0, 12) * 10 : Math.round((1 + dice.share() * 130) * 1000) / 1000;
const power = ({ dice, round }: Scene): number =>
  round ? dice.whole(1, 12) * 10 : Math.round((1 + dice.share() * 130) * 1000) / 1000;
const minAcceptance = ({ dice, round }: Scene): number =>
  dice.pick([1, 1, 1, 0.5, round ? 0.25 : Math.round(dice.share() * 100) / 100, 0]);

/** Sometimes a longer resolution, with how many of its periods the auction has. */
function lengthOf({ dice, mixed, periods, resolution }: Scene): { fields: Fields; periods: number } {
  if (!mixed || dice.chance(0.6)) return { fields: {}, periods };
  const span = resolution === 'PT15M' && periods % 4 === 0 && dice.chance(0.5) ? 4 : 2;
  const longer = resolution === 'PT15M' && span === 2 ? 'PT30M' : 'PT60M';
  return { fields: { resolution: longer }, periods: periods / span };
}

function addSteps(scene: Scene): void {
  const { dice, zones, periods, orders } = scene;
  for (const zone of zones) {
    for (let period = 1; period <= periods; period++) {
      const count = dice.whole(1, zones.length > 2 ? 3 : 4);
      for (let k = 0; k < count; k++) {
        const length = lengthOf(scene);
        const at = length.periods === periods ? period : dice.whole(1, length.periods);
        const side = dice.pick(['buy', 'sell']);
        const lift = side === 'buy' ? 20 : 0;
        orders.push({ zone, side, period: at, price: price(scene) + lift, power: power(scene), ...length.fields });
      }
      if (dice.chance(0.1)) {
        const prices = [price(scene), price(scene) + 1, price(scene) + 2].sort((a, b) => a - b);
        const powers = [power(scene), power(scene) - 60, -power(scene)].sort((a, b) => b - a);
        const points = prices.map((each, i) => ({ price: each, power: powers[i] }));
        if (new Set(prices).size === 3) orders.push({ kind: 'curve', shape: 'step', zone, period, points });
      }
    }
  }
}

function addWalls({ zones, periods, orders }: Scene, { min, max }: { min: number; max: number }): void {
  for (const zone of zones) {
    for (let period = 1; period <= periods; period++) {
      orders.push({ zone, side: 'sell', period, price: max, power: 3000 });
      orders.push({ zone, side: 'buy', period, price: min, power: 3000 });
    }
  }
}

/** @returns how many decisions were added, at most `most` */
function addDecisions(scene: Scene, most: number): number {
  const { dice, orders } = scene;
  const kind = dice.pick(['block', 'block', 'family', 'group', 'loop', 'flexible', 'complex', 'complex', 'complex']);
  const zone = dice.pick(scene.zones);
  const nameOf = (at: number) => `o${at}`;
  if (kind === 'complex') return addComplex(scene, 'switched');
  if (kind === 'flexible') {
    const length = lengthOf(scene);
    const duration = dice.whole(1, Math.min(3, length.periods));
    const starts = dice.whole(1, Math.min(length.periods - duration + 1, most > 1 ? 3 : 1));
    const earliest = dice.whole(1, length.periods - duration - starts + 2);
    const [side, latest] = [dice.pick(['buy', 'sell']), earliest + starts - 1];
    const terms = { side, price: price(scene), power: power(scene), duration, earliest, latest };
    orders.push({ kind: 'flexible', zone, ...terms, ...length.fields });
    return starts > 1 ? 2 : 1;
  }
  if (kind === 'loop') {
    const at = orders.length;
    const [ratio, side] = [minAcceptance(scene), dice.pick(['buy', 'sell'])];
    orders.push({ ...block(scene, zone, side), minAcceptance: ratio, loopWith: nameOf(at + 1) });
    const other = block(scene, zone, side === 'buy' ? 'sell' : 'buy');
    orders.push({ ...other, minAcceptance: ratio, loopWith: nameOf(at) });
    return 1;
  }
  const count = kind === 'block' ? 1 : Math.min(most, dice.whole(2, 4));
  const first = orders.length;
  const side = dice.pick(['buy', 'sell', 'sell']);
  for (let k = 0; k < count; k++) {
    const own = dice.chance(0.8) ? side : dice.pick(['buy', 'sell']);
    const each: Fields = { ...block(scene, zone, own), minAcceptance: minAcceptance(scene) };
    if (kind === 'family' && k > 0) each.linkedTo = nameOf(dice.whole(first, first + k - 1));
    if (kind === 'group') {
      // Now and then a member has a child outside the group.
      if (k > 0 && dice.chance(0.2)) each.linkedTo = nameOf(first);
      else each.exclusiveGroup = `g${first}`;
    }
    orders.push(each);
  }
  return count;
}

function block(scene: Scene, zone: string, side: string): Fields {
  const { dice } = scene;
  const length = lengthOf(scene);
  const terms = { kind: 'block', zone, side, price: price(scene) + (side === 'buy' ? 10 : -10 * dice.whole(-1, 1)) };
  const legal = { ...terms, price: Math.max(scene.lossy ? 1 : 0, terms.price), ...length.fields };
  const from = dice.whole(1, length.periods);
  const to = dice.whole(from, length.periods);
  if (dice.chance(0.5)) return { ...legal, from, to, power: power(scene) };
  const periods = Array.from({ length: length.periods }, (_, t) => t + 1).filter(() => dice.chance(0.6));
  if (periods.length === 0) periods.push(from);
  return { ...legal, profile: periods.map((period) => ({ period, power: power(scene) })) };
}

/** A unit under a condition or with minima; `free`: with a gradient only. @returns how many decisions that is */
function addComplex(scene: Scene, how: 'switched' | 'free'): number {
  const { dice, orders, round } = scene;
  const length = lengthOf(scene);
  const side = dice.pick(['buy', 'sell', 'sell', 'sell']);
  const sign = side === 'sell' ? 1 : -1;
  const switched = how === 'switched';
  const minimal = switched && dice.chance(0.35);
  const steps: { period: number; price: number; power: number; minAcceptance?: number }[] = [];
  for (let period = 1; period <= length.periods; period++) {
    if (dice.chance(0.2)) continue;
    const count = dice.whole(1, 2);
    const prices = Array.from({ length: count }, () => Math.max(0, price(scene) - (side === 'sell' ? 20 : 0)));
    for (const each of prices.sort((a, b) => sign * (a - b))) {
      const least = minimal && dice.chance(0.4) ? { minAcceptance: dice.pick([0.2, 0.5, 1]) } : {};
      steps.push({ period, price: Math.max(scene.lossy ? 1 : 0, each), power: power(scene), ...least });
    }
  }
  if (steps.length === 0) return 0;
  const conditions = side === 'buy' ? ['maximum-payment'] : ['minimum-income', 'minimum-profit'];
  const condition = switched && (!minimal || dice.chance(0.7)) ? dice.pick(conditions) : undefined;
  const money = round ? dice.whole(0, 40) * 100 : dice.share() * 4000;
  const variableTerm = dice.chance(0.4) ? (round ? dice.whole(0, 4) * 10 : dice.share() * 40) : 0;
  const terms = condition === undefined ? {} : { condition, fixedTerm: money, variableTerm };
  const minPower = [...Map.groupBy(steps, (step) => step.period)]
    .filter(() => minimal && dice.chance(0.4))
    .map(([period, here]) => ({
      period,
      power: here.reduce((sum, step) => sum + step.power, 0) * dice.pick([0.2, 0.5]),
    }));
  const gradient = () => (round ? dice.whole(1, 20) * 10 : 10 + dice.share() * 200);
  const loadGradient = !switched || dice.chance(0.4) ? { loadGradient: { up: gradient(), down: gradient() } } : {};
  const scheduledStop = condition === 'minimum-income' && dice.chance(0.3) ? { scheduledStop: dice.whole(1, 3) } : {};
  const minima = minPower.length > 0 ? { minPower } : {};
  const zone = dice.pick(scene.zones);
  orders.push({
    ...{ kind: 'complex', zone, side, steps },
    ...{ ...terms, ...minima, ...loadGradient, ...scheduledStop, ...length.fields },
  });
  const decided = condition !== undefined || minPower.length > 0 || steps.some((step) => step.minAcceptance);
  return decided ? 1 : 0;
}

function networkOf({ dice, zones, periods, round, lossy }: Scene): Fields {
  const mw = (most: number) => (round ? dice.whole(0, most / 10) * 10 : Math.round(dice.share() * most * 1000) / 1000);
  const each = (most: number) => (dice.chance(0.7) ? mw(most) : Array.from({ length: periods }, () => mw(most)));
  const before = () => (dice.chance(0.5) ? { before: dice.pick([0, 0, 20, -10]) } : {});
  const ramping = periods > 1 && dice.chance(0.25);
  const ramp = () => (dice.chance(0.8) ? 10 + mw(60) : Array.from({ length: periods }, () => 10 + mw(60)));
  const lines: Fields[] = [];
  const count = dice.whole(zones.length > 2 ? 1 : 0, zones.length + 1);
  for (let k = 0; k < count; k++) {
    const from = dice.pick(zones);
    const to = dice.pick(zones.filter((id) => id !== from));
    const costs = {
      loss: lossy && dice.chance(0.6) ? dice.pick([0.02, 0.1]) : 0,
      tariff: dice.chance(0.15) ? dice.pick([1, 5, 10]) : 0,
    };
    const forced = dice.chance(0.06) ? { capacity: -10, reverse: 10 + mw(60) } : {};
    const own = ramping && dice.chance(0.5) ? { ramp: ramp(), ...before() } : {};
    lines.push({ id: `L${k}`, from, to, capacity: each(120), reverse: each(120), ...costs, ...forced, ...own });
  }
  const network: Fields = { lines };
  if (ramping && lines.length > 0 && dice.chance(0.4)) {
    const members = lines.map(({ id }) => id).filter(() => dice.chance(0.7));
    if (members.length > 0) network.rampSets = [{ id: 'set', lines: members, ramp: ramp(), ...before() }];
  }
  if (ramping && dice.chance(0.3)) {
    network.netPositionRamps = [{ id: 'np', zone: dice.pick(zones), ramp: ramp(), ...before() }];
  }
  if (dice.chance(0.3)) {
    const intuitive = dice.chance(0.4);
    network.flowBased = intuitive ? 'intuitive' : 'plain';
    const constraints: Fields[] = [];
    for (let period = 1; period <= periods; period++) {
      if (dice.chance(0.3)) continue;
      const region = zones.filter(() => dice.chance(0.8));
      for (let k = dice.whole(1, 3); k > 0 && region.length > 1; k--) {
        const factor = () => (round ? dice.whole(-4, 8) / 10 : dice.share() * 1.2 - 0.4);
        const ram = !intuitive && dice.chance(0.05) ? -5 : mw(80);
        constraints.push({ id: `c${k}`, period, ptdf: Object.fromEntries(region.map((id) => [id, factor()])), ram });
      }
    }
    network.constraints = constraints;
  }
  return network;
}
