/**
 * The prices that the rules ask for (market rules, 5.2): the middle of what supports the answer, or where somebody accepted would lose there, what
 * is nearest to it and loses nobody.
 */

import { leastNorm, type Row } from '../numbers/nearest.ts';
import { dust } from '../numbers/tolerances.ts';
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

/** A price that several zones of an MTU have in common. */
interface Common {
  readonly t: number;
  readonly zones: readonly number[];
  readonly middle: number;
  readonly low: number;
  readonly high: number;
  /** Sum of the squares of the zones' factors. */
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
    for (const island of islandsAt(view, t, here)) {
      const reading = rangesAt(view, t, island, here);
      if (reading === undefined) unread.push(...island.zones.map((z) => ({ z, t })));
      else addReading(reading, island.zones, t);
    }
  }
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
      const common = commons.push({ t, zones: own, low, high, middle: (low + high) / 2, weight }) - 1;
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
  const root = own.map(({ weight }) => Math.sqrt(weight));
  const rows: Row[] = rules.map(({ entries, least }) => ({
    entries: entries.map(([k, factor]) => [place.get(k)!, factor / root[place.get(k)!]!] as const),
    least: least - entries.reduce((sum, [k, factor]) => sum + factor * own[place.get(k)!]!.middle, 0),
  }));
  own.forEach(({ low, high, middle }, i) => {
    rows.push(
      { entries: [[i, 1 / root[i]!]], least: low - middle },
      { entries: [[i, -1 / root[i]!]], least: middle - high },
    );
  });
  const y = leastNorm(own.length, rows);
  if (y === undefined) return undefined;
  const found = own.map(({ middle }, i) => middle + y[i]! / root[i]!);
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
    if (seen.has(start) || sum >= start.least + start.slack - lost) return [];
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
