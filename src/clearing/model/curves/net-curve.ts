/**
 * The net curve of one zone over one span of MTUs: net supply (sells less buys, MW) as a function of price.
 *
 * All its orders, both sides, merged by price: a staircase of pieces that rises with the price. Where orders stand at one
 * price the piece is upright (`low = high`), where straight lines run it slopes; between two pieces nothing changes.
 * Clearing needs nothing else of the orders.
 *
 *      net supply                 piece i: prices low[i]..high[i] (currency/MWh), power[i] MW > 0,
 *          |          ____        beginning at start[i] MW
 *          |        _/ 2          start[0] = least = -(all buys), the last one ends at most = all sells
 *          |    ___|  1
 *          |___|  0
 *          +---------------- price
 */

import { inPower, inPrice } from '../../tolerances.ts';
import type { Segment } from './segments.ts';

export interface NetCurve {
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly start: Float64Array;
  readonly power: Float64Array;
  readonly least: number;
  readonly most: number;
  /** Currency per hour that the net supply up to piece i costs: what its sells ask, less what its buys would have paid. */
  readonly cost: Float64Array;
}

/** Net supplies (MW) this near to each other are the same: a hundred times finer than the finest lot. */
export const sameMw = inPower.same;

/** Merge segments into a curve. O(n log n) in the number of segments, less when steps come by price. */
export function netCurve(segments: readonly Segment[]): NetCurve {
  // Steps, one a price where they come in order.
  let prices: number[] = [];
  let powers: number[] = [];
  const bends = new Map<number, number[]>(); // changes of the slope, MW per currency/MWh
  const bend = (price: number, change: number) => {
    const here = bends.get(price);
    if (here === undefined) bends.set(price, [change]);
    else here.push(change);
  };
  let bought = 0;
  let worth = 0;
  let isSorted = true;
  for (const { side, first, last, power } of segments) {
    if (side === 'buy') {
      bought += power;
      worth += (power * (first + last)) / 2;
    }
    if (first === last) {
      const before = prices.length - 1;
      if (prices[before] === first) powers[before]! += power;
      else {
        isSorted &&= before < 0 || prices[before]! < first;
        prices.push(first);
        powers.push(power);
      }
    } else {
      const slope = power / Math.abs(last - first);
      bend(Math.min(first, last), slope);
      bend(Math.max(first, last), -slope);
    }
  }
  if (!isSorted) {
    const order = [...prices.keys()].sort((a, b) => prices[a]! - prices[b]!);
    [prices, powers] = [order.map((k) => prices[k]!), order.map((k) => powers[k]!)];
  }

  const low: number[] = [];
  const high: number[] = [];
  const start: number[] = [];
  const power: number[] = [];
  const cost: number[] = [];
  let net = -bought;
  let spent = -worth;
  const piece = (from: number, to: number, mw: number) => {
    low.push(from);
    high.push(to);
    start.push(net);
    power.push(mw);
    cost.push(spent);
    net += mw;
    spent += (mw * (from + to)) / 2;
  };
  const corners = [...bends.keys()].sort((a, b) => a - b);
  // A steep line would leave a flat one beside it few digits: what adding loses is added apart (Neumaier).
  let slope = 0;
  let lost = 0;
  let lines = 0;
  let jump = 0;
  let corner = 0;
  while (jump < prices.length || corner < corners.length) {
    const price = Math.min(prices[jump] ?? Infinity, corners[corner] ?? Infinity);
    let mw = 0;
    while (jump < prices.length && prices[jump] === price) mw += powers[jump++]!;
    if (mw > 0) piece(price, price, mw);
    if (corners[corner] === price) {
      for (const change of bends.get(price)!) {
        const sum = slope + change;
        lost += Math.abs(slope) >= Math.abs(change) ? slope - sum + change : change - sum + slope;
        slope = sum;
        lines += Math.sign(change);
      }
      corner++;
    }
    const next = Math.min(prices[jump] ?? Infinity, corners[corner] ?? Infinity);
    // Sums leave crumbs where the last line has ended.
    if (next < Infinity && lines > 0) piece(price, next, (slope + lost) * (next - price));
  }
  return {
    low: Float64Array.from(low),
    high: Float64Array.from(high),
    start: Float64Array.from(start),
    power: Float64Array.from(power),
    least: -bought,
    most: net,
    cost: Float64Array.from(cost),
  };
}

const endOf = (curve: NetCurve, i: number): number => curve.start[i]! + curve.power[i]!;

/** First index in 0..n-1 for which `reached` holds; n when for none. `reached` must hold for all that follow the first. */
export function firstIndex(n: number, reached: (i: number) => boolean): number {
  let low = 0;
  let high = n;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (reached(mid)) high = mid;
    else low = mid + 1;
  }
  return low;
}

/** The least and the most net supply (MW) at a price: they differ where orders stand at it. */
export function supplyAt(curve: NetCurve, price: number): [least: number, most: number] {
  const n = curve.power.length;
  let i = firstIndex(n, (k) => curve.high[k]! >= price);
  if (i === n) return [curve.most, curve.most];
  if (curve.low[i]! > price) return [curve.start[i]!, curve.start[i]!];
  if (curve.low[i] === curve.high[i]) return [curve.start[i]!, endOf(curve, i)];
  const net = curve.start[i]! + (curve.power[i]! * (price - curve.low[i]!)) / (curve.high[i]! - curve.low[i]!);
  // A line may end where orders stand.
  i++;
  return i < n && curve.low[i] === price && curve.high[i] === price ? [net, endOf(curve, i)] : [net, net];
}

/** The lowest and the highest price at which net supply can be `net` MW; infinite at the curve's ends. */
export function pricesAt(curve: NetCurve, net: number): [low: number, high: number] {
  const n = curve.power.length;
  const first = firstIndex(n, (i) => endOf(curve, i) >= net - sameMw);
  const after = firstIndex(n, (i) => curve.start[i]! > net + sameMw);
  return [
    net <= curve.least + sameMw ? Number.NEGATIVE_INFINITY : priceOn(curve, Math.min(first, n - 1), net),
    net >= curve.most - sameMw ? Number.POSITIVE_INFINITY : priceOn(curve, Math.max(after - 1, 0), net),
  ];
}

/**
 * A net supply whose price on a straight line is that of an end of the line is the line's end: what a program leaves of it would hold a price that
 * nothing holds.
 *
 * @param slack  currency/MWh by which two prices are one, on a line that is not itself as short
 */
export function settledNet(curve: NetCurve, net: number, slack: number): number {
  const i = firstIndex(curve.power.length, (k) => endOf(curve, k) >= net);
  if (i === curve.power.length || curve.low[i] === curve.high[i]) return net;
  const price = priceOn(curve, i, net);
  const near = Math.min(slack, widthAt(curve, i) * inPrice.ofLine);
  const [start, end] = [curve.start[i]!, endOf(curve, i)];
  if (price - curve.low[i]! <= near && net - start <= inPower.settled) return start;
  return curve.high[i]! - price <= near && end - net <= inPower.settled ? end : net;
}

const widthAt = (curve: NetCurve, i: number): number => curve.high[i]! - curve.low[i]!;

function priceOn(curve: NetCurve, i: number, net: number): number {
  const share = Math.min(1, Math.max(0, (net - curve.start[i]!) / curve.power[i]!));
  return curve.low[i]! + share * (curve.high[i]! - curve.low[i]!);
}

/**
 * The nearest price to a price at which orders stand.
 *
 * @param net    MW that are traded at the price: on a line that is hardly longer than `slack` only its ends are as near
 * @param slack  currency/MWh; undefined where no orders stand as near
 */
export function nearestStep(curve: NetCurve, net: number, price: number, slack: number): number | undefined {
  const on = firstIndex(curve.power.length, (k) => endOf(curve, k) >= net - sameMw);
  const isOnLine = on < curve.power.length && curve.low[on]! < curve.high[on]!;
  const near = isOnLine ? Math.min(slack, widthAt(curve, on) * inPrice.ofLine) : slack;
  let found: number | undefined;
  for (let i = firstIndex(curve.power.length, (k) => curve.high[k]! >= price - near); i < curve.power.length; i++) {
    const step = curve.low[i]!;
    if (step > price + near) break;
    if (step === curve.high[i] && (found === undefined || Math.abs(step - price) < Math.abs(found - price)))
      found = step;
  }
  return found;
}

/** Currency per hour that a net supply costs (see `NetCurve.cost`). */
export function costOf(curve: NetCurve, net: number): number {
  const i = Math.max(0, firstIndex(curve.power.length, (k) => curve.start[k]! > net) - 1);
  if (curve.power.length === 0) return 0;
  const mw = net - curve.start[i]!;
  const share = mw / curve.power[i]!;
  return curve.cost[i]! + mw * (curve.low[i]! + (share * (curve.high[i]! - curve.low[i]!)) / 2);
}

/** The most (currency per hour) that the curve's orders can gain at a price together. */
export function mostGain(curve: NetCurve, price: number): number {
  const [net] = supplyAt(curve, price);
  return price * net - costOf(curve, net);
}
