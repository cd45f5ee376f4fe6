/** Complex orders: their condition, their minima, and that their schedule is the best at the published prices (INV-14 to INV-16). */

import { type Check, Findings } from '../check.ts';
import { type Concave, lessRounding, mostGain, type Piece } from '../numbers/schedule.ts';
import { halfCent } from '../numbers/tolerances.ts';
import {
  type Complex,
  isComplex,
  isOn,
  isSwitched,
  paidTo,
  type Stage,
  stagesOf,
  stopSteps,
  termsInWelfare,
  type Unit,
  worthOf,
} from '../view/units.ts';

import type { View } from '../view/view.ts';

export function checkComplex(view: View): Check[] {
  const income = new Findings('INV-14', 'a minimum income is met, or the order is off but for its scheduled stop');
  const profit = new Findings('INV-15', 'an order that is on does not lose, and keeps its minima');
  const schedule = new Findings('INV-16', 'schedules keep their gradients and are the best at these prices');
  for (const unit of view.units.filter(isComplex)) {
    if (isOn(unit)) {
      if (unit.order.condition === 'minimum-income') checkIncome(view, unit, income);
      else if (isSwitched(unit.order)) checkProfit(view, unit, profit);
      checkMinima(view, unit, profit);
      checkGradient(view, unit, schedule);
      const more = moreGain(view, unit);
      schedule.expect(more <= halfCent, unit.id, () => `another schedule would gain ${more} more`);
    } else {
      const found = unit.order.condition === 'minimum-income' ? income : profit;
      checkOff(view, unit, found);
    }
  }
  return [income.check, profit.check, schedule.check];
}

const energyOf = (view: View, unit: Complex): number => unit.power.reduce((sum, mw) => sum + mw * view.hours, 0);

/** Money that rounding moves: prices by a tick, volumes by a lot. */
function slackOf({ ep, eq, hours, price }: View, unit: Complex): number {
  return unit.power.reduce((sum, mw, t) => sum + (ep * mw + eq * Math.abs(price[unit.zone]![t]!)) * hours, 0);
}

function checkIncome(view: View, unit: Complex, found: Findings): void {
  const { fixedTerm, variableTerm } = unit.order;
  const income = paidTo(unit, view.price, view.hours);
  const due = fixedTerm + variableTerm * energyOf(view, unit);
  found.expect(income >= due - slackOf(view, unit), unit.id, () => `income ${income}, asked ${due}`);
}

/** Money: what it is paid and what its steps are worth, with its terms in the welfare. */
function checkProfit(view: View, unit: Complex, found: Findings): void {
  const gain = paidTo(unit, view.price, view.hours) + worthOf(unit, view.book);
  found.expect(gain >= -slackOf(view, unit), unit.id, () => `loses ${-gain}`);
}

function checkMinima(view: View, { id, order, power, span }: Complex, found: Findings): void {
  for (const { from, period, least, most } of stagesOf(order, view.book)) {
    for (let t = from; t < from + span; t++) {
      const mw = power[t]!;
      found.expect(
        mw >= least - view.eq && mw <= most + view.eq,
        `${id}/${period}`,
        () => `${mw} MW of ${least} to ${most}`,
      );
      found.expect(
        Math.abs(mw - power[from]!) <= view.eq,
        `${id}/${period}`,
        () => `${mw} and ${power[from]} MW in one period`,
      );
    }
  }
}

function checkGradient(view: View, { id, order, power }: Complex, found: Findings): void {
  if (order.loadGradient === undefined) return;
  const { up, down } = order.loadGradient;
  // Either end may be a lot off.
  const room = 2 * view.eq;
  for (let t = 1; t < power.length; t++) {
    const change = power[t]! - power[t - 1]!;
    const fits = change <= up * view.hours + room && change >= -down * view.hours - room;
    found.expect(fits, `${id}/${t + 1}`, () => `changes by ${change} MW, at most ${up} up and ${down} down an hour`);
  }
}

function checkOff(view: View, unit: Complex, found: Findings): void {
  const { id, order, power, sign, span } = unit;
  const stops = new Map(stopSteps(order, view.book).map((step) => [step.from, step]));
  power.forEach((mw, t) => {
    const from = t - (t % span);
    const step = stops.get(from);
    found.expect(mw <= (step?.power ?? 0) + view.eq, `${id}/${t + 1}`, () => `${mw} MW although it is off`);
    if (step === undefined || t !== from) return;
    const gain = sign * (meanPrice(view, unit, from) - step.price);
    const fits = gain > view.ep ? mw >= step.power - view.eq : gain < -view.ep ? mw <= view.eq : true;
    found.expect(fits, `${id}/${t + 1}`, () => `its stop step at ${step.price} has ${mw} of ${step.power} MW`);
  });
}

/** Money that the stop steps of an order that is off would gain more if each could choose alone; less what rounding explains. */
export function moreOfStops(view: View, unit: Complex): number {
  const { order, power, sign, span } = unit;
  return stopSteps(order, view.book).reduce((sum, step) => {
    const gain = sign * (meanPrice(view, unit, step.from) - step.price);
    const could =
      Math.max(0, Math.abs(gain) - view.ep) * (gain > 0 ? step.power - power[step.from]! : power[step.from]!);
    return sum + could * span * view.hours;
  }, 0);
}

export function meanPrice({ price }: View, { zone, span }: Unit, from: number): number {
  let sum = 0;
  for (let t = from; t < from + span; t++) sum += price[zone]![t]!;
  return sum / span;
}

/**
 * Money that a schedule other than the published one would gain more, at its own prices and minima; less what rounding explains: a tick for
 * each MW that it is off. Where a price stands at a limit, what it would have to be beyond is not known: there the schedule is taken as given.
 */
export function moreGain(view: View, unit: Complex): number {
  const { order, power, sign, span } = unit;
  const { min, max } = view.book.priceLimits;
  const stages = stagesOf(order, view.book);
  const duration = span * view.hours;
  let does = 0;
  const gains = stages.map((stage): Concave => {
    const at = meanPrice(view, unit, stage.from);
    const gain = gainOfStage(stage, sign * at, duration);
    const mw = power[stage.from]!;
    const did = gainAt(gain, mw);
    does += did;
    const prices = view.price[unit.zone]!.slice(stage.from, stage.from + span);
    const atLimit = order.loadGradient !== undefined && prices.some((p) => p <= min + view.ep || p >= max - view.ep);
    if (atLimit) return { start: mw, value: did, pieces: [] };
    return lessRounding(gain, mw, 2 * view.ep * duration);
  });
  const { up, down } = order.loadGradient ?? { up: 0, down: 0 };
  let beyond = 0;
  const reaches = stages.map(({ from }, k) => {
    if (order.loadGradient === undefined || k === 0) return undefined;
    // Lots may leave a change a little beyond the gradient.
    const change = power[from]! - power[from - 1]!;
    const [rise, fall] = [Math.max(up * view.hours, change), Math.max(down * view.hours, -change)];
    beyond += rise - up * view.hours + fall - down * view.hours;
    return { up: rise, down: fall };
  });
  return mostGain(gains, reaches) - does - lotSlack(view, unit, beyond);
}

/** Rounding to lots moves each MTU by a lot at most, and what comes after by as much as it went `beyond` the gradients. */
export function lotSlack(view: View, unit: Complex, beyond = 0): number {
  const lot = view.eq;
  const slope = (stage: Stage) =>
    stage.steps.reduce(
      (most, { cost }) => Math.max(most, Math.abs(unit.sign * meanPrice(view, unit, stage.from) - cost)),
      0,
    );
  return stagesOf(unit.order, view.book).reduce(
    (sum, stage) => sum + slope(stage) * (lot + beyond) * unit.span * view.hours,
    0,
  );
}

/** What a period gains, by its MW: what must be of each step first, then the best priced. */
function gainOfStage({ steps, least }: Stage, paid: number, duration: number): Concave {
  const forced = steps.reduce((sum, step) => sum + step.least, 0);
  let value = steps.reduce((sum, step) => sum + (paid - step.cost) * step.least * duration, 0);
  let skip = Math.max(0, least - forced);
  const pieces: Piece[] = [];
  for (const step of steps) {
    const width = step.most - step.least;
    const slope = (paid - step.cost) * duration;
    const taken = Math.min(skip, width);
    value += taken * slope;
    skip -= taken;
    if (width > taken) pieces.push({ width: width - taken, slope });
  }
  return { start: Math.max(least, forced), value, pieces };
}

function gainAt({ start, value, pieces }: Concave, mw: number): number {
  let gain = value;
  let left = mw - start;
  for (const { width, slope } of pieces) {
    const more = Math.max(0, Math.min(width, left));
    gain += more * slope;
    left -= more;
  }
  return gain;
}

/** Money by which the best schedule at the published prices meets the condition; without one, what it gains. Undefined where it is not unique. */
export function bestMargin(view: View, unit: Complex): [least: number, most: number] | undefined {
  const { order, sign, span } = unit;
  const stages = stagesOf(order, view.book);
  const duration = span * view.hours;
  const gains = stages.map((stage) => gainOfStage(stage, sign * meanPrice(view, unit, stage.from), duration));
  if (order.condition !== 'minimum-income') {
    const { up, down } = order.loadGradient ?? { up: 0, down: 0 };
    const reach = order.loadGradient === undefined ? undefined : { up: up * view.hours, down: down * view.hours };
    const gain = mostGain(
      gains,
      gains.map(() => reach),
    );
    const margin = gain - (termsInWelfare(order) ? order.fixedTerm : 0);
    return [margin, margin];
  }
  if (order.loadGradient !== undefined) return undefined;
  // An income is paid for volumes at the money too: with them or without.
  let [least, most] = [-order.fixedTerm, -order.fixedTerm];
  stages.forEach((stage) => {
    const at = meanPrice(view, unit, stage.from);
    const forced = stage.steps.reduce((sum, step) => sum + step.least, 0);
    let more = Math.max(0, stage.least - forced);
    for (const step of stage.steps) {
      const early = Math.min(more, step.most - step.least);
      more -= early;
      const gain = sign * at - step.cost;
      const earns = (mw: number) => (sign * at - order.variableTerm) * mw * duration;
      const sure = gain > view.ep ? step.most : step.least + early;
      const both = [earns(sure), earns(gain >= -view.ep ? step.most : sure)];
      least += Math.min(...both);
      most += Math.max(...both);
    }
  });
  return [least, most];
}
