/**
 * Rules over prices as they are whichever of the volumes of equal welfare they are read off (market rules, 5.2): one that holds as an equation at all
 * prices that keep the rules is one, and a row whose price is nothing at all of them has none.
 */

import { leastCost } from '../numbers/convex.ts';
import { dust, pivotDust } from '../numbers/tolerances.ts';
import type { PriceRule, PriceRules } from './rules.ts';

/** One side of a rule, or of a price's range: how far the sum of factors times prices is above `least`. */
interface Side {
  readonly entries: PriceRule['entries'];
  readonly least: number;
  readonly tighten: () => void;
}

/** @returns undefined where no prices keep the rules, or where the program is too large */
export function tightened(asked: PriceRules): PriceRules | undefined {
  // Rules between two cells leave each price the same range, however they are written.
  const isPlain = ({ entries }: PriceRule) =>
    entries.length <= 2 && entries.every(([v]) => asked.cells[v] !== undefined);
  if (asked.rules.every(isPlain)) return asked;
  const rules = [...asked.rules];
  const [low, high] = [[...asked.low], [...asked.high]];
  const result = { cells: asked.cells, low, high, rules };
  const columns = columnsOf(result);
  const seen: Float64Array[] = [];
  const slackAt = (x: Float64Array, { entries, least }: Side) => columns.sum(entries, x) - least;
  const tight: Side[] = [];
  for (const side of sidesOf(result)) {
    const size = Math.max(...side.entries.map(([, factor]) => Math.abs(factor)));
    if (seen.some((x) => slackAt(x, side) > columns.unit * size * enough)) continue;
    const x = columns.farthest(side);
    if (x === undefined) return undefined;
    seen.push(x);
    if (slackAt(x, side) <= columns.unit * size * enough) tight.push(side);
  }
  for (const side of tight) side.tighten();
  return result;
}

/** Of the prices' range: what a slack is that is none. */
const enough = 100 * pivotDust;

function sidesOf({ cells, low, high, rules }: PriceRules & { rules: PriceRule[] }): Side[] {
  const sides: Side[] = [];
  rules.forEach(({ entries, low: least, high: most }, r) => {
    if (least === most) return;
    const equal = (at: number) => () => {
      rules[r] = { entries, low: at, high: at };
    };
    const back = entries.map(([v, factor]) => [v, -factor] as const);
    if (least > -Infinity) sides.push({ entries, least, tighten: equal(least) });
    if (most < Infinity) sides.push({ entries: back, least: -most, tighten: equal(most) });
  });
  const tied = new Set(rules.flatMap(({ entries }) => entries.map(([v]) => v)));
  cells.forEach((_, v) => {
    if (!tied.has(v) || low[v] === high[v]) return;
    const equal = (at: number) => () => {
      low[v] = high[v] = at;
    };
    if (low[v]! > -Infinity) sides.push({ entries: [[v, 1]], least: low[v]!, tighten: equal(low[v]!) });
    if (high[v]! < Infinity) sides.push({ entries: [[v, -1]], least: -high[v]!, tighten: equal(high[v]!) });
  });
  return sides;
}

/** Prices as variables that are not negative, and the rules as rows over them. */
function columnsOf({ cells, low, high, rules }: PriceRules) {
  const starts: number[] = [];
  const most: number[] = [];
  const parts = cells.map((_, v) => {
    const [from, to] = [low[v]!, high[v]!];
    const add = (direction: number) => [most.push(to - from) - 1, direction] as const;
    starts.push(from > -Infinity ? from : to < Infinity ? to : 0);
    if (from === -Infinity && to === Infinity) return [add(1), add(-1)];
    return [add(from === -Infinity ? -1 : 1)];
  });
  const unit = Math.max(1, ...most.filter(Number.isFinite));
  const place = (entries: PriceRule['entries']) =>
    entries.flatMap(([v, factor]) => parts[v]!.map(([j, direction]) => [j, direction * factor] as const));
  const done = (entries: PriceRule['entries']) => entries.reduce((sum, [v, factor]) => sum + factor * starts[v]!, 0);
  const row = (entries: PriceRule['entries'], least: number) => ({
    entries: place(entries),
    least: (least - done(entries)) / unit - dust(1, done(entries) / unit),
  });
  const rows = rules.flatMap(({ entries, low: least, high: above }) => [
    ...(least > -Infinity ? [row(entries, least)] : []),
    ...(above < Infinity
      ? [
          row(
            entries.map(([v, factor]) => [v, -factor] as const),
            -above,
          ),
        ]
      : []),
  ]);
  return {
    unit,
    sum: (entries: PriceRule['entries'], x: Float64Array): number =>
      place(entries).reduce((sum, [j, factor]) => sum + factor * x[j]! * unit, done(entries)),
    /** Prices that keep the rules at which a side has the most slack, or a range of prices. */
    farthest({ entries, least }: Side): Float64Array | undefined {
      const cost = most.map(() => 0);
      for (const [j, factor] of place(entries)) cost[j]! -= factor;
      // What has no most stops at one.
      const cap = {
        entries: place(entries).map(([j, factor]) => [j, -factor] as const),
        least: (done(entries) - least) / unit - 1,
      };
      return leastCost({ cost, bend: cost.map(() => 0), most: most.map((each) => each / unit), rows: [...rows, cap] })
        ?.x;
    },
  };
}
