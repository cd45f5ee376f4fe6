/**
 * What a house tells while it happens: the states of auctions, how many orders a book was sealed with, results, and to each participant the
 * outcomes of its own orders.
 *
 * Events say what changed and where the rest is to be read; they carry nothing that could not be asked for at the same time. Before the
 * gate that is nothing of the book, not even how many orders there are: from few participants a count tells who trades.
 */

import { type Auction, published, sequenceOf } from '../auction.ts';

interface OfAuction {
  readonly auction: string;
  readonly market: string;
}

export type HouseEvent =
  | (OfAuction & {
      readonly kind: 'auction';
      readonly state: Auction['state'];
      readonly run: number;
      /** Grows with each state (`sequenceOf`). */
      readonly sequence: number;
      readonly gateOpening: string;
      readonly gateClosure: string;
      readonly cause?: string;
      readonly at: string;
    })
  /** Its book was sealed. */
  | (OfAuction & { readonly kind: 'intake'; readonly orders: number; readonly book: string })
  /** Its result is binding. */
  | (OfAuction & {
      readonly kind: 'result';
      readonly result: string;
      readonly status: 'optimal' | 'feasible';
      readonly welfare: number;
      readonly gap: number;
    })
  /** For participants only: each is told of its own orders. */
  | (OfAuction & { readonly kind: 'outcomes' });

/** What a change of an auction's record tells. @param before  `undefined` for a new auction */
export function eventsOf(before: Auction | undefined, auction: Auction): HouseEvent[] {
  const { id, market, state, run, gateOpening, gateClosure, cause, updatedAt: at, book, result } = auction;
  const of = { auction: id, market };
  const moved = before?.state !== state || before.run !== run;
  const isSealed = book !== undefined && before?.book === undefined;
  const isBinding = (one: Auction) => (published as readonly string[]).includes(one.state);
  const isNew = isBinding(auction) && (before === undefined || !isBinding(before)) && result !== undefined;
  return [
    ...(moved
      ? [
          {
            kind: 'auction',
            ...of,
            state,
            run,
            sequence: sequenceOf(auction),
            gateOpening,
            gateClosure,
            ...(cause && { cause }),
            at,
          } as const,
        ]
      : []),
    ...(isSealed ? [{ kind: 'intake', ...of, orders: book.orders, book: book.hash } as const] : []),
    ...(isNew
      ? [
          {
            kind: 'result',
            ...of,
            result: result.hash,
            status: result.status,
            welfare: result.welfare,
            gap: result.gap,
          } as const,
          { kind: 'outcomes', ...of } as const,
        ]
      : []),
  ];
}

export interface NumberedEvent {
  readonly id: string;
  readonly event: HouseEvent;
}

/** The events of the last while, in the order in which they happened. */
export interface EventLog {
  /** Id of the newest; what comes later comes after it. */
  newest(): string;
  /** Those after an id; `undefined` where some of them are not kept any more, or the id is none of this log's. */
  after(id: string): readonly NumberedEvent[] | undefined;
  /** Resolves once there is one after the id, or `stop` was given. */
  grown(id: string, stop: AbortSignal): Promise<void>;
}
