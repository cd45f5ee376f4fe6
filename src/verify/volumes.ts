/** Volumes: balances, lines within their limits, and every order executed as its price says. */

import { Findings } from './check.ts';
import { bestAt, gainAt } from './offers.ts';
import type { Check } from './verify.ts';
import { isExcused, priceOf, spreadOf, type View } from './view.ts';

export function checkVolumes(view: View): Check[] {
  return [...checkBalances(view), ...checkOrders(view), ...checkLines(view)];
}

function checkBalances(view: View): Check[] {
  const { book, periods, netPosition, positions, units, links, regions, pool, eq } = view;
  const balance = new Findings('INV-03', 'sells less buys are the net position, and so are the flows');
  const total = new Findings('INV-04', 'net positions add up to the losses');
  const sold = netPosition.map(() => new Array<number>(periods).fill(0));
  const sent = netPosition.map(() => new Array<number>(periods).fill(0));
  const lost = new Array<number>(periods).fill(0);
  for (const { zone, from, span, net } of positions) {
    for (let t = from; t < from + span; t++) sold[zone]![t]! -= net;
  }
  for (const { zone, sign, power } of units) {
    power.forEach((mw, t) => {
      sold[zone]![t]! += sign * mw;
    });
  }
  for (const { line, from, to, flow } of links) {
    flow.forEach((mw, t) => {
      const [source, sink] = mw >= 0 ? [from, to] : [to, from];
      sent[source]![t]! += Math.abs(mw);
      sent[sink]![t]! -= (1 - line.loss) * Math.abs(mw);
      lost[t]! += line.loss * Math.abs(mw);
    });
  }
  for (let t = 0; t < periods; t++) {
    let sum = 0;
    netPosition.forEach((row, z) => {
      const where = `${book.zones[z]}/${t + 1}`;
      const np = row[t]!;
      sum += np;
      balance.expect(
        Math.abs(sold[z]![t]! - np) <= eq,
        where,
        () => `sells less buys are ${sold[z]![t]} MW, not ${np}`,
      );
      if (regions[t]!.zones.includes(z)) return;
      balance.expect(Math.abs(sent[z]![t]! - np) <= eq, where, () => `flows take ${sent[z]![t]} MW out, not ${np}`);
    });
    const pooled = regions[t]!.zones.reduce((mw, z) => mw + pool[z]![t]!, 0);
    const room = eq * regions[t]!.zones.length;
    balance.expect(Math.abs(pooled) <= room, `MTU ${t + 1}`, () => `${pooled} MW are left in flow-based exchange`);
    const slack = eq * netPosition.length;
    total.expect(
      Math.abs(sum - lost[t]!) <= slack,
      `MTU ${t + 1}`,
      () => `net positions are ${sum} MW, losses ${lost[t]}`,
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
    if (isExcused(view, position)) continue;
    const price = priceOf(view, position);
    offers.forEach((offer, i) => {
      const done = executed[i]!;
      const found = span > 1 ? longer : offer.first === offer.last ? steps : slopes;
      if (offer.first !== offer.last) {
        const best = bestAt(offer, price);
        const slack = eq + (offer.power * ep) / Math.abs(offer.last - offer.first);
        found.expect(Math.abs(done - best) <= slack, id, () => `${done} MW at ${price}, where ${best} MW are due`);
        return;
      }
      const gain = gainAt(offer, 0, price);
      const fits = gain > ep ? done >= offer.power - eq : gain < -ep ? done <= eq : true;
      found.expect(fits, id, () => `${done} of ${offer.power} MW with limit ${offer.first} at ${price}`);
    });
  }
  return [steps.check, slopes.check, longer.check];
}

function checkLines(view: View): Check[] {
  const { periods, links, strained, price, ep, eq } = view;
  const limits = new Findings('INV-17', 'flows keep to the capacities');
  const signs = new Findings('INV-18', 'flows go where the prices say');
  for (const link of links) {
    const { line, flow, least, most } = link;
    const costly = line.loss > 0 || line.tariff > 0;
    for (let t = 0; t < periods; t++) {
      const mw = flow[t]!;
      const where = `${line.id}/${t + 1}`;
      limits.expect(
        mw >= least[t]! - eq && mw <= most[t]! + eq,
        where,
        () => `${mw} MW, allowed ${least[t]} to ${most[t]}`,
      );
      if (strained[t] || link.tied) continue;
      // One direction at a time; without costs a flow is minus the flow the other way.
      const directions = costly
        ? [
            { back: false, mw: Math.max(mw, 0), least: Math.max(0, least[t]!), most: Math.max(0, most[t]!) },
            { back: true, mw: Math.max(-mw, 0), least: Math.max(0, -most[t]!), most: Math.max(0, -least[t]!) },
          ]
        : [{ back: false, mw, least: least[t]!, most: most[t]! }];
      for (const each of directions) {
        const spread = spreadOf(view, link, t, each.back);
        // Where a price is negative, sending power both ways would pay by losing it. A line may not, so the direction that
        // carries nothing is closed, and its spread says nothing (INV-17 against the table of section 3.1).
        const negative = Math.min(price[link.from]![t]!, price[link.to]![t]!) < 0;
        if (line.loss > 0 && negative && each.mw <= eq && spread > 0) continue;
        const fits = spread > ep ? each.mw >= each.most - eq : spread < -ep ? each.mw <= each.least + eq : true;
        signs.expect(
          fits,
          where,
          () => `${each.mw} MW of ${each.most} at a spread of ${spread}${each.back ? ' backwards' : ''}`,
        );
      }
    }
  }
  return [limits.check, signs.check];
}
