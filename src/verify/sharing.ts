/** Orders at the money, and flows nobody pays for: shared by rule, not by luck (market rules, section 5). */

import { Findings } from './check.ts';
import { clustersAt } from './clusters.ts';
import type { Offer, Position } from './offers.ts';
import type { Check } from './verify.ts';
import type { View } from './view.ts';

/** An offer of one price that could be executed in part. */
interface Step {
  readonly position: Position;
  readonly offer: Offer;
  readonly done: number;
}

export function checkSharing(view: View): Check[] {
  const { periods, book, strained, eq } = view;
  const fair = new Findings('INV-26', 'equal offers get equal shares');
  const traded = new Findings('INV-27', 'nothing at the money is left that could still trade');
  const curtailed = new Findings('INV-28', 'price-taking orders are cut at a price limit only, and equally');
  const { min, max } = book.priceLimits;
  const stepsAt = stepsByMtu(view);
  for (let t = 0; t < periods; t++) {
    if (strained[t]) continue;
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
        const slack = (1.5 * Math.max(book.lot ?? 0, 1e-4)) / own.power + 1e-6;
        found.expect(
          Math.abs(done / own.power - common) <= slack,
          each.id,
          () => `share ${done / own.power}, common ${common}`,
        );
      }
      if (offer.first !== limit || common > 1 - 1e-9) continue;
      const price = view.price[position.zone]![t]!;
      curtailed.expect(
        Math.abs(price - limit) <= view.ep,
        `${book.zones[position.zone]}/${t + 1}`,
        () => `cut at ${price}`,
      );
    }
    for (const steps of grouped(stepsAt[t]!, ({ position }) => String(label[position.zone]))) {
      const slackOf = (side: string) => steps.filter((s) => s.offer.side === side && s.done < s.offer.power - 2 * eq);
      const buy = slackOf('buy').reduce((best, s) => Math.max(best, s.offer.first), Number.NEGATIVE_INFINITY);
      const sell = slackOf('sell').reduce((best, s) => Math.min(best, s.offer.first), Number.POSITIVE_INFINITY);
      const where = `${book.zones[steps[0]!.position.zone]}/${t + 1}`;
      traded.expect(buy < sell, where, () => `a buy at ${buy} and a sell at ${sell} could still trade`);
    }
  }
  return [fair.check, traded.check, curtailed.check, checkRings(view)];
}

/**
 * Offers of one price and of the MTU's own resolution. Of a curve that both buys and sells at one price only the difference is
 * known, so such offers are left out.
 */
function stepsByMtu({ positions, periods }: View): Step[][] {
  const steps = Array.from({ length: periods }, (): Step[] => []);
  for (const position of positions) {
    if (position.span > 1) continue;
    position.offers.forEach((offer, i) => {
      if (offer.first !== offer.last) return;
      if (position.offers.some((other) => other.side !== offer.side && other.first === offer.first)) return;
      steps[position.from]!.push({ position, offer, done: position.executed[i]! });
    });
  }
  return steps;
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  return [...Map.groupBy(items, keyOf).values()];
}

/** No flow runs in a ring among zones of one price. */
function checkRings({ periods, links, price, ep, eq, book, strained }: View): Check {
  const found = new Findings('INV-29', 'no flow runs in a ring');
  for (let t = 0; t < periods; t++) {
    if (strained[t]) continue;
    const next = price.map((): number[] => []);
    for (const { line, from, to, flow, least, most, tied } of links) {
      const mw = flow[t]!;
      // What a negative capacity forces is not its choice.
      const isForced = mw > 0 ? mw <= least[t]! + eq : mw >= most[t]! - eq;
      if (tied || (isForced && least[t]! * most[t]! > 0) || line.loss > 0 || line.tariff > 0 || Math.abs(mw) <= eq)
        continue;
      if (Math.abs(price[from]![t]! - price[to]![t]!) > ep) continue;
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
