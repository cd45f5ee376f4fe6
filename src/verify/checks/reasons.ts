/** What an order was told: the surplus, and why it did not get all it asked for (market rules, section 12). */

import type { Reason } from '../../market/result.ts';
import { type Check, Findings } from '../check.ts';
import { dust, halfCent, isSameMoney } from '../numbers/tolerances.ts';
import { bestAt, gainAt, type Offer, type Position, surplusAt } from '../view/offers.ts';
import { hoursOfPosition, isExcused, priceOf, type View } from '../view/view.ts';
import { checkUnitReasons } from './unit-reasons.ts';

export function checkReasons(view: View): Check[] {
  const surpluses = new Findings('SURPLUS', 'each order is told what it gains at the published prices');
  const reasons = new Findings('REASON', 'each order that did not get all is told why');
  for (const position of view.positions) {
    const { id, outcome } = position;
    const surplus = surplusOf(view, position);
    surpluses.expect(isSameMoney(outcome.surplus, surplus), id, () => `${outcome.surplus} instead of ${surplus}`);
    if (outcome.reason === undefined) continue;
    const wrong = wrongIn(view, position, outcome.reason);
    reasons.expect(wrong === undefined, id, () => `${outcome.reason!.code}: ${wrong}`);
  }
  const paradoxes = checkUnitReasons(view, surpluses, reasons);
  return [surpluses.check, reasons.check, ...paradoxes];
}

/** Money: a limit order's if it were fully executed, a curve's most. */
function surplusOf(view: View, position: Position): number {
  const price = priceOf(view, position);
  let sum = 0;
  for (const offer of position.offers) {
    sum += surplusAt(offer, position.order.kind === 'limit' ? offer.power : bestAt(offer, price), price);
  }
  return sum * hoursOfPosition(view, position);
}

/** What is wrong with a reason; undefined when nothing is. */
function wrongIn(view: View, position: Position, reason: Reason): string | undefined {
  const { book, ep } = view;
  const { offers, executed, net } = position;
  const { min, max } = book.priceLimits;
  const price = priceOf(view, position);
  const open = offers.filter((offer, i) => {
    const trades = net === 0 || (offer.side === 'buy') === net > 0;
    return trades && executed[i]! < offer.power - dust(offer.power, net);
  });
  if (open.length === 0) return 'nothing was left unexecuted';
  const away = (offer: Offer) => Math.max(0, -gainAt(offer, 0, price));
  const nearest = Math.min(...open.map(away));
  const slack = 2 * ep;
  if (reason.code !== 'paradoxically_rejected' && reason.missedSurplus > 0)
    return `misses nothing, not ${reason.missedSurplus}`;
  if (reason.code !== 'out_of_the_money' && reason.distance > slack)
    return `distance ${reason.distance} from what is at the money or in it`;
  switch (reason.code) {
    case 'out_of_the_money':
      if (open.some((offer) => gainAt(offer, 0, price) > ep)) return `the price ${price} is in the money`;
      return Math.abs(reason.distance - nearest) <= slack
        ? undefined
        : `distance ${reason.distance} instead of ${nearest}`;
    case 'partial_at_the_money':
      return nearest <= slack ? undefined : `the price ${price} is ${nearest} away`;
    case 'curtailed_at_bound': {
      const bound = (offer: Offer) => (offer.side === 'buy' ? max : min);
      if (!open.some((offer) => Math.abs(offer.first - bound(offer)) <= ep)) return 'the order takes not any price';
      const stranger = reason.binding.find((zone) => !book.zones.includes(zone));
      if (stranger !== undefined) return `there is no zone ${stranger}`;
      if (!reason.binding.includes(position.order.zone)) return `it is not shared by ${position.order.zone} itself`;
      return open.some((offer) => Math.abs(price - bound(offer)) <= slack)
        ? undefined
        : `the price ${price} is at no limit`;
    }
    case 'paradoxically_rejected': {
      if (!isExcused(view, position)) return 'prices within the limits support the order here';
      const gains = (done: (offer: Offer, i: number) => number) =>
        offers.reduce((sum, offer, i) => sum + surplusAt(offer, done(offer, i), price), 0);
      const missed = gains((offer) => bestAt(offer, price)) - gains((_, i) => executed[i]!);
      const money = missed * hoursOfPosition(view, position);
      if (money <= 0) return `it misses nothing at ${price}`;
      const tolerance =
        halfCent + slack * hoursOfPosition(view, position) * offers.reduce((sum, { power }) => sum + power, 0);
      return Math.abs(reason.missedSurplus - money) <= tolerance
        ? undefined
        : `misses ${money}, not ${reason.missedSurplus}`;
    }
    default:
      return 'is no reason for an order of this kind';
  }
}
