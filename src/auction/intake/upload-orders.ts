/**
 * Many orders in one stream, each taken or refused for itself: a report at the end says which line was refused, and why.
 *
 * Orders go into the intake some hundreds at a time, as they come, so an upload of any length takes no more memory than those. Who names another order
 * comes after it; the two legs of a loop may lie apart. What was taken stays taken: the same upload again takes the rest.
 */

import { admit } from '../../book/admission.ts';
import { canonicalOrder } from '../../book/canonical.ts';
import type { Owner } from '../../book/portfolio-rules.ts';
import { AuctionError, type Problem } from '../../market/errors.ts';
import type { Order } from '../../market/order.ts';
import type { Auction } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { auctionFor, earlierOf, knownTerms } from './submit-orders.ts';

type UploadPorts = Pick<Ports, 'clock' | 'markets' | 'auctions' | 'orders' | 'meter'>;

/** An order of an upload, or why its line is none. */
export interface UploadedLine {
  /** From 1. */
  readonly line: number;
  readonly order?: unknown;
  readonly fault?: Omit<Problem, 'index'>;
  /** How long it is. */
  readonly characters: number;
}

export interface LineProblem extends Omit<Problem, 'index'> {
  readonly line: number;
}

export interface UploadReport {
  readonly auction: string;
  /** Orders that have a place in the intake now, those that were there before among them. */
  readonly accepted: number;
  readonly refused: number;
  /** Why, in the order of the lines; the first thousand. */
  readonly problems: readonly LineProblem[];
  /** Why nothing was taken from that line on, where the upload did not come to its end. */
  readonly stopped?: { readonly line: number; readonly code: string; readonly message: string };
}

/** Of orders that are taken together, so that no others wait for long. */
const together = { orders: 500, characters: 1_000_000 };
const mostProblems = 1000;
/** Legs of loops that wait for their partner. */
const mostWaiting = 10_000;

/**
 * @param auction  without it the default market's open auction with the next gate closure
 * @throws AuctionError `not-found`, `gate-not-open`; and what stops an upload before anything of it was taken or refused
 */
export async function uploadOrders(
  ports: UploadPorts,
  owner: Owner,
  auction: string | undefined,
  lines: AsyncIterable<UploadedLine>,
): Promise<UploadReport> {
  const report = new Report();
  const into = await auctionFor(ports, auction);
  let next = 1;
  try {
    for await (const batch of batchesOf(lines, report)) {
      await take(ports, into, owner, batch, report);
      next = Math.max(...batch.map(({ line }) => line)) + 1;
    }
  } catch (error) {
    if (!(error instanceof AuctionError) || report.isEmpty) throw error;
    const { code, message } = error;
    return { ...report.of(into.id), stopped: { line: next, code, message } };
  }
  if (report.isEmpty) throw new AuctionError('invalid-request', 'there is no order in the upload');
  return report.of(into.id);
}

class Report {
  #accepted = 0;
  #refused = 0;
  readonly #problems: LineProblem[] = [];
  get isEmpty(): boolean {
    return this.#accepted + this.#refused === 0;
  }

  accept(orders: number): void {
    this.#accepted += orders;
  }

  refuse(line: number, problems: readonly Omit<Problem, 'index'>[]): void {
    this.#refused++;
    const room = mostProblems - this.#problems.length;
    this.#problems.push(...problems.slice(0, Math.max(0, room)).map((each) => ({ line, ...each })));
  }

  of(auction: string): UploadReport {
    const problems = this.#problems.sort((a, b) => a.line - b.line);
    return { auction, accepted: this.#accepted, refused: this.#refused, problems };
  }
}

async function* batchesOf(lines: AsyncIterable<UploadedLine>, report: Report): AsyncGenerator<UploadedLine[]> {
  const waiting = new Map<string, UploadedLine>();
  let batch: UploadedLine[] = [];
  let characters = 0;
  const add = (line: UploadedLine) => {
    batch.push(line);
    characters += line.characters;
  };
  for await (const line of lines) {
    if (line.fault !== undefined) {
      report.refuse(line.line, [line.fault]);
      continue;
    }
    const [leg, partner] = loopOf(line.order);
    const other = partner === undefined ? undefined : waiting.get(partner);
    if (other !== undefined) {
      waiting.delete(partner!);
      add(other);
      add(line);
    } else if (partner !== undefined && waiting.size < mostWaiting) waiting.set(leg!, line);
    else add(line);
    if (batch.length < together.orders && characters < together.characters) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  for (const line of waiting.values()) add(line);
  if (batch.length > 0) yield batch;
}

function loopOf(order: unknown): [leg?: string, partner?: string] {
  if (typeof order !== 'object' || order === null) return [];
  const { record_id, loopWith } = order as Record<string, unknown>;
  return typeof record_id === 'string' && typeof loopWith === 'string' ? [record_id, loopWith] : [];
}

/** Take what can be taken of these, and refuse the others. */
async function take(
  ports: UploadPorts,
  auction: Auction,
  owner: Owner,
  batch: readonly UploadedLine[],
  report: Report,
): Promise<void> {
  let left = batch;
  /** Without the lines that these problems are of. */
  const refuse = (problems: readonly Problem[]): void => {
    const byIndex = Map.groupBy(problems, ({ index }) => index!);
    for (const [index, own] of byIndex)
      report.refuse(
        left[index]!.line,
        own.map(({ index: _, ...rest }) => rest),
      );
    left = left.filter((_, index) => !byIndex.has(index));
  };
  const terms = knownTerms(ports, auction);
  while (left.length > 0) {
    const orders = left.map(({ order }) => order);
    // Whoever names an order that is refused is found in the next round, if not in this.
    const admitted = admit(orders, terms, await earlierOf(ports, auction.id, owner.participant, orders), owner);
    if ('problems' in admitted) {
      refuse(admitted.problems);
      continue;
    }
    try {
      const receipts = await ports.orders.append(auction.id, owner.participant, admitted.orders);
      ports.meter.record('orders_received', receipts.length);
      return report.accept(left.length);
    } catch (error) {
      if (!(error instanceof AuctionError && error.code === 'conflict')) throw error;
      const known = await conflictsOf(ports, auction.id, owner.participant, admitted.orders);
      refuse(known.length > 0 ? known : error.problems);
    }
  }
}

/** All of these orders that are there with another body, or cancelled: `append` names the first alone. */
async function conflictsOf(
  { orders: store }: UploadPorts,
  auction: string,
  participant: string,
  orders: readonly Order[],
): Promise<Problem[]> {
  const ids = orders.map(({ record_id }) => record_id);
  const there = new Map((await store.find(auction, participant, ids)).map((each) => [each.order.record_id, each]));
  return orders.flatMap((order, index): Problem[] => {
    const { record_id } = order;
    const known = there.get(record_id);
    if (known === undefined || (!known.cancelled && canonicalOrder(known.order) === canonicalOrder(order))) return [];
    const why = known.cancelled ? 'was cancelled: its id is taken for good' : 'is there already with another body';
    return [{ index, record_id, field: 'record_id', code: 'conflict', message: `order ${record_id} ${why}` }];
  });
}
