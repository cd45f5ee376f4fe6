/** What blocks, flexible and complex orders are told (market rules, section 12). */

import assert from 'node:assert/strict';
import type { Book } from '../../market/book.ts';
import type { BlockOrder, BookOrder, ComplexOrder, FlexibleOrder } from '../../market/order.ts';
import type { Outcome, Reason, ReasonCode } from '../../market/result.ts';
import { profileOf } from '../model/blocks.ts';
import type { Decision, Row } from '../model/columns.ts';
import type { Problem } from '../model/problem.ts';
import type { Lots } from '../rounding/rounding.ts';
import { clean, toLots } from '../rounding/traded.ts';
import { Draft } from '../solver/draft.ts';
import type { Solver } from '../solver/highs.ts';
import { inMoney, inPrice, inRatio } from '../tolerances.ts';

/** A ratio this near to its end is at it. */
const whole = inRatio.exact;

interface Told {
  readonly problem: Problem;
  readonly solver: Solver;
  readonly lots: Lots;
  /** Published prices by cell. */
  readonly price: Float64Array;
  /** Columns of those over several MTUs that are executed less than their mean price asks. */
  readonly less: ReadonlySet<number>;
  /** Decisions of each order of the book. */
  readonly decisionsOf: ReadonlyMap<number, readonly number[]>;
  readonly children: ReadonlyMap<number, readonly number[]>;
  /** Rows of each step's column. */
  readonly rowsOf: ReadonlyMap<number, readonly Row[]>;
}

/** Outcomes by index in the book. Orders that took no part are told `paradoxically_rejected`. */
export function decidedOutcomes(
  problem: Problem,
  solver: Solver,
  lots: Lots,
  price: Float64Array,
  less: ReadonlySet<number>,
): Map<number, Outcome> {
  const decisionsOf = new Map<number, number[]>();
  const children = new Map<number, number[]>();
  problem.decisions.forEach(({ orders, parent }, d) => {
    for (const order of orders) decisionsOf.set(order, [...(decisionsOf.get(order) ?? []), d]);
    if (parent >= 0) children.set(parent, [...(children.get(parent) ?? []), d]);
  });
  const rowsOf = new Map<number, Row[]>();
  for (const row of problem.rows) {
    for (const [c] of row.entries) {
      if (problem.columns[c]!.kind !== 'step') continue;
      const list = rowsOf.get(c);
      if (list === undefined) rowsOf.set(c, [row]);
      else list.push(row);
    }
  }
  const told: Told = { problem, solver, lots, price, less, decisionsOf, children, rowsOf };
  const outcomes = new Map<number, Outcome>();
  problem.book.orders.forEach((order, index) => {
    if (order.kind === 'block') outcomes.set(index, blockOutcome(told, index, order));
    if (order.kind === 'flexible') outcomes.set(index, flexibleOutcome(told, index, order));
    if (order.kind === 'complex') outcomes.set(index, complexOutcome(told, index, order));
  });
  return outcomes;
}

const headOf = ({ record_id, participant }: BookOrder) => ({
  record_id,
  ...(participant === undefined ? {} : { participant }),
});

const idOf = (book: Book, index: number): string => book.orders[index]!.record_id;

/** Money that a unit of a decision's own column gains at the published prices. */
function unitGain({ problem, price }: Told, d: number): number {
  const { cells, cost } = problem.columns[problem.decisions[d]!.column]!;
  return (cells.reduce((sum, [cell, mw]) => sum + mw * price[cell]!, 0) - cost) * problem.hours;
}

const sizeOf = ({ problem }: Told, d: number): number =>
  problem.columns[problem.decisions[d]!.column]!.cells.reduce((sum, [, mw]) => sum + Math.abs(mw), 0) * problem.hours;

const reasonOf = (code: ReasonCode, distance: number, missed: number, binding: readonly string[]): Reason => ({
  code,
  distance: Math.max(0, distance),
  missedSurplus: Math.max(0, missed),
  binding: [...binding],
});

function blockOutcome(told: Told, index: number, order: BlockOrder & BookOrder): Outcome {
  const { problem, lots } = told;
  const [d] = told.decisionsOf.get(index) ?? [];
  const profile = profileOf(order);
  if (d === undefined)
    return leftOut(
      told,
      order,
      profile.map(() => 0),
    );
  const ratio = lots.value[problem.decisions[d]!.column]!;
  const lot = problem.lot;
  const head = headOf(order);
  const power = profile.map((step) => (ratio === 1 ? step.power : toLots(step.power * ratio, lot)));
  const own = ownGain(told, order);
  const surplus = own.money;
  if (ratio >= 1 - whole) return { ...head, status: 'accepted', power, ratio: 1, surplus };
  if (ratio > whole) {
    // Over several MTUs it may have to give way although it gains (section 4), a loop with both legs.
    const isLoop = order.loopWith !== undefined;
    const gain = isLoop ? unitGain(told, d) : own.money;
    const { column, test } = problem.decisions[d]!;
    const isLess = (test === 'free' || told.less.has(column)) && gain > noiseOfPart(problem, own.size);
    const reason = isLess
      ? reasonOf('paradoxically_rejected', 0, gain * (1 - ratio), order.loopWith === undefined ? [] : [order.loopWith])
      : reasonOf('partial_at_the_money', 0, 0, []);
    return { ...head, status: 'partially_accepted', power, ratio, surplus, reason };
  }
  return { ...head, status: 'rejected', power, ratio: 0, surplus, reason: whyRejected(told, d, own, order) };
}

/** What an order gains alone if it is fully accepted, and over how many MWh. */
function ownGain({ problem, price }: Told, order: BlockOrder & BookOrder): { money: number; size: number } {
  const { book, hours, periods } = problem;
  const zone = book.zones.indexOf(order.zone);
  const span = spanOf(problem, order);
  const sign = order.side === 'sell' ? 1 : -1;
  let money = 0;
  let size = 0;
  for (const { period, power } of profileOf(order)) {
    for (let k = 0; k < span; k++) {
      const cell = zone * periods + (period - 1) * span + k;
      money += sign * power * (price[cell]! - order.price) * hours;
      size += power * hours;
    }
  }
  return { money, size };
}

/** MWh of a block that is executed whole. */
function energyOf(problem: Problem, order: BookOrder): number {
  assert(order.kind === 'block');
  const perHour = profileOf(order).reduce((sum, { power }) => sum + power, 0);
  return perHour * spanOf(problem, order) * problem.hours;
}

const minutes = { PT15M: 15, PT30M: 30, PT60M: 60 } as const;
const spanOf = ({ book }: Problem, order: BookOrder): number =>
  minutes[order.resolution ?? book.resolution] / minutes[book.resolution];

/** Money that is no gain: at the money, a price that is rounded to the tick seems to leave one. */
const noiseOf = (problem: Problem, { test }: Decision, size: number): number =>
  test === 'free' ? noiseOfPart(problem, size) : inMoney.perMwh * size;
const noiseOfPart = ({ book }: Problem, size: number): number => (book.priceLimits.tick ?? inMoney.perMwh) * size;

function whyRejected(
  told: Told,
  d: number,
  own: { money: number; size: number },
  order: BlockOrder & BookOrder,
): Reason {
  const { problem, lots } = told;
  const { book, decisions } = problem;
  const decision = decisions[d]!;
  const noise = noiseOf(problem, decision, own.size);
  if (order.loopWith !== undefined) {
    const joint = unitGain(told, d);
    // What the legs move in one MTU may cancel out: the energy of both counts.
    const energy = decision.orders.reduce((sum, leg) => sum + energyOf(problem, book.orders[leg]!), 0);
    if (joint < noise) return reasonOf('loop_loss', -joint / energy, 0, [order.loopWith]);
    return reasonOf('paradoxically_rejected', 0, joint, [order.loopWith]);
  }
  const distance = -own.money / own.size;
  if (own.money <= noise) {
    const family = bestFamily(told, d);
    const helps = (child: number) => bestFamily(told, child) > noiseOf(problem, decisions[child]!, sizeOf(told, child));
    const rescuers = (told.children.get(d) ?? []).filter(helps);
    if (rescuers.length === 0) return reasonOf('out_of_the_money', distance, 0, []);
    const binding = rescuers.flatMap((child) => decisions[child]!.orders.map((o) => idOf(book, o)));
    if (family <= noise) return reasonOf('family_loss', distance, 0, binding);
    return reasonOf('paradoxically_rejected', 0, family, binding);
  }
  if (decision.parent >= 0) {
    const parent = decisions[decision.parent]!;
    if (lots.value[parent.column]! <= whole) {
      const away = -unitGain(told, decision.parent) / sizeOf(told, decision.parent);
      return reasonOf(
        'parent_rejected',
        away,
        own.money,
        parent.orders.map((o) => idOf(book, o)),
      );
    }
  }
  const siblings = siblingsOf(told, decision).filter((other) => lots.value[decisions[other]!.column]! > whole);
  if (siblings.length > 0) {
    return reasonOf(
      'exclusive_sibling',
      0,
      own.money,
      siblings.flatMap((s) => decisions[s]!.orders.map((o) => idOf(book, o))),
    );
  }
  return reasonOf('paradoxically_rejected', 0, own.money, []);
}

/** Money of a block with those of its descendants that help it. */
function bestFamily(told: Told, d: number): number {
  const helping = (told.children.get(d) ?? []).map((child) => bestFamily(told, child)).filter((money) => money > 0);
  return unitGain(told, d) + helping.reduce((sum, money) => sum + money, 0);
}

/** Decisions that share a group's one unit with this one. */
function siblingsOf({ problem }: Told, { column }: Decision): number[] {
  const groups = problem.rows.filter(({ kind, entries }) => kind === 'group' && entries.some(([c]) => c === column));
  const columns = new Set(groups.flatMap(({ entries }) => entries.map(([c]) => c)));
  return problem.decisions.flatMap((other, d) => (other.column !== column && columns.has(other.column) ? [d] : []));
}

function flexibleOutcome(told: Told, index: number, order: FlexibleOrder & BookOrder): Outcome {
  const { problem, lots } = told;
  const decisions = told.decisionsOf.get(index) ?? [];
  const nothing = Array.from({ length: order.duration }, () => 0);
  if (decisions.length === 0) return leftOut(told, order, nothing);
  const head = headOf(order);
  const on = decisions.find((d) => lots.value[problem.decisions[d]!.column]! > 0.5);
  if (on !== undefined) {
    const start = problem.decisions[on]!.start!;
    const power = nothing.map(() => order.power);
    return { ...head, status: 'accepted', power, ratio: 1, start, surplus: unitGain(told, on) };
  }
  const best = decisions.reduce((a, b) => (unitGain(told, b) > unitGain(told, a) ? b : a));
  const money = unitGain(told, best);
  const size = sizeOf(told, best);
  const reason =
    money <= inMoney.perMwh * size
      ? reasonOf('out_of_the_money', -money / size, 0, [])
      : reasonOf('paradoxically_rejected', 0, money, []);
  return { ...head, status: 'rejected', power: nothing, ratio: 0, surplus: money, reason };
}

function complexOutcome(told: Told, index: number, order: ComplexOrder & BookOrder): Outcome {
  const { problem, lots, price } = told;
  const { periods, hours, book, columns, decisions } = problem;
  const [d] = told.decisionsOf.get(index) ?? [];
  const free = problem.freeSteps.filter((steps) => steps.order === index).flatMap((steps) => steps.columns);
  if (d === undefined && free.length === 0)
    return leftOut(
      told,
      order,
      Array.from({ length: periods }, () => 0),
    );
  const head = headOf(order);
  const zone = book.zones.indexOf(order.zone);
  const isOn = d === undefined || lots.value[decisions[d]!.column]! > 0.5;
  const own = d === undefined ? free : [decisions[d]!.column, ...decisions[d]!.steps, ...free];
  const traded = new Float64Array(periods);
  for (const c of own)
    for (const [cell, mw] of columns[c]!.cells) traded[cell - zone * periods]! += Math.abs(mw) * lots.value[c]!;
  const power = Array.from(traded, clean);
  const best = bestSchedule(told, d, d === undefined ? free : decisions[d]!.steps);
  const margin = marginOf(told, order, d, best);
  const surplus = margin * hours;
  const mwh = order.steps.reduce((sum, step) => sum + step.power, 0) * hours * spanOf(problem, order);
  if (isOn) {
    const asked = new Float64Array(periods);
    for (const step of order.steps) {
      const span = spanOf(problem, order);
      for (let k = 0; k < span; k++) asked[(step.period - 1) * span + k]! += step.power;
    }
    const halfLot = problem.lot / 2;
    const isFull = power.every((mw, t) => mw >= asked[t]! - halfLot);
    if (isFull) return { ...head, status: 'accepted', power, ratio: 1, surplus };
    const reason = whyNotFull(told, order, power, zone);
    const none = d === undefined && power.every((mw) => mw === 0);
    return { ...head, status: none ? 'rejected' : 'partially_accepted', power, ratio: none ? 0 : 1, surplus, reason };
  }
  const stops = power.some((mw) => mw > 0);
  if (stops) {
    const reason = reasonOf('scheduled_stop', 0, 0, []);
    return { ...head, status: 'partially_accepted', power, ratio: 0, surplus, reason };
  }
  const isMet = margin * hours > inMoney.perMwh * mwh;
  const isIncome = order.condition === 'minimum-income';
  const reason = isMet
    ? reasonOf('paradoxically_rejected_complex', 0, margin * hours, [])
    : reasonOf(isIncome ? 'mic_unmet' : 'sco_fixed_term_unmet', (-margin * hours) / mwh, 0, []);
  assert(price.length > 0);
  return { ...head, status: 'rejected', power, ratio: 0, surplus, reason };
}

/**
 * What an order's steps would trade if it were on and chose for itself at the published prices: MW by column, a small linear program
 * where a gradient ties the steps.
 */
function bestSchedule(
  { problem, solver, price, rowsOf }: Told,
  d: number | undefined,
  steps: readonly number[],
): Map<number, number> {
  const { columns, decisions } = problem;
  const on = d === undefined ? -1 : decisions[d]!.column;
  const gain = steps.map((c) =>
    columns[c]!.cells.reduce((sum, [cell, mw]) => sum + mw * price[cell]!, -columns[c]!.cost),
  );
  // While the order is on, a step's own row says no more than its room.
  const own = [...new Set(steps.flatMap((c) => rowsOf.get(c) ?? []))].filter(({ kind }) => kind !== 'step');
  if (own.length === 0) return new Map(steps.map((c, k) => [c, gain[k]! > 0 ? columns[c]!.most : 0]));
  const draft = new Draft();
  for (const { entries, low, high } of own) {
    // The order is on: what its own column brings to a row is done.
    const done = entries.reduce((sum, [c, f]) => sum + (c === on ? f : 0), 0);
    draft.row(low - done, high - done);
  }
  steps.forEach((c, k) => {
    const entries = own.flatMap((row, r) => row.entries.flatMap(([e, f]) => (e === c ? [[r, f] as const] : [])));
    draft.column(-gain[k]!, 0, columns[c]!.most, entries);
  });
  const { x, status } = solver.solve(draft.program);
  assert(status === 'optimal', `the best schedule of an order ended ${status}`);
  return new Map(steps.map((c, k) => [c, x[k]!]));
}

/** Currency per hour by which a schedule meets the order's condition; without one, what it gains. */
function marginOf(
  { problem, price }: Told,
  order: ComplexOrder,
  d: number | undefined,
  schedule: ReadonlyMap<number, number>,
): number {
  const { columns, decisions } = problem;
  let gain = 0;
  let income = 0;
  let mw = 0;
  const add = (c: number, value: number) => {
    for (const [cell, factor] of columns[c]!.cells) {
      gain += factor * value * price[cell]!;
      income += factor * value * price[cell]!;
      mw += factor * value;
    }
    gain -= columns[c]!.cost * value;
  };
  for (const [c, value] of schedule) add(c, value);
  if (d !== undefined) add(decisions[d]!.column, 1);
  if (order.condition !== 'minimum-income' || d === undefined) return gain;
  // All that is asked, also where the program need not know how much that is (`model/complex.ts`).
  return income - order.fixedTerm / problem.hours - decisions[d]!.variable * mw;
}

/** The step nearest to execution that is not executed. */
function whyNotFull(
  { problem, price }: Told,
  order: ComplexOrder & BookOrder,
  power: readonly number[],
  zone: number,
): Reason {
  const { periods, hours } = problem;
  const span = spanOf(problem, order);
  const sign = order.side === 'sell' ? 1 : -1;
  const variable =
    order.condition === 'minimum-profit' || order.condition === 'maximum-payment' ? sign * order.variableTerm : 0;
  let nearest = Infinity;
  let held = 0;
  // What each step holds in any case is done first; the rest of an MTU's power goes to its steps by merit.
  const leastOf = (step: ComplexOrder['steps'][number]) => (step.minAcceptance ?? 0) * step.power;
  const left = new Map<number, number>();
  for (const step of order.steps) {
    const from = (step.period - 1) * span;
    left.set(from, (left.get(from) ?? power[from]!) - leastOf(step));
  }
  for (const step of [...order.steps].sort((a, b) => sign * (a.price - b.price))) {
    const from = (step.period - 1) * span;
    const more = Math.min(Math.max(0, left.get(from)!), step.power - leastOf(step));
    left.set(from, left.get(from)! - more);
    const open = step.power - leastOf(step) - more;
    if (open <= problem.lot / 2) continue;
    let mean = 0;
    for (let k = 0; k < span; k++) mean += price[zone * periods + from + k]! / span;
    const gain = sign * (mean - step.price - variable);
    nearest = Math.min(nearest, Math.max(0, -gain));
    if (gain > 0) held += gain * open * hours * span;
  }
  if (order.loadGradient !== undefined && held > inMoney.met) return reasonOf('gradient_limited', 0, held, []);
  return nearest > inPrice.same
    ? reasonOf('out_of_the_money', nearest, 0, [])
    : reasonOf('partial_at_the_money', 0, 0, []);
}

/** Clearing left it out because with it in somebody would have lost. */
function leftOut(told: Told, order: BookOrder, power: number[]): Outcome {
  const { money, size } = order.kind === 'block' ? ownGain(told, order) : { money: 0, size: 1 };
  const reason =
    money >= 0 ? reasonOf('paradoxically_rejected', 0, money, []) : reasonOf('out_of_the_money', -money / size, 0, []);
  return { ...headOf(order), status: 'rejected', power, ratio: 0, surplus: money, reason };
}
