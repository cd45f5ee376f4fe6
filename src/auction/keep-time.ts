/**
 * What the clock asks of the house: make auctions, open and close gates, start workflows, delete what has expired.
 *
 * Safe to call at any time, any number of times, by several callers: everything is decided from the stored auctions and
 * the clock.
 */

import { type Auction, inWorkflow } from './auction.ts';
import { cancelAuction, closeGate, makeAuction, openGate } from './auctions.ts';
import { findAuction } from './moves.ts';
import type { Ports } from './ports.ts';
import { resume } from './resume.ts';
import { plansAt } from './schedule.ts';

/**
 * @returns the next instant at which there is something to do, if one is known
 * @throws AggregateError when some of it failed, after the rest was done; call again
 */
export async function keepTime(ports: Ports): Promise<{ nextAt?: string }> {
  const now = ports.clock.now();
  const failures: unknown[] = [];
  const attempt = async (step: Promise<unknown>) => {
    await step.catch((error: unknown) => failures.push(error));
  };

  for (const market of ports.markets.values()) {
    for (const plan of plansAt(market, now.getTime())) {
      if ((await ports.auctions.find(plan.id)) === undefined) await attempt(makeAuction(ports, plan));
    }
  }
  for (const auction of await ports.auctions.list({ states: ['scheduled', 'open'] })) {
    await attempt(keepGate(ports, auction, now.getTime()));
  }
  await attempt(resume(ports));
  await attempt(measureGates(ports, now.getTime()));
  await attempt(measureWaiting(ports, now.getTime()));
  if (isExpiryDue(ports, now.getTime())) await attempt(ports.orders.expire(now));
  if (failures.length > 0) throw new AggregateError(failures, 'some of what was due could not be done');

  const due = (await ports.auctions.list({ states: ['scheduled', 'open'] })).map((a) =>
    a.state === 'scheduled' ? a.gateOpening : a.gateClosure,
  );
  due.sort((a, b) => Date.parse(a) - Date.parse(b));
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
