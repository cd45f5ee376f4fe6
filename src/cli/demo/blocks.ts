/**
 * Who bids all or nothing in the demo market: units that cannot run by the hour, storage, and loads that may wait.
 *
 * Their orders are of the whole day, so that every kind is seen: blocks with a profile, linked, exclusive and in a loop, flexible and
 * complex orders. Limits lie near what the day usually costs, so that some are accepted and some are not, and not all of these for their price.
 */

import type { OrderSubmission } from '../../market/order.ts';
import type { Chance } from './random.ts';

export interface DayBidder {
  readonly name: string;
  /** Its orders for the day whose periods begin at these hours (0 to 23). */
  day(hours: readonly number[]): OrderSubmission[];
}

export function dayBidders(luck: Chance): DayBidder[] {
  const near = (price: number, spread = 0.12) => cents(price * luck.between(1 - spread, 1 + spread));
  return [heatPlant(near), combinedCycle(near), pumps(near), smelter(near), charging(near), peaker(near)];
}

type Near = (price: number, spread?: number) => number;

/** Heat for two towns: a profile that is large when people are at home, and a boiler that runs beside it or not at all. */
const heatPlant = (near: Near): DayBidder => ({
  name: 'heat',
  day: (hours) => {
    const profile = hours.map((hour, k) => ({ period: k + 1, power: hour >= 6 && hour < 22 ? 180 : 90 }));
    const block = { kind: 'block', zone: 'NORTH', side: 'sell', minAcceptance: 1 } as const;
    return [
      { ...block, record_id: 'heat-plant', price: near(52), profile },
      { ...block, record_id: 'heat-boiler', price: near(60), from: 9, to: 16, power: 60, linkedTo: 'heat-plant' },
    ];
  },
});

/** One machine, three ways to run it: only one of them. */
const combinedCycle = (near: Near): DayBidder => ({
  name: 'cycle',
  day: (hours) => {
    const last = hours.length;
    const unit = { kind: 'block', zone: 'CENTRE', side: 'sell', minAcceptance: 1, exclusiveGroup: 'cycle' } as const;
    return [
      { ...unit, record_id: 'cycle-day', price: near(72), from: 1, to: last, power: 380, minAcceptance: 0.6 },
      { ...unit, record_id: 'cycle-first', price: near(78), from: 1, to: Math.ceil(last / 2), power: 400 },
      { ...unit, record_id: 'cycle-second', price: near(78), from: Math.ceil(last / 2) + 1, to: last, power: 400 },
    ];
  },
});

/** A reservoir buys where the night is and sells what is left of it in the evening, both or neither. */
const pumps = (near: Near): DayBidder => ({
  name: 'pumps',
  day: (hours) => {
    const at = (wanted: readonly number[], power: number) =>
      hours.flatMap((hour, k) => (wanted.includes(hour) ? [{ period: k + 1, power }] : []));
    const leg = { kind: 'block', zone: 'SOUTH', minAcceptance: 1 } as const;
    return [
      {
        ...leg,
        record_id: 'pumps-fill',
        side: 'buy',
        price: near(60),
        profile: at([2, 3, 4, 12, 13], 150),
        loopWith: 'pumps-run',
      },
      {
        ...leg,
        record_id: 'pumps-run',
        side: 'sell',
        price: near(78),
        profile: at([17, 18, 19, 20], 145),
        loopWith: 'pumps-fill',
      },
    ];
  },
});

/** A pot line is kept warm the whole day or not at all. */
const smelter = (near: Near): DayBidder => ({
  name: 'smelter',
  day: (hours) => [
    {
      ...{ kind: 'block', record_id: 'smelter-day', zone: 'CENTRE', side: 'buy', minAcceptance: 1 },
      ...{ price: near(74), from: 1, to: hours.length, power: 350 },
    },
  ],
});

/** Buses are charged for three hours, whenever it is cheapest. */
const charging = (near: Near): DayBidder => ({
  name: 'buses',
  day: (hours) => [
    {
      ...{ kind: 'flexible', record_id: 'buses-charge', zone: 'SOUTH', side: 'buy', price: near(66), power: 80 },
      ...{ duration: 3, earliest: 1, latest: hours.length - 2 },
    },
  ],
});

/** Starts only if the day pays for the start, and cannot change its power at once. */
const peaker = (near: Near): DayBidder => ({
  name: 'steam',
  day: (hours) => [
    {
      ...{ kind: 'complex', record_id: 'steam-unit', zone: 'SOUTH', side: 'sell' },
      ...{ condition: 'minimum-profit', fixedTerm: 9000, variableTerm: 0, loadGradient: { up: 120, down: 120 } },
      steps: hours.map((_, k) => ({ period: k + 1, price: near(70, 0.02), power: 260 })),
    },
  ],
});

const cents = (price: number) => Math.round(price * 100) / 100;
