/**
 * Orders over several periods as the verifier reads them: blocks, flexible and complex orders, with what became of them.
 *
 * A unit's power by MTU is what the balances, the money and the conditions of sections 2.3 to 2.8 are checked from.
 */

import type { Book } from '../../market/book.ts';
import type { BlockOrder, BookOrder, ComplexOrder, FlexibleOrder } from '../../market/order.ts';
import type { Outcome } from '../../market/result.ts';
import { hoursOf, resolutionMinutes } from '../../market/time.ts';
import { keyOf } from './offers.ts';

export type UnitOrder = (BlockOrder | FlexibleOrder | ComplexOrder) & BookOrder;

export interface Unit {
  readonly id: string;
  readonly key: string;
  readonly order: UnitOrder;
  readonly outcome: Outcome;
  readonly zone: number;
  /** 1 for a sell, -1 for a buy. */
  readonly sign: 1 | -1;
  /** MTUs that a period of the order covers. */
  readonly span: number;
  /** Share executed of a block; 1 or 0 for others: started or not, on or off. */
  readonly ratio: number;
  /** MW by MTU, not negative. */
  readonly power: readonly number[];
}

export const isUnit = (order: BookOrder): order is UnitOrder => order.kind !== 'limit' && order.kind !== 'curve';

export const isBlock = (unit: Unit): unit is Unit & { readonly order: BlockOrder & BookOrder } =>
  unit.order.kind === 'block';
export type Complex = Unit & { readonly order: ComplexOrder & BookOrder };

export const isComplex = (unit: Unit): unit is Complex => unit.order.kind === 'complex';

/** Whether a complex order is on; one that no decision is about always is. */
export const isOn = ({ order, ratio }: Complex): boolean => !isSwitched(order) || ratio === 1;

export const spanOf = (order: BookOrder, book: Book): number =>
  resolutionMinutes[order.resolution ?? book.resolution] / resolutionMinutes[book.resolution];

/**
 * A block without a least ratio that nobody else's fate hangs on: no parent, child, group or loop. It is a convex order, there is nothing to
 * decide about it (market rules, section 2.3).
 */
export const isAloneWithoutMinimum = (unit: Unit, units: readonly Unit[]): boolean =>
  isBlock(unit) && unit.order.minAcceptance === 0 && isAlone(unit, units);

/** A block that nobody else's fate hangs on. */
export function isAlone({ order, key }: Unit, units: readonly Unit[]): boolean {
  if (order.kind !== 'block') return false;
  if (order.linkedTo !== undefined || order.exclusiveGroup !== undefined || order.loopWith !== undefined) return false;
  return !namedIn(units).has(key);
}

const named = new WeakMap<readonly Unit[], ReadonlySet<string>>();

/** Keys of blocks that others name as their parent or the other leg. */
function namedIn(units: readonly Unit[]): ReadonlySet<string> {
  let keys = named.get(units);
  if (keys === undefined) {
    const all = units.flatMap(({ order }) =>
      order.kind !== 'block'
        ? []
        : [order.linkedTo, order.loopWith].flatMap((id) =>
            id === undefined ? [] : [`${order.participant ?? ''}/${id}`],
          ),
    );
    keys = new Set(all);
    named.set(units, keys);
  }
  return keys;
}

/** What a block or a started flexible order asks for: power by period of its own resolution. */
export function profileOf(order: BlockOrder | FlexibleOrder, start = 0): { period: number; power: number }[] {
  if (order.kind === 'block' && order.profile !== undefined) return order.profile;
  const from = order.kind === 'block' ? order.from! : start;
  const count = order.kind === 'block' ? order.to! - from + 1 : order.duration;
  return Array.from({ length: count }, (_, k) => ({ period: from + k, power: order.power! }));
}

/** Units beside their outcomes; the shape of these has been checked. */
export function unitsOf(book: Book, outcomes: ReadonlyMap<string, Outcome>): Unit[] {
  const zones = new Map(book.zones.map((id, i) => [id, i]));
  return book.orders.filter(isUnit).map((order) => {
    const outcome = outcomes.get(keyOf(order))!;
    const span = spanOf(order, book);
    const power = new Array<number>(book.periods).fill(0);
    const told = outcome.power as number[];
    if (order.kind === 'complex') {
      told.forEach((mw, t) => {
        power[t] = mw;
      });
    } else if (order.kind === 'block' || outcome.start !== undefined) {
      profileOf(order, outcome.start).forEach(({ period }, i) => {
        for (let k = 0; k < span; k++) power[(period - 1) * span + k]! += told[i]!;
      });
    }
    const sign = order.side === 'sell' ? 1 : -1;
    const { record_id: id } = order;
    return {
      id,
      key: keyOf(order),
      order,
      outcome,
      zone: zones.get(order.zone)!,
      sign,
      span,
      ratio: outcome.ratio!,
      power,
    };
  });
}

/** MW by MTU that a block asks for. */
export function askedOf({ order, span }: Unit & { readonly order: BlockOrder }, periods: number): number[] {
  const asked = new Array<number>(periods).fill(0);
  for (const { period, power } of profileOf(order))
    for (let k = 0; k < span; k++) asked[(period - 1) * span + k]! += power;
  return asked;
}

/** What a profile gains at prices by MTU of its zone, in money. */
export function gainOfProfile(
  { sign, span }: Pick<Unit, 'sign' | 'span'>,
  profile: readonly { period: number; power: number }[],
  limit: number,
  price: readonly number[],
  hours: number,
): number {
  let gain = 0;
  for (const { period, power } of profile) {
    for (let k = 0; k < span; k++) gain += sign * power * (price[(period - 1) * span + k]! - limit) * hours;
  }
  return gain;
}

/** MWh of a profile. */
export const energyOf = (profile: readonly { power: number }[], { span }: Pick<Unit, 'span'>, hours: number): number =>
  profile.reduce((sum, { power }) => sum + power * span * hours, 0);

/** What of a complex order's steps is in one period of its own, the best priced first. */
export interface Stage {
  readonly period: number;
  /** First MTU, from 0. */
  readonly from: number;
  /** MW that must be and can be executed while the order is on. */
  readonly least: number;
  readonly most: number;
  /** Steps by merit: least and most MW, and their cost (for a buy: their worth, negative) in currency/MWh, terms in the welfare counted in. */
  readonly steps: readonly {
    readonly least: number;
    readonly most: number;
    readonly cost: number;
    readonly price: number;
  }[];
}

export const termsInWelfare = ({ condition }: ComplexOrder): boolean =>
  condition === 'minimum-profit' || condition === 'maximum-payment';

/** Is there a yes or no about a complex order at all? Without, it is always on. */
export const isSwitched = ({ condition, minPower = [], steps }: ComplexOrder): boolean =>
  condition !== undefined || minPower.length > 0 || steps.some(({ minAcceptance = 0 }) => minAcceptance > 0);

/** A complex order period by period, those without steps too. */
export function stagesOf(order: ComplexOrder & BookOrder, book: Book): Stage[] {
  const span = spanOf(order, book);
  const sign = order.side === 'sell' ? 1 : -1;
  const variable = termsInWelfare(order) ? order.variableTerm : 0;
  const minima = new Map((order.minPower ?? []).map(({ period, power }) => [period, power]));
  const byPeriod = Map.groupBy(order.steps, ({ period }) => period);
  return Array.from({ length: book.periods / span }, (_, k): Stage => {
    const steps = (byPeriod.get(k + 1) ?? [])
      .map(({ price, power, minAcceptance = 0 }) => {
        return { least: minAcceptance * power, most: power, cost: sign * price + variable, price };
      })
      .sort((a, b) => a.cost - b.cost);
    const least = Math.max(
      minima.get(k + 1) ?? 0,
      steps.reduce((sum, step) => sum + step.least, 0),
    );
    const most = steps.reduce((sum, step) => sum + step.most, 0);
    return { period: k + 1, from: k * span, least, most, steps };
  });
}

/** Currency per hour of a stage that executes `mw`: what must be of each step, then the best priced. */
export function costOfStage({ steps }: Stage, mw: number): number {
  let left = mw - steps.reduce((sum, { least }) => sum + least, 0);
  let cost = 0;
  for (const step of steps) {
    const more = Math.max(0, Math.min(left, step.most - step.least));
    cost += step.cost * (step.least + more);
    left -= more;
  }
  return cost;
}

/** What an order that is off may still execute, as ordinary steps: the best priced of each of its first periods. */
export function stopSteps(
  order: ComplexOrder & BookOrder,
  book: Book,
): { from: number; price: number; power: number }[] {
  return stagesOf(order, book)
    .slice(0, order.scheduledStop ?? 0)
    .flatMap(({ from, steps: [best] }) => (best === undefined ? [] : [{ from, price: best.price, power: best.most }]));
}

/** Money that a unit's executed volumes are worth to who made it: positive for a buy, a cost for a sell; terms in the welfare included. */
export function worthOf(unit: Unit, book: Book): number {
  const { order, sign, span, power, ratio } = unit;
  const hours = hoursOf(book.resolution);
  if (order.kind !== 'complex') return -sign * order.price * power.reduce((sum, mw) => sum + mw, 0) * hours;
  if (isSwitched(order) && ratio === 0) {
    return stopSteps(order, book).reduce((sum, step) => sum - sign * step.price * power[step.from]! * span * hours, 0);
  }
  const steps = stagesOf(order, book).reduce((sum, stage) => sum + costOfStage(stage, power[stage.from]!), 0);
  return -steps * span * hours - (termsInWelfare(order) ? order.fixedTerm : 0);
}

/** Money that a unit is paid at prices by zone and MTU; what it pays is negative. */
export const paidTo = ({ zone, sign, power }: Unit, price: readonly (readonly number[])[], hours: number): number =>
  power.reduce((sum, mw, t) => sum + sign * mw * price[zone]![t]! * hours, 0);
