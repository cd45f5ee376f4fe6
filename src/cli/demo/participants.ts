/**
 * Who bids in the demo market: a merit order of plants, wind and solar parks, and loads that follow the day.
 *
 * Everybody bids its costs, a little off by chance. Powers in MW, prices in currency/MWh, hours of the day 0 to 23.
 */

import type { OrderSubmission } from '../../market/order.ts';
import { dayBidders } from './blocks.ts';
import { type Chance, chance } from './random.ts';

export interface Participant {
  readonly name: string;
  /** Its orders for one hour of the day, in the market's period `period`. */
  bids(hour: number, period: number): OrderSubmission[];
}

/** The orders of everybody for the day whose periods begin at these hours. */
export function bidsOfDay(seed: number, hours: readonly number[]): { name: string; orders: OrderSubmission[] }[] {
  return [
    ...participants(seed).map(({ name, bids }) => ({ name, orders: hours.flatMap((hour, k) => bids(hour, k + 1)) })),
    // With weather of their own, so that nobody else's changes.
    ...dayBidders(chance(seed + 1_000_003)).map(({ name, day }) => ({ name, orders: day(hours) })),
  ];
}

type Zone = 'NORTH' | 'CENTRE' | 'SOUTH';

interface Plant {
  readonly name: string;
  readonly zone: Zone;
  readonly power: number;
  readonly cost: number;
  /** Sold below cost rather than shut down. */
  readonly mustRun?: number;
}

const plants: readonly Plant[] = [
  { name: 'river', zone: 'NORTH', power: 420, cost: 4 },
  { name: 'nuclear', zone: 'CENTRE', power: 1600, cost: 14, mustRun: 900 },
  { name: 'biomass', zone: 'SOUTH', power: 260, cost: 32 },
  { name: 'lignite', zone: 'CENTRE', power: 1100, cost: 54, mustRun: 300 },
  { name: 'coal', zone: 'NORTH', power: 800, cost: 68, mustRun: 150 },
  { name: 'gas-new', zone: 'CENTRE', power: 1300, cost: 76 },
  { name: 'gas-south', zone: 'SOUTH', power: 900, cost: 84 },
  { name: 'gas-old', zone: 'CENTRE', power: 700, cost: 102 },
  { name: 'turbine', zone: 'SOUTH', power: 450, cost: 148 },
  { name: 'oil', zone: 'CENTRE', power: 300, cost: 210 },
];

const winds = [
  { name: 'wind-sea', zone: 'NORTH', power: 2600 },
  { name: 'wind-hills', zone: 'CENTRE', power: 900 },
] as const;
const suns = [
  { name: 'solar-plain', zone: 'SOUTH', power: 2400 },
  { name: 'solar-roofs', zone: 'CENTRE', power: 1100 },
] as const;
const towns = [
  { name: 'towns-north', zone: 'NORTH', power: 1100 },
  { name: 'towns-centre', zone: 'CENTRE', power: 3600 },
  { name: 'towns-south', zone: 'SOUTH', power: 1500 },
] as const;
const factories = [
  { name: 'steel', zone: 'CENTRE', power: 520, worth: 96 },
  { name: 'paper', zone: 'NORTH', power: 240, worth: 74 },
  { name: 'hydrogen', zone: 'NORTH', power: 600, worth: 38 },
] as const;

/** Share of its peak that a town needs, hour by hour: a shoulder at breakfast, the peak in the evening. */
const townShape = [
  0.58, 0.54, 0.52, 0.51, 0.53, 0.6, 0.72, 0.84, 0.88, 0.86, 0.84, 0.84, 0.85, 0.82, 0.8, 0.81, 0.86, 0.94, 1, 0.98,
  0.9, 0.8, 0.7, 0.63,
] as const;

/** The participants of one day; its weather comes from the seed. */
export function participants(seed: number): Participant[] {
  const luck = chance(seed);
  return [
    ...plants.map((plant) => plantBids(plant, luck)),
    ...winds.map((park) => parkBids(park, windShares(luck), 1.5)),
    ...suns.map((park) => parkBids(park, sunShares(luck), 0.5)),
    ...towns.map((town) => townBids(town, luck)),
    ...factories.map((factory) => factoryBids(factory, luck)),
  ];
}

/** A plant's power in four steps, each a little dearer; what must run is sold at nearly any price. */
function plantBids({ name, zone, power, cost, mustRun = 0 }: Plant, luck: Chance): Participant {
  const today = cost * luck.between(0.95, 1.05);
  const outage = luck.between(0, 1) < 0.08 ? 0.5 : 1;
  const step = (power * outage - mustRun) / 4;
  return limitBids(name, zone, 'sell', () => [
    { price: -60, power: mustRun },
    ...[1, 1.03, 1.07, 1.15].map((factor) => ({ price: today * factor, power: step })),
  ]);
}

/** What the weather gives, at a price near zero. */
const parkBids = (
  { name, zone, power }: { name: string; zone: Zone; power: number },
  shares: readonly number[],
  cost: number,
): Participant => limitBids(name, zone, 'sell', (hour) => [{ price: cost, power: power * shares[hour]! }]);

/** A slow walk between calm and storm. */
function windShares(luck: Chance): number[] {
  const shares = [luck.between(0.1, 0.8)];
  while (shares.length < 24) shares.push(clamp(shares.at(-1)! + luck.between(-0.09, 0.09), 0.03, 0.95));
  return shares;
}

/** A half wave from six to eighteen o'clock under the clouds of the day. */
function sunShares(luck: Chance): number[] {
  const clouds = luck.between(0.45, 1);
  return townShape.map((_, hour) => Math.max(0, Math.sin((Math.PI * (hour - 5.5)) / 13)) ** 1.3 * clouds);
}

/** A town buys most at any price and saves a little when it is dear: one falling curve an hour. */
function townBids({ name, zone, power }: { name: string; zone: Zone; power: number }, luck: Chance): Participant {
  const today = power * luck.between(0.94, 1.06);
  return {
    name,
    bids: (hour, period) => {
      const need = today * townShape[hour]!;
      const points = [
        { price: -500, power: lots(need * 1.06) },
        { price: 40, power: lots(need * 1.03) },
        { price: 120, power: lots(need) },
        { price: 400, power: lots(need * 0.94) },
        { price: 4000, power: lots(need * 0.9) },
      ];
      return [{ record_id: idOf(name, period), kind: 'curve', zone, period, shape: 'linear', points }];
    },
  };
}

/** A factory runs while power is worth it. */
function factoryBids(
  { name, zone, power, worth }: { name: string; zone: Zone; power: number; worth: number },
  luck: Chance,
): Participant {
  const today = worth * luck.between(0.9, 1.1);
  return limitBids(name, zone, 'buy', () =>
    [1.1, 1, 0.85].map((factor) => ({ price: today * factor, power: power / 3 })),
  );
}

const limitBids = (
  name: string,
  zone: Zone,
  side: 'buy' | 'sell',
  steps: (hour: number) => { price: number; power: number }[],
): Participant => ({
  name,
  bids: (hour, period) =>
    steps(hour)
      .map(({ price, power }) => ({ price: cents(price), power: lots(power) }))
      .filter(({ power }) => power > 0)
      .map((step, i) => ({ record_id: `${idOf(name, period)}-${i + 1}`, kind: 'limit', zone, side, period, ...step })),
});

const idOf = (name: string, period: number) => `${name}-h${String(period).padStart(2, '0')}`;
const cents = (price: number) => Math.round(price * 100) / 100;
const lots = (power: number) => Math.round(power * 10) / 10;
const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
