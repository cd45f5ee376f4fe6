/**
 * The door: what an auction takes, and what is wrong with an order that it does not take.
 *
 * `market/order.ts` says what an order looks like on its own; here it meets the terms of one auction: its zones, periods,
 * price limits, ticks, lots and kinds, and the orders it names. Every problem of every order is found, so that a client mends them in one go.
 */

import { gridsOf, problemsOf } from '../market/book.ts';
import type { Problem } from '../market/errors.ts';
import { type Fault, fault, show } from '../market/fault.ts';
import { normalised } from '../market/normalise.ts';
import { type Order, type OrderKind, orderKinds, orderSubmission, plainLimitOrder } from '../market/order.ts';
import { canonical } from './canonical.ts';
import { orderChecker } from './order-rules.ts';
import { checkParticipant, type Owner, ofPortfolio } from './portfolio-rules.ts';
import { type Earlier, relationChecker } from './relations.ts';
import type { Terms } from './terms.ts';

export type Admission = { readonly orders: Order[] } | { readonly problems: Problem[] };

/**
 * Parse and check each submission, filling in zone and period where the auction has only one.
 *
 * @param earlier  what of their participant is in the intake already, as far as they name it (`namesIn`)
 * @param owner  who sends them; without one they may be anybody's
 */
export function admit(submissions: readonly unknown[], terms: Terms, earlier?: Earlier, owner?: Owner): Admission {
  const check = orderChecker(terms);
  const grids = gridsOf({ ...terms.priceLimits, ...terms.powerLimits });
  const orders: (Order | undefined)[] = [];
  const seen = new Map<string, number>();
  const faults = submissions.map((submission, index) => {
    const found: Fault[] = [];
    const parsed = parse(submission, terms, owner, found);
    const order = parsed && ofPortfolio(normalised(parsed, grids), owner?.portfolios, found);
    orders[index] = order;
    if (order === undefined) return found;
    check(order, found);
    const before = seen.get(order.record_id);
    if (before === undefined) seen.set(order.record_id, index);
    else if (found.length === 0 && canonical(orders[before] ?? null) !== canonical(order)) {
      found.push(
        fault('record_id', 'duplicate', `record_id ${order.record_id} is in this request twice, with two bodies`),
      );
    }
    return found;
  });
  const refused = new Set(submissions.filter((_, index) => faults[index]!.length > 0).map((each) => recordIdOf(each)));
  const known = orders.filter((order) => order !== undefined);
  const relate = relationChecker(known, refused, earlier);
  orders.forEach((order, index) => {
    if (order !== undefined) relate(order, faults[index]!);
  });
  const problems = faults.flatMap((found, index): Problem[] => {
    const record_id = recordIdOf(submissions[index]);
    return found.map((each) => ({ index, ...(record_id === undefined ? {} : { record_id }), ...each }));
  });
  return problems.length > 0 ? { problems } : { orders: known };
}

function recordIdOf(submission: unknown): string | undefined {
  if (typeof submission !== 'object' || submission === null || !('record_id' in submission)) return undefined;
  return typeof submission.record_id === 'string' ? submission.record_id.slice(0, 64) : undefined;
}

function parse(submission: unknown, terms: Terms, owner: Owner | undefined, found: Fault[]): Order | undefined {
  if (typeof submission !== 'object' || submission === null || Array.isArray(submission)) {
    found.push(fault('', 'invalid-type', `an order is an object, this is ${show(submission)}`));
    return undefined;
  }
  const kind = 'kind' in submission && submission.kind !== undefined ? submission.kind : 'limit';
  if (!orderKinds.includes(kind as OrderKind)) {
    found.push(fault('kind', 'unknown-kind', `${show(kind)} is none of the kinds ${terms.orderKinds.join(', ')}`));
    return undefined;
  }
  if (!terms.orderKinds.includes(kind as OrderKind)) {
    found.push(fault('kind', 'kind-not-taken', `this market takes ${terms.orderKinds.join(', ')}, not ${kind}`));
    return undefined;
  }
  const plain = plainLimitOrder(submission);
  if (plain !== undefined) return plain;
  const parsed = orderSubmission.safeParse(submission, { reportInput: true });
  if (!parsed.success) {
    for (const { field = '', code, message } of problemsOf(parsed.error)) found.push(fault(field, code, message));
    return undefined;
  }
  const { participant, ...order } = parsed.data;
  checkParticipant(participant, owner, found);
  if (order.zone === undefined) {
    if (terms.zones.length === 1) order.zone = terms.zones[0]!;
    else found.push(fault('zone', 'missing', `which zone? one of ${terms.zones.join(', ')}`));
  }
  if ((order.kind === 'limit' || order.kind === 'curve') && order.period === undefined) {
    const { periods } = terms.delivery;
    if (periods === 1 && order.resolution === undefined) order.period = 1;
    else found.push(fault('period', 'missing', `which period? 1 to ${periods}`));
  }
  return found.length > 0 ? undefined : (order as Order);
}
