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

/** What lets anyone recompute the running hash of the intake from the book: see `book/intake.ts`. */
export const intakeRecord = z.strictObject({
  hash: z
    .string()
    .meta({ description: 'running hash of the intake after its last entry; of several shards, over `heads`' }),
  heads: z
    .array(z.string())
    .min(2)
    .optional()
    .meta({ description: 'of an intake in shards: the running hash of each after its last entry' }),
  /** Entries that left no order: cancelled orders and their cancellations, by digest so that they stay private. */
  withdrawn: z.array(z.strictObject({ sequence: z.int(), digest: z.string() })),
});
export type IntakeRecord = z.output<typeof intakeRecord>;

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
