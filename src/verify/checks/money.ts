/** Money: welfare, the certificate that there is no better answer, the bound, and that all payments meet. */

import { type Check, Findings } from '../check.ts';
import { isCent, leastShare, Sum } from '../numbers/tolerances.ts';
import { directionsOf, spreadOf } from '../view/directions.ts';
import { type Block, blocksOf } from '../view/families.ts';
import { bestAt, surplusAt, valueOfOffer } from '../view/offers.ts';
import { askedOf, isBlock, isComplex, isOn, paidTo, type Unit, worthOf } from '../view/units.ts';
import { hoursOfPosition, isExcused, type Link, priceOf, type View } from '../view/view.ts';
import { lotSlack, moreGain, moreOfStops } from './complex.ts';

export function checkMoney(view: View): Check[] {
  const welfare = welfareOf(view);
  return [
    checkWelfare(view, welfare),
    checkCertificate(dualityOf(view, welfare)),
    checkBound(view, welfare),
    checkPayments(view),
  ];
}

/** Money that executed buys value, less what executed sells ask, less tariffs. */
function welfareOf(view: View): Sum {
  const welfare = new Sum();
  for (const position of view.positions) {
    const duration = hoursOfPosition(view, position);
    position.offers.forEach((offer, i) => {
      welfare.add(valueOfOffer(offer, position.executed[i]!) * duration);
    });
  }
  for (const unit of view.units) welfare.add(worthOf(unit, view.book));
  for (const { line, flow } of view.links) {
    for (const mw of flow) welfare.add(-line.tariff * Math.abs(mw) * view.hours);
  }
  return welfare;
}

/**
 * INV-24, to the cent whatever the welfare: it is that of the published volumes, so rounding them to lots is in it already. Curves in
 * lots need no more: the volume says where on its slope an offer ends, and so what it is worth.
 */
function checkWelfare(view: View, welfare: Sum): Check {
  const found = new Findings('INV-24', 'the welfare is what the orders give');
  const off = Math.abs(welfare.value - view.result.welfare);
  found.expect(isCent(off, welfare.dust), 'welfare', () => `${view.result.welfare} is not ${welfare.value}`);
  return found.check;
}

/** The welfare of the published volumes beside what everybody alone would gain at the published prices. */
interface Duality {
  readonly welfare: number;
  readonly most: number;
  /** What they would gain had nothing been rounded to lots: no volumes are worth more. */
  readonly beforeLots: number;
  /** By how much rounding explains that they differ. */
  readonly allowance: number;
}

/**
 * By weak duality no answer is worth more than what everybody would gain at given prices if each order and each line could
 * choose alone. Where the published welfare comes up to that, it is the best there is (INV-23). The welfare here is that of the volumes, unrounded: that it is the published one is INV-24.
 *
 * What rounding leaves open is bounded order by order: an order or line whose price test is within `ep` may be off its best
 * volume, and loses at most `ep` a MWh of what it is off. Anything that a test would refuse adds nothing to the allowance, so
 * a dispatch that is wrong by more than rounding fails here too.
 */
function dualityOf(view: View, worth: Sum, isKnown: (z: number, t: number) => boolean = () => false): Duality {
  const { positions, units, links, regions, pool, periods, hours, price, isShut, ep, eq } = view;
  const gains = new Sum();
  let allowance = 0;
  for (const position of positions) {
    const { offers, executed } = position;
    const at = priceOf(view, position);
    const duration = hoursOfPosition(view, position);
    const excused = isExcused(view, position);
    offers.forEach((offer, i) => {
      const best = bestAt(offer, at);
      const could = surplusAt(offer, best, at) * duration;
      const does = surplusAt(offer, executed[i]!, at) * duration;
      gains.add(could);
      const off = Math.abs(best - executed[i]!);
      // On a straight line a lot more or less is a little off the price.
      const slope = Math.abs(offer.last - offer.first) / offer.power;
      if (!isKnown(position.zone, position.from))
        allowance += excused ? could - does : Math.min(could - does, (2 * ep + slope * eq) * off * duration);
    });
  }
  // What was decided is given: a block's ratio, and that a complex order is on; its schedule is not.
  for (const unit of units) {
    const gain = paidTo(unit, price, hours) + worthOf(unit, view.book);
    gains.add(gain);
    if (isComplex(unit)) gains.add(Math.max(0, isOn(unit) ? moreGain(view, unit) : moreOfStops(view, unit)));
  }
  // So are the flows that ramps and constraints tie together: that they are the best at these prices is INV-19 and INV-20.
  const lost = new Sum();
  pool.forEach((row, z) => {
    row.forEach((mw, t) => {
      const money = -mw * price[z]![t]! * hours;
      gains.add(money);
      // Outside exchange this is what rounding moved at the end of a line with losses, and no more than that.
      if (!regions[t]!.zones.includes(z)) lost.add(money);
    });
  });
  for (const [i, link] of links.entries()) {
    const { least, flow } = link;
    for (let t = 0; t < periods; t++) {
      const mw = flow[t]!;
      if (link.tied) {
        gains.add(rentOf(view, link, t));
        continue;
      }
      const ways = directionsOf(link, t);
      let does = 0;
      let could = Number.NEGATIVE_INFINITY;
      for (const way of ways) {
        const spread = spreadOf(view, link, t, way.back);
        does += spread * way.sent;
        // One way at a time, or neither; a negative capacity forces one. What is shut earns what it does.
        const other = ways.find((each) => each !== way);
        if ((other?.least ?? 0) > 0 || isShut(t, i, way.back)) continue;
        could = Math.max(could, spread * way.least, spread * way.most);
      }
      if (could === Number.NEGATIVE_INFINITY) could = does;
      gains.add(could * hours);
      const off = Math.max(Math.abs(link.most[t]! - mw), Math.abs(mw - least[t]!));
      if (!isKnown(link.from, t)) allowance += Math.min(could - does, 2 * ep * off) * hours;
    }
  }
  const dusty = allowance + worth.dust + gains.dust;
  return { welfare: worth.value, most: gains.value, beforeLots: gains.value - lost.value, allowance: dusty };
}

function checkCertificate({ welfare, most, allowance }: Duality): Check {
  const found = new Findings('INV-23', 'given what was decided, no volumes are worth more');
  const message = () => `everybody alone would gain ${most}, the welfare is ${welfare}`;
  found.expect(Math.abs(most - welfare) <= allowance, 'welfare', message);
  return found.check;
}

/** Money that a line earns in MTU `t`, its tariff taken off. */
const rentOf = (view: View, link: Link, t: number): number =>
  spreadOf(view, link, t, link.flow[t]! < 0) * Math.abs(link.flow[t]!) * view.hours;

/**
 * Money that whole lots may have cost what was decided together, and that nobody shows alone at these prices: blocks cut to a ratio, schedules,
 * flows tied by ramps and exchange. A lot of each at its own distance from the money.
 */
function costOfLots(view: View, isKnown: (z: number, t: number) => boolean): number {
  const { units, links, regions, lost, price, periods, hours, eq } = view;
  let cost = 0;
  for (const unit of units) {
    if (isComplex(unit)) cost += lotSlack(view, unit);
    else if (isBlock(unit) && isCut(unit)) {
      const limit = unit.order.price;
      // Of an MTU whose share is less than half a lot nothing may be left.
      askedOf(unit, periods).forEach((mw, t) => {
        if (mw > 0 && !isKnown(unit.zone, t)) cost += Math.abs(price[unit.zone]![t]! - limit) * eq * hours;
      });
    }
  }
  for (let t = 0; t < periods; t++) {
    for (const link of links) if (link.tied) cost += Math.abs(spreadOf(view, link, t)) * eq * hours;
    const prices = regions[t]!.zones.map((z) => price[z]![t]!);
    const mean = prices.reduce((sum, p) => sum + p, 0) / prices.length;
    for (const p of prices) cost += Math.abs(p - mean) * eq * hours;
    for (const z of regions[t]!.zones) cost += Math.abs(price[z]![t]!) * lost[z]![t]! * hours;
  }
  return cost;
}

const isCut = ({ ratio }: Unit): boolean => ratio > 0 && ratio < 1;

/**
 * Money that less than a lot was worth: a cut member of a group leaves a part of the group's unit to another one, which executes nothing of it
 * in whole lots and is published as rejected.
 */
function worthOfLessThanALot(view: View): number {
  const { price, periods, hours, eq } = view;
  const { groupOf } = blocksOf(view);
  let worth = 0;
  const groups = new Set(view.units.filter(isBlock).map((block) => groupOf(block as Block)));
  for (const members of groups) {
    const left = 1 - members.reduce((sum, { ratio }) => sum + ratio, 0);
    if (!members.some(({ ratio }) => ratio > 0 && ratio < 1) || left <= 0) continue;
    const gains = members
      .filter(({ ratio, order }) => ratio === 0 && order.minAcceptance === 0)
      .map((each) => ({ each, asked: askedOf(each, periods).map((mw) => mw * left) }))
      .filter(({ asked }) => Math.max(...asked) <= eq)
      .map(({ each: { sign, zone, order }, asked }) =>
        asked.reduce((sum, mw, t) => sum + sign * mw * (price[zone]![t]! - order.price) * hours, 0),
      );
    worth += Math.max(0, ...gains);
  }
  return worth;
}

/**
 * INV-35. What the decisions are worth before volumes are rounded to lots is told exactly by prices that are known before they are rounded to the tick:
 * at these everybody alone gains as much as all together. Where schedules, ramps or exchange tie prices, it is told to what rounding explains.
 */
function checkBound(view: View, worth: Sum): Check {
  const found = new Findings('INV-35', 'welfare, bound, gap and status say the same');
  const { welfare, bound, gap, status } = view.result;
  found.expect(bound >= welfare, 'bound', () => `${bound} is below the welfare ${welfare}`);
  const due = (bound - welfare) / Math.max(1, Math.abs(bound));
  found.expect(Math.abs(gap - due) <= leastShare, 'gap', () => `${gap} is not ${due}`);
  const before = view.settled.worth;
  const reached =
    before === undefined
      ? reachedAtPrices(view, worth)
      : Math.max(worth.value, before.value + worthOfLessThanALot(view)) + before.dust;
  found.expect(
    status !== 'optimal' || isCent(bound - reached, 0),
    'status',
    () => `${status} with ${bound - reached} to the bound`,
  );
  return found.check;
}

/** The same by what everybody alone would gain at the prices that are due: to what rounding explains. */
function reachedAtPrices(view: View, worth: Sum): number {
  const price = view.price.map((row) => [...row]);
  const known = new Set<string>();
  for (const each of view.due) {
    if (each.price === undefined) continue;
    price[each.z]![each.t] = each.price;
    known.add(`${each.z}/${each.t}`);
  }
  const isKnown = (z: number, t: number) => known.has(`${z}/${t}`);
  const before = { ...view, price };
  const { beforeLots, allowance } = dualityOf(before, worth, isKnown);
  return Math.max(worth.value, beforeLots) + allowance + costOfLots(before, isKnown) + worthOfLessThanALot(view);
}

/** What buyers pay is what sellers get, what the lines earn, and the tariffs. */
function checkPayments(view: View): Check {
  const { positions, units, links, regions, pool, lost, created, periods, hours, price } = view;
  const found = new Findings('INV-31', 'payments, receipts, congestion income and tariffs meet');
  const paid = Array.from({ length: periods }, () => new Sum());
  for (const { zone, from, span, net } of positions) {
    for (let t = from; t < from + span; t++) paid[t]!.add(net * price[zone]![t]! * hours);
  }
  for (const unit of units) {
    unit.power.forEach((mw, t) => {
      paid[t]!.add(-unit.sign * mw * price[unit.zone]![t]! * hours);
    });
  }
  for (let t = 0; t < periods; t++) {
    const left = paid[t]!;
    for (const z of regions[t]!.zones) left.add(pool[z]![t]! * price[z]![t]! * hours);
    for (const link of links) {
      const mw = link.flow[t]!;
      left.add(-(spreadOf(view, link, t, mw < 0) + link.line.tariff) * Math.abs(mw) * hours);
    }
    // What a line with losses delivers is rounded: the difference belongs to its losses (5.5).
    const open = price.reduce(
      (sum, row, z) => sum + Math.abs(row[t]!) * Math.max(lost[z]![t]!, created[z]![t]!) * hours,
      0,
    );
    const slack = open + left.dust;
    found.expect(Math.abs(left.value) <= slack, `MTU ${t + 1}`, () => `${left.value} is left over`);
  }
  return found.check;
}
