/** The orders of a book in its program, under one decision vector (market rules, section 2). */

import type { BlockOrder, ComplexOrder, CurveOrder, FlexibleOrder, LimitOrder } from '../../../src/market/order.ts';
import type { Decision } from './decisions.ts';
import type { Model } from './model.ts';
import { curvePieces, type Piece } from './pieces.ts';
import {
  compare,
  minus,
  negated,
  one,
  over,
  plus,
  type Rational,
  rational,
  sum,
  text,
  times,
  zero,
} from './rational.ts';

export function addOrders(model: Model, decision: Decision): void {
  const { orders } = model.book;
  for (const order of orders) {
    if (order.kind === 'limit' || order.kind === 'curve') addPieces(model, order);
    else if (order.kind === 'flexible') addFlexible(model, order, decision.get(order.record_id)!);
    else if (order.kind === 'complex') addComplex(model, order, decision.get(order.record_id));
  }
  addBlocks(
    model,
    orders.filter((order) => order.kind === 'block'),
    decision,
  );
}

const signOf = (side: 'buy' | 'sell'): Rational => (side === 'buy' ? one : negated(one));

function piecesOf(order: LimitOrder | CurveOrder, model: Model): Piece[] {
  if (order.kind === 'curve') return curvePieces(order, model.book.priceLimits);
  const price = rational(order.price);
  return [{ side: order.side, first: price, last: price, power: rational(order.power) }];
}

/** One variable a piece: its MW. */
function addPieces(model: Model, order: LimitOrder | CurveOrder): void {
  const mtus = model.mtusOf(order, order.period);
  const length = rational(mtus.length);
  for (const { side, first, last, power } of piecesOf(order, model)) {
    const slope = over(minus(last, first), power);
    model.add(
      {
        lower: zero,
        upper: power,
        gain: times(times(signOf(side), first), length),
        curvature: times(times(negated(signOf(side)), slope), length),
        column: mtus.map((mtu) => [model.cell(order.zone, mtu), signOf(side)]),
      },
      {
        isLong: mtus.length > 1,
        ...(side === 'buy' && { bought: length }),
        ...(order.kind === 'curve' && compare(first, last) === 0 && { netOf: `${order.record_id} ${text(first)}` }),
      },
    );
  }
}

/** MW per MTU of a block or of a flexible order that has started, buys positive. */
function profileOf(model: Model, block: BlockOrder): Map<number, Rational> {
  const { from = 1, to = 0, power = 0 } = block;
  const profile = block.profile ?? Array.from({ length: to - from + 1 }, (_, i) => ({ period: from + i, power }));
  const signed = profile.flatMap((step) =>
    model.mtusOf(block, step.period).map((mtu) => [mtu, times(signOf(block.side), rational(step.power))] as const),
  );
  return new Map(signed);
}

/** One variable a block, or a loop: its ratio. */
function addBlocks(model: Model, blocks: readonly BlockOrder[], decision: Decision): void {
  const ratios = new Map<string, number>();
  for (const block of blocks) {
    if (decision.get(block.record_id) === false || ratios.has(block.record_id)) continue;
    const isAlone = !decision.has(block.record_id);
    const partner = blocks.find(({ record_id }) => record_id === block.loopWith);
    const legs = partner === undefined ? [block] : [block, partner];
    const column = new Map<number, Rational>();
    let [gain, bought] = [zero, zero];
    for (const leg of legs) {
      for (const [mtu, power] of profileOf(model, leg)) {
        const cell = model.cell(leg.zone, mtu);
        column.set(cell, plus(column.get(cell) ?? zero, power));
        gain = plus(gain, times(rational(leg.price), power));
        if (leg.side === 'buy') bought = plus(bought, power);
      }
    }
    const ratio = model.add(
      { lower: isAlone ? zero : rational(block.minAcceptance), upper: one, gain, column: [...column] },
      { isLong: column.size > 1, isRatio: true, isLoop: legs.length > 1, bought },
    );
    for (const leg of legs) ratios.set(leg.record_id, ratio);
  }
  addLinks(model, blocks, ratios);
  addGroups(model, blocks, ratios);
  for (const block of blocks) {
    if (!ratios.has(block.record_id) || !decision.has(block.record_id)) continue;
    const family = subtree(block, blocks).filter(({ record_id }) => ratios.has(record_id));
    const terms = family.map(({ record_id }) => {
      const ratio = ratios.get(record_id)!;
      return [ratio, model.variables[ratio]!.gain] as const;
    });
    model.noLoss.push({ order: block.record_id, terms, atLeast: zero });
  }
}

const subtree = (block: BlockOrder, blocks: readonly BlockOrder[]): BlockOrder[] => [
  block,
  ...blocks.filter(({ linkedTo }) => linkedTo === block.record_id).flatMap((child) => subtree(child, blocks)),
];

function addLinks(model: Model, blocks: readonly BlockOrder[], ratios: ReadonlyMap<string, number>): void {
  for (const { record_id, linkedTo } of blocks) {
    const [child, parent] = [ratios.get(record_id), ratios.get(linkedTo ?? '')];
    if (child === undefined || parent === undefined) continue;
    model.addLimit(
      [
        [child, one],
        [parent, negated(one)],
      ],
      zero,
    );
  }
}

function addGroups(model: Model, blocks: readonly BlockOrder[], ratios: ReadonlyMap<string, number>): void {
  const groups = Map.groupBy(
    blocks.filter(({ record_id, exclusiveGroup }) => exclusiveGroup !== undefined && ratios.has(record_id)),
    ({ exclusiveGroup }) => exclusiveGroup,
  );
  for (const members of groups.values()) {
    if (members.length < 2) continue;
    model.addLimit(
      members.map(({ record_id }) => [ratios.get(record_id)!, one]),
      one,
    );
  }
}

function addFlexible(model: Model, order: FlexibleOrder, start: boolean | number): void {
  if (typeof start !== 'number') return;
  const periods = Array.from({ length: order.duration }, (_, i) => start + i);
  const power = times(signOf(order.side), rational(order.power));
  const column = periods.flatMap((period) =>
    model.mtusOf(order, period).map((mtu) => [model.cell(order.zone, mtu), power] as const),
  );
  const total = times(power, rational(column.length));
  const gain = times(rational(order.price), total);
  const ratio = model.add({ lower: one, upper: one, gain, column }, order.side === 'buy' ? { bought: total } : {});
  model.noLoss.push({ order: order.record_id, terms: [[ratio, gain]], atLeast: zero });
}

/** One variable a step: its MW. Off, the first steps of its scheduled stop are ordinary orders (2.7). */
function addComplex(model: Model, order: ComplexOrder, isOn: boolean | number | undefined): void {
  const { side, condition, scheduledStop = 0 } = order;
  const [hasMinima, isOff] = [isOn === true, isOn === false];
  const added: { mtus: number[]; variable: number; period: number; price: Rational; power: Rational }[] = [];
  order.steps.forEach(({ period, minAcceptance = 0, ...step }, i) => {
    const isFirst = order.steps.findIndex((other) => other.period === period) === i;
    if (isOff && !(isFirst && period <= scheduledStop)) return;
    const mtus = model.mtusOf(order, period);
    const [price, power, length] = [rational(step.price), rational(step.power), rational(mtus.length)];
    const variable = model.add(
      {
        lower: hasMinima ? times(power, rational(minAcceptance)) : zero,
        upper: power,
        gain: times(times(signOf(side), price), length),
        column: mtus.map((mtu) => [model.cell(order.zone, mtu), signOf(side)]),
      },
      {
        isLong: mtus.length > 1 || (!isOff && order.loadGradient !== undefined),
        ...(side === 'buy' && { bought: length }),
      },
    );
    added.push({ mtus, variable, period, price, power });
  });
  if (isOff) return;
  if (hasMinima) {
    for (const { period, power } of order.minPower ?? []) {
      const steps = added.filter((step) => step.period === period);
      model.addLimit(
        steps.map(({ variable }) => [variable, negated(one)]),
        negated(rational(power)),
      );
    }
  }
  addGradient(model, order, added);
  if (isOn !== true) return;
  const fixedTerm = over(rational(order.fixedTerm), model.hours);
  const isIncome = condition === 'minimum-income';
  if (!isIncome) model.constant = minus(model.constant, fixedTerm);
  const variableTerm = rational(order.variableTerm);
  model.noLoss.push({
    order: order.record_id,
    terms: added.map(({ variable, mtus }) => [
      variable,
      isIncome ? negated(times(variableTerm, rational(mtus.length))) : model.variables[variable]!.gain,
    ]),
    atLeast: fixedTerm,
  });
}

/** In MW per hour from MTU to MTU; an MTU without steps has 0 MW, and the step into the first is free (market rules, What was decided). */
function addGradient(
  model: Model,
  { loadGradient }: ComplexOrder,
  added: readonly { mtus: readonly number[]; variable: number }[],
): void {
  if (loadGradient === undefined) return;
  for (let mtu = 1; mtu < model.periods; mtu++) {
    const changes = new Map<number, Rational>();
    for (const { mtus, variable } of added) {
      const change = sum([mtus.includes(mtu) ? one : zero, mtus.includes(mtu - 1) ? negated(one) : zero]);
      if (change.n !== 0n) changes.set(variable, change);
    }
    const down = [...changes].map(([variable, change]) => [variable, negated(change)] as const);
    model.addLimit([...changes], times(rational(loadGradient.up), model.hours));
    model.addLimit(down, times(rational(loadGradient.down), model.hours));
  }
}
