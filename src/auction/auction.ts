/** An auction: its record, its states and the moves between them. The one table of states is here. */

import * as z from 'zod';
import { sealedTree, signedResult } from '../book/evidence.ts';
import { chainTerms } from '../book/intake.ts';
import { auctionId } from '../market/book.ts';
import { auctionTerms, marketId } from '../market/terms.ts';
import { instant, resolution } from '../market/time.ts';

/** Each state, what it means, and the states that may follow. */
export const states = {
  scheduled: { means: 'made from its market; the gate is not open yet', next: ['open', 'cancelled'] },
  open: { means: 'takes orders', next: ['closed', 'failed', 'cancelled'] },
  closed: { means: 'takes no more orders; the book is being sealed', next: ['clearing', 'failed', 'cancelled'] },
  clearing: { means: 'the book is sealed; the engine works', next: ['preliminary', 'failed'] },
  preliminary: { means: 'there is a result; the verifier has not passed it yet', next: ['final', 'failed'] },
  final: { means: 'its rules were checked and hold; binding; orders are being settled', next: ['settled', 'failed'] },
  settled: { means: 'every order has its outcome; published', next: [] },
  cancelled: { means: 'called off before its book was sealed, or after it failed', next: [] },
  failed: { means: 'stopped with a cause; can be restarted or called off', next: ['closed', 'final', 'cancelled'] },
} as const satisfies Record<string, { means: string; next: readonly string[] }>;

export type AuctionState = keyof typeof states;
export const auctionState = z
  .enum(Object.keys(states) as [AuctionState, ...AuctionState[]])
  .meta({ id: 'AuctionState' });

export const mayFollow = (from: AuctionState, to: AuctionState): boolean =>
  (states[from].next as readonly AuctionState[]).includes(to);

/** How far each state lies on the way of a run. */
const places = ['scheduled', 'open', 'closed', 'clearing', 'preliminary', 'final', 'settled', 'failed', 'cancelled'];

/**
 * A number that grows with each state that an auction goes into, restarts included: what is told with a lower one than was heard already
 * comes late.
 */
export const sequenceOf = ({ run, state }: Pick<Auction, 'run' | 'state'>): number =>
  run * 10 + places.indexOf(state satisfies AuctionState);

/** States in which no more orders are due and the workflow has work to do or has been cut. */
export const inWorkflow = ['closed', 'clearing', 'preliminary', 'final'] as const satisfies readonly AuctionState[];

/** States in which the result is public. */
export const published = ['final', 'settled'] as const satisfies readonly AuctionState[];

export const auction = z
  .strictObject({
    id: auctionId,
    market: marketId,
    state: auctionState,
    delivery: z.strictObject({ start: instant, resolution, periods: z.int().min(1) }),
    gateOpening: instant,
    gateClosure: instant,
    /** Frozen when it was made: a change of the market's file is of later auctions. Records of before have none. */
    terms: auctionTerms.optional(),
    /** Of its network, a document of the archive; an operator may put another in its place until the gate closes. */
    network: z.strictObject({ hash: z.string() }).optional(),
    /** What the chain of its intake begins at. Records of before have none: theirs go by rule 1. */
    chain: chainTerms.optional(),
    /** From sealing on. */
    book: z.strictObject({ hash: z.string(), orders: z.int() }).meta({ id: 'SealedBook' }).optional(),
    /** From sealing on, and public before it is cleared: the tree over the intake. Records of before have none. */
    tree: sealedTree.optional(),
    /** From clearing on. */
    result: z
      .strictObject({
        hash: z.string(),
        status: z.enum(['optimal', 'feasible']),
        welfare: z.number(),
        gap: z.number(),
        /** Of which run, where that is not the current one: a binding result is not cleared again. */
        run: z.int().min(1).optional(),
        /** From final on: the house signs it. Records of before have none. */
        ...signedResult.pick({ at: true, signature: true }).partial().shape,
      })
      .meta({ id: 'ResultSummary' })
      .optional(),
    /** From clearing on, of the pages of outcomes. Records of before have none. */
    pages: z.strictObject({ hash: z.string() }).meta({ id: 'OutcomePages' }).optional(),
    /** Why it failed or was cancelled. */
    cause: z.string().optional(),
    /** While it is failed, or called off after that: in which state that was, and what was found since (`steps/diagnose.ts`). */
    failure: z
      .strictObject({
        from: auctionState,
        diagnosis: z
          .strictObject({
            found: z.enum(['clears', 'orders', 'participants', 'nothing', 'spent']),
            orders: z.int().min(0).meta({ description: 'without how many orders it clears' }),
            hash: z.string().optional().meta({ description: 'of the whole diagnosis' }),
          })
          .optional(),
      })
      .optional(),
    /** Orders that its operator left out of this run, a document of the archive: how many. */
    excluded: z.strictObject({ hash: z.string(), orders: z.int().min(1) }).optional(),
    /** Counts restarts, so that each has an execution of its own. */
    run: z.int().min(1).default(1),
    updatedAt: instant,
  })
  .meta({ id: 'Auction' });
export type Auction = z.output<typeof auction>;
