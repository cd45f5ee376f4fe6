/**
 * Complex orders as columns, rows and decisions (market rules, sections 2.7 and 2.8).
 *
 *   0 <= s_k <= q_k u, u in {0, 1}      min_t u <= sum of the steps of t,      -G_down <= P_t - P_t-1 <= G_up
 *
 * Each step s_k is a column in MW. Under a condition, or with least powers, a column u of its own says whether the order is on:
 * it carries what the order must trade while it is on, and the terms that belong to the welfare. A load gradient ties the steps
 * of neighbouring MTUs, whether there is a condition or not.
 */

import type { ComplexOrder } from '../../market/order.ts';
import { columnName, rowName } from '../../market/proof.ts';
import type { Indexed, Placement } from './blocks.ts';
import type { Columns, Row } from './columns.ts';

type Step = ComplexOrder['steps'][number];

/** @param hours length of an MTU; @param highest the larger of the price limits, without its sign */
export function addComplex(
  to: Columns,
  { index, order }: Indexed<ComplexOrder>,
  place: Placement,
  hours: number,
  highest: number,
): void {
  const sign = order.side === 'sell' ? 1 : -1;
  const inWelfare = order.condition === 'minimum-profit' || order.condition === 'maximum-payment';
  const isSwitched = isUnderDecision(order);
  const variable = inWelfare ? sign * order.variableTerm : 0;
  const forced: [cell: number, mw: number][] = [];
  let forcedCost = inWelfare ? order.fixedTerm / hours : 0;
  const steps: { step: Step; column: number; room: number }[] = [];
  for (const [k, step] of order.steps.entries()) {
    const least = (step.minAcceptance ?? 0) * step.power;
    const cells = place.cellsOf(order, step.period);
    for (const cell of cells) forced.push([cell, sign * least]);
    forcedCost += sign * (step.price + variable) * least * cells.length;
    const column = to.column({
      name: columnName.step(order, k + 1),
      cells: cells.map((cell) => [cell, sign] as const),
      cost: sign * (step.price + variable) * cells.length,
      least: 0,
      most: step.power - least,
      kind: 'step',
      held: least,
    });
    steps.push({ step, column, room: step.power - least });
  }
  let on = -1;
  if (isSwitched) {
    on = to.column({
      name: columnName.ratio(order),
      cells: forced,
      cost: forcedCost,
      least: 0,
      most: 1,
      kind: 'ratio',
    });
    const isIncome = order.condition === 'minimum-income';
    to.decision({
      orders: [index],
      column: on,
      least: 1,
      steps: steps.map(({ column }) => column),
      test: isIncome ? 'income' : 'surplus',
      fixed: isIncome ? Math.min(order.fixedTerm / hours, outOfReach(order, highest, place)) : 0,
      variable: isIncome ? order.variableTerm : 0,
      parent: -1,
    });
    for (const [k, { column, room }] of steps.entries()) {
      if (room > 0)
        to.row({
          kind: 'step',
          name: rowName.step(order, k + 1),
          entries: [
            [column, 1],
            [on, -room],
          ],
          low: -Infinity,
          high: 0,
        });
    }
  } else to.free.push({ order: index, columns: steps.map(({ column }) => column) });
  for (const { period, power } of order.minPower ?? []) {
    const here = steps.filter(({ step }) => step.period === period);
    const forcedHere = here.reduce((sum, { step }) => sum + (step.minAcceptance ?? 0) * step.power, 0);
    if (power > forcedHere) {
      const entries = here.map(({ column }) => [column, 1] as const);
      const name = rowName.least(order, period);
      to.row({ kind: 'least', name, entries: [...entries, [on, forcedHere - power]], low: 0, high: Infinity });
    }
  }
  if (order.loadGradient !== undefined) addGradient(to, order, steps, on, place, hours);
  if (on >= 0 && order.condition === 'minimum-income') addScheduledStop(to, index, order, on, place, sign);
}

/**
 * Currency per hour that no income comes to: what is asked beyond it is as much out of reach, and programs are spared numbers that are larger by
 * many digits than all others.
 */
function outOfReach(order: Indexed<ComplexOrder>['order'], highest: number, place: Placement): number {
  const mw = order.steps.reduce((sum, { power, period }) => sum + power * place.cellsOf(order, period).length, 0);
  return 2 * mw * (highest + Math.abs(order.variableTerm)) + 1;
}

/** Is there a yes or no about this order at all? Without, its steps trade like anybody's. */
export const isUnderDecision = (order: ComplexOrder): boolean =>
  order.condition !== undefined ||
  (order.minPower ?? []).length > 0 ||
  order.steps.some((step) => (step.minAcceptance ?? 0) > 0);

function addGradient(
  to: Columns,
  order: Indexed<ComplexOrder>['order'],
  steps: readonly { step: Step; column: number }[],
  on: number,
  place: Placement,
  hours: number,
): void {
  const { up, down } = order.loadGradient!;
  const powerAt = new Map<number, [number, number][]>();
  for (const { step, column } of steps) {
    const least = (step.minAcceptance ?? 0) * step.power;
    for (const cell of place.cellsOf(order, step.period)) {
      const entries = powerAt.get(cell) ?? [];
      entries.push([column, 1]);
      if (least > 0) entries.push([on, least]);
      powerAt.set(cell, entries);
    }
  }
  const first = place.cellsOf(order, 1)[0]!;
  for (let t = 1; t < place.periods; t++) {
    const merged = new Map<number, number>();
    for (const [column, factor] of powerAt.get(first + t) ?? []) merged.set(column, (merged.get(column) ?? 0) + factor);
    for (const [column, factor] of powerAt.get(first + t - 1) ?? [])
      merged.set(column, (merged.get(column) ?? 0) - factor);
    const entries = [...merged].filter(([, factor]) => factor !== 0);
    if (entries.length === 0) continue;
    const name = (falling: boolean) => rowName.gradient(order, t + 1, falling);
    if (on < 0) to.row({ kind: 'gradient', name: name(false), entries, low: -down * hours, high: up * hours });
    else {
      // What is on by half may change by half.
      const scaled = (limit: number): Row['entries'] => {
        const onFactor = (merged.get(on) ?? 0) + limit;
        return [...entries.filter(([column]) => column !== on), ...(onFactor === 0 ? [] : [[on, onFactor] as const])];
      };
      to.row({ kind: 'gradient', name: name(false), entries: scaled(-up * hours), low: -Infinity, high: 0 });
      to.row({ kind: 'gradient', name: name(true), entries: scaled(down * hours), low: 0, high: Infinity });
    }
  }
}

/** While the order is off, its best priced step of each of the first periods may trade like anybody's. */
function addScheduledStop(
  to: Columns,
  index: number,
  order: Indexed<ComplexOrder>['order'],
  on: number,
  place: Placement,
  sign: 1 | -1,
): void {
  const columns: number[] = [];
  for (let period = 1; period <= (order.scheduledStop ?? 0); period++) {
    const best = order.steps
      .filter((step) => step.period === period)
      .reduce<Step | undefined>((a, b) => (a === undefined || sign * b.price < sign * a.price ? b : a), undefined);
    if (best === undefined) continue;
    const cells = place.cellsOf(order, period).map((cell) => [cell, sign] as const);
    const cost = sign * best.price * cells.length;
    const column = to.column({
      name: columnName.stop(order, period),
      cells,
      cost,
      least: 0,
      most: best.power,
      kind: 'step',
    });
    to.row({
      kind: 'stop',
      name: rowName.stop(order, period),
      entries: [
        [column, 1],
        [on, best.power],
      ],
      low: -Infinity,
      high: best.power,
    });
    columns.push(column);
  }
  if (columns.length > 0) to.free.push({ order: index, columns });
}
