/**
 * The units in which clearing counts the powers and prices of a book: megawatts and currency/MWh, or decimal multiples of them.
 *
 * Solvers and tolerances are made for numbers of some hundreds. A book of households, whose largest order is some kilowatts, is therefore
 * cleared in a smaller unit, prices between -0.05 and 0.4 likewise, and the result is turned back. The units are powers of ten, so that
 * what is a decimal on the lot and the tick stays one, and so that no digit is lost on either way.
 */

import type { Book } from '../../market/book.ts';
import type { BookOrder } from '../../market/order.ts';
import type { Outcome } from '../../market/result.ts';

/** By so many digits powers, prices and hence money are shifted: to 3 digits a kilowatt is 1. */
export interface Units {
  /** 0 to 6: a watt is the least that there is. */
  readonly power: number;
  readonly price: number;
}

/** The largest order of a book has so many units of power at least, and the wider of its price limits at least and at most so many. */
const mostPowerAtLeast = 100;
const [limitAtLeast, limitAtMost] = [1000, 10_000];
/** Digits of a watt, in megawatts; prices and distances are published with as many. */
const digits = 6;

export function unitsOf(book: Book): Units {
  const { min, max } = book.priceLimits;
  const limit = Math.max(Math.abs(min), Math.abs(max));
  let price = 0;
  while (limit > 0 && shifted(limit, price) < limitAtLeast) price++;
  while (shifted(limit, price) > limitAtMost) price--;
  const most = largestPower(book);
  let power = 0;
  while (power < digits && most > 0 && shifted(most, power) < mostPowerAtLeast) power++;
  return { power, price };
}

/** The decimal with its point moved, as its nearest double. */
function shifted(value: number, by: number): number {
  if (by === 0) return value;
  const [mantissa, exponent = '0'] = String(value).split('e');
  return Number(`${mantissa}e${Number(exponent) + by}`);
}

/** MW of the largest order in one period, or of the first that is large enough. */
function largestPower({ orders }: Book): number {
  let most = 0;
  for (const order of orders) {
    for (const power of powersOf(order)) most = Math.max(most, Math.abs(power));
    if (most >= mostPowerAtLeast) break;
  }
  return most;
}

function powersOf(order: BookOrder): readonly number[] {
  switch (order.kind) {
    case 'limit':
    case 'flexible':
      return [order.power];
    case 'curve':
      return order.points.map(({ power }) => power);
    case 'complex':
      return order.steps.map(({ power }) => power);
    case 'block':
      return order.profile?.map(({ power }) => power) ?? [order.power!];
  }
}

type Numbers = number | readonly number[] | null | undefined;

/** These fields shifted, where they are there. */
function move<T extends object, K extends keyof T>(each: T, by: number, ...fields: K[]): T {
  if (by === 0) return each;
  const moved = { ...each };
  for (const field of fields) {
    const value = each[field] as Numbers;
    if (typeof value === 'number') moved[field] = shifted(value, by) as T[K];
    else if (Array.isArray(value)) moved[field] = value.map((one) => shifted(one, by)) as T[K];
  }
  return moved;
}

/** The same book in these units. Where they are not the book's own, a book without lot or tick gets those that its result is rounded to. */
export function inUnits(book: Book, units: Units): Book {
  const { power, price } = units;
  if (power === 0 && price === 0) return book;
  const { rampSets, netPositionRamps } = book;
  const finest = 10 ** -digits;
  return {
    ...book,
    lot: shifted(book.lot ?? finest, power),
    priceLimits: move({ tick: finest, ...book.priceLimits }, price, 'min', 'max', 'tick'),
    lines: book.lines.map((line) => move(move(line, power, 'capacity', 'reverse', 'ramp', 'before'), price, 'tariff')),
    constraints: book.constraints.map((constraint) => move(constraint, power, 'ram')),
    ...(rampSets && { rampSets: rampSets.map((set) => move(set, power, 'ramp', 'before')) }),
    ...(netPositionRamps && { netPositionRamps: netPositionRamps.map((each) => move(each, power, 'ramp', 'before')) }),
    orders: book.orders.map((order) => orderIn(order, units)),
  };
}

function orderIn(order: BookOrder, { power, price }: Units): BookOrder {
  const step = <T extends { price: number; power: number }>(each: T): T =>
    move(move(each, power, 'power'), price, 'price');
  switch (order.kind) {
    case 'limit':
    case 'flexible':
      return step(order);
    case 'curve':
      return { ...order, points: order.points.map(step) };
    case 'block': {
      const { profile } = order;
      const moved = move(move(order, power, 'power'), price, 'price');
      return profile === undefined ? moved : { ...moved, profile: profile.map((each) => move(each, power, 'power')) };
    }
    case 'complex': {
      const { steps, minPower, loadGradient } = order;
      return {
        ...move(move(order, price, 'variableTerm'), power + price, 'fixedTerm'),
        steps: steps.map(step),
        ...(minPower && { minPower: minPower.map((each) => move(each, power, 'power')) }),
        ...(loadGradient && { loadGradient: move(loadGradient, power, 'up', 'down') }),
      };
    }
  }
}

/** Money is published in whole cents. */
export const toCents = (money: number): number => Math.round(money * 100) / 100 + 0;

/** Money as counted in these units. */
export const moneyIn = ({ power, price }: Units, money: number): number => money / 10 ** (power + price);

/** A price on its tick in these units, as it is published. */
export const priceIn = ({ price }: Units, onTick: number): number => shifted(onTick, -price);

/** What is published of volumes and outcomes: megawatts to the watt, money to the cent. An outcome is rounded in place. */
export function published(units: Units) {
  const rounded = (value: number): number => Math.round(value * 10 ** digits) / 10 ** digits + 0;
  const mw = (power: number): number => (units.power === 0 ? power : rounded(power / 10 ** units.power));
  const perUnit = 10 ** (units.power + units.price);
  const money = (value: number): number => toCents(value / perUnit);
  return {
    mw,
    outcome: (each: Outcome): Outcome => {
      if (units.power !== 0) each.power = Array.isArray(each.power) ? each.power.map(mw) : mw(each.power);
      each.surplus = money(each.surplus);
      if (each.reason !== undefined) {
        each.reason.distance = rounded(each.reason.distance / 10 ** units.price);
        each.reason.missedSurplus = money(each.reason.missedSurplus);
      }
      return each;
    },
  };
}
