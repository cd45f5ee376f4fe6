/** Auctions on request: make, list, close, cancel, restart. Each may be asked for twice. */

import { isDeepStrictEqual } from 'node:util';
import { chainTermsOf } from '../book/opening.ts';
import { problemsOf } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import type { Market } from '../market/market.ts';
import type { OrderName } from '../market/result.ts';
import { utc } from '../market/time.ts';
import { type Auction, type AuctionState, auction as auctionSchema, inWorkflow, states } from './auction.ts';
import type { AuctionStore, Ports } from './ports.ts';
import { exclude } from './records/exclusion.ts';
import { findAuction, marketOf, move, wrongState } from './records/moves.ts';
import { keepNetwork, marketNetwork } from './records/network.ts';
import { compact, firstUnit, type Plan, planOf } from './schedule/schedule.ts';
import { tell } from './steps/tell.ts';

export { findAuction };

export interface AuctionRequest {
  /** Without it the default market. */
  readonly market?: string;
  /** The delivery day, of a market with daily auctions. */
  readonly date?: string;
  /** The slot's instant, of a market with auctions at an interval. */
  readonly slot?: string;
  /** First instant of delivery; without `date`, `slot` and `start` the next market time unit after gate closure. */
  readonly start?: string;
  readonly periods?: number;
  /** Without it at once. */
  readonly gateOpening?: string;
  readonly gateClosure?: string;
  readonly id?: string;
}

/**
 * Make an auction; its gate is open when this resolves if it is time.
 *
 * @throws AuctionError `invalid-request` with the fields that are wrong; `not-found` for an unknown market; `conflict` when
 *         the id belongs to an auction with another plan
 */
export async function createAuction(ports: Ports, request: AuctionRequest): Promise<Auction> {
  const [defaultMarket] = ports.markets.keys();
  const market = marketOf(ports, request.market ?? defaultMarket ?? '');
  const now = ports.clock.now().getTime();
  const plan = plannedBy(market, request, now);
  const { gateOpening, gateClosure } = plan;
  if (Date.parse(gateOpening) >= Date.parse(gateClosure)) {
    throw refusal('gateOpening', 'gates-reversed', `the gate would open at ${gateOpening}, not before ${gateClosure}`);
  }
  const known = await ports.auctions.find(plan.id);
  if (known === undefined && Date.parse(gateClosure) <= now) {
    throw refusal('gateClosure', 'in-the-past', `the gate would have closed at ${gateClosure}`);
  }
  const made = known ?? (await makeAuction(ports, plan));
  if (!isPlannedAs(made, plan)) {
    throw new AuctionError('conflict', `there is another auction ${plan.id}: delivery or gates differ`);
  }
  return openGate(ports, made);
}

function plannedBy(market: Market, request: AuctionRequest, now: number): Plan {
  const { start, periods, gateOpening, gateClosure, id } = request;
  const scheduled = planOf(market, request);
  const closes = gateClosure ?? scheduled?.gateClosure ?? start;
  if (closes === undefined) {
    throw refusal('gateClosure', 'required', `say when the gate closes, or for which day or slot this auction is`);
  }
  const delivery = scheduled?.delivery ?? {
    start: utc(start ?? firstUnit(market, Date.parse(closes))),
    resolution: market.resolution,
    periods: market.schedule.kind === 'interval' ? market.schedule.periods : 1,
  };
  const begin = utc(start ?? delivery.start);
  const plan: Plan = {
    id: id ?? scheduled?.id ?? `${market.market}-${compact(begin, !begin.endsWith(':00Z'))}`,
    market: market.market,
    delivery: { ...delivery, start: begin, ...(periods && { periods }) },
    gateOpening: utc(gateOpening ?? scheduled?.gateOpening ?? now),
    gateClosure: utc(closes),
  };
  if (Date.parse(begin) % (15 * 60_000) !== 0) {
    throw refusal('start', 'off-quarter', `delivery starts on a quarter of an hour, not at ${begin}`);
  }
  const parsed = auctionSchema.safeParse(planned(plan, utc(now)));
  if (!parsed.success) throw new AuctionError('invalid-request', 'this makes no auction', problemsOf(parsed.error));
  return plan;
}

const refusal = (field: string, code: string, message: string): AuctionError =>
  new AuctionError('invalid-request', message, [{ field, code, message }]);

const planned = (plan: Plan, updatedAt: string): Auction => ({ ...plan, state: 'scheduled', run: 1, updatedAt });

const isPlannedAs = ({ market, delivery, gateClosure }: Auction, plan: Plan): boolean =>
  isDeepStrictEqual(
    { market, delivery, gateClosure },
    { market: plan.market, delivery: plan.delivery, gateClosure: plan.gateClosure },
  );

/**
 * Put a planned auction into the store, with the terms and the network that its market has now; when another writer was first, theirs.
 *
 * @throws AuctionError `invalid-request` where the market's network does not fit the delivery
 */
export async function makeAuction(ports: Ports, plan: Plan): Promise<Auction> {
  const market = marketOf(ports, plan.market);
  const network = await keepNetwork(ports, marketNetwork(market, plan.delivery));
  const { currency, zones, priceLimits, powerLimits, orderKinds, orderResolutions } = market;
  const terms = { currency, zones, priceLimits, powerLimits, orderKinds, orderResolutions };
  const chain = chainTermsOf(plan, terms, network.hash);
  const auction = { ...planned(plan, utc(ports.clock.now())), terms, network, chain };
  try {
    await ports.auctions.create(auction);
    return auction;
  } catch (error) {
    if (error instanceof AuctionError && error.code === 'conflict') return findAuction(ports, plan.id);
    throw error;
  }
}

/** Open the gate if it is time. */
export async function openGate(ports: Ports, auction: Auction): Promise<Auction> {
  const isTime = ports.clock.now().getTime() >= Date.parse(auction.gateOpening);
  if (auction.state !== 'scheduled' || !isTime) return auction;
  return (await move(ports, auction, 'open')) ?? openGate(ports, await findAuction(ports, auction.id));
}

export const listAuctions = (ports: Ports, filter?: Parameters<AuctionStore['list']>[0]): Promise<Auction[]> =>
  ports.auctions.list(filter);

/**
 * Close the gate, be it time or not, and start the workflow. Closing twice closes once.
 *
 * @throws AuctionError `wrong-state` when the gate was never open or the auction has ended without a result
 */
export async function closeGate(ports: Ports, id: string): Promise<Auction> {
  const auction = await findAuction(ports, id);
  if (auction.state === 'open') {
    // Whoever moved it in the meantime, it is not open any more: look again.
    if ((await move(ports, auction, 'closed')) === undefined) return closeGate(ports, id);
    await ports.workflow.start(id, auction.run);
    return findAuction(ports, id);
  }
  if (isIn(auction, inWorkflow)) await ports.workflow.start(id, auction.run);
  else if (auction.state !== 'settled') throw wrongState(auction, 'only an open gate can be closed');
  return auction;
}

const isIn = (auction: Auction, wanted: readonly AuctionState[]): boolean => wanted.includes(auction.state);

/** Call an auction off: before its book is sealed, or after it has failed. @throws AuctionError `wrong-state` in between */
export async function cancelAuction(ports: Ports, id: string, cause: string): Promise<Auction> {
  const auction = await findAuction(ports, id);
  if (auction.state === 'cancelled') return auction;
  const { next } = states[auction.state] as { next: readonly AuctionState[] };
  if (!next.includes('cancelled'))
    throw wrongState(auction, 'it can be called off only before its book is sealed, or after it failed');
  const cancelled = await move(ports, auction, 'cancelled', { cause });
  if (cancelled === undefined) return cancelAuction(ports, id, cause);
  await tell(ports, cancelled, [{ id: `auction-cancelled:${id}`, kind: 'auction-cancelled', cause }]);
  return cancelled;
}

/**
 * Run the workflow of a failed auction again, on the same sealed book. A result that was verified is binding, and is not cleared again.
 *
 * @param without  orders to leave out; each is told so, and the result names them
 * @throws AuctionError `wrong-state`; `invalid-request` for orders that the book has not, or that others count on
 */
export async function restartAuction(ports: Ports, id: string, without: readonly OrderName[] = []): Promise<Auction> {
  const auction = await findAuction(ports, id);
  if (auction.state !== 'failed') throw wrongState(auction, 'only a failed auction can be restarted');
  const run = auction.run + 1;
  const { result, failure } = auction;
  const isBinding = failure?.from === 'final' && result !== undefined;
  if (isBinding && without.length > 0)
    throw wrongState(auction, 'its result is binding: no order can be left out of it');
  const excluded = without.length === 0 ? undefined : await exclude(ports, { ...auction, run }, without);
  const restarted = isBinding
    ? await move(ports, auction, 'final', { run, result: { run: auction.run, ...result } })
    : await move(ports, auction, 'closed', { run, ...(excluded && { excluded }) });
  if (restarted === undefined) return restartAuction(ports, id, without);
  await ports.workflow.start(id, restarted.run);
  return findAuction(ports, id);
}
