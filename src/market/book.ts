/** The sealed order book: everything that clearing may know. The file format `book/1`. */

import * as z from 'zod';
import { leastPower, leastStep, mostPeriods, mostPrice, mostStep } from './bounds.ts';
import { gridOf } from './decimal.ts';
import { AuctionError, type Problem } from './errors.ts';
import { show } from './fault.ts';
import { constraint, line, networkRules } from './network.ts';
import { type Grids, normalised, roundedTo } from './normalise.ts';
import { type BookOrder, bookOrder, zoneId } from './order.ts';
import { instant, resolution } from './time.ts';
import { toTheWatt } from './to-the-watt.ts';

export const auctionId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, '1 to 64 of a-z 0-9 -, not starting with -')
  .meta({ description: 'Id of an auction', examples: ['hourly-20250401t1000z'] });

const limit = z.number().min(-mostPrice).max(mostPrice);
export const priceLimits = z
  .strictObject({
    min: limit.meta({ description: 'currency/MWh; the lowest price of an order, and that is published' }),
    max: limit.meta({ description: 'currency/MWh; the highest' }),
    tick: z.number().min(leastStep).max(mostStep).optional().meta({
      description: 'currency/MWh; prices are published on it, and limits lie on it',
    }),
  })
  .refine((limits) => limits.min < limits.max, 'min must lie below max')
  .meta({ id: 'PriceLimits' });
export type PriceLimits = z.output<typeof priceLimits>;

export const sha256Text = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hexadecimal digits');

const chainEnds = {
  hash: sha256Text.meta({
    description: 'running hash of the intake after its last entry; of several shards, over `heads`',
  }),
  heads: z
    .array(sha256Text)
    .min(2)
    .optional()
    .meta({ description: 'of an intake in shards: the running hash of each after its last entry' }),
};
const sequence = z.int().min(1);

/** An entry that left no order, so that it is seen to be one without being shown. */
export const intakeLink = z
  .strictObject({
    kind: z.enum(['order', 'replacement', 'cancellation']),
    of: sha256Text.meta({ description: 'of participant, a slash and record_id: which order it is, or cancels' }),
    content: sha256Text.optional().meta({ description: 'of the canonical order; a cancellation has none' }),
    received_at: z.iso.datetime({ offset: true }),
    sequence,
    version: z
      .int()
      .min(2)
      .optional()
      .meta({ description: 'of a replacement; of a cancellation the one it withdraws, where it is not the first' }),
  })
  .meta({ id: 'IntakeLink' });
export type IntakeLink = z.output<typeof intakeLink>;

/** What lets anyone recompute the running hash of the intake from the book: `book/intake.ts` has its two rules. */
export const intakeRecord = z.discriminatedUnion('rule', [
  z.strictObject({
    rule: z.literal(1).optional(),
    ...chainEnds,
    /** Entries that left no order: cancelled orders and their cancellations, and versions that were replaced, by digest so that they stay private. */
    withdrawn: z.array(z.strictObject({ sequence, digest: sha256Text })),
  }),
  z.strictObject({
    rule: z.literal(2),
    ...chainEnds,
    terms: sha256Text.meta({ description: 'of the terms that the chain begins at' }),
    network: sha256Text.meta({ description: 'of the network that the auction was made with' }),
    replaced: sha256Text.optional().meta({ description: 'of the network that took its place before the gate closed' }),
    rules: z.int().min(1).meta({ description: 'version of the market rules' }),
    gateOpening: instant,
    gateClosure: instant,
    withdrawn: z
      .array(intakeLink)
      .meta({ description: 'cancelled orders and their cancellations, and versions that were replaced' }),
    leftOut: z.array(bookOrder).optional().meta({
      description: 'orders that nobody cancelled, but that name one which is not in the book',
    }),
  }),
]);
export type IntakeRecord = z.output<typeof intakeRecord>;

/** Of docs/market-rules.md: counts changes after which another result would be right. */
export const rulesVersion = 1;

export const book = z
  .strictObject({
    merit: z.literal('book/1'),
    auction: auctionId,
    market: z.string().max(32).optional(),
    currency: z.string().regex(/^[A-Z]{3}$/, 'an ISO 4217 code such as EUR'),
    start: instant,
    resolution,
    periods: z.int().min(1).max(mostPeriods),
    priceLimits,
    lot: z.number().min(leastStep).max(mostStep).optional().meta({
      description:
        'MW; powers are multiples of it, and volumes are published in whole lots. Without it powers count to the watt',
    }),
    zones: z.array(zoneId).min(1).max(1000),
    lines: z.array(line).max(10_000).default([]),
    constraints: z.array(constraint).max(1_000_000).default([]),
    ...networkRules,
    intake: intakeRecord.optional(),
    orders: z.array(bookOrder),
  })
  .meta({ id: 'Book' });
export type Book = z.output<typeof book>;

/**
 * A book from JSON that was read from somewhere, its numbers normalised: the network to the watt, prices and powers as `normalise.ts`
 * says; without a lot powers are rounded to the watt. The book of an auction is so already, and keeps its hash.
 *
 * @throws AuctionError `invalid-book`, with each field that is wrong
 */
export function parseBook(value: unknown): Book {
  const parsed = book.safeParse(value);
  if (!parsed.success) throw new AuctionError('invalid-book', 'this is not a book', problemsOf(parsed.error));
  const { lot, orders, ...rest } = toTheWatt(parsed.data);
  const grids = gridsOf({ ...rest.priceLimits, lot });
  const decimal = (order: BookOrder) => normalised(lot === undefined ? roundedTo(order, grids.lot) : order, grids);
  return { ...rest, ...(lot !== undefined && { lot }), orders: orders.map(decimal) };
}

/** Books without a lot count powers to the watt. */
export const gridsOf = ({ tick, lot }: { tick?: number | undefined; lot?: number | undefined }): Grids => ({
  tick: tick === undefined ? undefined : gridOf(tick),
  lot: gridOf(lot ?? leastPower),
});

/**
 * The issues of a zod error as problems: field by path, code, and a message, which says what was seen where the parser was asked to
 * report it.
 */
export const problemsOf = (error: z.ZodError): Problem[] =>
  error.issues.map((issue) => {
    const unknownKeys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    return {
      field: [...issue.path, ...unknownKeys.slice(0, 1)].join('.'),
      code: issue.code === 'unrecognized_keys' ? 'unknown-field' : issue.code.replaceAll('_', '-'),
      message: `${issue.message}${found(issue.input)}`,
    };
  });

const found = (input: unknown): string =>
  input === undefined || (typeof input === 'object' && input !== null) ? '' : ` (found ${show(input)})`;
