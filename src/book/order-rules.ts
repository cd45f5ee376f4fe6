/** The rules that an order of a known shape is checked by, whatever else is in the auction: at the door, and in books from files. */

import { gridsOf } from '../market/book.ts';
import { type Fault, fault, show } from '../market/fault.ts';
import type { CurveOrder, Order } from '../market/order.ts';
import { checkBlock, checkFlexible } from './block-rules.ts';
import { checkComplex } from './complex-rules.ts';
import { type OrderTerms, orderTerms, type Terms } from './terms.ts';

export function orderChecker(terms: Terms): (order: Order, found: Fault[]) => void {
  const zones = new Set(terms.zones);
  const grids = gridsOf({ ...terms.priceLimits, ...terms.powerLimits });
  return (order, found) => {
    if (!zones.has(order.zone)) {
      found.push(fault('zone', 'unknown-zone', `${show(order.zone)} is none of the zones ${terms.zones.join(', ')}`));
    }
    const at = orderTerms(order, terms, grids, found);
    switch (order.kind) {
      case 'limit':
        at.period(order.period, 'period');
        at.price(order.price, 'price');
        at.power(order.power, 'power');
        break;
      case 'curve':
        at.period(order.period, 'period');
        order.points.forEach((point, i) => {
          at.price(point.price, `points.${i}.price`);
          at.netPower(point.power, `points.${i}.power`);
        });
        checkMonotone(order, at);
        break;
      case 'block':
        checkBlock(order, at);
        break;
      case 'flexible':
        checkFlexible(order, at);
        break;
      case 'complex':
        checkComplex(order, at);
    }
  };
}

/** A net position may not grow with the price, and prices may not fall from point to point. */
function checkMonotone({ points, shape }: CurveOrder, at: OrderTerms): void {
  for (let i = 1; i < points.length; i++) {
    const before = points[i - 1]!;
    const point = points[i]!;
    if (point.price < before.price) {
      const message = `${point.price} comes after ${before.price}: prices must rise from point to point`;
      at.fault(`points.${i}.price`, 'curve-not-monotone', message);
    } else if (point.price === before.price && shape === 'step') {
      const message = `two points at ${point.price}: a step curve has one power from each price on`;
      at.fault(`points.${i}.price`, 'curve-not-monotone', message);
    }
    if (point.power > before.power) {
      const message = `${point.power} MW at ${point.price} comes after ${before.power} MW: a net position never grows with the price`;
      at.fault(`points.${i}.power`, 'curve-not-monotone', message);
    }
  }
}
