/**
 * The prices that support an answer, made anew from the book and the decisions: in each MTU zones whose lines have room share a price, and it is
 * where their offers come to what the full lines ask of them. Which lines are full is read from the flows; whatever reading balances exactly is one
 * optimum of the MTU's program, and every optimum has the same supporting prices.
 */

import { dust } from '../numbers/tolerances.ts';
import { type Direction, directionsOf, isFixed, spreadOf } from '../view/directions.ts';
import { type Ends, endsWithin, passOn } from '../view/ranges.ts';
import type { Link } from '../view/seen.ts';
import type { Ranged } from '../view/shut.ts';
import { type Placed, pricesOf } from './balance.ts';
import type { Supply } from './supply.ts';

/** Lowest and highest prices by zone, in one MTU. */
export interface Reading {
  readonly lows: readonly number[];
  readonly highs: readonly number[];
  /** By zone: what zones whose lines have room have in common. */
  readonly members: readonly Member[];
  /** What full and empty lines ask of prices: keep * price_b - price_a is at least the tariff, or at most. */
  readonly tests: readonly {
    readonly a: number;
    readonly b: number;
    readonly keep: number;
    readonly tariff: number;
    readonly atLeast: boolean;
  }[];
}

type EndsOf = (direction: Direction, link: Link) => Ends;

/** A zone's price is `factor` times that of its cluster, and `more`. */
export interface Member {
  readonly cluster: number;
  readonly factor: number;
  readonly more: number;
}

/** Zones that lines join in some MTU, and the lines; `simple` where nothing but offers of the MTU and these lines has a say in their prices. */
export interface Island {
  readonly zones: readonly number[];
  readonly links: readonly number[];
}

/** @returns the first reading of the flows that balances; undefined where none does */
export function rangesAt(view: Ranged, t: number, island: Island, supply: readonly Supply[]): Reading | undefined {
  const links = island.links.map((i) => view.links[i]!);
  const isShut: Ranged['isShut'] = (u, i, back) => view.isShut(u, island.links[i]!, back);
  const part = { ...view, links, isShut };
  for (const endsOf of readingsOf(part, t)) {
    const found = readingWith(part, t, island.zones, supply, endsOf);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Islands of MTU `t` in which prices follow from offers and lines alone. */
export function islandsAt({ links, regions, price }: Ranged, t: number, supply: readonly Supply[]): Island[] {
  const label = price.map((_, z) => z);
  for (const { from, to } of links) {
    const [one, other] = [label[from]!, label[to]!];
    for (let z = 0; z < label.length; z++) if (label[z] === other) label[z] = one;
  }
  const tied = new Set(regions[t]!.zones.map((z) => label[z]!));
  for (const { from, tied: isTied } of links) if (isTied) tied.add(label[from]!);
  supply.forEach((each, z) => {
    if (each.tied) tied.add(label[z]!);
  });
  return [...new Set(label)].flatMap((each) =>
    tied.has(each)
      ? []
      : [
          {
            zones: label.flatMap((of, z) => (of === each ? [z] : [])),
            links: links.flatMap(({ from }, i) => (label[from] === each ? [i] : [])),
          },
        ],
  );
}

/** A flow within a lot of an end may be there or not, before rounding; where prices are apart it is. */
function readingsOf(view: Ranged, t: number): EndsOf[] {
  const { ep, eq } = view;
  const exact = endsWithin(dust(eq));
  const near = endsWithin(eq);
  const isApart = (way: Direction, link: Link) => Math.abs(spreadOf(view, link, t, way.back)) > ep;
  const guided: EndsOf = (way, link) => (isApart(way, link) ? near(way) : { empty: false, full: false });
  const guidedNear: EndsOf = (way, link) => (near(way).empty || near(way).full ? guided(way, link) : exact(way));
  const idle: EndsOf = (way, link) => (way.sent === 0 ? exact(way) : guidedNear(way, link));
  return [exact, near, idle, guidedNear];
}

function readingWith(
  view: Ranged,
  t: number,
  zones: readonly number[],
  supply: readonly Supply[],
  endsOf: EndsOf,
): Reading | undefined {
  const { links, price, isShut, book } = view;
  const clusters = clustersOf(view, t, endsOf);
  if (clusters === undefined) return undefined;
  const { members, alone } = clusters;
  const { min, max } = book.priceLimits;
  const count = Math.max(...members.map(({ cluster }) => cluster)) + 1;
  const placed = Array.from({ length: count }, (): Placed[] => []);
  const need = new Array<number>(count).fill(0);
  const lost = new Array<number>(count).fill(0);
  const ask = (z: number, mw: number) => {
    const { cluster, factor } = members[z]!;
    need[cluster]! += factor * mw;
    lost[cluster]! += dust(factor * mw);
  };
  for (const z of zones) {
    const { offers, fixed } = supply[z]!;
    const { cluster, factor, more } = members[z]!;
    for (const offer of offers) placed[cluster]!.push({ offer, factor, more });
    ask(z, -fixed);
  }
  for (const link of links) {
    for (const way of directionsOf(link, t)) {
      const { empty, full } = endsOf(way, link);
      if (!isFixed(way) && !empty && !full) continue;
      const sent = full ? way.most : way.least;
      ask(way.a, sent);
      ask(way.b, -(1 - link.line.loss) * sent);
    }
  }
  const spans = placed.map((offers, k) => {
    const only = alone.get(k);
    return only === undefined ? pricesOf(offers, need[k]!, lost[k]!) : { low: only, high: only };
  });
  const [lows, highs] = [price.map(() => min), price.map(() => max)];
  for (const z of zones) {
    const { cluster, factor, more } = members[z]!;
    const span = spans[cluster];
    if (span === undefined) return undefined;
    lows[z] = Math.max(min, factor * span.low + more);
    highs[z] = Math.min(max, factor * span.high + more);
    if (lows[z]! > highs[z]! + dust(lows[z]!, highs[z]!)) return undefined;
    highs[z] = Math.max(lows[z]!, highs[z]!);
  }
  if (!passOn(view, t, endsOf, (i, back) => !isShut(t, i, back), lows, highs)) return undefined;
  const tests = links.flatMap((link, i) =>
    directionsOf(link, t).flatMap((way) => {
      const { empty, full } = endsOf(way, link);
      if (isFixed(way) || empty === full || isShut(t, i, way.back)) return [];
      return [{ a: way.a, b: way.b, keep: 1 - link.line.loss, tariff: link.line.tariff, atLeast: full }];
    }),
  );
  return { lows, highs, members, tests };
}

interface Clusters {
  readonly members: readonly Member[];
  /** Prices of clusters that a ring of lines that lose leaves one. */
  readonly alone: ReadonlyMap<number, number>;
}

/** Zones that lines with room tie; undefined where a ring of them leaves no common price. */
function clustersOf({ links, price }: Ranged, t: number, endsOf: EndsOf): Clusters | undefined {
  const ties = price.map((): { to: number; factor: number; more: number }[] => []);
  for (const link of links) {
    const { loss, tariff } = link.line;
    for (const way of directionsOf(link, t)) {
      const { empty, full } = endsOf(way, link);
      if (isFixed(way) || empty || full) continue;
      // price_a = (1 - loss) * price_b - tariff
      ties[way.b]!.push({ to: way.a, factor: 1 - loss, more: -tariff });
      ties[way.a]!.push({ to: way.b, factor: 1 / (1 - loss), more: tariff / (1 - loss) });
    }
  }
  const members: (Member | undefined)[] = price.map(() => undefined);
  const alone = new Map<number, number>();
  let cluster = 0;
  for (const start of price.keys()) {
    if (members[start] !== undefined) continue;
    members[start] = { cluster, factor: 1, more: 0 };
    const queue = [start];
    for (const at of queue) {
      const here = members[at]!;
      for (const { to, factor, more } of ties[at]!) {
        const due = { cluster, factor: factor * here.factor, more: factor * here.more + more };
        const known = members[to];
        if (known === undefined) {
          members[to] = due;
          queue.push(to);
          continue;
        }
        const [turn, rest] = [known.factor - due.factor, due.more - known.more];
        if (Math.abs(turn) <= dust(1) && Math.abs(rest) <= dust(known.more, due.more)) continue;
        const only = rest / turn;
        const before = alone.get(cluster) ?? only;
        if (Math.abs(turn) <= dust(1) || Math.abs(only - before) > dust(only, before)) return undefined;
        alone.set(cluster, only);
      }
    }
    cluster++;
  }
  return { members: members as Member[], alone };
}
