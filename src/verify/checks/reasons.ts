/** What an order was told: the surplus, and why it did not get all it asked for (market rules, section 12). */

import type { Reason } from '../../market/result.ts';
import { type Check, Findings } from '../check.ts';
import { dust, isSameMoney } from '../numbers/tolerances.ts';
import { clustersAt, reachAt } from '../view/clusters.ts';
import { bestAt, gainAt, type Offer, type Position, surplusAt } from '../view/offers.ts';
import { hoursOfPosition, isExcused, priceOf, type View } from '../view/view.ts';
import { type Numbers, noNumbers, wrongNumbers } from './numbers-told.ts';
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
  const { offers, executed, net } = position;
  const price = priceOf(view, position);
  const open = offers.filter((offer, i) => {
    const trades = net === 0 || (offer.side === 'buy') === net > 0;
    return trades && executed[i]! < offer.power - dust(offer.power, net);
  });
  if (open.length === 0) return 'nothing was left unexecuted';
  return (
    wrongCode(view, position, reason, open, price) ?? wrongNumbers(reason, numbersOf(view, position, reason, open))
  );
}

const away = (offer: Offer, price: number): number => Math.max(0, -gainAt(offer, 0, price));

function wrongCode(
  view: View,
  position: Position,
  { code }: Reason,
  open: readonly Offer[],
  price: number,
): string | undefined {
  const { book, ep } = view;
  const { min, max } = book.priceLimits;
  const nearest = Math.min(...open.map((offer) => away(offer, price)));
  switch (code) {
    case 'out_of_the_money':
      return open.some((offer) => gainAt(offer, 0, price) > ep) ? `the price ${price} is in the money` : undefined;
    case 'partial_at_the_money':
      return nearest <= 2 * ep ? undefined : `the price ${price} is ${nearest} away`;
    case 'curtailed_at_bound': {
      const bound = (offer: Offer) => (offer.side === 'buy' ? max : min);
      if (!open.some((offer) => Math.abs(offer.first - bound(offer)) <= ep)) return 'the order takes not any price';
      return open.some((offer) => Math.abs(price - bound(offer)) <= ep)
        ? undefined
        : `the price ${price} is at no limit`;
    }
    case 'paradoxically_rejected':
      if (!isExcused(view, position)) return 'prices within the limits support the order here';
      return missedBy(view, position) > 0 ? undefined : `it misses nothing at ${price}`;
    default:
      return 'is no reason for an order of this kind';
  }
}

/** Money that an order gains less than it would with its best volume at the price. */
function missedBy(view: View, position: Position): number {
  const { offers, executed } = position;
  const price = priceOf(view, position);
  const gains = (done: (offer: Offer, i: number) => number) =>
    offers.reduce((sum, offer, i) => sum + surplusAt(offer, done(offer, i), price), 0);
  return (gains((offer) => bestAt(offer, price)) - gains((_, i) => executed[i]!)) * hoursOfPosition(view, position);
}

function numbersOf(view: View, position: Position, { code }: Reason, open: readonly Offer[]): Numbers {
  const price = priceOf(view, position);
  const nearest = Math.min(...open.map((offer) => away(offer, price)));
  if (code === 'paradoxically_rejected') return { ...noNumbers, missed: missedBy(view, position) };
  // The price before it was rounded says which step is the nearest, the published one how far it is, on either side of it.
  if (code === 'out_of_the_money')
    return {
      ...noNumbers,
      distance: open.flatMap((offer) => {
        const gain = gainAt(offer, 0, price);
        return Math.max(0, -gain) <= nearest + view.ep ? [-gain, offer.first === offer.last ? Math.abs(gain) : 0] : [];
      }),
    };
  if (code !== 'curtailed_at_bound') return noNumbers;
  const t = position.from;
  const withZone = (label: readonly number[]) => view.book.zones.filter((_, z) => label[z] === label[position.zone]);
  return { ...noNumbers, named: withZone(clustersAt(view, t)), maybe: withZone(reachAt(view, t)) };
}
