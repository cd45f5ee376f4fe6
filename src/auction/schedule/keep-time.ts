/**
 * What the clock asks of the house: make auctions, open and close gates, start workflows, delete what has expired.
 *
 * Safe to call at any time, any number of times, by several callers: everything is decided from the stored auctions and
 * the clock.
 */

import { type Auction, inWorkflow } from '../auction.ts';
import { cancelAuction, closeGate, makeAuction, openGate } from '../auctions.ts';
import type { Ports } from '../ports.ts';
import { findAuction } from '../records/moves.ts';
import { resume } from '../steps/resume.ts';
import { plansAt } from './schedule.ts';

/** What could not be done: of a market, an auction, or the house. */
export interface Failure {
  readonly of: string;
  readonly error: unknown;
}

/** Some of what was due could not be done; the rest was. */
export class KeepTimeError extends AggregateError {
  override readonly name = 'KeepTimeError';
  readonly failures: readonly Failure[];
  /** The next instant at which there is something to do, beside what failed. */
  readonly nextAt: string | undefined;

  constructor(failures: readonly Failure[], nextAt: string | undefined) {
    super(
      failures.map(({ error }) => error),
      `some of what was due could not be done: ${failures.map(({ of }) => of).join(', ')}`,
    );
    this.failures = failures;
    this.nextAt = nextAt;
  }
}

/**
 * Each market and each auction stands alone: what fails with one holds up no other.
 *
 * @returns the next instant at which there is something to do, if one is known
 * @throws KeepTimeError when some of it failed, after the rest was done; call again
 */
export async function keepTime(ports: Ports): Promise<{ nextAt?: string }> {
  const now = ports.clock.now();
  const failures: Failure[] = [];
  const attempt = async (of: string, step: () => unknown) => {
    try {
      await step();
    } catch (error) {
      failures.push({ of, error });
    }
  };

  for (const market of ports.markets.values()) {
    await attempt(`market ${market.market}`, async () => {
      for (const plan of plansAt(market, now.getTime()))
        await attempt(nameOf(plan), async () => {
          if ((await ports.auctions.find(plan.id)) === undefined) await makeAuction(ports, plan);
        });
    });
  }
  const gates = () => ports.auctions.list({ states: ['scheduled', 'open'] });
  for (const auction of await gates()) await attempt(nameOf(auction), () => keepGate(ports, auction, now.getTime()));
  for (const auction of await ports.auctions.list({ states: inWorkflow }))
    await attempt(nameOf(auction), () => resume(ports, auction));
  await attempt('the measure of gates', () => measureGates(ports, now.getTime()));
  await attempt('the measure of what waits', () => measureWaiting(ports, now.getTime()));
  if (isExpiryDue(ports, now.getTime())) await attempt('the expiry of orders', () => ports.orders.expire(now));

  const failed = new Set(failures.map(({ of }) => of));
  const due = (await gates())
    .filter((auction) => !failed.has(nameOf(auction)))
    .map((auction) => (auction.state === 'scheduled' ? auction.gateOpening : auction.gateClosure))
    .sort((a, b) => Date.parse(a) - Date.parse(b));
  if (failures.length > 0) throw new KeepTimeError(failures, due[0]);
  return due[0] === undefined ? {} : { nextAt: due[0] };
}

/** For how long the gate that waits longest should have been opened or closed; 0 where none waits. */
export function overdueSeconds(auctions: readonly Auction[], now: number): number {
  const due = auctions.map((auction) =>
    Date.parse(auction.state === 'scheduled' ? auction.gateOpening : auction.gateClosure),
  );
  return Math.max(0, ...due.map((at) => (now - at) / 1000));
}

/** After gates were dealt with: what is still overdue could not be. */
async function measureGates({ auctions, meter }: Ports, now: number): Promise<void> {
  meter.record('gates_overdue_seconds', overdueSeconds(await auctions.list({ states: ['scheduled', 'open'] }), now));
}

const nameOf = ({ id }: { id: string }): string => `auction ${id}`;

/** What waits, as often as the clock asks: an alarm over it rings for as long as somebody waits. */
async function measureWaiting({ auctions, meter }: Ports, now: number): Promise<void> {
  const unsettled = await auctions.list({ states: [...inWorkflow, 'failed'] });
  const waiting = unsettled.filter(({ state }) => state !== 'failed');
  // An auction that was closed before its time counts from then on.
  const since = waiting.map(({ gateClosure }) => Math.min(now, Date.parse(gateClosure)));
  meter.record('oldest_unsettled_seconds', (now - Math.min(now, ...since)) / 1000);
  meter.record('auctions_failed_now', unsettled.length - waiting.length);
}

/** Looking for what has expired costs a walk over old auctions, and a minute more does no harm. */
function isExpiryDue({ orders }: Ports, now: number): boolean {
  if (Math.abs(now - (lastExpiry.get(orders) ?? Number.NEGATIVE_INFINITY)) < 60_000) return false;
  lastExpiry.set(orders, now);
  return true;
}
const lastExpiry = new WeakMap<object, number>();

async function keepGate(ports: Ports, auction: Auction, now: number): Promise<void> {
  const isOver = now >= Date.parse(auction.gateClosure);
  if (auction.state === 'scheduled' && isOver) {
    await cancelAuction(ports, auction.id, 'the house was not running while the gate was to be open');
    return;
  }
  await openGate(ports, auction);
  if (isOver && (await findAuction(ports, auction.id)).state === 'open') await closeGate(ports, auction.id);
}
