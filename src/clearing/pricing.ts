/**
 * The published prices: the middle of what the rules allow (market rules, section 5.2).
 *
 * Who trades is known; all prices that support it form a convex set. Each price has a lowest and a highest value in it:
 * its own zone's orders bound it, and every line passes bounds on, because an arc with room makes two prices equal and an empty
 * or full one lets them differ in one direction only. Bounds are passed on until none moves.
 *
 * Where no order spans several MTUs, every rule relates two prices and grows in both; such sets are closed under taking
 * the lower, and the higher, of two solutions. So all lowest prices together are a solution, all highest ones too, and
 * by convexity so is the middle: no optimisation is needed. Orders over several MTUs bound a mean of prices, and there the
 * middle may break a rule: then the nearest prices that break none are taken (a small quadratic program).
 *
 * The limits of the market come first. An order over several MTUs, or a line with losses where prices are negative, can ask for
 * a price beyond them: a half-hour sell that one of its quarters has no use for would need that quarter below the lowest
 * price. No price supports such an answer, though it is the best. Then the nearest prices without limits are taken, and cut to
 * them: cutting keeps every order of one MTU and every line without losses content, and what it leaves unsupported are longer
 * orders and lossy lines alone. The order is told so (`paradoxically_rejected`).
 */

import { pricesAt } from './curves/net-curve.ts';
import { type Equilibrium, samePrice } from './equilibrium.ts';
import type { Problem } from './problem.ts';
import { nearestPoint } from './solver/nearest.ts';

/** A rule `low <= sum of factor * price <= high` over zone-MTUs. */
interface Rule {
  readonly at: readonly number[];
  readonly factor: readonly number[];
  readonly low: number;
  readonly high: number;
}

/** Bounds move at least this far (currency/MWh), or passing them on ends: gains around a ring of lossy lines shrink for ever. */
const notice = 1e-9;
/** A rule missed by more than this (currency/MWh) is broken: a hundredth of the finest usual tick. */
const noticeable = 1e-4;

/**
 * Which of the welfare-equal volumes are executed makes no difference to the prices that support them. So the linear program's own
 * are asked: they are at their ends exactly, where those of the sharing only come near.
 *
 * @returns prices (currency/MWh, not rounded) by zone * periods + MTU
 */
export function midpointPrices(problem: Problem, found: Equilibrium): Float64Array {
  const { periods, zones, nodes } = problem;
  const { min, max } = problem.book.priceLimits;
  // What its own orders say of each price, with infinite ends where they say nothing.
  const least = new Float64Array(zones * periods).fill(Number.NEGATIVE_INFINITY);
  const most = new Float64Array(zones * periods).fill(Number.POSITIVE_INFINITY);
  const rules = arcRules(problem, found);
  nodes.forEach((node, i) => {
    const [low, high] = pricesAt(node.curve, found.net[i]!);
    if (node.span === 1) {
      const at = node.zone * periods + node.from;
      least[at] = low;
      most[at] = high;
    } else if (node.curve.power.length > 0) {
      const at = Array.from({ length: node.span }, (_, k) => node.zone * periods + node.from + k);
      rules.push({ at, factor: at.map(() => 1), low: low * node.span, high: high * node.span });
    }
  });
  const within = (price: number) => Math.min(max, Math.max(min, price));
  const low = least.map(within);
  const high = most.map(within);
  const middles = low.map((bound, i) => (bound + high[i]!) / 2);
  passBounds(rules, low, high);
  const prices = low.map((bound, i) => (bound + high[i]!) / 2);
  const replace = (group: readonly [number, number], by: ReadonlyMap<number, number>) => {
    for (const cell of cellsOf(problem, group)) prices[cell] = within(by.get(cell) ?? found.dual[cell]!);
  };
  for (const group of brokenGroups(problem, rules, prices, samePrice)) {
    replace(group, nearest(problem, rules, low, high, prices, group));
  }
  for (const group of brokenGroups(problem, rules, prices, noticeable)) {
    replace(group, nearest(problem, rules, least, most, middles, group));
  }
  return prices;
}

function arcRules(problem: Problem, found: Equilibrium): Rule[] {
  const { arcs, periods } = problem;
  const rules: Rule[] = [];
  arcs.forEach((arc, a) => {
    for (let t = 0; t < periods; t++) {
      const least = arc.least[t]!;
      const most = arc.most[t]!;
      if (found.closed[a * periods + t] || most - least <= samePrice) continue;
      const flow = found.flow[a * periods + t]!;
      rules.push({
        at: [arc.from * periods + t, arc.to * periods + t],
        factor: [-1, 1 - arc.loss],
        low: flow > least + samePrice ? arc.tariff : Number.NEGATIVE_INFINITY,
        high: flow < most - samePrice ? arc.tariff : Number.POSITIVE_INFINITY,
      });
    }
  });
  return rules;
}

/** Around lines that lose little, bounds shrink towards zero by little each time. */
const mostVisits = 1_000_000;

/** Tighten the bounds by every rule until none moves. */
function passBounds(rules: readonly Rule[], low: Float64Array, high: Float64Array): void {
  const rulesAt = new Map<number, number[]>();
  rules.forEach((rule, r) => {
    for (const at of rule.at) rulesAt.set(at, [...(rulesAt.get(at) ?? []), r]);
  });
  const waiting = rules.map((_, r) => r);
  const isWaiting = new Uint8Array(rules.length).fill(1);
  for (let next = 0; next < waiting.length && next < mostVisits; next++) {
    const rule = waiting[next]!;
    isWaiting[rule] = 0;
    for (const moved of tighten(rules[rule]!, low, high)) {
      for (const r of rulesAt.get(moved)!) {
        if (isWaiting[r] || r === rule) continue;
        isWaiting[r] = 1;
        waiting.push(r);
      }
    }
  }
}

/** Tighten the bounds of one rule's prices; which of them moved. */
function tighten({ at, factor, low: ruleLow, high: ruleHigh }: Rule, low: Float64Array, high: Float64Array): number[] {
  const moved: number[] = [];
  at.forEach((i, k) => {
    // What the other prices can contribute at least and at most.
    let least = 0;
    let most = 0;
    at.forEach((j, m) => {
      if (m === k) return;
      const f = factor[m]!;
      least += f * (f > 0 ? low[j]! : high[j]!);
      most += f * (f > 0 ? high[j]! : low[j]!);
    });
    const f = factor[k]!;
    const a = (ruleLow - most) / f;
    const b = (ruleHigh - least) / f;
    const [from, to] = f > 0 ? [a, b] : [b, a];
    // Bounds stop at each other: beyond, a rule asks for what the market's limits do not allow.
    let touched = false;
    if (from > low[i]! + notice && low[i]! < high[i]!) {
      low[i] = Math.min(from, high[i]!);
      touched = true;
    }
    if (to < high[i]! - notice && low[i]! < high[i]!) {
      high[i] = Math.max(to, low[i]!);
      touched = true;
    }
    if (touched) moved.push(i);
  });
  return moved;
}

/** Groups of MTUs in which prices miss some rule by more than `slack`. */
function brokenGroups(problem: Problem, rules: readonly Rule[], prices: Float64Array, slack: number) {
  const broken = new Set<number>();
  for (const { at, factor, low, high } of rules) {
    let sum = 0;
    at.forEach((i, k) => {
      sum += factor[k]! * prices[i]!;
    });
    if (sum < low - slack || sum > high + slack) broken.add(at[0]! % problem.periods);
  }
  return problem.groups.filter(([first, after]) => [...broken].some((t) => t >= first && t < after));
}

function cellsOf({ periods, zones }: Problem, [first, after]: readonly [number, number]): number[] {
  const cells: number[] = [];
  for (let z = 0; z < zones; z++) for (let t = first; t < after; t++) cells.push(z * periods + t);
  return cells;
}

/** The prices of a group, by cell, that obey every rule and are nearest to others (sum of squares); empty where there are none. */
function nearest(
  problem: Problem,
  rules: readonly Rule[],
  low: Float64Array,
  high: Float64Array,
  prices: Float64Array,
  group: readonly [number, number],
): Map<number, number> {
  const cells = cellsOf(problem, group);
  const columnOf = new Map(cells.map((cell, c) => [cell, c]));
  const here = rules.filter(({ at }) => columnOf.has(at[0]!)).map((rule) => withinReach(rule, low, high));
  // Columns: the prices, then what each rule's sum comes to. Rows: sum of factor * price - that = 0.
  const byColumn = [...cells, ...here].map((): [row: number, factor: number][] => []);
  here.forEach(({ at, factor }, r) => {
    at.forEach((cell, k) => {
      byColumn[columnOf.get(cell)!]!.push([r, factor[k]!]);
    });
    byColumn[cells.length + r]!.push([r, -1]);
  });
  const starts = [0];
  for (const column of byColumn) starts.push(starts[starts.length - 1]! + column.length);
  const columns = (ofPrice: (cell: number) => number, ofRule: (rule: Rule) => number) =>
    Float64Array.from([...cells.map(ofPrice), ...here.map(ofRule)]);
  const x = nearestPoint(
    {
      weight: columns(
        () => 1,
        () => 0,
      ),
      target: columns(
        (cell) => prices[cell]!,
        ({ at, factor }) => at.reduce((sum, cell, k) => sum + factor[k]! * prices[cell]!, 0),
      ),
      lower: columns(
        (cell) => low[cell]!,
        (rule) => rule.low,
      ),
      upper: columns(
        (cell) => high[cell]!,
        (rule) => rule.high,
      ),
      rightSide: new Float64Array(here.length),
      starts: Int32Array.from(starts),
      indices: Int32Array.from(byColumn.flat(), ([row]) => row),
      values: Float64Array.from(byColumn.flat(), ([, factor]) => factor),
    },
    samePrice,
    1e-16,
  );
  return new Map(x === undefined ? [] : cells.map((cell, c) => [cell, x[c]!]));
}

/** The rule, loosened to what its prices can reach at all. */
function withinReach(rule: Rule, low: Float64Array, high: Float64Array): Rule {
  let least = 0;
  let most = 0;
  rule.at.forEach((i, k) => {
    const f = rule.factor[k]!;
    least += f * (f > 0 ? low[i]! : high[i]!);
    most += f * (f > 0 ? high[i]! : low[i]!);
  });
  return { ...rule, low: Math.min(rule.low, most), high: Math.max(rule.high, least) };
}
