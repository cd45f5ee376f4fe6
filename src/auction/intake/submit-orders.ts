/** Orders come in: checked against what the auction accepts, then appended to its intake, all or none. */

import { admit } from '../../book/admission.ts';
import type { Receipt } from '../../book/intake.ts';
import { isForbidden, type Owner } from '../../book/portfolio-rules.ts';
import { type Earlier, namesIn } from '../../book/relations.ts';
import { type Terms, termsOf } from '../../book/terms.ts';
import { AuctionError, type Problem } from '../../market/errors.ts';
import type { Auction } from '../auction.ts';
import type { Once, Ports, StoredOrder } from '../ports.ts';
import { findAuction, termsIn } from '../records/moves.ts';

/** Intake needs no more of the house than this. */
type IntakePorts = Pick<Ports, 'clock' | 'markets' | 'auctions' | 'orders' | 'meter'>;

export interface Submission {
  /** Without it the default market's open auction with the next gate closure. */
  readonly auction?: string;
  readonly orders: readonly unknown[];
}

/**
 * @returns a receipt per order, in their order; by then they are durable
 * @throws AuctionError `invalid-order` with all problems of all orders, `forbidden` when one of them is whose an order
 *         is or where it may be; what `OrderStore.append` and `recall` throw
 */
export async function submitOrders(
  ports: IntakePorts,
  owner: Owner,
  submission: Submission,
  once?: Once,
): Promise<{ auction: string; receipts: Receipt[] }> {
  const { clock, meter } = ports;
  const before = clock.now().getTime();
  try {
    const answered = once && (await ports.orders.recall(owner.participant, once));
    if (answered !== undefined) return { auction: answered[0]!.auction, receipts: answered };
    const taken = await take(ports, owner, submission, once);
    meter.record('orders_received', taken.receipts.length);
    meter.record('intake_milliseconds', clock.now().getTime() - before);
    return taken;
  } catch (error) {
    if (error instanceof AuctionError) meter.record('submissions_refused', 1, error.code);
    throw error;
  }
}

async function take(
  ports: IntakePorts,
  owner: Owner,
  { auction: id, orders: submissions }: Submission,
  once: Once | undefined,
): Promise<{ auction: string; receipts: Receipt[] }> {
  const auction = await auctionFor(ports, id);
  const terms = knownTerms(ports, auction);
  const { participant } = owner;
  const admitted = admit(submissions, terms, await earlierOf(ports, auction.id, participant, submissions), owner);
  if ('problems' in admitted) throw refusal(admitted.problems);
  return { auction: auction.id, receipts: await ports.orders.append(auction.id, participant, admitted.orders, once) };
}

/** @param problems  of orders, one at least */
export function refusal(problems: readonly Problem[]): AuctionError {
  const { record_id, index, field, message } = problems[0]!;
  const code = problems.some(isForbidden) ? 'forbidden' : 'invalid-order';
  const first = `order ${record_id ?? index}${field ? `, ${field}` : ''}: ${message}`;
  return new AuctionError(code, `no order was taken: ${first}`, problems);
}

/** Terms by the record they are of, which a store gives as the same object as long as it stays the same. */
const known = new WeakMap<Auction, Terms>();

export function knownTerms(ports: IntakePorts, auction: Auction): Terms {
  const terms = known.get(auction) ?? termsOf(termsIn(ports, auction), auction.delivery);
  known.set(auction, terms);
  return terms;
}

/**
 * What of the intake these submissions name. Should it change before they are written, the seal still sees it (`leftOut`).
 *
 * @param besides  an order that is replaced by them: where its group lies, the others of it say
 */
export async function earlierOf(
  { orders: store }: IntakePorts,
  auction: string,
  participant: string,
  submissions: readonly unknown[],
  besides?: string,
): Promise<Earlier> {
  const names = namesIn(submissions);
  if (names.orders.length + names.groups.length === 0) return nothingEarlier;
  const [orders, groups] = await Promise.all([
    ancestry(store, auction, participant, names.orders),
    names.groups.length === 0
      ? []
      : besides === undefined
        ? store.findNaming(auction, participant, 'exclusiveGroup', names.groups)
        : othersIn(store, auction, participant, names.groups[0]!, besides),
  ]);
  return { orders, groups: new Map([...groups].map(([name, first]) => [name, first.order.zone])) };
}

/** One of a group that is another order than this. */
async function othersIn(
  store: IntakePorts['orders'],
  auction: string,
  participant: string,
  group: string,
  besides: string,
): Promise<[string, StoredOrder][]> {
  const all = await store.allNaming(auction, participant, 'exclusiveGroup', group);
  const other = all.find(({ order }) => order.record_id !== besides);
  return other === undefined ? [] : [[group, other]];
}

const nothingEarlier: Earlier = { orders: new Map(), groups: new Map() };

/** These orders, their parents, and so on; a family has few generations (`mostGenerations`). */
async function ancestry(
  store: IntakePorts['orders'],
  auction: string,
  participant: string,
  names: readonly string[],
): Promise<Map<string, StoredOrder>> {
  const known = new Map<string, StoredOrder>();
  for (let wanted = [...names]; wanted.length > 0; ) {
    const found = await store.find(auction, participant, wanted);
    for (const stored of found) known.set(stored.order.record_id, stored);
    const parents = found.flatMap(({ order }) => (order.kind === 'block' ? (order.linkedTo ?? []) : []));
    wanted = [...new Set(parents)].filter((name) => !known.has(name));
  }
  return known;
}

/** The auction of that id, or the default market's open one with the next gate closure. @throws AuctionError `not-found`, `gate-not-open` */
export const auctionFor = (ports: IntakePorts, id: string | undefined): Promise<Auction> =>
  id === undefined ? nextToClose(ports) : findAuction(ports, id);

async function nextToClose(ports: IntakePorts): Promise<Auction> {
  const [market] = ports.markets.keys();
  if (market === undefined) throw new AuctionError('not-found', 'there is no market');
  const known = await ports.auctions.list({ market, states: ['scheduled', 'open'] });
  const now = ports.clock.now().getTime();
  const open = known.filter((a) => a.state === 'open' && Date.parse(a.gateClosure) > now);
  const [next] = open.sort((a, b) => Date.parse(a.gateClosure) - Date.parse(b.gateClosure));
  if (next !== undefined) return next;
  const [upcoming] = known
    .filter((a) => Date.parse(a.gateOpening) > now)
    .sort((a, b) => Date.parse(a.gateOpening) - Date.parse(b.gateOpening));
  if (upcoming === undefined) throw new AuctionError('not-found', `market ${market} has no open auction`);
  throw new AuctionError('gate-not-open', `the next gate of market ${market} opens at ${upcoming.gateOpening}`);
}
