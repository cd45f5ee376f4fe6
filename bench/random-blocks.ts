/** A seeded day with many blocks: zones in a ring of lines, rising and falling curves in each hour, blocks of every size around the price. */

import type { Book } from '../src/market/book.ts';
import type { BookOrder } from '../src/market/order.ts';

export interface RandomBlocks {
  readonly seed: number;
  readonly blocks: number;
  readonly zones: number;
  readonly periods: number;
  /** Steps of the curves a side: the fewer, the more blocks are paradoxically rejected. */
  readonly steps?: number;
}

export function randomBlocks({ seed, blocks, zones: count, periods, steps = 20 }: RandomBlocks): Book {
  const draw = mulberry32(seed);
  const between = (low: number, high: number) => low + (high - low) * draw();
  const whole = (low: number, high: number) => Math.floor(between(low, high + 1));
  const cents = (price: number) => Math.round(price * 100) / 100;
  const zones = Array.from({ length: count }, (_, z) => `Z${z + 1}`);
  const orders: BookOrder[] = [];
  for (const zone of zones) {
    for (let period = 1; period <= periods; period++) {
      const middle = 60 + 25 * Math.sin((2 * Math.PI * (period - 7)) / 24) + between(-8, 8);
      for (let k = 0; k < steps; k++) {
        for (const side of ['sell', 'buy'] as const) {
          const price = cents(middle + (side === 'sell' ? 1 : -1) * (k * (80 / steps) - 25 + between(-2, 2)));
          const record_id = `${zone}-${period}-${side}-${k}`;
          orders.push({ record_id, kind: 'limit', zone, side, period, price, power: whole(20, 120) });
        }
      }
    }
  }
  for (let b = 1; b <= blocks; b++) {
    const length = whole(1, Math.min(12, periods));
    const from = whole(1, periods - length + 1);
    const side = draw() < 0.6 ? 'sell' : 'buy';
    const zone = zones[whole(0, count - 1)]!;
    const terms = { from, to: from + length - 1, power: whole(5, 80), price: cents(between(35, 85)) };
    const minAcceptance = draw() < 0.7 ? 1 : cents(between(0.2, 0.9));
    orders.push({ record_id: `B${b}`, kind: 'block', zone, side, ...terms, minAcceptance });
  }
  const lines = zones.map((from, z) => {
    const to = zones[(z + 1) % count]!;
    return { id: `${from}-${to}`, from, to, capacity: whole(100, 400), reverse: whole(100, 400), ...plainLine };
  });
  return {
    merit: 'book/1',
    auction: `random-${seed}`,
    currency: 'EUR',
    start: '2025-04-01T00:00:00+02:00',
    resolution: 'PT60M',
    periods,
    priceLimits: { min: -500, max: 4000, tick: 0.01 },
    zones,
    lines: count > 1 ? lines : [],
    constraints: [],
    orders,
  };
}

const plainLine = { loss: 0, tariff: 0, ramp: null, before: null };

/** Numbers from 0 to 1 by a seed. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
