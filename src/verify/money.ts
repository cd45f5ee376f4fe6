/** Money: welfare, the certificate that there is no better answer, the bound, and that all payments meet. */

import { Findings } from './check.ts';
import { isOn, moreGain, moreOfStops } from './complex.ts';
import { bestAt, surplusAt, valueOfOffer } from './offers.ts';
import { isComplex, paidTo, worthOf } from './units.ts';
import type { Check } from './verify.ts';
import { hoursOfPosition, isExcused, type Link, priceOf, spreadOf, type View } from './view.ts';

export function checkMoney(view: View): Check[] {
  return [checkWelfare(view), checkCertificate(view), checkBound(view), checkPayments(view)];
}

/** Money that executed buys value, less what executed sells ask, less tariffs. */
function welfareOf(view: View): number {
  let welfare = 0;
  for (const position of view.positions) {
    let value = 0;
    position.offers.forEach((offer, i) => {
      value += valueOfOffer(offer, position.executed[i]!);
    });
    welfare += value * hoursOfPosition(view, position);
  }
  for (const unit of view.units) welfare += worthOf(unit, view.book);
  for (const { line, flow } of view.links) {
    for (const mw of flow) welfare -= line.tariff * Math.abs(mw) * view.hours;
  }
  return welfare;
}

function checkWelfare(view: View): Check {
  const found = new Findings('INV-24', 'the welfare is what the orders give');
  const welfare = welfareOf(view);
  found.expect(
    Math.abs(welfare - view.result.welfare) <= view.ew,
    'welfare',
    () => `${view.result.welfare} is not ${welfare}`,
  );
  return found.check;
}

/**
 * By weak duality no answer is worth more than what everybody would gain at given prices if each order and each line could
 * choose alone. Where the published welfare comes up to that, it is the best there is (INV-23).
 *
 * What rounding leaves open is bounded order by order: an order or line whose price test is within `ep` may be off its best
 * volume, and loses at most `ep` a MWh of what it is off. Anything that a test would refuse adds nothing to the allowance, so
 * a dispatch that is wrong by more than rounding fails here too.
 */
function checkCertificate(view: View): Check {
  const { result, positions, units, links, pool, periods, hours, price, strained, ep, eq, ew } = view;
  const found = new Findings('INV-23', 'no answer is better at these prices');
  let most = 0;
  let allowance = ew;
  for (const position of positions) {
    const { offers, executed } = position;
    const at = priceOf(view, position);
    const duration = hoursOfPosition(view, position);
    const excused = isExcused(view, position);
    offers.forEach((offer, i) => {
      const best = bestAt(offer, at);
      const could = surplusAt(offer, best, at) * duration;
      const does = surplusAt(offer, executed[i]!, at) * duration;
      most += could;
      const off = Math.abs(best - executed[i]!);
      // On a straight line a lot more or less is a little off the price.
      const slope = Math.abs(offer.last - offer.first) / offer.power;
      allowance += excused ? could - does : Math.min(could - does, (2 * ep + slope * eq) * off * duration);
    });
  }
  // What was decided is given: a block's ratio, and that a complex order is on; its schedule is not.
  for (const unit of units) {
    const gain = paidTo(unit, price, hours) + worthOf(unit, view.book);
    most += gain + (isComplex(unit) ? Math.max(0, isOn(unit) ? moreGain(view, unit) : moreOfStops(view, unit)) : 0);
  }
  // So are the flows that ramps and constraints tie together: that they are the best at these prices is INV-19 and INV-20.
  pool.forEach((row, z) => {
    row.forEach((mw, t) => {
      most -= mw * price[z]![t]! * hours;
    });
  });
  for (const link of links) {
    const { line, least, flow } = link;
    for (let t = 0; t < periods; t++) {
      const mw = flow[t]!;
      if (link.tied) {
        most += rentOf(view, link, t);
        continue;
      }
      const costly = line.loss > 0 || line.tariff > 0;
      const [forward, backward] = [spreadOf(view, link, t), spreadOf(view, link, t, true)];
      const gain = costly
        ? bestOfCostly(forward, backward, least[t]!, link.most[t]!)
        : Math.max(forward * link.most[t]!, forward * least[t]!);
      const does = mw >= 0 ? forward * mw : costly ? backward * -mw : forward * mw;
      most += gain * hours;
      const negative = Math.min(price[link.from]![t]!, price[link.to]![t]!) < 0;
      const excused = strained[t] || (line.loss > 0 && negative);
      const off = Math.max(Math.abs(link.most[t]! - mw), Math.abs(mw - least[t]!));
      allowance += (excused ? gain - does : Math.min(gain - does, 2 * ep * off)) * hours;
    }
  }
  // Balances may be off by what rounding moves; priced, that is money too.
  // What a line with losses delivers is in no whole lots.
  const { lot, lines } = view.book;
  const open = lot === undefined ? 2e-6 : lines.some(({ loss }) => loss > 0) ? lot : 1e-5;
  price.forEach((row) => {
    for (const p of row) allowance += Math.abs(p) * hours * open;
  });
  const gap = most - result.welfare;
  found.expect(
    Math.abs(gap) <= allowance,
    'welfare',
    () => `everybody alone would gain ${most}, the welfare is ${result.welfare}`,
  );
  return found.check;
}

/** Currency per hour that a line with costs could earn: one way, the other, or neither; where a negative capacity forces a flow, not neither. */
function bestOfCostly(forward: number, backward: number, least: number, most: number): number {
  if (least > 0) return Math.max(forward * least, forward * most);
  if (most < 0) return Math.max(backward * -least, backward * -most);
  return Math.max(forward * most, backward * -least, 0);
}

/** Money that a line earns in MTU `t`, its tariff taken off. */
const rentOf = (view: View, link: Link, t: number): number =>
  spreadOf(view, link, t, link.flow[t]! < 0) * Math.abs(link.flow[t]!) * view.hours;

function checkBound({ result, book, ew }: View): Check {
  const found = new Findings('INV-35', 'the bound is one, and optimal means no gap');
  const { welfare, bound, gap, status } = result;
  found.expect(bound >= welfare - 0.005, 'bound', () => `${bound} is below the welfare ${welfare}`);
  const due = (bound - welfare) / Math.max(1, Math.abs(bound));
  found.expect(Math.abs(gap - due) <= 1e-9, 'gap', () => `${gap} is not ${due}`);
  // Whole lots cost a little that no other answer in lots has to give back.
  const lots = (book.lot ?? 0) * book.orders.length * (book.priceLimits.max - book.priceLimits.min);
  found.expect(
    status !== 'optimal' || bound - welfare <= ew + lots + 1e-6,
    'status',
    () => `${status} with ${bound - welfare} to the bound`,
  );
  return found.check;
}

/** What buyers pay is what sellers get, what the lines earn, and the tariffs. */
function checkPayments(view: View): Check {
  const { positions, units, links, regions, pool, periods, hours, price, book } = view;
  const found = new Findings('INV-31', 'payments, receipts, congestion income and tariffs meet');
  const paid = new Array<number>(periods).fill(0);
  for (const { zone, from, span, net } of positions) {
    for (let t = from; t < from + span; t++) paid[t]! += net * price[zone]![t]! * hours;
  }
  for (const unit of units) {
    unit.power.forEach((mw, t) => {
      paid[t]! -= unit.sign * mw * price[unit.zone]![t]! * hours;
    });
  }
  // A volume is half a lot off, where longer orders have to close a balance a whole one.
  const off = (book.lot ?? 0) * (positions.some(({ span }) => span > 1) ? 1 : 0.5);
  for (let t = 0; t < periods; t++) {
    let slack = 0;
    for (const row of price) slack += 0.01 + Math.abs(row[t]!) * hours * Math.max(1e-5, off);
    let left = paid[t]!;
    for (const z of regions[t]!.zones) left += pool[z]![t]! * price[z]![t]! * hours;
    for (const link of links) {
      const mw = link.flow[t]!;
      left -= (spreadOf(view, link, t, mw < 0) + link.line.tariff) * Math.abs(mw) * hours;
    }
    found.expect(Math.abs(left) <= slack, `MTU ${t + 1}`, () => `${left} is left over`);
  }
  return found.check;
}
