/**
 * What a complex order must be on its own: a schedule that keeps all its minima and gradients exists, and no term is there that
 * nothing would use.
 */

import { mostCharacters } from '../market/bounds.ts';
import type { ComplexOrder } from '../market/order.ts';
import { firstOutOfReach } from '../market/reach.ts';
import { hoursOf } from '../market/time.ts';
import { canonical } from './canonical.ts';
import type { OrderTerms } from './terms.ts';

/** What the order may be executed with in one period while it is on, in MW. */
interface Range {
  least: number;
  most: number;
}

export function checkComplex(order: ComplexOrder, at: OrderTerms): void {
  // Of all kinds only these can grow so long.
  const characters = canonical(order).length;
  if (characters > mostCharacters)
    at.fault('steps', 'order-too-long', `the order has ${characters} characters of JSON, more than ${mostCharacters}`);
  checkSteps(order, at);
  checkCondition(order, at);
  const ranges = new Map<number, Range>();
  for (const { period, power, minAcceptance = 0 } of order.steps) {
    const range = ranges.get(period) ?? { least: 0, most: 0 };
    ranges.set(period, { least: range.least + minAcceptance * power, most: range.most + power });
  }
  for (const [period, { most }] of ranges) at.sum(most, period, 'steps');
  checkMinPower(order, ranges, at);
  checkGradient(order, ranges, at);
  checkScheduledStop(order, at);
}

/** Steps add up; within a period they are listed by merit, so that a list of cumulative powers or of another side is noticed. */
function checkSteps({ side, steps }: ComplexOrder, at: OrderTerms): void {
  const last = new Map<number, number>();
  steps.forEach(({ period, price, power }, i) => {
    at.period(period, `steps.${i}.period`);
    at.price(price, `steps.${i}.price`);
    at.power(power, `steps.${i}.power`);
    const before = last.get(period) ?? price;
    if (side === 'sell' ? price < before : price > before) {
      const rule = `the ${side} steps of a period ${side === 'sell' ? 'rise' : 'fall'} in price`;
      at.fault(`steps.${i}.price`, 'steps-not-monotone', `${price} comes after ${before} in period ${period}: ${rule}`);
    }
    last.set(period, price);
  });
}

const sideOfCondition = { 'minimum-income': 'sell', 'minimum-profit': 'sell', 'maximum-payment': 'buy' } as const;

function checkCondition({ side, condition, fixedTerm, variableTerm }: ComplexOrder, at: OrderTerms): void {
  at.money(fixedTerm, 'fixedTerm');
  at.onTick(variableTerm, 'variableTerm');
  if (condition === undefined) {
    for (const [field, term] of Object.entries({ fixedTerm, variableTerm }))
      if (term !== 0) at.fault(field, 'term-without-condition', `${field} ${term} counts under a condition only`);
    return;
  }
  if (sideOfCondition[condition] !== side)
    at.fault('condition', 'condition-of-other-side', `${condition} is for ${sideOfCondition[condition]} orders`);
  // In the welfare it would be a second price of each step.
  if (condition !== 'minimum-income' && variableTerm !== 0) {
    const message = `${variableTerm}: under ${condition} what a MWh costs is in the prices of the steps`;
    at.fault('variableTerm', 'variable-term-in-welfare', message);
  }
}

function checkMinPower({ minPower = [] }: ComplexOrder, ranges: Map<number, Range>, at: OrderTerms): void {
  const seen = new Set<number>();
  minPower.forEach(({ period, power }, i) => {
    at.period(period, `minPower.${i}.period`);
    at.power(power, `minPower.${i}.power`);
    if (seen.has(period)) at.fault(`minPower.${i}.period`, 'period-twice', `period ${period} has two minimum powers`);
    seen.add(period);
    const range = ranges.get(period) ?? { least: 0, most: 0 };
    if (power > range.most + 1e-9) {
      const message = `period ${period} must have ${power} MW, its steps give ${range.most} MW`;
      at.fault(`minPower.${i}.power`, 'min-power-over-steps', message);
    }
    ranges.set(period, { ...range, least: Math.max(range.least, Math.min(power, range.most)) });
  });
}

/** The gradient holds from one market time unit of the auction to the next, also where the order's own periods are longer. */
function checkGradient(
  { loadGradient, resolution }: ComplexOrder,
  ranges: ReadonlyMap<number, Range>,
  at: OrderTerms,
): void {
  if (loadGradient === undefined) return;
  const { up, down } = loadGradient;
  at.gradient(up, 'loadGradient.up');
  at.gradient(down, 'loadGradient.down');
  if (at.periods === undefined) return;
  const hours = hoursOf(at.resolution);
  const late = firstOutOfReach(
    at.periods,
    (t) => {
      const { least, most } = ranges.get(t + 1) ?? { least: 0, most: 0 };
      return [least, most];
    },
    () => ({ up: up * hours, down: down * hours }),
  );
  if (late < 0) return;
  const unit = resolution === undefined ? '' : ` of ${resolution}`;
  const message = `${up} MW/h up and ${down} MW/h down do not reach what the minima and steps of period ${late + 1}${unit} ask for`;
  at.fault('loadGradient', 'gradient-below-minima', message);
}

/** A unit that stops runs down: the first step of each of these periods may not be larger than the one before. */
function checkScheduledStop({ side, steps, scheduledStop = 0, condition }: ComplexOrder, at: OrderTerms): void {
  if (scheduledStop === 0) return;
  if (condition !== 'minimum-income') {
    const message = `only an order with a minimum income has a scheduled stop, not one with ${condition ?? 'no condition'}`;
    at.fault('scheduledStop', 'stop-without-income', message);
  }
  if (side !== 'sell') return;
  let before = Number.POSITIVE_INFINITY;
  for (let period = 1; period <= scheduledStop; period++) {
    const power = steps.find((step) => step.period === period)?.power ?? 0;
    if (power > before) {
      const message = `the first step of period ${period} has ${power} MW after ${before} MW: a scheduled stop runs down`;
      at.fault('scheduledStop', 'stop-not-falling', message);
    }
    before = power;
  }
}
