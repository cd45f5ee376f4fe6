/**
 * Plausible orders for any auction, of every kind that it takes, by a seed: prices scatter around a level for each market time unit that
 * everybody shares, so that supply and demand cross and some orders are accepted and some are not.
 *
 * Nothing here knows a house: an auction's terms in, orders out. Powers in MW, prices in currency/MWh.
 */

import { gridOf, nearestOn } from '../../market/decimal.ts';
import type { OrderKind, OrderSubmission } from '../../market/order.ts';
import type { AuctionTerms } from '../../market/terms.ts';
import { type Chance, chance } from '../demo/random.ts';

/** What traders know of an auction. */
export interface Scene extends Pick<AuctionTerms, 'zones' | 'priceLimits' | 'powerLimits' | 'orderKinds'> {
  /** Market time units that are delivered. */
  readonly periods: number;
}

/** Somebody who trades: gives orders for as long as they are asked. */
export interface Trader {
  readonly name: string;
  /** The next order or orders that belong together (a family, a group, a loop), all or none of them to be taken. */
  next(): OrderSubmission[];
  /** What they would rather have in the place of one of their orders. */
  revised(order: LimitSubmission): LimitSubmission;
}

type LimitSubmission = Extract<OrderSubmission, { kind: 'limit' }>;

/** @param count  how many; the same seed, scene and count give the same orders */
export function tradersOf(scene: Scene, seed: number, count: number): Trader[] {
  const day = levelsOf(scene, chance(seed));
  return Array.from({ length: count }, (_, at) => trader(`t${at + 1}`, scene, day, chance(seed * 100_003 + at + 1)));
}

/** About what each market time unit costs: low by night, high in the evening, within the limits. */
function levelsOf({ periods, priceLimits: { min, max } }: Scene, luck: Chance): number[] {
  const base = Math.min(max, Math.max(min, 70 * luck.between(0.7, 1.3)));
  const room = Math.min(base - min, max - base, 60);
  return Array.from({ length: periods }, (_, t) => {
    const hour = (24 * (t + 0.5)) / periods;
    return base + room * 0.5 * Math.sin((Math.PI * (hour - 10)) / 9) * luck.between(0.8, 1.2);
  });
}

function trader(name: string, scene: Scene, day: readonly number[], luck: Chance): Trader {
  const { zones, priceLimits, powerLimits, orderKinds, periods } = scene;
  const tick = gridOf(priceLimits.tick ?? 0.01);
  const lot = gridOf(powerLimits.lot);
  const whole = (low: number, high: number) => Math.floor(luck.between(low, high + 1));
  const pick = <T>(of: readonly T[]): T => of[whole(0, of.length - 1)]!;
  const zone = pick(zones);
  const size = Math.min(powerLimits.max, powerLimits.lot * 2000) * luck.between(0.02, 0.2);
  const mw = (share = 1) =>
    Math.min(powerLimits.max, Math.max(powerLimits.lot, nearestOn(lot, size * share * luck.between(0.5, 1.5))));
  const within = (value: number) => Math.min(priceLimits.max, Math.max(priceLimits.min, nearestOn(tick, value)));
  const spread = Math.min(30, (priceLimits.max - priceLimits.min) / 10);
  /** Buyers offer a little more than the level, sellers ask a little less, and some do not. */
  const limit = (side: 'buy' | 'sell', level: number) =>
    within(level + (side === 'buy' ? 0.2 : -0.2) * spread + luck.between(-1, 1) * spread);
  const mean = (from: number, to: number) =>
    day.slice(from - 1, to).reduce((sum, level) => sum + level, 0) / (to - from + 1);
  let number = 0;
  const id = () => `${name}-${++number}`;
  const sideOf = () => pick(['buy', 'sell'] as const);
  const span = () => {
    const from = whole(1, periods);
    return { from, to: Math.min(periods, from + whole(0, Math.max(0, Math.ceil(periods / 3) - 1))) };
  };

  const block = (side = sideOf()): OrderSubmission & { kind: 'block' } => {
    const { from, to } = span();
    const terms = { price: limit(side, mean(from, to)), from, to, power: mw(), minAcceptance: pick([1, 1, 0.5]) };
    return { kind: 'block', record_id: id(), zone, side, ...terms };
  };
  const family = (): OrderSubmission[] => {
    const parent = block();
    return [parent, { ...block(parent.side), linkedTo: parent.record_id }];
  };
  const group = (): OrderSubmission[] => {
    const exclusiveGroup = `${name}-g${number}`;
    return [block('sell'), block('sell')].map((member) => ({ ...member, exclusiveGroup }));
  };
  const loop = (): OrderSubmission[] => {
    const [buy, sell] = [block('buy'), block('sell')];
    const minAcceptance = 1;
    return [
      { ...buy, minAcceptance, loopWith: sell.record_id },
      { ...sell, minAcceptance, loopWith: buy.record_id },
    ];
  };
  const makers: Readonly<Record<OrderKind, () => OrderSubmission[]>> = {
    limit: () => {
      const [side, period] = [sideOf(), whole(1, periods)];
      return [
        { kind: 'limit', record_id: id(), zone, side, period, price: limit(side, day[period - 1]!), power: mw() },
      ];
    },
    curve: () => {
      const period = whole(1, periods);
      const level = day[period - 1]!;
      const prices = [...new Set([-1, -0.3, 0.3, 1].map((at) => within(level + at * spread)))];
      const sells = sideOf() === 'sell';
      const step = mw(0.5);
      const points = prices.map((price, at) => ({
        price,
        power: nearestOn(lot, sells ? -step * at : step * (prices.length - 1 - at)) + 0,
      }));
      return [{ kind: 'curve', record_id: id(), zone, period, shape: pick(['linear', 'step']), points }];
    },
    block: () => pick([() => [block()], () => [block()], family, group, loop])(),
    flexible: () => {
      const side = sideOf();
      const duration = whole(1, Math.max(1, Math.ceil(periods / 4)));
      const earliest = whole(1, periods - duration + 1);
      const latest = whole(earliest, periods - duration + 1);
      const price = limit(side, mean(1, periods));
      return [{ kind: 'flexible', record_id: id(), zone, side, price, power: mw(), duration, earliest, latest }];
    },
    complex: () => {
      const power = mw();
      const steps = day.map((_, t) => ({ period: t + 1, price: within(mean(1, periods) - spread), power }));
      const fixedTerm = Math.round(power * periods * luck.between(0, spread));
      const condition = 'minimum-income' as const;
      return [{ kind: 'complex', record_id: id(), zone, side: 'sell', steps, fixedTerm, variableTerm: 0, condition }];
    },
  };
  /** Most orders of a day are simple ones. */
  const weights: Readonly<Record<OrderKind, number>> = { limit: 12, curve: 6, block: 4, flexible: 1, complex: 1 };
  const kinds = orderKinds.flatMap((kind) => new Array<OrderKind>(weights[kind]).fill(kind));
  return {
    name,
    next: () => makers[pick(kinds)](),
    revised: (order) => ({ ...order, price: limit(order.side, day[order.period! - 1]!) }),
  };
}
