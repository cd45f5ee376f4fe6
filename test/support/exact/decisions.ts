/**
 * Every decision vector of a book: which blocks and complex orders are on, and when flexible orders start (market rules, 2.3 to 2.8).
 *
 * A lone block without a least ratio, and a complex order with neither condition nor minima, decide nothing (market rules, What was decided).
 */

import type { BlockOrder, BookOrder, ComplexOrder, FlexibleOrder } from '../../../src/market/order.ts';
import { compare, one, plus, type Rational, rational, zero } from './rational.ts';

/** By record_id: off, on, or the period in which a flexible order starts. Of a loop both legs are there. */
export type Decision = ReadonlyMap<string, boolean | number>;

export function decisionsOf(orders: readonly BookOrder[]): Decision[] {
  let all: Map<string, boolean | number>[] = [new Map()];
  for (const order of orders) {
    const choices = choicesOf(order, orders);
    if (choices.length === 0) continue;
    all = all.flatMap((decision) => choices.map((choice) => new Map(decision).set(order.record_id, choice)));
  }
  return all.filter((decision) => isPossible(decision, orders));
}

function choicesOf(order: BookOrder, orders: readonly BookOrder[]): (boolean | number)[] {
  if (order.kind === 'block') return decides(order, orders) ? [false, true] : [];
  if (order.kind === 'complex') return hasDecision(order) ? [false, true] : [];
  return order.kind === 'flexible' ? [false, ...startsOf(order)] : [];
}

const startsOf = ({ earliest, latest }: FlexibleOrder): number[] =>
  Array.from({ length: latest - earliest + 1 }, (_, i) => earliest + i);

export const hasDecision = ({ condition, minPower = [], steps }: ComplexOrder): boolean =>
  condition !== undefined || hasMinima({ minPower, steps });

const hasMinima = ({ minPower, steps }: Pick<ComplexOrder, 'steps' | 'minPower'>): boolean =>
  (minPower ?? []).length > 0 || steps.some(({ minAcceptance = 0 }) => minAcceptance > 0);

/** Whether a block is more than an order of a longer resolution. */
export function decides(block: BlockOrder, orders: readonly BookOrder[]): boolean {
  if (block.minAcceptance > 0) return true;
  if (block.linkedTo !== undefined || block.exclusiveGroup !== undefined || block.loopWith !== undefined) return true;
  return orders.some((other) => other.kind === 'block' && other.linkedTo === block.record_id);
}

/** No child without its parent, both legs of a loop or none, and no more of a group than its unit. */
function isPossible(decision: Decision, orders: readonly BookOrder[]): boolean {
  const groups = new Map<string, Rational>();
  for (const order of orders) {
    if (order.kind !== 'block') continue;
    const isOn = decision.get(order.record_id) === true;
    if (order.loopWith !== undefined && decision.get(order.loopWith) !== isOn) return false;
    if (!isOn) continue;
    if (order.linkedTo !== undefined && decision.get(order.linkedTo) !== true) return false;
    const { exclusiveGroup: group } = order;
    if (group === undefined) continue;
    groups.set(group, plus(groups.get(group) ?? zero, rational(order.minAcceptance)));
  }
  return [...groups.values()].every((least) => compare(least, one) <= 0);
}
