/**
 * What one result shows of rules that speak of several runs, and of what is traded after it (INV-32, INV-33, INV-34).
 *
 * That the same book gives the same bytes, whatever its orders are called and whenever they came, only runs can show
 * (`test/clearing/properties.test.ts`). But what breaks it leaves traces: an outcome that depends on arrival, not on the order,
 * or digits that nobody publishes. And an order that is nowhere near the money changes nothing only where nobody with a worse price is
 * served before one with a better.
 */

import { type Check, Findings } from '../check.ts';
import { isRounded, isSameMoney } from '../numbers/tolerances.ts';
import { type Position, surplusAt } from '../view/offers.ts';
import { isComplex, paidTo, worthOf } from '../view/units.ts';

import { isExcused, type View } from '../view/view.ts';

export const checkRuns = (view: View): Check[] => [checkTrades(view), checkTies(view), checkMerit(view)];

/**
 * INV-32: an order's trades, one in each MTU at the price of its zone, come to what it was told. A complex order is told of its condition
 * instead (INV-14, INV-15).
 */
function checkTrades(view: View): Check {
  const { positions, units, price, hours, book } = view;
  const found = new Findings('INV-32', "trades at their zone's prices come to what their orders were told");
  const expect = (id: string, told: number, due: number) =>
    found.expect(isSameMoney(told, due), id, () => `${told}, its trades gain ${due}`);
  for (const { id, outcome, zone, from, span, offers, net } of positions) {
    const [offer] = offers;
    if (outcome.status !== 'accepted' || outcome.ratio === undefined || offer === undefined) continue;
    const mw = Math.abs(net);
    let gain = 0;
    for (let t = from; t < from + span; t++) gain += surplusAt(offer, mw, price[zone]![t]!) * hours;
    expect(id, outcome.surplus, gain);
  }
  for (const unit of units) {
    if (isComplex(unit) || unit.outcome.status !== 'accepted') continue;
    expect(unit.id, unit.outcome.surplus, paidTo(unit, price, hours) + worthOf(unit, book));
  }
  return found.check;
}

/** INV-33: outcomes in the order of the book, no number finer than published, and of equal orders none has more than a lot more. */
function checkTies(view: View): Check {
  const { book, result, positions, eq } = view;
  const found = new Findings(
    'INV-33',
    'nothing but the book decides: equal orders fare alike, numbers are as published',
  );
  book.orders.forEach(({ record_id }, k) => {
    const at = result.orders[k]!.record_id;
    found.expect(at === record_id, record_id, () => `stands where the book has ${at}`);
  });
  for (const name of ['prices', 'netPositions', 'flows'] as const) {
    for (const [id, row] of Object.entries(result[name])) {
      row.forEach((value, t) => {
        found.expect(
          isRounded(value, 6),
          `${name}/${id}/${t + 1}`,
          () => `${value} has more digits than are published`,
        );
      });
    }
  }
  for (const name of ['welfare', 'bound'] as const)
    found.expect(isRounded(result[name], 2), name, () => `${result[name]} has more digits than are published`);
  const limits = positions.filter((position) => position.order.kind === 'limit' && !isExcused(view, position));
  for (const equal of grouped(limits, ({ zone, from, span, offers: [offer] }) =>
    [zone, from, span, offer!.side, offer!.first, offer!.power].join('/'),
  )) {
    const most = equal.reduce((a, b) => (Math.abs(b.net) > Math.abs(a.net) ? b : a));
    for (const each of equal) {
      const less = Math.abs(most.net) - Math.abs(each.net);
      found.expect(less <= eq, each.id, () => `has ${less} MW less than ${most.id}, which is the same`);
    }
  }
  return found.check;
}

/**
 * INV-34: in a zone, an MTU and on a side, a better price is served before a worse one; so whoever is worse than the first that got nothing
 * has no say. Said of the limits alone, whatever the price.
 */
function checkMerit(view: View): Check {
  const { book, positions, ep, eq } = view;
  const found = new Findings('INV-34', 'no order is served before one with a better price');
  const here = positions.filter((position) => !isExcused(view, position));
  for (const side of ['buy', 'sell'] as const) {
    const sign = side === 'sell' ? 1 : -1;
    for (const group of grouped(here, ({ zone, from, span }) => [zone, from, span].join('/'))) {
      // Limits so that lower is better: the worst that is served, the best that is left open.
      let served: { id: string; limit: number } | undefined;
      let open: { id: string; limit: number } | undefined;
      for (const { id, offers, executed } of group) {
        offers.forEach((offer, i) => {
          const { first, last, power } = offer;
          if (offer.side !== side) return;
          const done = executed[i]!;
          const slope = Math.abs(last - first) / power;
          // On a straight line a lot is a little of the price.
          const limit = sign * (first + ((last - first) * done) / power);
          const [low, high] = [limit - slope * eq, limit + slope * eq];
          if (done > eq && (served === undefined || low > served.limit)) served = { id, limit: low };
          if (done < power - eq && (open === undefined || high < open.limit)) open = { id, limit: high };
        });
      }
      if (served === undefined || open === undefined) continue;
      const [worse, better] = [served, open];
      const { zone, from } = group[0]!;
      found.expect(
        worse.limit <= better.limit + 2 * ep,
        `${book.zones[zone]}/${from + 1}`,
        () => `${worse.id} is served, ${better.id} asks ${worse.limit - better.limit} less`,
      );
    }
  }
  return found.check;
}

const grouped = (positions: readonly Position[], keyOf: (position: Position) => string): Position[][] => [
  ...Map.groupBy(positions, keyOf).values(),
];
