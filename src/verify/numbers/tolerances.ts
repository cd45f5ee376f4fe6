/**
 * Every tolerance of the verifier, and the only place where one is written down (`tolerances.test.ts` looks).
 *
 * None is a fixed number of megawatts or of money: a book of households is held as tightly as a country's (market rules, section 11). What may be off is what publishing rounds: volumes to the lot, prices to the tick, both to a millionth without
 * one, money to the cent. All else follows from these: a gain may be off by the price's rounding times the volume, and by the volume's
 * times the price. Beside that there is only what doubles lose when they are added.
 */

import type { Book } from '../../market/book.ts';
import { leastPower, leastStep } from '../../market/bounds.ts';

/** Money is published to the cent: half of one is lost at most. */
export const halfCent = 0.005;

/** Shares: what a ratio loses on its way through powers that are published with six or more digits behind the first. */
export const sameRatio = 1e-6;

/** A share this small of something is nothing of it: of a ratio, or of the largest volume of a book without a lot. */
export const leastShare = 1e-9;

/** Share of a sum's terms that adding a few thousand of them loses. */
const lostInSums = 1e-12;

/** What numbers of this size lose when they are added or multiplied. */
export const dust = (...terms: readonly number[]): number =>
  lostInSums * terms.reduce((sum, term) => sum + Math.abs(term), 0);

/** A program's answer may be off by so many times what adding its numbers loses. */
export const crumbs = 100;

/** A step that doubles may miss by a little on either side. */
const stepWithDust = (step: number): number => step * 1.001;

/** What a figure that is published to this digit may be off, with what its double misses. */
export const publishedTo = (digit: number): number => stepWithDust(digit);

/** Of what a linear program's numbers are scaled to, so much is a rounding error of its pivots. */
export const pivotDust = 1e-9;

/** Pivots below these are not taken, the first that leads to an answer counts: small ones carry rounding errors on, of large ones there may be none. */
export const leastPivots = [1e-6, pivotDust];

/** Of a welfare: what a search is not worth going on for, so what a proof may show more than its result publishes, beside a cent. */
export const notLookedFor = 1e-10;

export interface Tolerances {
  /** Currency/MWh: two prices, each half a tick off, are a whole one further apart or nearer. */
  readonly ep: number;
  /** MW: as much of a volume. */
  readonly eq: number;
}

export function tolerancesOf(book: Book): Tolerances {
  const { priceLimits, lot } = book;
  return {
    ep: stepWithDust(priceLimits.tick ?? leastStep) + dust(priceLimits.min, priceLimits.max),
    eq: stepWithDust(lot ?? Math.max(leastPower, leastShare * largestVolume(book))),
  };
}

/** MW of the largest order. */
function largestVolume({ orders }: Book): number {
  let most = 0;
  const take = (mw: number | undefined) => {
    if (mw !== undefined) most = Math.max(most, Math.abs(mw));
  };
  for (const order of orders) {
    if (order.kind === 'curve') for (const { power } of order.points) take(power);
    else if (order.kind === 'complex') for (const { power } of order.steps) take(power);
    else if (order.kind === 'block' && order.profile !== undefined) for (const { power } of order.profile) take(power);
    else take(order.power);
  }
  return most;
}

/** Currency/MWh that rounding to the tick moves a price: a price half way between two ticks may be told as either. */
export const halfTick = ({ priceLimits }: Book): number => stepWithDust((priceLimits.tick ?? leastStep) / 2);

/** Terms added so that none of them is lost, however many there are and whatever their signs (Neumaier). */
export class Sum {
  #sum = 0;
  #lost = 0;
  #size = 0;

  add(term: number): void {
    const sum = this.#sum + term;
    this.#lost += Math.abs(this.#sum) >= Math.abs(term) ? this.#sum - sum + term : term - sum + this.#sum;
    this.#sum = sum;
    this.#size += Math.abs(term);
  }

  get value(): number {
    return this.#sum + this.#lost;
  }

  /** What the terms themselves may be off for being products of doubles. */
  get dust(): number {
    return dust(this.#size);
  }
}

/** Is a number published with no more decimals than these? */
export function isRounded(value: number, decimals: number): boolean {
  const scaled = value * 10 ** decimals;
  return Math.abs(scaled - Math.round(scaled)) <= lastDigitOff + leastShare * Math.abs(scaled);
}

/** Of the last digit, what reading a decimal as a double moves. */
const lastDigitOff = 1e-3;

/** Is money no further off than publishing it to the cent moves it? */
export const isCent = (off: number, lost: number): boolean => off <= stepWithDust(halfCent) + lost;

/** Is a distance (currency/MWh) what it is, to the digit that it is published to? */
export const isSameDistance = (told: number, due: number, lost = 0): boolean =>
  Math.abs(told - due) <= stepWithDust(leastStep / 2) + stepWithDust(lost) + leastShare * Math.abs(due);

/** Money as published beside money as it comes out. */
export const isSameMoney = (told: number, due: number): boolean =>
  isCent(Math.abs(told - due), leastShare * Math.abs(due));
