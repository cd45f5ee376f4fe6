/**
 * Why not all of some decisions can be on at prices that support it.
 *
 * Were there such an answer, then at its prices everybody free would be at their best, and nobody who is on would lose; so scaling
 * those down would gain nothing. Whatever the free orders and some of these decisions, each scaled to anything between nothing and all,
 * are worth together, the answer would be worth as much. Volumes that are worth more than any answer with all of them can be show that
 * there is none.
 */

import type { ProofNode } from '../../market/proof.ts';
import { inProof } from '../numbers/tolerances.ts';
import { bestAt, valueOfOffer } from '../view/offers.ts';
import { meanPrice, type Part, type Prices } from './gains.ts';
import type { Column, Crowd, Decision, Model } from './model.ts';

/** What scaled volumes come to. */
export interface Scaling {
  /** Currency per hour. */
  readonly worth: number;
  /**
   * They use a line with losses in a direction that answers may have closed, where prices may be negative. Of an answer that
   * has it closed they say nothing: its prices may leave a gain there that nobody may take (market rules, 3.1 and INV-17).
   */
  readonly opensClosed: boolean;
}

type Scaled = Extract<ProofNode, { kind: 'unsupported' }>['scaled'];

/**
 * Up to what ratio it can be scaled whatever ratio it has, and whatever the others do. Who shares a limit with others may have any ratio
 * from its least on; what ties its own steps together scales with it, or it can't be scaled at all. A child that shares a limit may
 * have less than its parent has, and repay the parent's loss with all of it: scaled down together, the loss alone would shrink.
 */
export function scalable({ column, least, steps, isChild }: Decision): number {
  const isLimited = (of: Column) =>
    of.rows.some(([{ low, high }]) => [low, high].some((end) => end !== 0 && Number.isFinite(end)));
  if (steps.some(isLimited)) return 0;
  return !isLimited(column) ? 1 : steps.length === 0 && !isChild ? least : 0;
}

/**
 * @param prices   at which these volumes are the best: they say who of the free trades
 * @param isClosed  flows that may not be used
 * @returns what these volumes are worth; a text when they are not allowed
 */
export function worthOfScaled(
  model: Model,
  part: Part,
  core: readonly Decision[],
  scaled: Scaled,
  prices: Prices,
  isClosed: (column: Column) => boolean,
): Scaling | string {
  const values = new Map(scaled.values);
  const nets = new Map(scaled.nets);
  const inCore = new Set(core);
  const decided = new Map([...model.decisions.values()].map((each) => [each.column, each]));
  const left = new Float64Array(part.zones * model.periods);
  const used = new Map<string, number>();
  let worth = 0;
  let known = 0;
  let opensClosed = false;
  for (const column of part.columns) {
    const value = values.get(column.name);
    if (value !== undefined) known++;
    const { least, most } = rangeOf(column, decided.get(column), inCore, isClosed(column));
    const told = value ?? 0;
    if (!(told >= least - inProof.volume && told <= most + inProof.volume))
      return `${column.name} is ${told}, not ${least} to ${most}`;
    const x = Math.min(most, Math.max(least, told));
    const other = column.opposite;
    if (x > least && other !== undefined && model.priceLimits.min < 0 && !isClosed(model.columns.get(other)!))
      opensClosed = true;
    for (const [cell, mw] of column.cells) left[cell]! -= mw * x;
    for (const [{ name }, factor] of column.rows) used.set(name, (used.get(name) ?? 0) + factor * x);
    worth -= column.cost * x;
  }
  if (known < values.size) return 'it has columns that the group does not have';
  for (const [name, sum] of used) {
    const { low, high } = model.rows.get(name)!;
    if (sum < low - inProof.volume || sum > high + inProof.volume)
      return `${name} comes to ${sum}, not ${low} to ${high}`;
  }
  const { min, max } = model.priceLimits;
  const cells = new Map<string, number>();
  for (const [z, id] of model.zones.entries())
    for (let t = part.first; t < part.after; t++) cells.set(`${id}/${t + 1}`, z * model.periods + t);
  for (const [name, mw] of scaled.spare) {
    const cell = cells.get(name);
    if (cell === undefined) return `the group has no zone and MTU ${name}`;
    left[cell]! += mw;
    worth += Math.min(min * mw, max * mw);
  }
  // What longer orders do is told; what those of one MTU do is what they leave.
  const single = new Map<number, Crowd>();
  for (const crowd of part.crowds) {
    const { zone, from, span } = crowd;
    if (span === 1) {
      single.set(zone * model.periods + from, crowd);
      continue;
    }
    const suffix = `/${from + 1}-${from + span}`;
    const net = [...nets].find(([name]) => name === `${model.zones[zone]}${suffix}`)?.[1] ?? 0;
    for (let t = from; t < from + span; t++) left[zone * model.periods + t]! -= net;
    const cost = costOf(crowd, net, meanPrice(crowd, prices, model.periods), model.priceLimits);
    if (typeof cost === 'string') return cost;
    worth -= cost * span;
  }
  for (let z = 0; z < part.zones; z++) {
    for (let t = part.first; t < part.after; t++) {
      const cell = z * model.periods + t;
      const crowd = single.get(cell) ?? { zone: z, from: t, span: 1, offers: [] };
      const cost = costOf(crowd, left[cell]!, prices.cell[cell]!, model.priceLimits);
      if (typeof cost === 'string') return cost;
      worth -= cost;
    }
  }
  return { worth, opensClosed };
}

/** What a column may be among scaled volumes. */
function rangeOf(
  { least, most }: Column,
  decision: Decision | undefined,
  core: ReadonlySet<Decision>,
  isClosed: boolean,
): { least: number; most: number } {
  if (decision === undefined) return { least, most: isClosed ? least : most };
  if (!core.has(decision)) return { least: 0, most: 0 };
  // A minimum income may lose by the welfare's measure: such an order stays as it is.
  return decision.isIncome ? { least: 1, most: 1 } : { least: 0, most: Math.min(most, scalable(decision)) };
}

/**
 * Currency per hour that net supply costs at the least, when that is what its orders want at this price; else a text.
 *
 * Power that is missing, as rounding leaves it, is paid for at the market's worst price.
 */
function costOf(
  crowd: Crowd,
  net: number,
  price: number,
  limits: Model['priceLimits'],
  isMoved = false,
): number | string {
  let sure = 0;
  let cost = 0;
  let bought = 0;
  /** MW per unit of price, of straight lines that are executed in part. */
  let slope = 0;
  const open: { limit: number; power: number }[] = [];
  for (const offer of crowd.offers) {
    const sells = offer.side === 'sell';
    if (offer.first === offer.last && Math.abs(offer.first - price) <= inProof.price) {
      open.push({ limit: offer.first, power: offer.power });
      if (!sells) {
        bought += offer.power;
        cost -= offer.first * offer.power;
      }
      continue;
    }
    const mw = bestAt(offer, price);
    if (mw > 0 && mw < offer.power) slope += offer.power / Math.abs(offer.last - offer.first);
    sure += sells ? mw : -mw;
    cost -= valueOfOffer(offer, mw);
  }
  // Whoever stands at the price trades at it. All buys first; then more supply is a sell taken up or a buy given up, the cheapest first.
  const most = open.reduce((sum, { power }) => sum + power, 0);
  const more = net - sure + bought;
  let rest = Math.max(0, Math.min(more, most));
  const missing = more - rest;
  if (!(Math.abs(missing) <= inProof.net))
    return `a net supply of ${net} MW at ${price} where its orders want ${sure - bought} to ${sure - bought + most}`;
  // A price is rounded, and straight lines move with it: they stand where they meet what is missing.
  if (missing !== 0 && slope > 0 && !isMoved) return costOf(crowd, net, price + missing / slope, limits, true);
  for (const { limit, power } of open.sort((a, b) => a.limit - b.limit)) {
    const mw = Math.min(rest, power);
    cost += mw * limit;
    rest -= mw;
  }
  return cost + Math.max(missing * limits.min, missing * limits.max);
}
