/** Markets and orders at the ends of what a market file and admission let through; by a seed. */

import { chance } from '../../src/cli/demo/random.ts';
import { gridOf, nearestOn } from '../../src/market/decimal.ts';
import { type Market, parseMarket } from '../../src/market/market.ts';

/** Draws that name what they are for. */
export interface Dice {
  share(): number;
  whole(low: number, high: number): number;
  pick<T>(of: readonly T[]): T;
  isSo(probability: number): boolean;
}

export function diceOf(seed: number): Dice {
  const { between } = chance(seed);
  const whole = (low: number, high: number) => Math.floor(between(low, high + 1));
  return {
    share: () => between(0, 1),
    whole,
    pick: (of) => of[whole(0, of.length - 1)]!,
    isSo: (probability) => between(0, 1) < probability,
  };
}

const line = { from: 'A', to: 'B', capacity: 50, reverse: 50 };

/** What makes one market unlike the next: the scale of its numbers, and its network. */
const variants: readonly object[] = [
  {},
  { powerLimits: { lot: 0.001, max: 50 }, priceLimits: { min: 0, max: 1000, tick: 0.1 } },
  { powerLimits: { lot: 0.000001, max: 100 }, priceLimits: { min: -500, max: 4000, tick: 0.01 } },
  { powerLimits: { lot: 100, max: 1_000_000 }, priceLimits: { min: -9999, max: 9999, tick: 1 } },
  { powerLimits: { lot: 0.1, max: 10_000 }, priceLimits: { min: -1_000_000, max: 1_000_000, tick: 0.01 } },
  { powerLimits: { lot: 0.25, max: 1000 }, priceLimits: { min: 5, max: 10, tick: 0.000001 } },
  { powerLimits: { lot: 1, max: 500 }, priceLimits: { min: -20, max: -10, tick: 0.5 } },
  { priceLimits: { min: -500, max: 4000 } },
  { zones: ['A', 'B'], lines: [{ ...line, id: 'L' }] },
  { zones: ['A', 'B'], lines: [{ ...line, id: 'L', loss: 0.03, tariff: 1 }] },
  { zones: ['A', 'B'], lines: [{ ...line, id: 'L', capacity: 0, reverse: 0.1, ramp: 0.1, before: 0 }] },
  { zones: ['A', 'B'], lines: [{ ...line, id: 'L', ramp: 5 }], rampSets: [{ id: 's', lines: ['L'], ramp: 7 }] },
  {
    zones: ['A', 'B', 'C'],
    constraints: [1, 2].map((period) => ({ id: 'k', period, ptdf: { A: 0.5, B: -0.25 }, ram: 10 })),
  },
  { resolution: 'PT15M', orderResolutions: ['PT30M', 'PT60M'], powerLimits: { lot: 0.1, max: 1000 } },
];

export const markets: readonly Market[] = variants.map((variant, i) =>
  parseMarket(
    {
      market: `extreme-${i}`,
      description: 'at an end of what a market may be',
      currency: 'EUR',
      timeZone: 'Europe/Brussels',
      resolution: 'PT60M',
      zones: ['A'],
      priceLimits: { min: -500, max: 4000, tick: 0.01 },
      powerLimits: { lot: 0.1, max: 20_000 },
      orderKinds: ['limit', 'curve', 'block', 'flexible', 'complex'],
      schedule: { kind: 'manual' },
      // A hard book is published with its gap: what is tried here is that it ends.
      clearing: { branchesPerCall: 300, publishAtGap: 1 },
      patience: { firstSeconds: 1, mostSeconds: 1, attempts: 3 },
      ...variant,
    },
    `extreme-${i}`,
  ),
);

type Fields = Record<string, unknown>;

export interface Scene {
  readonly market: Market;
  readonly periods: number;
  readonly dice: Dice;
}

function price({ market: { priceLimits }, dice }: Scene): number {
  const { min, max, tick = 1e-6 } = priceLimits;
  const step = gridOf(tick);
  const anywhere = nearestOn(step, min + dice.share() * (max - min));
  const near = [min, max, min, max, nearestOn(step, min + tick), nearestOn(step, max - tick)];
  const middle = nearestOn(step, (min + max) / 2);
  const few = [middle, nearestOn(step, middle + tick), nearestOn(step, middle - tick), Math.min(max, Math.max(min, 0))];
  const drawn = dice.pick([anywhere, dice.pick(near), dice.pick(few), dice.pick(few)]);
  return Math.min(max, Math.max(min, nearestOn(step, drawn)));
}

function power({ market: { powerLimits }, dice }: Scene, most = powerLimits.max): number {
  const { lot } = powerLimits;
  const step = gridOf(lot);
  const least = [lot, nearestOn(step, 2 * lot), nearestOn(step, 3 * lot), nearestOn(step, 7 * lot)];
  const large = [most, nearestOn(step, most - lot)];
  const anywhere = nearestOn(step, lot + dice.share() * (most - lot));
  const some = nearestOn(step, lot * dice.whole(1, 200));
  const drawn = dice.pick([dice.pick(least), dice.pick(large), anywhere, some, some]);
  return Math.max(lot, Math.min(most, drawn));
}

const ratio = ({ dice }: Scene): number => dice.pick([1, 1, 1, 0, 0.001, 0.5, 1 / 3, 0.999999, 0.1]);

/** Some longer resolution now and then, and how many periods of it there are. */
function length({ market: { orderResolutions, resolution }, periods, dice }: Scene): [Fields, number] {
  if (orderResolutions.length === 0 || dice.isSo(0.5)) return [{}, periods];
  const longer = dice.pick(orderResolutions);
  const span = { PT15M: 15, PT30M: 30, PT60M: 60 }[longer] / { PT15M: 15, PT30M: 30, PT60M: 60 }[resolution];
  return periods % span === 0 ? [{ resolution: longer }, periods / span] : [{}, periods];
}

function curve(scene: Scene): Fields {
  const { dice, market } = scene;
  const [fields, periods] = length(scene);
  const shape = dice.pick(['step', 'linear']);
  const prices = Array.from({ length: dice.whole(1, 5) }, () => price(scene)).sort((a, b) => a - b);
  const own = shape === 'step' ? [...new Set(prices)] : prices;
  const powers = own
    .map(() => dice.pick([0, 1, -1]) * power(scene, market.powerLimits.max))
    .map((mw) => mw + 0)
    .sort((a, b) => b - a);
  return {
    kind: 'curve',
    shape,
    period: dice.whole(1, periods),
    points: own.map((at, i) => ({ price: at, power: powers[i] })),
    ...fields,
  };
}

function block(scene: Scene): Fields {
  const { dice } = scene;
  const [fields, periods] = length(scene);
  const common = { kind: 'block', side: dice.pick(['buy', 'sell']), price: price(scene), minAcceptance: ratio(scene) };
  const from = dice.whole(1, periods);
  if (dice.isSo(0.6)) return { ...common, from, to: dice.whole(from, periods), power: power(scene), ...fields };
  const profile = Array.from({ length: periods }, (_, i) => i + 1)
    .filter((period) => period === from || dice.isSo(0.5))
    .map((period) => ({ period, power: power(scene) }));
  return { ...common, profile, ...fields };
}

function flexible(scene: Scene): Fields {
  const { dice } = scene;
  const [fields, periods] = length(scene);
  const duration = dice.whole(1, periods);
  const earliest = dice.whole(1, periods - duration + 1);
  const latest = dice.whole(earliest, periods - duration + 1);
  const terms = { side: dice.pick(['buy', 'sell']), price: price(scene), power: power(scene) };
  return { kind: 'flexible', ...terms, duration, earliest, latest, ...fields };
}

function complex(scene: Scene): Fields {
  const { dice, market, periods } = scene;
  const condition = dice.pick([undefined, 'minimum-income', 'minimum-profit', 'maximum-payment']);
  const side = condition === 'maximum-payment' ? 'buy' : condition ? 'sell' : dice.pick(['buy', 'sell']);
  const sign = side === 'sell' ? 1 : -1;
  const most = market.powerLimits.max;
  const steps = Array.from({ length: periods }, (_, i) => i + 1).flatMap((period) => {
    const count = dice.whole(period === 1 ? 1 : 0, 3);
    const prices = Array.from({ length: count }, () => price(scene)).sort((a, b) => sign * (a - b));
    const least = dice.isSo(0.2) && condition ? { minAcceptance: ratio(scene) } : {};
    const share = nearestOn(gridOf(market.powerLimits.lot), most / 4);
    return prices.map((at) => ({
      period,
      price: at,
      power: power(scene, Math.max(market.powerLimits.lot, share)),
      ...least,
    }));
  });
  const fixedTerm = condition ? dice.pick([0, 0.01, 100, 12_345.67, 1e10]) : 0;
  const variableTerm = condition === 'minimum-income' ? price(scene) : 0;
  const gradient = () => dice.pick([0, 0.000001, 1, 1e7]);
  const loadGradient = dice.isSo(0.3) ? { loadGradient: { up: gradient(), down: gradient() } } : {};
  const scheduledStop = condition === 'minimum-income' && dice.isSo(0.3) ? { scheduledStop: dice.whole(0, 3) } : {};
  const terms = condition ? { condition, fixedTerm, variableTerm } : {};
  return { kind: 'complex', side, steps, ...terms, ...loadGradient, ...scheduledStop };
}

const plain = (scene: Scene): Fields => {
  const [fields, periods] = length(scene);
  const side = scene.dice.pick(['buy', 'sell']);
  return { side, period: scene.dice.whole(1, periods), price: price(scene), power: power(scene), ...fields };
};

/** Numbers that are no decimals of the market, or beyond any bound. */
function spoiled(order: Fields, { dice }: Scene): Fields {
  const bad = dice.pick([1e-300, 1e-9, 5e-324, 1e300, -1, 0.1 + 1e-9, 1e20, 2 ** 53, 0.10000000149011612, -1e-9]);
  const field = dice.pick(['price', 'power', 'fixedTerm', 'variableTerm', 'minAcceptance', 'record_id']);
  if (field === 'record_id') return { ...order, record_id: dice.pick(['..', '.', '__proto__', '\ud800', 'a/b', '']) };
  if (Array.isArray(order.points)) return { ...order, points: [{ price: 0, power: bad }, ...order.points] };
  return { ...order, [field]: bad };
}

/** What several orders are that name each other. */
function related(scene: Scene, name: (i: number) => string): Fields[] {
  const { dice } = scene;
  const kind = dice.pick(['family', 'group', 'loop']);
  const base = block(scene);
  if (kind === 'loop') {
    const other = { ...block(scene), minAcceptance: base.minAcceptance, side: base.side === 'buy' ? 'sell' : 'buy' };
    return [
      { ...base, loopWith: name(1) },
      { ...other, loopWith: name(0) },
    ];
  }
  const members = Array.from({ length: dice.whole(2, 5) }, () => block(scene));
  if (kind === 'group') return members.map((member) => ({ ...member, exclusiveGroup: name(0) }));
  return members.map((member, i) => (i === 0 ? member : { ...member, linkedTo: name(dice.whole(0, i - 1)) }));
}

/** Requests of one auction: each a list of orders as one participant sends them. */
export function requestsOf(scene: Scene): Fields[][] {
  const { dice, market } = scene;
  const count = dice.pick([0, 1, 2, 5, 10, 20]);
  const requests: Fields[][] = [];
  for (let k = 0; k < count; k++) {
    const name = (i: number) => `o${k}-${i}`;
    const make = dice.pick([plain, plain, plain, curve, block, flexible, complex]);
    const zone = dice.pick(market.zones);
    const orders = dice.isSo(0.15) ? related(scene, name) : [make(scene)];
    const whole = orders.map((order, i) => ({ record_id: name(i), zone, ...order }));
    requests.push(dice.isSo(0.1) ? [spoiled(whole[0]!, scene)] : whole);
  }
  return requests;
}
