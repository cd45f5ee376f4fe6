/** The result of a clearing: the file format `result/1`, and the reasons an order can have. */

import * as z from 'zod';
import { auctionId, problemsOf } from './book.ts';
import { AuctionError } from './errors.ts';
import { participantName, recordId, zoneId } from './order.ts';

/**
 * Why an order was not fully executed (market rules, section 12), and what a person is told.
 * The one table of reasons: the API, the notices and the CLI read their words from here.
 */
export const reasons = {
  partial_at_the_money: 'the price equals the limit, and the volume at this price was shared pro rata',
  curtailed_at_bound: 'the price is at its limit, and what could be served was shared pro rata',
  out_of_the_money: 'the price is on the wrong side of the limit',
  parent_rejected: 'the block it is linked to was rejected',
  family_loss: 'the family of linked blocks would lose',
  exclusive_sibling: 'another order of its exclusive group was accepted',
  loop_loss: 'the two legs together would lose',
  mic_unmet: 'the minimum income condition does not hold',
  sco_fixed_term_unmet: 'the surplus does not cover the fixed term',
  paradoxically_rejected: 'in the money, but no uniform price supports its acceptance',
  paradoxically_rejected_complex: 'its condition would hold, but no uniform price supports its acceptance',
  gradient_limited: 'in the money, but held back by its load gradient',
  scheduled_stop: 'only its scheduled-stop segments were kept',
  excluded: 'the auction could not be cleared with it, and the operator decided to clear it without',
} as const;
export type ReasonCode = keyof typeof reasons;
const reasonCodes = Object.keys(reasons) as [ReasonCode, ...ReasonCode[]];

export const reason = z
  .strictObject({
    code: z.enum(reasonCodes),
    distance: z.number().min(0).meta({ description: 'currency/MWh between the limit and the price' }),
    missedSurplus: z.number().min(0).meta({ description: 'money the order would have gained at the published prices' }),
    binding: z.array(z.string()).meta({ description: 'ids of the orders, lines and constraints that decided it' }),
  })
  .meta({ id: 'Reason' });
export type Reason = z.output<typeof reason>;

export const orderStatus = z.enum(['accepted', 'partially_accepted', 'rejected']).meta({ id: 'OrderStatus' });
export type OrderStatus = z.output<typeof orderStatus>;

export const outcome = z
  .strictObject({
    record_id: recordId,
    participant: z.string().optional(),
    status: orderStatus,
    power: z.union([z.number(), z.array(z.number())]).meta({
      description: 'MW executed, not negative; a curve: signed, positive buys; a list when it spans several periods',
    }),
    ratio: z.number().min(0).max(1).optional(),
    start: z.int().optional(),
    surplus: z.number().meta({ description: 'money gained at the published prices if fully accepted' }),
    reason: reason.optional(),
  })
  .meta({ id: 'Outcome' });
export type Outcome = z.output<typeof outcome>;

/** An order of a book: a `record_id` is its participant's own. */
export const orderName = z
  .strictObject({ record_id: recordId, participant: participantName.optional() })
  .meta({ id: 'OrderName' });
export type OrderName = z.output<typeof orderName>;

const series = z.record(z.string(), z.array(z.number()));

export const result = z
  .strictObject({
    merit: z.literal('result/1'),
    auction: auctionId,
    book: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    status: z.enum(['optimal', 'feasible']),
    welfare: z.number(),
    bound: z.number(),
    gap: z.number(),
    prices: z.record(zoneId, z.array(z.number())),
    netPositions: series,
    flows: series,
    excluded: z.array(orderName).optional().meta({
      description: 'orders of the book that the operator left out, because the auction could not be cleared with them',
    }),
    orders: z.array(outcome),
  })
  .meta({ id: 'Result' });
export type Result = z.output<typeof result>;

/** A result from JSON that was read from somewhere. @throws AuctionError `invalid-result`, with each field that is wrong */
export function parseResult(value: unknown): Result {
  const parsed = result.safeParse(value);
  if (!parsed.success) throw new AuctionError('invalid-result', 'this is not a result', problemsOf(parsed.error));
  return parsed.data;
}
