/** The simplest book that still fails in the same way: what a failing book of a family is printed as. */

import { checkBook } from '../../../src/book/check-book.ts';
import { type Book, parseBook } from '../../../src/market/book.ts';
import { AuctionError } from '../../../src/market/errors.ts';
import type { BookOrder } from '../../../src/market/order.ts';

export function simplify(book: Book, fails: (book: Book) => boolean): Book {
  let best = book;
  for (let tries = 0; tries < 500; tries++) {
    const next = simpler(best).find((candidate) => isBook(candidate) && fails(candidate));
    if (next === undefined) break;
    best = next;
  }
  return best;
}

function isBook(book: Book): boolean {
  try {
    checkBook(parseBook(book));
    return true;
  } catch (error) {
    if (error instanceof AuctionError) return false;
    throw error;
  }
}

function simpler(book: Book): Book[] {
  const all: Book[] = [];
  for (const field of ['orders', 'lines', 'constraints', 'rampSets', 'netPositionRamps'] as const) {
    const list: readonly unknown[] = book[field] ?? [];
    for (let at = list.length - 1; at >= 0; at--) all.push({ ...book, [field]: list.toSpliced(at, 1) });
  }
  const used = new Set([
    ...book.orders.map(({ zone }) => zone),
    ...book.lines.flatMap(({ from, to }) => [from, to]),
    ...book.constraints.flatMap(({ ptdf }) => Object.keys(ptdf)),
  ]);
  const zones = book.zones.filter((zone) => used.has(zone));
  if (zones.length > 0 && zones.length < book.zones.length) all.push({ ...book, zones });
  all.push(...withOneLess(book));
  const { lot, ...rest } = book;
  if (lot !== undefined) all.push(rest);
  book.lines.forEach((line, i) => {
    const put = (fields: object) => all.push({ ...book, lines: book.lines.with(i, { ...line, ...fields }) });
    if (line.loss > 0) put({ loss: 0 });
    if (line.tariff > 0) put({ tariff: 0 });
    if (line.ramp !== null) put({ ramp: null });
  });
  book.orders.forEach((order, i) => {
    for (const next of simplerOrders(order)) all.push({ ...book, orders: book.orders.with(i, next) });
  });
  return all;
}

/** Without its last period, where nothing needs it. */
function withOneLess(book: Book): Book[] {
  const { periods } = book;
  if (periods === 1) return [];
  const cut = <T>(each: T): T => (Array.isArray(each) ? (each.slice(0, periods - 1) as T) : each);
  const lines = book.lines.map((line) => ({
    ...{ ...line, capacity: cut(line.capacity), reverse: cut(line.reverse), ramp: cut(line.ramp) },
  }));
  return [{ ...book, periods: periods - 1, lines }];
}

function simplerOrders(order: BookOrder): BookOrder[] {
  const all: BookOrder[] = [];
  const without = (...fields: string[]) => {
    const kept = Object.entries(order).filter(([field]) => !fields.includes(field));
    if (kept.length < Object.keys(order).length) all.push(Object.fromEntries(kept) as BookOrder);
  };
  for (const field of ['linkedTo', 'exclusiveGroup', 'loadGradient', 'scheduledStop', 'minPower']) without(field);
  if (order.kind === 'curve')
    for (let k = 0; k < order.points.length; k++) all.push({ ...order, points: order.points.toSpliced(k, 1) });
  if (order.kind === 'complex') {
    for (let k = 0; k < order.steps.length; k++) all.push({ ...order, steps: order.steps.toSpliced(k, 1) });
    if (order.variableTerm !== 0) all.push({ ...order, variableTerm: 0 });
    if (order.fixedTerm !== 0) all.push({ ...order, fixedTerm: 0 });
  }
  if (order.kind !== 'block') return all;
  if (order.minAcceptance < 1) all.push({ ...order, minAcceptance: 1 });
  const { from, to, power, profile = [], ...rest } = order;
  for (let k = 0; k < profile.length; k++) all.push({ ...order, profile: profile.toSpliced(k, 1) });
  if (from !== undefined && to !== undefined && power !== undefined && to > from)
    all.push({ ...rest, from, to: to - 1, power }, { ...rest, from: from + 1, to, power });
  return all;
}
