/**
 * Limit and curve orders of one zone over one run of MTUs together: what they gain at a price, and what a net supply of them costs at the
 * least. In whole numbers (`scale.ts`); where a straight line leaves a fraction it is rounded against who shows it.
 *
 * A piece is what orders trade at one price, or while the price goes from `low` to `high`: with the price they give up what they
 * buy of it, and then sell.
 */

import { dividedUp } from '../../market/exact.ts';
import type { CurveOrder, LimitOrder } from '../../market/order.ts';
import type { Scale } from './scale.ts';

export interface Piece {
  readonly low: bigint;
  readonly high: bigint;
  /** Bought at `low`, and sold at `high`. */
  readonly buys: bigint;
  readonly sells: bigint;
}

type Limits = { readonly min: bigint; readonly max: bigint };

/** Market rules 2.1. */
export function piecesOf(order: LimitOrder | CurveOrder, scale: Scale, { min, max }: Limits): Piece[] {
  if (order.kind === 'limit') {
    const [price, power] = [scale.price(order.price), scale.volume(order.power)];
    const isBuy = order.side === 'buy';
    return [{ low: price, high: price, buys: isBuy ? power : 0n, sells: isBuy ? 0n : power }];
  }
  const points = order.points.map((point) => ({ price: scale.price(point.price), power: scale.volume(point.power) }));
  const pieces: Piece[] = [];
  /** The net position falls from `before` to `after` while the price goes from `low` to `high`. */
  const fall = (before: bigint, after: bigint, low: bigint, high: bigint) => {
    if (before <= after) return;
    const buys = before <= 0n ? 0n : before - (after > 0n ? after : 0n);
    pieces.push({ low, high, buys, sells: before - after - buys });
  };
  const [begin, end] = [points[0]!, points.at(-1)!];
  fall(0n, begin.power, min, min);
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1]!, points[i]!];
    fall(a.power, b.power, order.shape === 'step' ? b.price : a.price, b.price);
  }
  fall(end.power, 0n, max, max);
  return pieces;
}

/** One price, and the power and the cost of all steps at lower ones. */
interface Step {
  readonly price: bigint;
  readonly powerBelow: bigint;
  readonly costBelow: bigint;
}

export class Curve {
  readonly zone: number;
  readonly from: number;
  readonly span: number;
  readonly #limits: Limits;
  /** By price, rising; the last one stands for what is above all. */
  readonly #steps: readonly Step[];
  readonly #slopes: readonly Piece[];
  /** What steps buy, and what their buys cost: their worth, below zero. */
  readonly #stepBuys: bigint;
  readonly #stepCost: bigint;
  readonly #buys: bigint;
  readonly #sells: bigint;

  constructor(zone: number, from: number, span: number, pieces: readonly Piece[], limits: Limits) {
    [this.zone, this.from, this.span, this.#limits] = [zone, from, span, limits];
    this.#slopes = pieces.filter(({ low, high }) => low < high);
    const flat = pieces.filter(({ low, high }) => low === high);
    flat.sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0));
    const steps: Step[] = [];
    let [power, cost] = [0n, 0n];
    for (const { low, buys, sells } of flat) {
      if (steps.at(-1)?.price !== low) steps.push({ price: low, powerBelow: power, costBelow: cost });
      power += buys + sells;
      cost += low * (buys + sells);
    }
    this.#steps = [...steps, { price: limits.max, powerBelow: power, costBelow: cost }];
    this.#stepBuys = sumOf(flat, ({ buys }) => buys);
    this.#stepCost = -sumOf(flat, ({ low, buys }) => low * buys);
    this.#buys = sumOf(pieces, ({ buys }) => buys);
    this.#sells = sumOf(pieces, ({ sells }) => sells);
  }

  /** Money per hour that the orders gain in all MTUs together, each choosing its best. @param sum  of the prices of the MTUs */
  gain(sum: bigint): bigint {
    const span = BigInt(this.span);
    const { powerBelow, costBelow } = this.#stepAt(({ price }) => price * span >= sum);
    let gain = sum * (powerBelow - this.#stepBuys) - span * (costBelow + this.#stepCost);
    for (const piece of this.#slopes) gain += gainOfSlope(piece, sum, span);
    return gain;
  }

  /** The same where nothing costs anything, and nothing is worth anything. */
  gainWithoutCosts = (sum: bigint): bigint => (sum > 0n ? sum * this.#sells : -sum * this.#buys);

  /**
   * Money per hour of one MTU that a net supply costs at the least: the orders trade by merit, what is left over is sold at the lowest price
   * of the market, what is missing is bought at the highest.
   *
   * @param net  MW times a whole (`scale.ts`), as a sum of products has it; the cost is likewise
   */
  cost(net: bigint, one: bigint): bigint {
    const { min, max } = this.#limits;
    const [sells, buys] = [this.#sells * one, this.#buys * one];
    const missing = net > sells ? net - sells : net < -buys ? net + buys : 0n;
    return this.#costWithin(net - missing, one) + missing * (missing > 0n ? max : min);
  }

  #costWithin(net: bigint, one: bigint): bigint {
    const base = this.#stepCost * one + sumOf(this.#slopes, (piece) => allBought(piece, one));
    if (this.#slopes.length === 0) return base + this.#costOfSteps(net + this.#stepBuys * one, one);
    const level = this.#levelOf(net, one);
    // Lines trade what they do a unit of price below the level, and up to what they do at it where that is needed.
    const flat = this.#powerUpTo(level - 1n) * one;
    const done = this.#slopes.map((piece) => tradedAt(piece, level - 1n, one));
    let rest = net + this.#buys * one - flat - done.reduce((sum, mw) => sum + mw, 0n);
    let cost = base;
    this.#slopes.forEach((piece, k) => {
      let more = tradedAt(piece, level, one) - done[k]!;
      if (rest < more) more = rest;
      rest -= more;
      cost += costOfSlope(piece, done[k]! + more, one);
    });
    return cost + this.#costOfSteps(flat + rest, one);
  }

  /** The lowest price at which the orders supply so much. */
  #levelOf(net: bigint, one: bigint): bigint {
    const supplied = (price: bigint): bigint =>
      (this.#powerUpTo(price) - this.#buys) * one + sumOf(this.#slopes, (piece) => tradedAt(piece, price, one));
    let [below, at] = [this.#limits.min - 1n, this.#limits.max];
    while (at - below > 1n) {
      const middle = (below + at) / 2n;
      if (supplied(middle) >= net) at = middle;
      else below = middle;
    }
    return at;
  }

  #powerUpTo = (level: bigint): bigint => this.#stepAt(({ price }) => price > level).powerBelow;

  /** Of the steps' power by merit. */
  #costOfSteps(power: bigint, one: bigint): bigint {
    const steps = this.#steps;
    let [low, high] = [0, steps.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (steps[middle]!.powerBelow * one <= power) low = middle;
      else high = middle - 1;
    }
    const { price, powerBelow, costBelow } = steps[low]!;
    return costBelow * one + (power - powerBelow * one) * price;
  }

  /** The first step for which it holds, or the last. */
  #stepAt(holds: (step: Step) => boolean): Step {
    let [low, high] = [0, this.#steps.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.#steps[middle]!)) high = middle;
      else low = middle + 1;
    }
    return this.#steps[low]!;
  }
}

const sumOf = <T>(list: readonly T[], of: (each: T) => bigint): bigint =>
  list.reduce((sum, each) => sum + of(each), 0n);

/** Of a straight line: what so much of it costs beyond `low` a megawatt, with the sign that is asked for. Powers are MW times a whole. */
const triangle = ({ low, high, buys, sells }: Piece, power: bigint, one: bigint, sign = 1n): bigint =>
  dividedUp(sign * power * power * (high - low), 2n * (buys + sells) * one);

/** What its buys cost: their worth, below zero. */
const allBought = (piece: Piece, one: bigint): bigint =>
  triangle(piece, piece.buys * one, one, -1n) - piece.low * piece.buys * one;

const costOfSlope = (piece: Piece, power: bigint, one: bigint): bigint =>
  triangle(piece, power, one) + piece.low * power;

/** Power of the line up to a price, in the order in which it is given up and sold; a fraction is left out. */
function tradedAt({ low, high, buys, sells }: Piece, price: bigint, one: bigint): bigint {
  if (price <= low) return 0n;
  const all = (buys + sells) * one;
  return price >= high ? all : (all * (price - low)) / (high - low);
}

function gainOfSlope(piece: Piece, sum: bigint, span: bigint): bigint {
  const { buys, sells } = piece;
  const [low, high, power] = [piece.low * span, piece.high * span, buys + sells];
  const width = high - low;
  if (sum >= high) return dividedUp(sells * sells * width, 2n * power) + sells * (sum - high);
  if (sum <= low) return dividedUp(buys * buys * width, 2n * power) + buys * (low - sum);
  const beyond = (sum - low) * power - buys * width;
  return dividedUp(beyond * beyond, 2n * power * width);
}
