/** A book cleared anew without some of its orders, and told as one of the whole: decisions that are not the best, with the honest proof. */

import { clearWith } from '../../../src/clearing/clear.ts';
import { loadSolver } from '../../../src/clearing/solver/highs.ts';
import type { Book } from '../../../src/market/book.ts';
import { AuctionError } from '../../../src/market/errors.ts';
import type { BookOrder } from '../../../src/market/order.ts';
import type { Outcome } from '../../../src/market/result.ts';
import type { Dice } from '../../support/random-orders.ts';
import { type Draft, type Honest, kind } from '../forgery.ts';
import { tellGap } from '../retell.ts';

const solver = await loadSolver();

function leftOut(order: BookOrder, { periods }: Book): Outcome {
  const length =
    order.kind === 'complex'
      ? periods
      : order.kind === 'flexible'
        ? order.duration
        : order.kind === 'block'
          ? (order.profile?.length ?? order.to! - order.from! + 1)
          : 0;
  const missed = order.kind === 'complex' ? 'paradoxically_rejected_complex' : 'paradoxically_rejected';
  return {
    record_id: order.record_id,
    ...(order.participant !== undefined && { participant: order.participant }),
    status: 'rejected',
    power: length === 0 ? 0 : new Array<number>(length).fill(0),
    ...(order.kind !== 'curve' && { ratio: 0 }),
    surplus: 0,
    reason: { code: missed, distance: 0, missedSurplus: 0, binding: [] },
  };
}

function without(draft: Draft, honest: Honest, isOut: (order: BookOrder, told: Outcome) => boolean): boolean {
  const { book, hash } = honest;
  const out = new Set(book.orders.filter((order, i) => isOut(order, draft.orders[i]!)));
  if (out.size === 0 || out.size === book.orders.length) return false;
  let result: Draft;
  try {
    ({ result } = clearWith(solver, { ...book, orders: book.orders.filter((order) => !out.has(order)) }, hash));
  } catch (error) {
    // A child without its parent is no book.
    if (error instanceof AuctionError || error instanceof TypeError) return false;
    throw error;
  }
  const told = [...result.orders];
  const { bound } = draft;
  Object.assign(draft, result, {
    bound,
    status: 'optimal',
    orders: book.orders.map((order) => (out.has(order) ? leftOut(order, book) : told.shift()!)),
  });
  tellGap(draft);
  return true;
}

const isDecided = ({ kind: of }: BookOrder): boolean => of === 'block' || of === 'flexible' || of === 'complex';
const drawn = (orders: readonly BookOrder[], dice: Dice, share: number): Set<BookOrder> =>
  new Set(orders.filter(() => dice.chance(share)));

kind('decisions: accepted blocks left out of a clearing', 'told', (draft, honest, dice) => {
  const out = drawn(honest.book.orders, dice, 0.5);
  return without(draft, honest, (order, told) => isDecided(order) && told.status !== 'rejected' && out.has(order));
});

kind('decisions: a clearing without some orders of any kind', 'told', (draft, honest, dice) => {
  const out = drawn(honest.book.orders, dice, 0.2);
  return without(draft, honest, (order) => out.has(order));
});

kind('decisions: one accepted order left out of a clearing', 'told', (draft, honest, dice) => {
  const accepted = honest.book.orders.filter((_, i) => draft.orders[i]!.status !== 'rejected');
  if (accepted.length === 0) return false;
  const out = dice.pick(accepted);
  return without(draft, honest, (order) => order === out);
});
