/**
 * The prices that the rules ask for (market rules, 5.2): the middle of what supports the answer, or where somebody accepted would lose there, or the
 * middles do not fit together, what is nearest to them and keeps every rule.
 */

import { leastCost } from '../numbers/convex.ts';
import { dust } from '../numbers/tolerances.ts';
import type { Ranged } from '../view/shut.ts';
import { type NoLoss, noLossOf } from './no-loss.ts';
import { narrowed, type PriceRules } from './rules.ts';
import type { Settled } from './settled.ts';
import { tightened } from './tight.ts';

/** What is due of one price. */
export interface Due {
  readonly z: number;
  readonly t: number;
  readonly low: number;
  readonly high: number;
  /** Undefined where only the range is known. */
  readonly price: number | undefined;
}

/** A price of a cell, or of a row that ties cells. */
interface Price {
  readonly low: number;
  readonly high: number;
  readonly middle: number;
  /** How much its distance from the middle counts: nothing of a row. */
  readonly weight: number;
}

interface Rule {
  readonly entries: readonly (readonly [price: number, factor: number])[];
  readonly least: number;
  /** By how much the sum may be off, whatever the reason. */
  readonly slack: number;
}

/** Nothing is said of cells in which rules give way, or whose program is too large. */
export function duesOf(view: Ranged, { parts }: Settled): Due[] {
  const prices: Price[] = [];
  const rules: Rule[] = [];
  const priceOf = new Map<number, number>();
  for (const { rules: asked } of parts) {
    const tight = asked && tightened(asked);
    if (tight !== undefined) addPart(tight);
  }
  for (const rule of noLossOf(view)) addNoLoss(rule);
  const found = nearestTo(prices, rules);
  return [...priceOf]
    .sort(([a], [b]) => a - b)
    .map(([cell, k]) => {
      const { low, high } = prices[k]!;
      return { z: Math.floor(cell / view.periods), t: cell % view.periods, low, high, price: found[k] };
    });

  function addPart(part: PriceRules): void {
    const { low, high } = narrowed(part);
    const own = part.cells.map((cell, v): Price => {
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
    if (own.some((each) => each.low > each.high)) return;
    if (nearestTo(own, asked).includes(undefined)) return;
    const first = prices.length;
    prices.push(...own);
    part.cells.forEach((cell, v) => {
      if (cell !== undefined) priceOf.set(cell, first + v);
    });
    for (const rule of asked) rules.push({ ...rule, entries: rule.entries.map(([v, f]) => [first + v, f] as const) });
  }

  /** Prices that are not known here are those published. */
  function addNoLoss({ terms, least, vague }: NoLoss): void {
    const entries = new Map<number, number>();
    let [due, slack] = [least, 0];
    for (const { z, t, mw } of terms) {
      const k = priceOf.get(z * view.periods + t);
      if (k === undefined) {
        due -= mw * view.price[z]![t]!;
        slack += Math.abs(mw) * view.ep;
      } else entries.set(k, (entries.get(k) ?? 0) + mw);
      if (vague) slack += Math.abs(mw) * view.ep + view.eq * Math.abs(view.price[z]![t]!);
    }
    if (entries.size > 0) rules.push({ entries: [...entries], least: due, slack });
  }
}

/** Prices of least distance from the middles; undefined where none keep the rules, or one that is not known exactly has a say. */
function nearestTo(prices: readonly Price[], rules: readonly Rule[]): (number | undefined)[] {
  const nearest: (number | undefined)[] = prices.map(({ middle }) => middle);
  for (const part of tiedBy(prices, rules)) {
    const found = nearestIn(prices, part);
    part.prices.forEach((k, i) => {
      nearest[k] = found?.[i];
    });
  }
  return nearest;
}

interface Tied {
  readonly prices: readonly number[];
  readonly rules: readonly Rule[];
}

/** What rules that do not hold at the middles tie together, with all the rules of it. */
function tiedBy(prices: readonly Price[], rules: readonly Rule[]): Tied[] {
  const rulesAt = prices.map((): Rule[] => []);
  for (const rule of rules) for (const [k] of rule.entries) rulesAt[k]!.push(rule);
  const seen = new Set<Rule>();
  return rules.flatMap((start) => {
    const terms = start.entries.map(([k, factor]) => factor * prices[k]!.middle);
    const sum = terms.reduce((total, term) => total + term, 0);
    const isOpen = start.entries.some(([k]) => prices[k]!.weight === 0);
    if (seen.has(start) || (!isOpen && sum >= start.least + start.slack - dust(start.least, ...terms))) return [];
    const part = { prices: new Set<number>(), rules: [start] };
    seen.add(start);
    for (const rule of part.rules)
      for (const [k] of rule.entries) {
        part.prices.add(k);
        for (const other of rulesAt[k]!) {
          if (seen.has(other)) continue;
          seen.add(other);
          part.rules.push(other);
        }
      }
    return [{ prices: [...part.prices], rules: part.rules }];
  });
}

function nearestIn(all: readonly Price[], { prices, rules }: Tied): number[] | undefined {
  const place = new Map(prices.map((k, i) => [k, i]));
  // Counted from an end of its range a price is not negative; one without ends is two.
  const cost: number[] = [];
  const bend: number[] = [];
  const most: number[] = [];
  const columns = prices.map((k) => {
    const { low, high, middle, weight } = all[k]!;
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
