/** The shape of a result: everything there once, nothing else, all numbers numbers. Nothing else can be checked before. */

import type { Book } from '../../market/book.ts';
import { gridOf, isOn } from '../../market/decimal.ts';
import type { Result } from '../../market/result.ts';
import { type Check, Findings } from '../check.ts';
import { dust, sameRatio } from '../numbers/tolerances.ts';
import { keyOf, offersOf } from '../view/offers.ts';
import { isUnit } from '../view/units.ts';
import { checkUnitOutcome } from './unit-shape.ts';

export function checkStructure(book: Book, hash: string, result: Result): Check[] {
  return [checkBookNamed(book, hash, result), checkSeries(book, result), checkOutcomes(book, result)];
}

function checkBookNamed(book: Book, hash: string, result: Result): Check {
  const found = new Findings('INV-37', 'the result is of this sealed book');
  found.expect(result.book === hash, 'book', () => `the result names ${result.book}, the book is ${hash}`);
  found.expect(result.auction === book.auction, 'auction', () => `${result.auction} is not ${book.auction}`);
  return found.check;
}

function checkSeries(book: Book, result: Result): Check {
  const found = new Findings('INV-01', 'one price for each zone and MTU, within the limits');
  const { min, max, tick } = book.priceLimits;
  const series = (name: 'prices' | 'netPositions' | 'flows', ids: readonly string[]) => {
    const given = Object.keys(result[name]);
    for (const id of given) found.expect(ids.includes(id), `${name}/${id}`, () => 'is not in the book');
    for (const id of ids) {
      const row = Object.hasOwn(result[name], id) ? result[name][id]! : [];
      found.expect(
        row.length === book.periods,
        `${name}/${id}`,
        () => `has ${row.length} values for ${book.periods} MTUs`,
      );
      row.forEach((value, t) => {
        const inside = name !== 'prices' || (value >= min && value <= max);
        found.expect(
          Number.isFinite(value) && inside,
          `${name}/${id}/${t + 1}`,
          () => `${value} is no ${name.slice(0, -1)}`,
        );
        if (name !== 'prices' || tick === undefined) return;
        found.expect(isOn(gridOf(tick), value), `prices/${id}/${t + 1}`, () => `${value} is not on the tick ${tick}`);
      });
    }
  };
  series('prices', book.zones);
  series('netPositions', book.zones);
  series(
    'flows',
    book.lines.map(({ id }) => id),
  );
  return found.check;
}

function checkOutcomes(book: Book, result: Result): Check {
  const found = new Findings('INV-02', 'one outcome for each order, of no more than it asked for');
  const orders = new Map(book.orders.map((order) => [keyOf(order), order]));
  const seen = new Set<string>();
  for (const outcome of result.orders) {
    const { record_id, power, ratio, status, surplus, reason, start } = outcome;
    const key = keyOf(outcome);
    const order = orders.get(key);
    if (reason !== undefined) {
      const { distance, missedSurplus } = reason;
      const areAmounts = [distance, missedSurplus].every((each) => Number.isFinite(each) && each >= 0);
      found.expect(areAmounts, record_id, () => `distance ${distance}, missed ${missedSurplus}`);
    }
    found.expect(order !== undefined, record_id, () => 'is no order of the book');
    found.expect(!seen.has(key), record_id, () => 'has two outcomes');
    seen.add(key);
    if (order === undefined) continue;
    if (isUnit(order)) {
      checkUnitOutcome(found, order, outcome, book);
      continue;
    }
    if (typeof power !== 'number' || !Number.isFinite(power) || !Number.isFinite(surplus)) {
      found.expect(false, record_id, () => `power ${power} and surplus ${surplus} must be numbers`);
      continue;
    }
    found.expect(start === undefined, record_id, () => 'has a start');
    found.expect(order.kind !== 'curve' || ratio === undefined, record_id, () => 'a curve has no ratio');
    const asked = { buy: 0, sell: 0 };
    for (const offer of offersOf(order, book)) asked[offer.side] += offer.power;
    const isCurve = order.kind === 'curve';
    // Powers asked for and published are on one grid, so all is all of it; a curve's is a sum.
    const slack = dust(asked.buy, asked.sell);
    const most = isCurve ? (power > 0 ? asked.buy : asked.sell) : asked.buy + asked.sell;
    found.expect(
      (isCurve || power >= 0) && Math.abs(power) <= most + slack,
      record_id,
      () => `${power} MW of ${most} MW`,
    );
    // Section 5.5; an order that is executed whole was on the lot when the book was sealed.
    const whole = book.lot === undefined || Math.abs(power) >= most - slack || isOn(gridOf(book.lot), power);
    found.expect(whole, record_id, () => `${power} MW are not in whole lots of ${book.lot} MW`);
    const full = Math.abs(power) >= most - slack;
    const none = Math.abs(power) <= slack;
    const fits = status === 'accepted' ? full : status === 'rejected' ? none : true;
    found.expect(fits, record_id, () => `${status} with ${power} of ${most} MW`);
    const partly = status !== 'partially_accepted' || (Math.abs(power) > 0 && Math.abs(power) < most);
    found.expect(partly, record_id, () => `${status} with ${power} of ${most} MW`);
    if (!isCurve) {
      const share = power / most;
      found.expect(
        Math.abs((ratio ?? Number.NaN) - share) <= sameRatio,
        record_id,
        () => `ratio ${ratio} with ${power} of ${most} MW`,
      );
    }
    found.expect((status === 'accepted') === (reason === undefined), record_id, () =>
      status === 'accepted' ? 'is accepted and has a reason' : `is ${status} without a reason`,
    );
  }
  for (const [key, { record_id }] of orders) found.expect(seen.has(key), record_id, () => 'has no outcome');
  return found.check;
}
