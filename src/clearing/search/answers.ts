/** Answers and bounds as the search makes them: empty, by decisions made, and what they are worth. */

import assert from 'node:assert/strict';
import { costOf } from '../model/curves/net-curve.ts';
import { shareAt } from '../model/curves/segments.ts';
import type { Problem } from '../model/problem.ts';
import type { Answer, Bounds } from '../relaxation/master.ts';
import { inPrice } from '../tolerances.ts';

export const emptyAnswer = ({ nodes, columns, rows, zones, periods }: Problem): Answer => ({
  net: new Float64Array(nodes.length),
  value: new Float64Array(columns.length),
  price: new Float64Array(zones * periods),
  rowPrice: new Float64Array(rows.length),
});

/** Bounds of all columns when these decisions are made and these columns closed. */
export function boundsOf(
  { columns, decisions }: Problem,
  on: Iterable<number>,
  off: Iterable<number>,
  closed: Iterable<number>,
): Bounds {
  const lower = Float64Array.from(columns, ({ least }) => least);
  const upper = Float64Array.from(columns, ({ most }) => most);
  for (const d of on) lower[decisions[d]!.column] = decisions[d]!.least;
  for (const d of off) upper[decisions[d]!.column] = 0;
  for (const c of closed) upper[c] = columns[c]!.least;
  return { lower, upper };
}

/** Currency per hour. */
export function welfareOf(
  problem: Problem,
  part: { nodes: readonly number[]; columns: readonly number[] },
  { net, value }: Pick<Answer, 'net' | 'value'>,
): number {
  let welfare = 0;
  for (const i of part.nodes) welfare -= costOf(problem.nodes[i]!.curve, net[i]!) * problem.nodes[i]!.span;
  for (const c of part.columns) welfare -= problem.columns[c]!.cost * value[c]!;
  assert(Number.isFinite(welfare));
  return welfare;
}

/** A price this near (currency/MWh) is an order's own. */
const { atTheMoney } = inPrice;
/** The most (MW over all MTUs) that can be sold within the net supplies and ratios of an answer. */
export function volumeOf(
  { nodes, columns, periods }: Problem,
  part: { nodes: readonly number[]; columns: readonly number[] },
  { net, value, price }: Pick<Answer, 'net' | 'value' | 'price'>,
): number {
  let volume = 0;
  for (const i of part.nodes) {
    const { zone, from, span, segments } = nodes[i]!;
    let mean = 0;
    for (let t = from; t < from + span; t++) mean += price[zone * periods + t]! / span;
    let [sold, bought, sells, buys] = [0, 0, 0, 0];
    const open = new Map<number, { sell: number; buy: number }>();
    for (const { order, side, first, last, power } of segments) {
      if (first === last && Math.abs(first - mean) <= atTheMoney) {
        const own = open.get(order) ?? { sell: 0, buy: 0 };
        own[side] += power;
        open.set(order, own);
      } else if (side === 'sell') sold += shareAt({ side, first, last }, mean) * power;
      else bought += shareAt({ side, first, last }, mean) * power;
    }
    const traded = (moreSells: number, moreBuys: number) =>
      Math.min(sells + moreSells, net[i]! - sold + bought + buys + moreBuys);
    // An order that could trade on either side does on one.
    for (const { sell, buy } of [...open.values()].sort(
      (a, b) => Number(a.sell * a.buy > 0) - Number(b.sell * b.buy > 0),
    )) {
      if (sell * buy === 0) [sells, buys] = [sells + sell, buys + buy];
      else if (traded(sell, 0) >= traded(0, buy)) sells += sell;
      else buys += buy;
    }
    volume += (sold + Math.max(0, traded(0, 0))) * span;
  }
  for (const c of part.columns) {
    if (columns[c]!.kind !== 'ratio' && columns[c]!.kind !== 'step') continue;
    for (const [, mw] of columns[c]!.cells) volume += Math.max(0, mw * value[c]!);
  }
  return volume;
}
