/** Book and result side by side, with the tolerances they are held to: what every check looks at. */

import type { Book } from '../market/book.ts';
import { type Constraint, capacityAt, type Line } from '../market/network.ts';
import type { Outcome, Result } from '../market/result.ts';
import { hoursOf } from '../market/time.ts';
import { keyOf, type Position, positionsOf } from './offers.ts';
import { type Unit, unitsOf } from './units.ts';

export interface Link {
  readonly line: Line;
  readonly from: number;
  readonly to: number;
  /** MW from -> to, and the range it must lie in, by MTU. */
  readonly flow: readonly number[];
  readonly least: readonly number[];
  readonly most: readonly number[];
  /** A ramp of its own, of a set or of a net position at its ends has a say in its prices: INV-19 instead of INV-18 and INV-22. */
  readonly tied: boolean;
}

/** Zones that exchange under the constraints of one MTU, if it has any. */
export interface Region {
  readonly zones: readonly number[];
  readonly constraints: readonly Constraint[];
}

export interface View {
  readonly book: Book;
  readonly result: Result;
  readonly periods: number;
  readonly hours: number;
  /** By zone and MTU. */
  readonly price: readonly (readonly number[])[];
  readonly netPosition: readonly (readonly number[])[];
  readonly positions: readonly Position[];
  readonly units: readonly Unit[];
  readonly links: readonly Link[];
  /** By MTU. */
  readonly regions: readonly Region[];
  /** MW that a zone exports by flow-based exchange, by zone and MTU: its net position less what its lines take out. */
  readonly pool: readonly (readonly number[])[];
  /** Market rules, section 11: how far a price (currency/MWh) and a volume (MW) may be off; tick and lot where there are some. */
  readonly ep: number;
  readonly eq: number;
  /** Money. */
  readonly ew: number;
  /** MTUs whose rules may ask for a price beyond the limits; see `strainedMtus`. */
  readonly strained: readonly boolean[];
}

export function viewOf(book: Book, result: Result): View {
  const { periods } = book;
  const outcomes = new Map<string, Outcome>(result.orders.map((outcome) => [keyOf(outcome), outcome]));
  const index = new Map(book.zones.map((id, i) => [id, i]));
  const each = (value: (t: number) => number) => Array.from({ length: periods }, (_, t) => value(t));
  const positions = positionsOf(book, outcomes);
  const links = book.lines.map((line) => ({
    line,
    from: index.get(line.from)!,
    to: index.get(line.to)!,
    flow: result.flows[line.id]!,
    least: each((t) => -capacityAt(line.reverse, t)),
    most: each((t) => capacityAt(line.capacity, t)),
    tied: isTied(book, line),
  }));
  const price = book.zones.map((id) => result.prices[id]!);
  const netPosition = book.zones.map((id) => result.netPositions[id]!);
  // Two prices on a tick may be a whole tick further apart than before they were rounded.
  const ep = Math.max(1e-3, book.priceLimits.tick ?? 0) + 1e-9;
  return {
    book,
    result,
    periods,
    hours: hoursOf(book.resolution),
    price,
    netPosition,
    positions,
    units: unitsOf(book, outcomes),
    links,
    regions: regionsOf(book),
    pool: poolOf(netPosition, links),
    ep,
    eq: Math.max(1e-3, book.lot ?? 0),
    ew: Math.max(1e-2, 1e-6 * Math.abs(result.welfare)),
    strained: strainedMtus(book, positions, price, ep),
  };
}

const isTied = ({ rampSets = [], netPositionRamps = [] }: Book, { id, from, to, ramp }: Line): boolean =>
  ramp !== null ||
  rampSets.some(({ lines }) => lines.includes(id)) ||
  netPositionRamps.some(({ zone }) => zone === from || zone === to);

/** A zone is in the flow-based region of all MTUs if a constraint of any of them names it, or if no line ends in it. */
function regionsOf({ zones, lines, constraints, periods }: Book): Region[] {
  const isIn = (id: string) =>
    constraints.some(({ ptdf }) => Object.hasOwn(ptdf, id)) || !lines.some(({ from, to }) => from === id || to === id);
  const region = constraints.length === 0 ? [] : [...zones.keys()].filter((z) => isIn(zones[z]!));
  const byPeriod = Map.groupBy(constraints, ({ period }) => period);
  return Array.from({ length: periods }, (_, t) => ({ zones: region, constraints: byPeriod.get(t + 1) ?? [] }));
}

function poolOf(netPosition: readonly (readonly number[])[], links: readonly Link[]): number[][] {
  const pool = netPosition.map((row) => [...row]);
  for (const { line, from, to, flow } of links) {
    flow.forEach((mw, t) => {
      const [source, sink] = mw >= 0 ? [from, to] : [to, from];
      pool[source]![t]! -= Math.abs(mw);
      pool[sink]![t]! += (1 - line.loss) * Math.abs(mw);
    });
  }
  return pool;
}

/**
 * A paradoxical rejection that the rules allow: in an MTU with a price at a limit; or, of an order over several MTUs, in a result that
 * does not claim to be the best (left out, because with it in somebody would have lost).
 */
export const isExcused = ({ strained, result }: View, { outcome, from, span }: Position): boolean =>
  outcome.reason?.code === 'paradoxically_rejected' &&
  (strained[from] === true || (span > 1 && result.status === 'feasible'));

/** Price of a position: the mean over the MTUs it covers. */
export function priceOf({ price }: View, { zone, from, span }: Position): number {
  let sum = 0;
  for (let t = from; t < from + span; t++) sum += price[zone]![t]!;
  return sum / span;
}

export const hoursOfPosition = ({ hours }: View, { span }: Position): number => hours * span;

/** What a MW more from -> to would gain (currency/MWh); `back` asks for the other direction. */
export function spreadOf({ price }: View, { line, from, to }: Link, t: number, back = false): number {
  const [a, b] = back ? [price[to]![t]!, price[from]![t]!] : [price[from]![t]!, price[to]![t]!];
  return (1 - line.loss) * b - a - line.tariff;
}

/**
 * Where no price within the limits can support the best answer.
 *
 * With lines that lose nothing and orders of one resolution that never happens: prices beyond a limit could all be cut to it. An
 * order over several MTUs bounds a mean of prices, and a line with losses a ratio: cutting one price breaks such a rule. Then the
 * price stands at the limit, and the rule stays unsupported. So these MTUs, and only these, are excused from the rules that
 * tie prices to volumes: those of a group that long orders or lossy lines tie together and that has a price at a limit.
 */
function strainedMtus(
  { periods, lines, priceLimits }: Book,
  positions: readonly Position[],
  price: readonly (readonly number[])[],
  ep: number,
): boolean[] {
  const atLimit = (t: number) =>
    price.some((row) => row[t]! <= priceLimits.min + ep || row[t]! >= priceLimits.max - ep);
  const lossy = lines.some(({ loss, tariff }) => loss > 0 || tariff > 0);
  const strained = Array.from({ length: periods }, (_, t) => lossy && atLimit(t));
  for (const [first, after] of groupsOf(positions, periods)) {
    if (after - first === 1) continue;
    let any = false;
    for (let t = first; t < after; t++) any ||= atLimit(t);
    for (let t = first; t < after; t++) strained[t] ||= any;
  }
  return strained;
}

/** MTUs that positions over several of them tie together, as [first, after last). */
export function groupsOf(positions: readonly Position[], periods: number): [first: number, after: number][] {
  const reach = Array.from({ length: periods }, (_, t) => t + 1);
  for (const { from, span } of positions) reach[from] = Math.max(reach[from]!, from + span);
  const groups: [number, number][] = [];
  for (let first = 0; first < periods; first = groups[groups.length - 1]![1]) {
    let after = reach[first]!;
    for (let t = first; t < after; t++) after = Math.max(after, reach[t]!);
    groups.push([first, after]);
  }
  return groups;
}
