/**
 * Which part of a curve enters the linear program, and how finely.
 *
 * A window is a list of cuts of the curve, in MW of net supply. Between two neighbouring cuts stands one column whose cost
 * is the mean price of what lies between them. Near the expected price every piece of the curve is a column of its own;
 * beyond, ever larger runs of pieces share one, so that a curve of a thousand steps needs about twenty columns and still has
 * a way out of the window. When the program's answer does not lie on the true curve (`search/equilibrium.ts` tests it), the window
 * gets cuts where the answer was, and the program is solved again. Cuts are only ever added, so this ends: at the latest when
 * all steps are columns; straight lines are cut ever finer until the error in price is below notice.
 */

import { firstIndex, type NetCurve, sameMw, supplyAt } from '../model/curves/net-curve.ts';

/** Pieces on either side of the expected price that are columns of their own. */
const fine = 3;
/** MW between two cuts at least. */
export const closestCuts = sameMw / 4;
/** How much longer each further run of pieces is than the one before it. */
const growth = 4;

/** Cuts around a price, in rising order; the first is the curve's least net supply, the last its most. */
export function windowAround(curve: NetCurve, price: number): number[] {
  const inside = supplyAt(curve, price).map((net) => Math.min(curve.most, Math.max(curve.least, net)));
  const cuts = new Set([curve.least, curve.most, ...inside]);
  cutAround(curve, supplyAt(curve, price)[0], cuts);
  return distinct([...cuts].sort((a, b) => a - b));
}

/** The window with more cuts: around the net supply the program chose, and around what the curve supplies at its price. */
export function refined(curve: NetCurve, cuts: readonly number[], net: number, price: number): number[] {
  const more = new Set(cuts);
  const [least, most] = supplyAt(curve, price);
  for (const near of [net, least, most]) {
    // Sums of pieces may pass the ends by a rounding error.
    const at = Math.min(curve.most, Math.max(curve.least, near));
    more.add(at);
    cutAround(curve, at, more);
  }
  // On a straight line no cut is final: a grid between the two answers and half as far beyond them.
  if (!curve.low.some((low, i) => low !== curve.high[i])) return distinct([...more].sort((a, b) => a - b));
  const from = Math.min(net, least);
  const span = Math.max(net, most) - from;
  for (let k = -4; k <= 12; k++) more.add(Math.min(curve.most, Math.max(curve.least, from + (span * k) / 8)));
  return distinct([...more].sort((a, b) => a - b));
}

function cutAround(curve: NetCurve, net: number, cuts: Set<number>): void {
  const n = curve.power.length;
  const at = firstIndex(n, (i) => curve.start[i]! > net) - 1;
  const corner = (i: number) => cuts.add(i < n ? curve.start[Math.max(i, 0)]! : curve.most);
  for (let i = at - fine; i <= at + fine + 1; i++) corner(i);
  for (let step = growth; step < n; step *= growth) {
    corner(at - fine - step);
    corner(at + fine + 1 + step);
  }
}

/** Sorted cuts without those that are the same. The ends stay. */
function distinct(cuts: readonly number[]): number[] {
  const kept: number[] = [];
  const end = cuts[cuts.length - 1]!;
  for (const cut of cuts) {
    if (kept.length === 0 || (cut - kept[kept.length - 1]! > closestCuts && (cut === end || end - cut > closestCuts)))
      kept.push(cut);
  }
  return kept;
}

/** Mean price of what lies between two cuts. */
export function meanPrice(curve: NetCurve, from: number, to: number): number {
  const n = curve.power.length;
  let i = Math.max(0, firstIndex(n, (k) => curve.start[k]! > from) - 1);
  const base = curve.low[i]!;
  let weighted = 0;
  let total = 0;
  for (; i < n && curve.start[i]! < to; i++) {
    const a = Math.max(0, (from - curve.start[i]!) / curve.power[i]!);
    const b = Math.min(1, (to - curve.start[i]!) / curve.power[i]!);
    if (b <= a) continue;
    const middle = curve.low[i]! + ((a + b) / 2) * (curve.high[i]! - curve.low[i]!);
    weighted += (middle - base) * (b - a) * curve.power[i]!;
    total += (b - a) * curve.power[i]!;
  }
  return total > 0 ? base + weighted / total : base;
}
