/** Volumes: balances, lines within their limits, and every order executed as its price says. */

import { type Check, Findings } from '../check.ts';
import { dust } from '../numbers/tolerances.ts';
import { directionsOf, spreadOf } from '../view/directions.ts';
import { fullEnergy, fullGain, moneySlack } from '../view/families.ts';
import { bestAt, gainAt } from '../view/offers.ts';
import { askedOf, isAloneWithoutMinimum, isBlock } from '../view/units.ts';

import { isExcused, isExcusedBlock, priceOf, type View } from '../view/view.ts';

export function checkVolumes(view: View): Check[] {
  return [...checkBalances(view), ...checkOrders(view), ...checkLines(view)];
}

function checkBalances(view: View): Check[] {
  const { book, periods, netPosition, positions, units, links, regions, pool, lost, created } = view;
  const balance = new Findings('INV-03', 'sells less buys are the net position, and so are the flows');
  const total = new Findings('INV-04', 'net positions add up to the losses');
  const sold = netPosition.map(() => new Array<number>(periods).fill(0));
  /** What adding up all these loses. */
  const traded = netPosition.map(() => new Array<number>(periods).fill(0));
  const sent = netPosition.map(() => new Array<number>(periods).fill(0));
  const losses = new Array<number>(periods).fill(0);
  for (const { zone, from, span, net } of positions) {
    for (let t = from; t < from + span; t++) {
      sold[zone]![t]! -= net;
      traded[zone]![t]! += dust(net);
    }
  }
  for (const { zone, sign, power } of units) {
    power.forEach((mw, t) => {
      sold[zone]![t]! += sign * mw;
      traded[zone]![t]! += dust(mw);
    });
  }
  for (const { line, from, to, flow } of links) {
    flow.forEach((mw, t) => {
      const [source, sink] = mw >= 0 ? [from, to] : [to, from];
      sent[source]![t]! += Math.abs(mw);
      sent[sink]![t]! -= (1 - line.loss) * Math.abs(mw);
      losses[t]! += line.loss * Math.abs(mw);
    });
  }
  for (let t = 0; t < periods; t++) {
    let sum = 0;
    netPosition.forEach((row, z) => {
      const where = `${book.zones[z]}/${t + 1}`;
      const np = row[t]!;
      sum += np;
      balance.expect(
        Math.abs(sold[z]![t]! - np) <= traded[z]![t]!,
        where,
        () => `sells less buys are ${sold[z]![t]} MW, not ${np}`,
      );
      if (regions[t]!.zones.includes(z)) return;
      const gone = np - sent[z]![t]!;
      balance.expect(
        gone <= lost[z]![t]! && gone >= -created[z]![t]!,
        where,
        () => `flows take ${sent[z]![t]} MW out, not ${np}`,
      );
    });
    const all = (of: readonly (readonly number[])[], zones: readonly number[]) =>
      zones.reduce((mw, z) => mw + of[z]![t]!, 0);
    const { zones: region } = regions[t]!;
    const [pooled, terms] = [all(pool, region), dust(...region.map((z) => pool[z]![t]!))];
    balance.expect(
      pooled <= all(lost, region) + terms && pooled >= -all(created, region) - terms,
      `MTU ${t + 1}`,
      () => `${pooled} MW are left in flow-based exchange`,
    );
    const zones = [...netPosition.keys()];
    const gone = sum - losses[t]!;
    const traces = dust(...netPosition.map((row) => row[t]!));
    total.expect(
      gone <= all(lost, zones) + traces && gone >= -all(created, zones) - traces,
      `MTU ${t + 1}`,
      () => `net positions are ${sum} MW, losses ${losses[t]}`,
    );
  }
  return [balance.check, total.check];
}

function checkOrders(view: View): Check[] {
  const { positions, ep, eq } = view;
  const steps = new Findings('INV-05', 'in the money is full, out of the money is nothing');
  const slopes = new Findings('INV-06', 'on a straight line the price says how much');
  const longer = new Findings('INV-07', 'an order over several MTUs keeps to the mean of their prices');
  for (const position of positions) {
    const { id, offers, executed, span } = position;
    const excused = isExcused(view, position);
    const price = priceOf(view, position);
    offers.forEach((offer, i) => {
      const done = executed[i]!;
      const found = span > 1 ? longer : offer.first === offer.last ? steps : slopes;
      if (offer.first !== offer.last) {
        const best = bestAt(offer, price);
        const slack = eq + (offer.power * ep) / Math.abs(offer.last - offer.first);
        // What gives way is executed less, never at a loss.
        const fits = excused ? done <= best + slack : Math.abs(done - best) <= slack;
        found.expect(fits, id, () => `${done} MW at ${price}, where ${best} MW are due`);
        return;
      }
      const gain = gainAt(offer, 0, price);
      const fits = gain > ep ? excused || done >= offer.power - eq : gain < -ep ? done <= eq : true;
      found.expect(fits, id, () => `${done} of ${offer.power} MW with limit ${offer.first} at ${price}`);
    });
  }
  for (const unit of view.units) {
    if (!isBlock(unit) || !isAloneWithoutMinimum(unit, view.units)) continue;
    const gain = fullGain(view, unit);
    const slack = moneySlack(view, fullEnergy(view, unit));
    const inOne = askedOf(unit, view.periods).filter((mw) => mw > 0).length === 1;
    const isFull =
      isExcusedBlock(view, unit) || unit.power.every((mw, t) => mw >= askedOf(unit, view.periods)[t]! - eq);
    const isNone = unit.power.every((mw) => mw <= eq);
    const fits = gain > slack ? isFull : gain < -slack ? isNone : true;
    (inOne ? steps : longer).expect(fits, unit.id, () => `ratio ${unit.ratio} of a block that would gain ${gain}`);
  }
  return [steps.check, slopes.check, longer.check];
}

function checkLines(view: View): Check[] {
  const { periods, links, isShut, ep, eq } = view;
  const limits = new Findings('INV-17', 'flows keep to the capacities');
  const signs = new Findings('INV-18', 'flows go where the prices say');
  for (const [i, link] of links.entries()) {
    const { line, flow, least, most } = link;
    for (let t = 0; t < periods; t++) {
      const mw = flow[t]!;
      const where = `${line.id}/${t + 1}`;
      limits.expect(
        mw >= least[t]! - eq && mw <= most[t]! + eq,
        where,
        () => `${mw} MW, allowed ${least[t]} to ${most[t]}`,
      );
      if (link.tied) continue;
      for (const each of directionsOf(link, t)) {
        // Only the direction that carries nothing may be shut (INV-17), and only where it has to be.
        if (isShut(t, i, each.back)) continue;
        const spread = spreadOf(view, link, t, each.back);
        const fits = spread > ep ? each.sent >= each.most - eq : spread < -ep ? each.sent <= each.least + eq : true;
        signs.expect(
          fits,
          where,
          () => `${each.sent} MW of ${each.most} at a spread of ${spread}${each.back ? ' backwards' : ''}`,
        );
      }
    }
  }
  return [limits.check, signs.check];
}
