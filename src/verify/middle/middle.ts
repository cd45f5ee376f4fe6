/**
 * The prices that the rules ask for (market rules, 5.2): the middle of what supports the answer, or where somebody accepted would lose there, what
 * is nearest to it and loses nobody.
 */

import { leastCost } from '../numbers/convex.ts';
import { dust } from '../numbers/tolerances.ts';
import { narrowed, type PriceRules } from '../settled/rules.ts';
import { settledPrices } from '../settled/settled.ts';
import type { Ranged } from '../view/shut.ts';
import { type NoLoss, noLossOf } from './no-loss.ts';
import { islandsAt, type Reading, rangesAt } from './ranges.ts';
import { supplyOf } from './supply.ts';

/** What is due of one price. */
export interface Due {
  readonly z: number;
  readonly t: number;
  readonly low: number;
  readonly high: number;
  /** Undefined where only the range is known. */
  readonly price: number | undefined;
}

/** A price that several zones of an MTU have in common, or that of a row that ties them. */
interface Common {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
  /** Sum of the squares of the zones' factors; nothing of a row. */
  readonly weight: number;
}

interface Rule {
  readonly entries: readonly (readonly [common: number, factor: number])[];
  readonly least: number;
  /** By how much the sum may be off, whatever the reason. */
  readonly slack: number;
}

/** Zones and MTUs in which no reading of the flows balances, beside what is due of the others. */
export interface Dues {
  readonly dues: readonly Due[];
  readonly unread: readonly { readonly z: number; readonly t: number }[];
}

export function duesOf(view: Ranged): Dues {
  const supply = supplyOf(view);
  const commons: Common[] = [];
  const rules: Rule[] = [];
  const unread: { z: number; t: number }[] = [];
  /** By zone and MTU: the common price, and the zone's share in it. */
  const at = view.price.map((row) =>
    row.map((): { common: number; factor: number; more: number } | undefined => undefined),
  );
  for (let t = 0; t < view.periods; t++) {
    const here = supply.map((row) => row[t]!);
    for (const island of process.env.ALL ? [] : islandsAt(view, t, here)) {
      const reading = rangesAt(view, t, island, here);
      if (reading === undefined) unread.push(...island.zones.map((z) => ({ z, t })));
      else addReading(reading, island.zones, t);
    }
  }
  for (const part of settledPrices(view, (cell) => at[Math.floor(cell / view.periods)]![cell % view.periods] === undefined))
    addPart(part);
  for (const rule of noLossOf(view)) addNoLoss(rule);
  const prices = nearestTo(commons, rules);
  const dues = view.price.flatMap((row, z) =>
    row.flatMap((_, t) => {
      const own = at[z]![t];
      if (own === undefined) return [];
      const { low, high } = commons[own.common]!;
      const of = (price: number) => own.factor * price + own.more;
      const price = prices[own.common];
      return [{ z, t, low: of(low), high: of(high), price: price === undefined ? undefined : of(price) }];
    }),
  );
  return { dues, unread };

  function addReading({ lows, highs, members, tests }: Reading, zones: readonly number[], t: number): void {
    for (const own of Map.groupBy(zones, (z) => members[z]!.cluster).values()) {
      const first = own.find((z) => members[z]!.factor === 1 && members[z]!.more === 0)!;
      const [low, high] = [lows[first]!, highs[first]!];
      const weight = own.reduce((sum, z) => sum + members[z]!.factor ** 2, 0);
      const common = commons.push({ low, high, middle: (low + high) / 2, weight }) - 1;
      for (const z of own) at[z]![t] = { common, factor: members[z]!.factor, more: members[z]!.more };
    }
    for (const { a, b, keep, tariff, atLeast } of tests) {
      const [from, to] = [at[a]![t]!, at[b]![t]!];
      const sign = atLeast ? 1 : -1;
      const least = sign * (tariff - keep * to.more + from.more);
      if (from.common !== to.common)
        rules.push({
          entries: [
            [to.common, sign * keep * to.factor],
            [from.common, -sign * from.factor],
          ],
          least,
          slack: 0,
        });
    }
  }

  function addPart(part: PriceRules): void {
    const { low, high } = narrowed(part);
    const own = part.cells.map((cell, v): Common => {
      const [from, to] = [low[v]!, high[v]!];
      return cell === undefined
        ? { low: from, high: to, middle: 0, weight: 0 }
        : { low: from, high: to, middle: (from + to) / 2, weight: 1 };
    });
    const asked = part.rules.flatMap(({ entries, low: least, high: most }): Rule[] => [
      ...(least > -Infinity ? [{ entries, least, slack: 0 }] : []),
      ...(most < Infinity ? [{ entries: entries.map(([v, f]) => [v, -f] as const), least: -most, slack: 0 }] : []),
    ]);
    // Where no prices within the limits keep the rules, some give way (section 4): what that leaves is not made anew.
    if (own.some((each) => each.low > each.high) || nearestIn(own, { commons: [...own.keys()], rules: asked }) === undefined) return;
    const first = commons.length;
    commons.push(...own);
    part.cells.forEach((cell, v) => {
      if (cell !== undefined)
        at[Math.floor(cell / view.periods)]![cell % view.periods] = { common: first + v, factor: 1, more: 0 };
    });
    for (const rule of asked) rules.push({ ...rule, entries: rule.entries.map(([v, f]) => [first + v, f] as const) });
  }

  /** Prices that are not known here are those published. */
  function addNoLoss({ terms, least, vague }: NoLoss): void {
    const entries = new Map<number, number>();
    let [due, slack] = [least, 0];
    for (const { z, t, mw } of terms) {
      const own = at[z]![t];
      if (own === undefined) {
        due -= mw * view.price[z]![t]!;
        slack += Math.abs(mw) * view.ep;
      } else {
        due -= mw * own.more;
        entries.set(own.common, (entries.get(own.common) ?? 0) + mw * own.factor);
      }
      if (vague) slack += Math.abs(mw) * view.ep + view.eq * Math.abs(view.price[z]![t]!);
    }
    if (entries.size > 0) rules.push({ entries: [...entries], least: due, slack });
  }
}

/** Prices of least distance from the middles; undefined where a rule that is not known exactly has a say. */
function nearestTo(commons: readonly Common[], rules: readonly Rule[]): (number | undefined)[] {
  const prices: (number | undefined)[] = commons.map(({ middle }) => middle);
  for (const part of partsOf(commons, rules)) {
    const found = nearestIn(
      part.commons.map((k) => commons[k]!),
      part,
    );
    part.commons.forEach((k, i) => {
      prices[k] = found?.[i];
    });
  }
  return prices;
}

function nearestIn(own: readonly Common[], { commons, rules }: Part): number[] | undefined {
  const place = new Map(commons.map((k, i) => [k, i]));
  // Counted from an end of its range a price is not negative; one without ends is two.
  const cost: number[] = [];
  const bend: number[] = [];
  const most: number[] = [];
  const columns = own.map(({ low, high, middle, weight }) => {
    const sign = low === -Infinity && high < Infinity ? -1 : 1;
    const start = low > -Infinity ? low : high < Infinity ? high : 0;
    const add = (direction: number) => {
      cost.push(direction * weight * (start - middle));
      bend.push(weight);
      most.push(high - low);
      return [cost.length - 1, direction] as const;
    };
    return { start, parts: low === -Infinity && high === Infinity ? [add(1), add(-1)] : [add(sign)] };
  });
  const rows = rules.map(({ entries, least }) => ({
    entries: entries.flatMap(([k, factor]) =>
      columns[place.get(k)!]!.parts.map(([j, direction]) => [j, direction * factor] as const),
    ),
    least: least - entries.reduce((sum, [k, factor]) => sum + factor * columns[place.get(k)!]!.start, 0),
  }));
  const x = leastCost({ cost, bend, most, rows })?.x;
  if (x === undefined) return undefined;
  const found = columns.map(({ start, parts }) =>
    parts.reduce((sum, [j, direction]) => sum + direction * x[j]!, start),
  );
  const isVague = rules.some(({ entries, least, slack }) => {
    const sum = entries.reduce((total, [k, factor]) => total + factor * found[place.get(k)!]!, 0);
    return slack > 0 && sum <= least + slack;
  });
  return isVague ? undefined : found;
}

interface Part {
  readonly commons: readonly number[];
  readonly rules: readonly Rule[];
}

/** What rules that do not hold at the middles tie together, with all the rules of it. */
function partsOf(commons: readonly Common[], rules: readonly Rule[]): Part[] {
  const rulesAt = commons.map((): Rule[] => []);
  for (const rule of rules) for (const [k] of rule.entries) rulesAt[k]!.push(rule);
  const seen = new Set<Rule>();
  return rules.flatMap((start) => {
    const sum = start.entries.reduce((total, [k, factor]) => total + factor * commons[k]!.middle, 0);
    const lost = dust(start.least, ...start.entries.map(([k, factor]) => factor * commons[k]!.middle));
    const isOpen = start.entries.some(([k]) => commons[k]!.weight === 0);
    if (seen.has(start) || (!isOpen && sum >= start.least + start.slack - lost)) return [];
    const part = { commons: new Set<number>(), rules: [start] };
    seen.add(start);
    for (const rule of part.rules)
      for (const [k] of rule.entries) {
        part.commons.add(k);
        for (const other of rulesAt[k]!) {
          if (seen.has(other)) continue;
          seen.add(other);
          part.rules.push(other);
        }
      }
    return [{ commons: [...part.commons], rules: part.rules }];
  });
}
