/**
 * The rest of a result told anew to fit what was forged in it, by somebody who has read the verifier: it says itself what is due.
 *
 * Reasons of limit orders are made from price and volume; everything else is taken from the messages, until they have nothing more to ask for.
 */

import type { Outcome, Reason } from '../../src/market/result.ts';
import { resolutionMinutes } from '../../src/market/time.ts';
import { verify } from '../../src/verify/verify.ts';
import { type Draft, type Honest, pairsOf } from './forgery.ts';

const mostRounds = 4;
const cents = (value: number): number => Math.round(value * 100) / 100;
const number = '(-?[\\d.]+(?:e[+-]?\\d+)?)';
const instead = new RegExp(`instead of ${number}`);

export function retell(draft: Draft, honest: Honest): void {
  for (const { order, told } of pairsOf(draft, honest)) {
    if (told.status === 'accepted') delete told.reason;
    if (order.kind !== 'limit') continue;
    const span =
      resolutionMinutes[order.resolution ?? honest.book.resolution] / resolutionMinutes[honest.book.resolution];
    const prices = draft.prices[order.zone]!.slice((order.period - 1) * span, order.period * span);
    const price = prices.reduce((sum, each) => sum + each, 0) / span;
    if (told.status !== 'accepted')
      told.reason = reasonAt(order.side === 'sell' ? price - order.price : order.price - price, told, honest);
  }
  for (let round = 0; round < mostRounds; round++) {
    const of = new Map(draft.orders.map((told) => [told.record_id, told]));
    const broken = verify(honest.book, honest.hash, draft).checks.flatMap(({ invariant, violations }) =>
      violations.map(({ where, message }) => ({ invariant, where, message })),
    );
    const changes = broken.filter(({ invariant, where, message }) => {
      if (invariant === 'INV-24') return tellWelfare(draft, message);
      const told = of.get(where);
      return told !== undefined && tellOrder(told, invariant, message);
    });
    if (changes.length === 0) break;
  }
  tellGap(draft);
}

function reasonAt(gain: number, { reason }: Outcome, { book }: Honest): Reason {
  const words = { missedSurplus: 0, binding: [] as string[] };
  if (reason?.code === 'curtailed_at_bound' && Math.abs(gain) < (book.priceLimits.tick ?? 1e-6)) return reason;
  if (gain < 0) return { code: 'out_of_the_money', distance: Number((-gain).toFixed(6)), ...words };
  return { code: 'partial_at_the_money', distance: 0, ...words };
}

function tellWelfare(draft: Draft, message: string): boolean {
  const due = new RegExp(`is not ${number}`).exec(message);
  if (due === null) return false;
  draft.welfare = cents(Number(due[1]));
  return true;
}

/** The bound stays: it is the proof's. A better welfare than there is would be above it. */
export function tellGap(draft: Draft): void {
  draft.bound = Math.max(draft.bound, draft.welfare);
  draft.gap = (draft.bound - draft.welfare) / Math.max(1, Math.abs(draft.bound));
}

function tellOrder(told: Outcome, invariant: string, message: string): boolean {
  const due = Number(instead.exec(message)?.[1]);
  const misses = Number(new RegExp(`misses ${number}, not`).exec(message)?.[1]);
  const { reason } = told;
  if (invariant === 'SURPLUS') told.surplus = cents(due);
  else if (reason === undefined) return false;
  else if (/distance .* instead of/.test(message)) reason.distance = Number(Math.max(0, due).toFixed(6));
  else if (/missed surplus .* instead of/.test(message)) reason.missedSurplus = cents(Math.max(0, due));
  else if (Number.isFinite(misses)) reason.missedSurplus = cents(Math.max(0, misses));
  else if (/^(partial_at|out_of)_the_money.*(gain|is in the money|with \d)/.test(message))
    told.reason = {
      code: 'paradoxically_rejected',
      distance: 0,
      missedSurplus: cents(Math.max(0, told.surplus)),
      binding: [],
    };
  else if (/^paradoxically_rejected.* with -/.test(message))
    told.reason = { code: 'out_of_the_money', distance: 0, missedSurplus: 0, binding: [] };
  else if (/^(mic_unmet|sco_fixed_term_unmet)/.test(message))
    told.reason = {
      code: 'paradoxically_rejected_complex',
      distance: 0,
      missedSurplus: cents(Math.max(0, told.surplus)),
      binding: [],
    };
  else return false;
  return true;
}
