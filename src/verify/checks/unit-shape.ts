/** The shape of what a block, a flexible or a complex order is told: lists of the right length, within what was asked, status and ratio alike. */

import type { Book } from '../../market/book.ts';
import { gridOf, isOn } from '../../market/decimal.ts';
import type { Outcome } from '../../market/result.ts';
import type { Findings } from '../check.ts';
import { dust } from '../numbers/tolerances.ts';
import { isSwitched, profileOf, spanOf, stagesOf, type UnitOrder } from '../view/units.ts';

export function checkUnitOutcome(found: Findings, order: UnitOrder, outcome: Outcome, book: Book): void {
  const { record_id, power, ratio, status, surplus, reason, start } = outcome;
  const most = askedBy(order, book);
  const isList = Array.isArray(power) && power.length === most.length && power.every((mw) => Number.isFinite(mw));
  found.expect(isList, record_id, () => `power must be a list of ${most.length} numbers`);
  found.expect(Number.isFinite(surplus), record_id, () => `surplus ${surplus} must be a number`);
  found.expect(ratio !== undefined, record_id, () => 'has no ratio');
  if (!isList || ratio === undefined) return;
  // Powers asked for and published are on one grid; a schedule's most is a sum.
  const slack = dust(...most);
  power.forEach((mw, i) => {
    found.expect(mw >= 0 && mw <= most[i]! + slack, record_id, () => `${mw} MW of ${most[i]} MW`);
    const whole = book.lot === undefined || mw >= most[i]! - slack || isOn(gridOf(book.lot), mw);
    found.expect(whole, record_id, () => `${mw} MW are not in whole lots of ${book.lot} MW`);
  });
  const full = power.every((mw, i) => mw >= most[i]! - slack);
  const none = power.every((mw) => mw <= slack);
  let due: Outcome['status'] =
    ratio === 1 && full ? 'accepted' : ratio === 0 && none ? 'rejected' : 'partially_accepted';
  if (order.kind === 'complex' && !isSwitched(order) && none) due = 'rejected';
  found.expect(status === due, record_id, () => `${status} with ratio ${ratio} and ${power.join(' ')} MW`);
  if (order.kind !== 'block') {
    const whole = ratio === 0 || ratio === 1;
    found.expect(whole, record_id, () => `ratio ${ratio}: it is on or off`);
  }
  if (order.kind === 'flexible') {
    const { earliest, latest } = order;
    const started = start !== undefined && start >= earliest && start <= latest;
    found.expect(ratio === 1 ? started : start === undefined, record_id, () => `start ${start} with ratio ${ratio}`);
    found.expect(ratio === 1 ? full : none, record_id, () => `${power.join(' ')} MW with ratio ${ratio}: all or none`);
  } else found.expect(start === undefined, record_id, () => 'has a start');
  found.expect((status === 'accepted') === (reason === undefined), record_id, () =>
    status === 'accepted' ? 'is accepted and has a reason' : `is ${status} without a reason`,
  );
}

/** MW asked for, as the outcome lists them. */
function askedBy(order: UnitOrder, book: Book): number[] {
  if (order.kind !== 'complex') return profileOf(order, 1).map(({ power }) => power);
  const span = spanOf(order, book);
  return stagesOf(order, book).flatMap(({ most }) => new Array<number>(span).fill(most));
}
