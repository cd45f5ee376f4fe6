/** Book and result side by side, and what follows for prices and tests: what every check looks at. */

import type { Book } from '../../market/book.ts';
import { leastPower } from '../../market/bounds.ts';
import { gridOf, isOn } from '../../market/decimal.ts';
import { capacityAt, type Line } from '../../market/network.ts';
import type { BlockOrder, BookOrder } from '../../market/order.ts';
import type { Outcome, Result } from '../../market/result.ts';
import { hoursOf } from '../../market/time.ts';
import { dust, publishedTo, tolerancesOf } from '../numbers/tolerances.ts';
import { type Due, duesOf } from '../settled/prices.ts';
import { type Settled, settledOf } from '../settled/settled.ts';
import { decidedMtus } from './decided.ts';
import { blocksOf } from './families.ts';
import { givingWay, type MayGiveWay } from './giving-way.ts';
import { keyOf, type Position, positionsOf } from './offers.ts';
import { rangesOf } from './ranges.ts';
import type { Link, Region } from './seen.ts';
import { type Ranged, shutDirections } from './shut.ts';
import { unevenMtus } from './uneven.ts';
import { askedOf, isAloneWithoutMinimum, type Unit, unitsOf } from './units.ts';

export type { Link, Region } from './seen.ts';

/** What prices are left open, and which tests count, as far as that can be told without asking what gives way. */
export interface View extends Ranged {
  readonly mayGiveWay: MayGiveWay;
  /** What is left to choose once the decisions are made, and what the rules ask of prices. */
  readonly settled: Settled;
  readonly due: readonly Due[];
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
  const { ep, eq } = tolerancesOf(book);
  const units = unitsOf(book, outcomes);
  const regions = regionsOf(book);
  const ranges = rangesOf({ book, periods, positions, units, eq });
  const decided = decidedMtus({ periods, units, links, regions, book });
  const uneven = unevenMtus({ book, periods, positions, units, links, regions });
  const long = groupsOf(positions, periods).filter(([first, after]) => after - first > 1);
  const hasMoreRules = (t: number) =>
    decided[t] !== undefined || long.some(([first, after]) => t >= first && t < after);
  const view = {
    book,
    result,
    periods,
    hours: hoursOf(book.resolution),
    price,
    netPosition,
    positions,
    units,
    links,
    regions,
    ranges,
    decided,
    uneven,
    isShut: shutDirections({ book, periods, links, price, uneven, ep, eq }, ranges, hasMoreRules),
    ...roundedIn(book, links, regions),
    pool: poolOf(netPosition, links),
    ep,
    eq,
  };
  const settled = settledOf(view);
  return { ...view, mayGiveWay: givingWay(view), settled, due: duesOf(view, settled) };
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
 * Flows and net positions in whole lots balance exactly, but for two things: of the power that arrives by a line with losses only whole
 * lots count, and a line may be full at a capacity of no whole lots. What that leaves is lost: nothing is created (5.5). Without a
 * lot each flow and net position is published to a digit of its own, which is off either way.
 */
function roundedIn(
  { zones, periods, lot: ofBook }: Book,
  links: readonly Link[],
  regions: readonly Region[],
): Pick<View, 'lost' | 'created'> {
  // A lot of a watt is the digit that is published: no lot.
  const lot = ofBook !== undefined && ofBook > leastPower ? ofBook : undefined;
  const none = () => zones.map(() => new Array<number>(periods).fill(0));
  const [lost, created] = [none(), none()];
  const digit = (z: number, t: number) => {
    for (const each of [lost, created]) each[z]![t]! += publishedTo(leastPower);
  };
  for (const { line, from, to, flow } of links) {
    flow.forEach((mw, t) => {
      if (mw === 0) return;
      for (const z of [from, to]) {
        // Of what arrives only whole digits count.
        if (lot === undefined && line.loss > 0) lost[z]![t]! += publishedTo(leastPower);
        if (lot === undefined) digit(z, t);
        else if (line.loss > 0 || !isOn(gridOf(lot), mw)) lost[z]![t]! += lot;
        // What is in no whole lots is published to a digit.
        if (lot !== undefined && !isOn(gridOf(lot), mw)) digit(z, t);
        for (const each of [lost, created]) each[z]![t]! += dust(mw);
      }
    });
  }
  if (lot === undefined)
    regions.forEach((region, t) => {
      for (const z of region.zones) digit(z, t);
    });
  return { lost, created };
}

/**
 * An order over several MTUs that is told to be rejected paradoxically where that can be so: no prices within the limits support it; or the
 * result does not claim to be the best (left out, because with it in somebody would have lost).
 */
export const isExcused = ({ mayGiveWay, result }: View, { outcome, zone, from, span }: Position): boolean =>
  span > 1 &&
  outcome.reason?.code === 'paradoxically_rejected' &&
  (result.status === 'feasible' || mayGiveWay('long orders', zone, from));

/** The same of a block, or a loop: one in a single MTU never gives way. */
export function isExcusedBlock(
  { mayGiveWay, result, periods, units }: View,
  unit: Unit & { readonly order: BlockOrder & BookOrder },
): boolean {
  const { partnerOf } = blocksOf({ units });
  const partner = partnerOf(unit);
  const asked = [unit, ...(partner === undefined ? [] : [partner])].map((leg) => askedOf(leg, periods));
  const isIn = (t: number) => asked.some((leg) => leg[t]! > 0);
  const from = asked[0]!.findIndex((mw) => mw > 0);
  const isLong = asked[0]!.some((_, t) => isIn(t) && t !== from);
  const isTold = unit.outcome.reason?.code === 'paradoxically_rejected';
  const isLeftOut = result.status === 'feasible' && isAloneWithoutMinimum(unit, units);
  return isLong && isTold && (isLeftOut || mayGiveWay('long orders', unit.zone, from));
}

/** Price of a position: the mean over the MTUs it covers. */
export function priceOf({ price }: View, { zone, from, span }: Position): number {
  let sum = 0;
  for (let t = from; t < from + span; t++) sum += price[zone]![t]!;
  return sum / span;
}

export const hoursOfPosition = ({ hours }: View, { span }: Position): number => hours * span;

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
