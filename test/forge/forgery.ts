/** What a forgery is: a right result, and somebody with a reason to tell it otherwise. */

import type { Book } from '../../src/market/book.ts';
import type { BookOrder } from '../../src/market/order.ts';
import type { Proof } from '../../src/market/proof.ts';
import type { Outcome, Result } from '../../src/market/result.ts';
import type { Dice } from '../support/random-orders.ts';

/** A book that was cleared, with all that a forger has in hand. */
export interface Honest {
  readonly name: string;
  readonly book: Book;
  readonly hash: string;
  readonly result: Result;
  readonly proof: Proof;
}

/** Outcomes may be written over; what the format calls read-only, a forger does not. */
export type Draft = {
  -readonly [K in keyof Result]: Result[K];
};

export interface Kind {
  readonly name: string;
  /**
   * `told`: surpluses, reasons, welfare and gap are told anew to fit what was changed, as somebody would who has read the verifier; `bare`: only
   * what is changed is.
   */
  readonly rest: 'told' | 'bare';
  /** Change the draft; false where the book has nothing of the kind. */
  readonly forge: (draft: Draft, honest: Honest, dice: Dice) => boolean;
}

export const kinds: Kind[] = [];

export const kind = (name: string, rest: Kind['rest'], forge: Kind['forge']): void => {
  kinds.push({ name, rest, forge });
};

/** An order beside what it was told. */
export interface Pair<O extends BookOrder = BookOrder> {
  readonly order: O;
  readonly told: Outcome;
}

export const pairsOf = ({ orders }: Draft, { book }: Honest): Pair[] =>
  book.orders.map((order, i) => ({ order, told: orders[i]! }));

type Limit = Extract<BookOrder, { kind: 'limit' }>;
export interface Single extends Pair<Limit> {
  readonly mw: number;
}

/** Limit orders of one MTU. */
export const singles = (draft: Draft, honest: Honest): Single[] =>
  pairsOf(draft, honest).flatMap(({ order, told }) =>
    order.kind === 'limit' && (order.resolution ?? honest.book.resolution) === honest.book.resolution
      ? [{ order, told, mw: told.power as number }]
      : [],
  );

export const same = (a: Single, b: Single): boolean =>
  a.order.zone === b.order.zone && a.order.period === b.order.period && a.order.side === b.order.side;

/** MW of the least step that a volume of this book has. */
export const stepOf = ({ book }: Honest): number => book.lot ?? 1e-6;
export const tickOf = ({ book }: Honest): number => book.priceLimits.tick ?? 1e-6;

export const rounded = (value: number, digits = 6): number => Number(value.toFixed(digits)) + 0;

/** A limit order executed so far, with the status and ratio of it. */
export function execute({ order, told }: Pair<Limit>, mw: number): void {
  const power = rounded(mw);
  told.power = power;
  told.ratio = power / order.power;
  told.status = power === order.power ? 'accepted' : power === 0 ? 'rejected' : 'partially_accepted';
}

/** One of them; undefined of none. */
export const one = <T>(items: readonly T[], dice: Dice): T | undefined =>
  items.length === 0 ? undefined : dice.pick(items);
