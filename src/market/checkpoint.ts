/**
 * Where a search that stopped at its budget goes on: the file format `checkpoint/3`.
 *
 * It belongs to one book and to the engine that wrote it. Nobody outside needs to read it; it is JSON, and names orders by their
 * `record_id`, so that whoever wonders what a long search is doing can look.
 */

import { z } from 'zod';
import { auctionId, problemsOf } from './book.ts';
import { AuctionError } from './errors.ts';
import { recordId } from './order.ts';

/** An order about which there is a yes or no; of a flexible one also which start. */
const decision = z.strictObject({
  record_id: recordId,
  participant: z.string().optional(),
  start: z.int().optional(),
});

/** A flow that is kept at its least, because its line carries power the other way. */
const closedFlow = z.strictObject({ line: z.string(), against: z.boolean(), period: z.int().min(1) });

/** Positions in the group's list of decisions. */
const decisions = z.array(z.int().min(0));

/** The last cell of a list (`lists`); -1 of an empty one. */
const list = z.int().min(-1);

const incumbent = z.strictObject({
  on: decisions,
  closed: z.array(closedFlow),
  welfare: z.number().meta({ description: 'currency per hour' }),
  level: z
    .int()
    .min(0)
    .meta({ description: 'how many kinds of rules give way for it, in the order of market rules, section 4' }),
  /** The answer itself, in the engine's order: what nodes and columns trade, and prices of zone-MTUs and rows. */
  net: z.array(z.number()),
  value: z.array(z.number()),
  price: z.array(z.number()),
  rowPrice: z.array(z.number()),
});

const group = z.strictObject({
  from: z.int().min(1).meta({ description: 'first period' }),
  to: z.int().min(1).meta({ description: 'last period' }),
  decisions: z.array(decision),
  incumbent,
  /**
   * What branches have decided, as cells of lists: a decision, and the cell before it (-1: it is the first). Branches share the cells of
   * the branches they came from.
   */
  lists: z.strictObject({ decision: decisions, before: z.array(list) }),
  /** Branches that are still to be looked at; the last one was next. No bound: nothing is known yet. */
  open: z.array(z.strictObject({ on: list, off: list, closed: z.array(closedFlow), bound: z.number().optional() })),
  unsupported: z.int().min(0).meta({ description: 'answers so far that no prices support' }),
});

export const checkpoint = z.strictObject({
  merit: z.literal('checkpoint/3'),
  auction: auctionId,
  book: z.string().meta({ description: 'hash of the book that is being cleared' }),
  /** Orders that clearing left out because they would lose, and what the whole book is worth at most (money). */
  without: z.array(decision),
  bound: z.number().optional(),
  groups: z.array(group),
  digest: z.string().meta({ description: 'SHA-256 of all of it but this' }),
});
export type Checkpoint = z.output<typeof checkpoint>;
export type GroupCheckpoint = Checkpoint['groups'][number];
export type ClosedFlow = z.output<typeof closedFlow>;

/** A checkpoint from its text. @throws AuctionError `invalid-checkpoint`, with each field that is wrong */
export function parseCheckpoint(text: string): Checkpoint {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const message = `this is not a checkpoint: ${(cause as Error).message}`;
    throw new AuctionError('invalid-checkpoint', message, [], { cause });
  }
  const parsed = checkpoint.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AuctionError('invalid-checkpoint', 'this is not a checkpoint', problemsOf(parsed.error));
}
