/** Orders at the money, and flows nobody pays for: shared by rule, not by luck (market rules, section 5). */

import { leastPower } from '../../market/bounds.ts';
import { type Check, Findings } from '../check.ts';
import { leastShare } from '../numbers/tolerances.ts';
import { clustersAt } from '../view/clusters.ts';
import type { Offer, Position } from '../view/offers.ts';
import type { View } from '../view/view.ts';
import { checkMostTraded } from './most-traded.ts';

/** An offer of one price that could be executed in part. */
interface Step {
  readonly position: Position;
  readonly offer: Offer;
  readonly done: number;
}

export function checkSharing(view: View): Check[] {
  const { periods, book, eq } = view;
  const fair = new Findings('INV-26', 'equal offers get equal shares');
  const traded = new Findings('INV-27', 'nothing at the money is left that could still trade');
  const curtailed = new Findings('INV-28', 'price-taking orders are cut at a price limit only, and equally');
  const { min, max } = book.priceLimits;
  const stepsAt = stepsByMtu(view);
  const openAt = moreByMtu(view);
  for (let t = 0; t < periods; t++) {
    const label = clustersAt(view, t);
    for (const steps of grouped(
      stepsAt[t]!,
      ({ position, offer }) => `${label[position.zone]}/${offer.side}/${offer.first}`,
    )) {
      const { offer, position } = steps[0]!;
      const limit = offer.side === 'buy' ? max : min;
      const found = offer.first === limit ? curtailed : fair;
      const total = (of: (step: Step) => number) => steps.reduce((sum, step) => sum + of(step), 0);
      const common = total(({ done }) => done) / total((step) => step.offer.power);
      for (const { position: each, offer: own, done } of steps) {
        const slack = (1.5 * eq) / own.power;
        found.expect(
          Math.abs(done / own.power - common) <= slack,
          each.id,
          () => `share ${done / own.power}, common ${common}`,
        );
      }
      if (offer.first !== limit || common > 1 - leastShare) continue;
      const price = view.price[position.zone]![t]!;
      curtailed.expect(
        Math.abs(price - limit) <= view.ep,
        `${book.zones[position.zone]}/${t + 1}`,
        () => `cut at ${price}`,
      );
    }
    for (const steps of grouped(openAt[t]!, ({ position }) => String(label[position.zone]))) {
      const open = (side: string) =>
        steps.filter(({ offer, done }) => offer.side === side && done < offer.power - 2 * eq);
      const buys = open('buy').sort((a, b) => b.offer.first - a.offer.first);
      const sells = open('sell').sort((a, b) => a.offer.first - b.offer.first);
      const pair = bestPair(buys, sells);
      const where = `${book.zones[steps[0]!.position.zone]}/${t + 1}`;
      traded.expect(
        pair === undefined || pair.buy.offer.first < pair.sell.offer.first,
        where,
        () => `a buy at ${pair!.buy.offer.first} and a sell at ${pair!.sell.offer.first} could still trade`,
      );
    }
  }
  checkMostTraded(view, traded);
  if (book.lot !== undefined)
    for (const [t, here] of Map.groupBy(view.positions, ({ from }) => from))
      for (const group of sharedIn(here, stepsAt[t]!)) checkLots(book.lot, group, fair);
  return [fair.check, traded.check, curtailed.check, checkRings(view)];
}

/**
 * Steps of one zone, side and price that share its lots; none where a straight line, or a curve that may trade either way, shares with them.
 *
 * @param here  orders that begin in one MTU
 */
function sharedIn(here: readonly Position[], steps: readonly Step[]): Step[][] {
  const sides = new Set<string>();
  const prices = new Set<string>();
  for (const { span, zone, offers, executed } of here) {
    if (span > 1) continue;
    const tradesEitherWay = offers.some(({ side }) => side !== offers[0]!.side);
    offers.forEach(({ side, first, last, power }, i) => {
      if (first !== last && executed[i]! > 0 && executed[i]! < power) sides.add(`${zone}/${side}`);
      if (first === last && tradesEitherWay) prices.add(`${zone}/${side === 'buy' ? 'sell' : 'buy'}/${first}`);
    });
  }
  return grouped(steps, ({ position, offer }) => `${position.zone}/${offer.side}/${offer.first}`).filter((group) => {
    const { position, offer } = group[0]!;
    const side = `${position.zone}/${offer.side}`;
    return group.length > 1 && !sides.has(side) && !prices.has(`${side}/${offer.first}`);
  });
}

/** Market rules, 5.5: the lots of a side are shared pro rata, those left by the largest remainder, then by id. Counted in whole numbers. */
function checkLots(lot: number, steps: readonly Step[], found: Findings): void {
  const lots = steps.map(({ done }) => BigInt(Math.round(done / lot)));
  const powers = steps.map(({ offer }) => BigInt(Math.round(offer.power / leastPower)));
  const [given, asked] = [lots, powers].map((all) => all.reduce((sum, each) => sum + each, 0n)) as [bigint, bigint];
  if (given === 0n || steps.every(({ done, offer }) => done === offer.power)) return;
  const due = powers.map((power) => (given * power) / asked);
  const perMillion = (rest: bigint) => (2n * rest * 1_000_000n + asked) / (2n * asked);
  const remainders = powers.map((power) => perMillion((given * power) % asked));
  const ranked = [...steps.keys()].sort(
    (a, b) => Number(remainders[b]! - remainders[a]!) || compareIds(steps[a]!.position, steps[b]!.position),
  );
  const left = Number(given - due.reduce((sum, each) => sum + each, 0n));
  for (const k of ranked.slice(0, left)) due[k]! += 1n;
  steps.forEach(({ position }, k) => {
    found.expect(lots[k] === due[k], position.id, () => `${lots[k]} lots, its part of ${given} is ${due[k]}`);
  });
}

function compareIds({ order: a }: Position, { order: b }: Position): number {
  if (a.record_id !== b.record_id) return a.record_id < b.record_id ? -1 : 1;
  return (a.participant ?? '') < (b.participant ?? '') ? -1 : 1;
}

/**
 * Offers of one price and of the MTU's own resolution; what one order offers at one price on one side is one, however many steps it was
 * written in. Of a curve that both buys and sells at one price only the difference is
 * known, so such offers are left out.
 */
function stepsByMtu({ positions, periods }: View): Step[][] {
  const steps = Array.from({ length: periods }, (): Step[] => []);
  for (const position of positions) {
    if (position.span > 1) continue;
    const own: Step[] = [];
    position.offers.forEach((offer, i) => {
      if (offer.first !== offer.last) return;
      if (position.offers.some((other) => other.side !== offer.side && other.first === offer.first)) return;
      const done = position.executed[i]!;
      const same = own.findIndex((step) => step.offer.side === offer.side && step.offer.first === offer.first);
      if (same < 0) own.push({ position, offer, done });
      else {
        const step = own[same]!;
        const power = step.offer.power + offer.power;
        own[same] = { position, offer: { ...offer, power }, done: step.done + done };
      }
    });
    steps[position.from]!.push(...own);
  }
  return steps;
}

/** Offers of one price that an order could have more of: those on the side that it trades on, or on both where it trades nothing. */
function moreByMtu({ positions, periods }: View): Step[][] {
  const steps = Array.from({ length: periods }, (): Step[] => []);
  for (const position of positions) {
    if (position.span > 1) continue;
    position.offers.forEach((offer, i) => {
      const isHere = position.net === 0 || (offer.side === 'buy') === position.net > 0;
      if (offer.first === offer.last && isHere)
        steps[position.from]!.push({ position, offer, done: position.executed[i]! });
    });
  }
  return steps;
}

/** The best buy and sell that are not of one order: a curve does not trade with itself. Both sorted, best first. */
function bestPair(buys: readonly Step[], sells: readonly Step[]): { buy: Step; sell: Step } | undefined {
  const [buy, sell] = [buys[0], sells[0]];
  if (buy === undefined || sell === undefined) return undefined;
  if (buy.position !== sell.position) return { buy, sell };
  const otherBuy = buys.find(({ position }) => position !== sell.position);
  const otherSell = sells.find(({ position }) => position !== buy.position);
  const pairs = [
    ...(otherBuy === undefined ? [] : [{ buy: otherBuy, sell }]),
    ...(otherSell === undefined ? [] : [{ buy, sell: otherSell }]),
  ];
  return pairs.sort((a, b) => b.buy.offer.first - b.sell.offer.first - (a.buy.offer.first - a.sell.offer.first))[0];
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  return [...Map.groupBy(items, keyOf).values()];
}

/**
 * No flow runs in a ring among zones of one price. One that loses power on its way is paid for by who sells below nothing. At a price of
 * nothing, by nobody who asks nothing: his power need not be there (market rules, section 3.1).
 */
function checkRings({ periods, links, positions, price, ep, eq, book }: View): Check {
  const found = new Findings('INV-29', 'no flow runs in a ring');
  // Zones where somebody sells for nothing.
  const free = new Set<string>();
  for (const { zone, from, span, offers, executed } of positions) {
    const sells = offers.some(
      ({ side, first, last }, i) =>
        side === 'sell' && Math.max(Math.abs(first), Math.abs(last)) <= ep && executed[i]! > eq,
    );
    if (sells && span === 1 && Math.abs(price[zone]![from]!) <= ep) free.add(`${zone}/${from}`);
  }
  for (let t = 0; t < periods; t++) {
    const next = price.map((): number[] => []);
    const isFree = (z: number) => free.has(`${z}/${t}`);
    for (const { line, from, to, flow, least, most, tied } of links) {
      const mw = flow[t]!;
      // What a negative capacity forces is not its choice.
      const isForced = mw > 0 ? mw <= least[t]! + eq : mw >= most[t]! - eq;
      if (tied || (isForced && least[t]! * most[t]! > 0) || line.tariff > 0 || Math.abs(mw) <= eq) continue;
      if (Math.abs(price[from]![t]! - price[to]![t]!) > ep) continue;
      if (line.loss > 0 && !(isFree(from) || isFree(to))) continue;
      if (mw > 0) next[from]!.push(to);
      else next[to]!.push(from);
    }
    const ring = ringIn(next);
    found.expect(ring === undefined, `MTU ${t + 1}`, () => `${ring!.map((z) => book.zones[z]).join(' -> ')}`);
  }
  return found.check;
}

/** Nodes of a directed ring; undefined when there is none. */
function ringIn(next: readonly (readonly number[])[]): number[] | undefined {
  const state = next.map(() => 0); // 1: on the way, 2: done
  const way: number[] = [];
  const visit = (node: number): number[] | undefined => {
    state[node] = 1;
    way.push(node);
    for (const other of next[node]!) {
      if (state[other] === 1) return [...way.slice(way.indexOf(other)), other];
      if (state[other] === 0) {
        const ring = visit(other);
        if (ring !== undefined) return ring;
      }
    }
    way.pop();
    state[node] = 2;
    return undefined;
  };
  for (let node = 0; node < next.length; node++) {
    const ring = state[node] === 0 ? visit(node) : undefined;
    if (ring !== undefined) return ring;
  }
  return undefined;
}
