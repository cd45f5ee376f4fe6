/**
 * What each zone sells and buys in each MTU at any price, once the decisions are made: offers of one MTU, and power that is decided. Only where that
 * is all there is to it: what ties several MTUs or steps together makes a cell `tied`.
 */

import type { Offer } from '../view/offers.ts';
import type { Ranged } from '../view/shut.ts';
import {
  askedOf,
  isAloneWithoutMinimum,
  isBlock,
  isComplex,
  isOn,
  stagesOf,
  stopSteps,
  type Unit,
} from '../view/units.ts';

/** One zone in one MTU. */
export interface Supply {
  readonly offers: Offer[];
  /** MW that are sold (bought: negative) whatever the price. */
  fixed: number;
  /** Something else than these has a say in the price: schedules, blocks that are cut over several MTUs, orders of a longer resolution. */
  tied: boolean;
}

export function supplyOf(view: Ranged): Supply[][] {
  const { book, periods, positions, units } = view;
  const cells = book.zones.map(() =>
    Array.from({ length: periods }, (): Supply => ({ offers: [], fixed: 0, tied: false })),
  );
  for (const { zone, from, span, offers } of positions) {
    if (span === 1) cells[zone]![from]!.offers.push(...offers);
    else if (offers.length > 0) for (let t = from; t < from + span; t++) cells[zone]![t]!.tied = true;
  }
  for (const unit of units) addUnit(view, unit, cells[unit.zone]!);
  return cells;
}

function addUnit(view: Ranged, unit: Unit, cells: readonly Supply[]): void {
  if (isComplex(unit)) {
    addComplex(view, unit, cells);
    return;
  }
  if (!isBlock(unit) || unit.order.minAcceptance === 1) {
    addFixed(unit, cells);
    return;
  }
  const convex = isAloneWithoutMinimum(unit, view.units);
  const { order, ratio, power } = unit;
  if (ratio === 0 && !convex && order.minAcceptance > 0) return;
  const asked = askedOf(unit, view.periods);
  const here = asked.flatMap((mw, t) => (mw > 0 ? [t] : []));
  const alone = order.linkedTo === undefined && order.exclusiveGroup === undefined && order.loopWith === undefined;
  if (here.length > 1 || !(convex || (alone && !isParent(view, unit)))) {
    // With others, or over several MTUs, it is at the money as a whole.
    if (ratio > 0 || convex || power.some((mw) => mw > 0)) for (const t of here) cells[t]!.tied = true;
    return;
  }
  const [t] = here as [number];
  const sign = order.side === 'sell' ? 1 : -1;
  cells[t]!.fixed += sign * order.minAcceptance * asked[t]!;
  const rest = (1 - order.minAcceptance) * asked[t]!;
  cells[t]!.offers.push({ side: order.side, first: order.price, last: order.price, power: rest });
}

const isParent = ({ units }: Ranged, { order }: Unit): boolean =>
  units.some(
    ({ order: other }) =>
      other.kind === 'block' && (other.linkedTo === order.record_id || other.loopWith === order.record_id),
  );

function addFixed({ sign, power }: Unit, cells: readonly Supply[]): void {
  power.forEach((mw, t) => {
    cells[t]!.fixed += sign * mw;
  });
}

function addComplex(view: Ranged, unit: Extract<Unit, object>, cells: readonly Supply[]): void {
  if (!isComplex(unit)) return;
  const { order, span, sign } = unit;
  const side = order.side;
  if (!isOn(unit)) {
    for (const { from, price, power } of stopSteps(order, view.book)) {
      if (span > 1) for (let t = from; t < from + span; t++) cells[t]!.tied = true;
      else cells[from]!.offers.push({ side, first: price, last: price, power });
    }
    return;
  }
  for (const { from, least, steps } of stagesOf(order, view.book)) {
    if (order.loadGradient !== undefined || least > 0 || span > 1) {
      for (let t = from; t < from + span; t++) cells[t]!.tied = true;
      continue;
    }
    for (const { most, cost } of steps)
      cells[from]!.offers.push({ side, first: sign * cost, last: sign * cost, power: most });
  }
}
