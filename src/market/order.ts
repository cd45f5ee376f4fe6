/**
 * The order kinds: one schema source for validation, OpenAPI and types.
 *
 * Which kinds a market takes is its config's decision. Here stands only what can be said of an order on its own; whether
 * its zone, period, price and power fit an auction is `book/admission.ts`'s question.
 *
 * Units: price in currency/MWh, power in MW (buy and sell both positive, the side says which; a curve's points are signed,
 * positive buys), money in the currency. `period` is 1-based within the auction.
 */

import * as z from 'zod';
import { leastRatio, mostFlow, mostMoney, mostPeriods, mostPower, mostPrice } from './bounds.ts';
import { reservedKeys } from './json.ts';
import { resolution } from './time.ts';

// `.` and `..` are steps in a path, not names; reserved keys are no keys in JSON that every reader reads alike.
const reserved = reservedKeys.join('|');
const recordIdForm = new RegExp(`^(?!(?:\\.{1,2}|${reserved})$)[A-Za-z0-9._:-]{1,64}$`);
const recordIdRule = `1 to 64 of A-Z a-z 0-9 . _ : -, and not . or .. or ${reservedKeys.join(' or ')}`;
const zoneIdForm = new RegExp(`^(?!(?:${reserved})$)[A-Za-z0-9_-]{1,32}$`);
const zoneIdRule = `1 to 32 of A-Z a-z 0-9 _ -, and not ${reservedKeys.join(' or ')}`;

export const recordId = z
  .string()
  .regex(recordIdForm, recordIdRule)
  .meta({ description: 'Chosen by the client, unique per auction and participant', examples: ['o-1'] });

export const portfolioName = z
  .string()
  .regex(recordIdForm, recordIdRule)
  .meta({ description: 'One of its participant; filled in where the participant has one only' });
export const participantName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, '1 to 64 of A-Z a-z 0-9 . _ @ -, the first a letter or a digit');
export const zoneId = z.string().regex(zoneIdForm, zoneIdRule);
export const side = z.enum(['buy', 'sell']).meta({ id: 'Side' });
export const period = z
  .int()
  .min(1)
  .max(mostPeriods)
  .meta({ description: '1-based market time unit within the auction' });
export const price = z
  .number()
  .min(-mostPrice)
  .max(mostPrice)
  .meta({ description: 'currency/MWh, within the price limits and a multiple of the tick' });
export const power = z
  .number()
  .positive()
  .max(mostPower)
  .meta({ description: 'MW, positive and a multiple of the lot; the side says which way' });
const money = z.number().min(0).max(mostMoney).meta({ description: 'in the currency, in whole cents' });
const ratio = z
  .number()
  .min(0)
  .max(1)
  .refine((value) => value <= 0 || value >= leastRatio, `0, or from ${leastRatio} to 1`)
  .meta({ description: `0, or from ${leastRatio} to 1` });
/** MW per hour. */
const gradient = z.number().min(0).max(mostFlow).meta({ description: 'MW per hour, to the watt' });

/** The fields that every order has. `zone` may be left out where the auction has one; intake fills it in. */
const common = {
  record_id: recordId,
  zone: zoneId,
  /** Makes `period` count in this resolution; the order has one ratio in all MTUs that a period of it covers. */
  resolution: resolution.optional(),
  /** Of its participant; it says in which zones and up to which power the order may be. */
  portfolio: portfolioName.optional(),
};

export const limitOrder = z.strictObject({
  ...common,
  kind: z.literal('limit').default('limit'),
  side,
  period,
  price,
  power,
});

export const curvePoint = z
  .strictObject({
    price,
    power: z
      .number()
      .min(-mostPower)
      .max(mostPower)
      .meta({ description: 'MW, net position at this price: positive buys, negative sells' }),
  })
  .meta({ id: 'CurvePoint' });

export const curveOrder = z.strictObject({
  ...common,
  kind: z.literal('curve'),
  period,
  shape: z.enum(['step', 'linear']),
  points: z.array(curvePoint).min(1).max(1000),
});

const profileStep = z.strictObject({ period, power }).meta({ id: 'PeriodPower', description: 'MW in one period' });

export const blockOrder = z.strictObject({
  ...common,
  kind: z.literal('block'),
  side,
  price,
  profile: z.array(profileStep).min(1).max(1000).optional(),
  from: period.optional(),
  to: period.optional(),
  power: power.optional(),
  minAcceptance: ratio.default(1),
  linkedTo: recordId.optional(),
  exclusiveGroup: recordId.optional(),
  loopWith: recordId.optional(),
});

export const flexibleOrder = z.strictObject({
  ...common,
  kind: z.literal('flexible'),
  side,
  price,
  power,
  duration: period,
  earliest: period,
  latest: period,
});

const complexStep = z
  .strictObject({ period, price, power, minAcceptance: ratio.optional() })
  .meta({ id: 'ComplexStep' });

export const complexOrder = z.strictObject({
  ...common,
  kind: z.literal('complex'),
  side,
  steps: z.array(complexStep).min(1).max(5000),
  fixedTerm: money.default(0),
  variableTerm: z
    .number()
    .min(-mostPrice)
    .max(mostPrice)
    .default(0)
    .meta({ description: 'currency/MWh, a multiple of the tick; of a minimum income only' }),
  condition: z.enum(['minimum-income', 'minimum-profit', 'maximum-payment']).optional(),
  loadGradient: z.strictObject({ up: gradient, down: gradient }).meta({ id: 'LoadGradient' }).optional(),
  scheduledStop: z.int().min(0).max(12).optional(),
  minPower: z.array(profileStep).max(1000).optional(),
});

export const orderKinds = ['limit', 'curve', 'block', 'flexible', 'complex'] as const;
export type OrderKind = (typeof orderKinds)[number];

/** An order as the book holds it, before the house's stamps. */
export const order = z
  .discriminatedUnion('kind', [
    limitOrder.meta({ id: 'LimitOrder' }),
    curveOrder.meta({ id: 'CurveOrder' }),
    blockOrder.meta({ id: 'BlockOrder' }),
    flexibleOrder.meta({ id: 'FlexibleOrder' }),
    complexOrder.meta({ id: 'ComplexOrder' }),
  ])
  .meta({
    id: 'Order',
    description: 'An order of one of the kinds that the market takes; without `kind` it is a limit order',
  });

export type LimitOrder = z.output<typeof limitOrder>;
export type CurveOrder = z.output<typeof curveOrder>;
export type BlockOrder = z.output<typeof blockOrder>;
export type FlexibleOrder = z.output<typeof flexibleOrder>;
export type ComplexOrder = z.output<typeof complexOrder>;
export type Order = z.output<typeof order>;

/** Of its sender; the house stamps it. */
const sender = {
  participant: participantName.optional().meta({ description: 'whoever sends it, and nobody else' }),
};

/**
 * What a client may leave out, intake fills in: `zone` with one zone, `period` with one period, `kind` of a limit order, `portfolio`
 * with one portfolio, and `participant` always.
 */
export const orderSubmission = z
  .discriminatedUnion('kind', [
    limitOrder.partial({ zone: true, period: true }).extend(sender).meta({ id: 'LimitOrderSubmission' }),
    curveOrder.partial({ zone: true, period: true }).extend(sender).meta({ id: 'CurveOrderSubmission' }),
    blockOrder.partial({ zone: true }).extend(sender).meta({ id: 'BlockOrderSubmission' }),
    flexibleOrder.partial({ zone: true }).extend(sender).meta({ id: 'FlexibleOrderSubmission' }),
    complexOrder.partial({ zone: true }).extend(sender).meta({ id: 'ComplexOrderSubmission' }),
  ])
  .meta({
    id: 'OrderSubmission',
    description: 'An order as a client sends it: `zone` and `period` may be left out where the auction has one of them',
    examples: [
      { record_id: 'o-1', zone: 'NORTH', side: 'buy', period: 1, price: 60, power: 80 },
      {
        record_id: 'town-1',
        zone: 'NORTH',
        kind: 'curve',
        period: 1,
        shape: 'linear',
        points: [
          { price: -500, power: 40 },
          { price: 4000, power: 25 },
        ],
      },
      {
        record_id: 'night',
        zone: 'NORTH',
        kind: 'block',
        side: 'sell',
        price: 42.5,
        from: 1,
        to: 24,
        power: 60,
        minAcceptance: 0.5,
        exclusiveGroup: 'boiler',
      },
      {
        record_id: 'washing',
        zone: 'NORTH',
        kind: 'flexible',
        side: 'buy',
        price: 35,
        power: 12,
        duration: 8,
        earliest: 5,
        latest: 60,
      },
      {
        record_id: 'gas-unit',
        zone: 'NORTH',
        kind: 'complex',
        side: 'sell',
        condition: 'minimum-profit',
        fixedTerm: 900,
        steps: [
          { period: 33, price: 61, power: 150, minAcceptance: 0.4 },
          { period: 34, price: 61, power: 150, minAcceptance: 0.4 },
          { period: 34, price: 68, power: 50 },
        ],
        loadGradient: { up: 800, down: 800 },
      },
    ],
  });
export type OrderSubmission = z.output<typeof orderSubmission>;

/**
 * The short cut for a limit order as nearly every client sends it, with each field there and right and nothing else: what
 * `orderSubmission` makes of it, in a quarter of the time. `undefined` says nothing about the order, the schema has to look.
 */
export function plainLimitOrder(submission: object): LimitOrder | undefined {
  const { record_id, zone, kind = 'limit', side, period, price, power } = submission as LimitOrder;
  const isPlain =
    Object.keys(submission).length === (Object.hasOwn(submission, 'kind') ? 7 : 6) &&
    kind === 'limit' &&
    (side === 'buy' || side === 'sell') &&
    typeof record_id === 'string' &&
    recordIdForm.test(record_id) &&
    typeof zone === 'string' &&
    zoneIdForm.test(zone) &&
    Number.isInteger(period) &&
    period >= 1 &&
    period <= mostPeriods &&
    Number.isFinite(price) &&
    Math.abs(price) <= mostPrice &&
    Number.isFinite(power) &&
    power > 0 &&
    power <= mostPower;
  return isPlain ? { record_id, zone, kind, side, period, price, power } : undefined;
}

/** What the house adds at intake. */
export const stamps = {
  participant: participantName,
  sequence: z.int().min(1),
  received_at: z.iso.datetime({ offset: true }),
};
const optionalStamps = {
  participant: stamps.participant.optional(),
  sequence: stamps.sequence.optional(),
  received_at: stamps.received_at.optional(),
  version: z.int().min(2).optional().meta({ description: 'of an order that was replaced; the first without it' }),
};

/** An order in a book: stamped when it came through intake, without stamps when the book was written by hand. */
export const bookOrder = z
  .discriminatedUnion('kind', [
    limitOrder.extend(optionalStamps).meta({ id: 'LimitOrderOfBook' }),
    curveOrder.extend(optionalStamps).meta({ id: 'CurveOrderOfBook' }),
    blockOrder.extend(optionalStamps).meta({ id: 'BlockOrderOfBook' }),
    flexibleOrder.extend(optionalStamps).meta({ id: 'FlexibleOrderOfBook' }),
    complexOrder.extend(optionalStamps).meta({ id: 'ComplexOrderOfBook' }),
  ])
  .meta({ id: 'OrderOfBook' });
export type BookOrder = z.output<typeof bookOrder>;
