/**
 * How a participant's blocks may name each other: parents and children, the two legs of a loop, exclusive groups.
 *
 * An order may name what is in the same request or came in before. All of a family, of a loop and of a group lies in one zone. A name
 * means an order, or a group, of the same participant only.
 */

import { mostGenerations } from '../market/bounds.ts';
import { type Fault, fault } from '../market/fault.ts';
import type { BlockOrder, Order } from '../market/order.ts';

/** What of a participant is in the intake already, as far as new orders name it. */
export interface Earlier {
  /** Those that are named, and all their ancestors. */
  readonly orders: ReadonlyMap<string, { readonly order: Order; readonly cancelled: boolean }>;
  /** The zone in which each exclusive group lies. */
  readonly groups: ReadonlyMap<string, string>;
}

const nothing: Earlier = { orders: new Map(), groups: new Map() };

/** The orders and groups that a list of submissions names, before anybody has checked them. */
export function namesIn(submissions: readonly unknown[]): { orders: string[]; groups: string[] } {
  const orders = new Set<string>();
  const groups = new Set<string>();
  for (const submission of submissions) {
    if (typeof submission !== 'object' || submission === null) continue;
    const { linkedTo, loopWith, exclusiveGroup } = submission as Record<string, unknown>;
    for (const name of [linkedTo, loopWith]) if (typeof name === 'string') orders.add(name);
    if (typeof exclusiveGroup === 'string') groups.add(exclusiveGroup);
  }
  return { orders: [...orders], groups: [...groups] };
}

/**
 * The check of how orders of one participant name each other.
 *
 * @param together  orders that are checked together, in their order: a request, or all orders of a book
 * @param refused  ids of orders that came with these, but are refused
 * @param earlier  what is in the intake already
 */
export function relationChecker(
  together: Iterable<Order>,
  refused: ReadonlySet<string | undefined> = new Set(),
  earlier: Earlier = nothing,
): (order: Order, found: Fault[]) => void {
  const orders = new Map<string, Order>();
  const groups = new Map(earlier.groups);
  for (const order of together) {
    orders.set(order.record_id, order);
    if (order.kind !== 'block' || order.exclusiveGroup === undefined) continue;
    if (!groups.has(order.exclusiveGroup)) groups.set(order.exclusiveGroup, order.zone);
  }
  const cycles = linkCycles(orders);
  const generations = generationsOf((id) => {
    const order = orders.get(id) ?? earlier.orders.get(id)?.order;
    return order?.kind === 'block' ? order.linkedTo : undefined;
  });

  /** The block that `field` of an order names, where it may; else the fault is found. */
  const named = (order: BlockOrder, field: 'linkedTo' | 'loopWith', what: string, found: Fault[]) => {
    const name = order[field]!;
    const known = earlier.orders.get(name);
    const other = orders.get(name) ?? known?.order;
    const fail = (code: string, message: string) => void found.push(fault(field, code, message));
    if (refused.has(name)) return fail(`${what}-refused`, `${name}, its ${what}, is refused itself`);
    if (other === undefined)
      return fail(`unknown-${what}`, `there is no order ${name}; its ${what} comes before it or in the same request`);
    if (known?.cancelled === true) return fail(`${what}-cancelled`, `${name}, its ${what}, was cancelled`);
    if (other.kind !== 'block')
      return fail(`${what}-not-a-block`, `${name}, its ${what}, is an order of kind ${other.kind}, not a block`);
    if (other.zone !== order.zone)
      return fail(`${what}-in-another-zone`, `${name}, its ${what}, lies in ${other.zone}, the order in ${order.zone}`);
    return other;
  };

  return (order, found) => {
    if (order.kind !== 'block') return;
    if (order.linkedTo !== undefined) {
      const cycle = cycles.get(order.record_id);
      if (cycle !== undefined) {
        const round = [...cycle.slice(0, 5), ...(cycle.length > 5 ? ['...'] : []), cycle[0]].join(' -> ');
        found.push(fault('linkedTo', 'link-cycle', `it is its own ancestor: ${round}`));
      }
      const parent = named(order, 'linkedTo', 'parent', found);
      const generation = generations(order.record_id);
      if (generation > mostGenerations) {
        const message = `it would be generation ${generation} of its family: ${mostGenerations} are taken`;
        found.push(fault('linkedTo', 'family-too-deep', message));
      }
      if (parent?.loopWith !== undefined)
        found.push(fault('linkedTo', 'parent-in-loop', `${order.linkedTo} is a leg of a loop: it has no children`));
    }
    if (order.loopWith !== undefined) {
      const partner = named(order, 'loopWith', 'partner', found);
      if (partner !== undefined) found.push(...loopFaults(order, partner));
    }
    const zone = order.exclusiveGroup && groups.get(order.exclusiveGroup);
    if (zone && zone !== order.zone) {
      const message = `group ${order.exclusiveGroup} lies in ${zone}, the order in ${order.zone}: a group has one zone`;
      found.push(fault('exclusiveGroup', 'group-in-several-zones', message));
    }
  };
}

/** What is wrong with how these orders name each other, and what is in the intake already: each with its order. */
export function relationFaults(orders: readonly Order[], earlier: Earlier): (Fault & { record_id: string })[] {
  const check = relationChecker(orders, new Set(), earlier);
  return orders.flatMap((order) => {
    const found: Fault[] = [];
    check(order, found);
    return found.map((each) => ({ record_id: order.record_id, ...each }));
  });
}

/**
 * The orders of an intake that cannot go into the book, because what they name is not there: it was cancelled at the very moment at
 * which they came in, say. Whoever names such an order goes with it. With the cause of each, by sequence.
 *
 * @param live  the orders of the intake that were not cancelled, by sequence
 * @param cancelled  those that were
 */
export function leftOut(live: readonly Stamped[], cancelled: readonly Stamped[]): { entry: Stamped; cause: string }[] {
  const out: { entry: Stamped; cause: string }[] = [];
  const gone = Map.groupBy(cancelled, ({ participant }) => participant);
  for (const [participant, own] of Map.groupBy(live, (each) => each.participant)) {
    const refused = new Set<string>();
    const orders = own.map(({ order }) => order);
    const check = relationChecker(orders, refused, {
      orders: new Map((gone.get(participant) ?? []).map(({ order }) => [order.record_id, { order, cancelled: true }])),
      groups: new Map(),
    });
    const naming = Map.groupBy(
      own.filter(({ order }) => order.kind === 'block'),
      ({ order }) => (order.kind === 'block' ? (order.linkedTo ?? order.loopWith) : undefined),
    );
    for (let suspects: readonly Stamped[] = own; suspects.length > 0; ) {
      const dropped = suspects.flatMap((entry) => {
        const found: Fault[] = [];
        if (!refused.has(entry.order.record_id)) check(entry.order, found);
        return found.length > 0 ? [{ entry, cause: `order ${entry.order.record_id}: ${found[0]!.message}` }] : [];
      });
      for (const { entry } of dropped) refused.add(entry.order.record_id);
      out.push(...dropped);
      suspects = dropped.flatMap(({ entry }) => naming.get(entry.order.record_id) ?? []);
    }
  }
  return out.sort((a, b) => a.entry.sequence - b.entry.sequence);
}

interface Stamped {
  readonly sequence: number;
  readonly participant: string;
  readonly order: Order;
}

/** A loop is one buy and one sell with one ratio, and both name each other. */
function loopFaults(leg: BlockOrder, partner: BlockOrder): Fault[] {
  const id = leg.loopWith!;
  if (id === leg.record_id) return [fault('loopWith', 'loop-with-itself', 'a loop has two legs; it names itself')];
  const faults: Fault[] = [];
  if (partner.loopWith !== leg.record_id) {
    const message = `${id} names ${partner.loopWith ?? 'no partner'}: the legs of a loop name each other`;
    faults.push(fault('loopWith', 'loop-not-mutual', message));
  }
  if (partner.side === leg.side)
    faults.push(fault('loopWith', 'loop-of-one-side', `both legs ${leg.side}: a loop is one buy and one sell`));
  if (partner.minAcceptance !== leg.minAcceptance) {
    const message = `${leg.minAcceptance}, that of ${id} is ${partner.minAcceptance}: the legs of a loop have one ratio`;
    faults.push(fault('minAcceptance', 'loop-of-two-minima', message));
  }
  return faults;
}

/** How many blocks lead to one, itself among them; NaN where they lead round a cycle. Each is counted once. */
function generationsOf(parentOf: (id: string) => string | undefined): (id: string) => number {
  const known = new Map<string, number>();
  return (id) => {
    const path = new Set<string>();
    let at: string | undefined = id;
    for (; at !== undefined && !known.has(at); at = parentOf(at)) {
      if (path.has(at)) known.set(at, Number.NaN);
      else path.add(at);
    }
    let generation = at === undefined ? 0 : known.get(at)!;
    for (const each of [...path].reverse()) known.set(each, ++generation);
    return generation;
  };
}

/** The orders that are their own ancestors, each with its cycle. Every order is walked over once. */
function linkCycles(orders: ReadonlyMap<string, Order>): Map<string, string[]> {
  const parentOf = (id: string) => {
    const order = orders.get(id);
    return order?.kind === 'block' ? order.linkedTo : undefined;
  };
  const walked = new Set<string>();
  const cycles = new Map<string, string[]>();
  for (const start of orders.keys()) {
    const path = new Map<string, number>();
    let id: string | undefined = start;
    while (id !== undefined && !walked.has(id) && !path.has(id)) {
      path.set(id, path.size);
      id = parentOf(id);
    }
    for (const each of path.keys()) walked.add(each);
    const from = id === undefined ? undefined : path.get(id);
    if (from === undefined) continue;
    const cycle = [...path.keys()].slice(from);
    for (const each of cycle) cycles.set(each, cycle);
  }
  return cycles;
}
