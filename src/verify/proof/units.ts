/** Blocks, flexible and complex orders as columns, rows and decisions of the checker's model (market rules, sections 2.3 to 2.8). */

import { scaledTo, tenTo } from '../../market/exact.ts';
import type { BlockOrder, BookOrder, ComplexOrder, FlexibleOrder } from '../../market/order.ts';
import { columnName, rowName } from '../../market/proof.ts';
import { keyOf } from '../view/offers.ts';
import { isSwitched, profileOf, spanOf, stopSteps, termsInWelfare, type UnitOrder } from '../view/units.ts';
import type { Building, Column, Entries, Row } from './building.ts';

type Block = BlockOrder & BookOrder;

export function addUnits(to: Building, units: readonly UnitOrder[]): void {
  addBlocks(
    to,
    units.filter((order): order is Block => order.kind === 'block'),
  );
  for (const order of units) {
    if (order.kind === 'flexible') addFlexible(to, order);
    if (order.kind === 'complex') addComplex(to, order);
  }
}

const signOf = ({ side }: { side: 'buy' | 'sell' }): bigint => (side === 'sell' ? 1n : -1n);

/** A block's column by key; of a loop the one of both legs. */
function addBlocks(to: Building, blocks: readonly Block[]): void {
  const byKey = new Map(blocks.map((order) => [keyOf(order), order]));
  const named = (order: BookOrder, id: string | undefined): Block | undefined =>
    id === undefined ? undefined : byKey.get(keyOf({ participant: order.participant, record_id: id }));
  const columnOf = new Map<string, Column>();
  const firsts: { order: Block; legs: readonly Block[]; column: Column }[] = [];
  const groups = new Map<string, { name: string; members: Block[] }>();
  for (const order of blocks) {
    const partner = named(order, order.loopWith);
    const known = partner && columnOf.get(keyOf(partner));
    if (known !== undefined) {
      columnOf.set(keyOf(order), known);
      continue;
    }
    const legs = partner === undefined ? [order] : [order, partner];
    const missing =
      (order.loopWith !== undefined && partner === undefined) ||
      legs.some((leg) => leg.linkedTo !== undefined && named(leg, leg.linkedTo) === undefined);
    const column = blockColumn(to, order, legs, missing);
    columnOf.set(keyOf(order), column);
    firsts.push({ order, legs, column });
    if (order.exclusiveGroup === undefined) continue;
    const key = keyOf({ participant: order.participant, record_id: order.exclusiveGroup });
    const group = groups.get(key) ?? { name: rowName.group(order.participant, order.exclusiveGroup), members: [] };
    groups.set(key, group);
    group.members.push(order);
  }
  for (const order of blocks) {
    const parent = named(order, order.linkedTo);
    if (parent === undefined) continue;
    to.row(rowName.link(order), undefined, 0n, [
      [columnOf.get(keyOf(order))!, to.scale.one],
      [columnOf.get(keyOf(parent))!, -to.scale.one],
    ]);
  }
  const groupOf = new Map<Column, Row>();
  for (const { name, members } of groups.values()) {
    if (members.length < 2) continue;
    const row = atMostOne(
      to,
      name,
      members.map((order) => columnOf.get(keyOf(order))!),
    );
    for (const order of members) groupOf.set(columnOf.get(keyOf(order))!, row);
  }
  const parents = new Set(blocks.map((order) => named(order, order.linkedTo)));
  for (const { order, legs, column } of firsts) {
    const isLinked = legs.some((leg) => leg.linkedTo !== undefined || parents.has(leg));
    decideBlock(to, order, column, isLinked, groupOf.get(column));
  }
}

function blockColumn(to: Building, order: Block, legs: readonly Block[], missing: boolean): Column {
  const { scale } = to;
  const parts = legs.flatMap((leg) =>
    profileOf(leg).flatMap(({ period, power }) => {
      const mw = signOf(leg) * scale.volume(power);
      return to.cells(leg, period).map((cell) => ({ cell, mw, cost: mw * scale.price(leg.price) }));
    }),
  );
  return to.column({
    name: columnName.ratio(order),
    cells: parts.map(({ cell, mw }) => [cell, mw]),
    cost: parts.reduce((sum, { cost }) => sum + cost, 0n),
    least: 0n,
    most: missing ? 0n : scale.one,
  });
}

/** @param isLinked  it has a parent or children */
function decideBlock(to: Building, order: Block, column: Column, isLinked: boolean, row: Row | undefined): void {
  // Alone and without a minimum acceptance ratio a block is a convex order: there is nothing to decide (market rules, section 2.3).
  const isAlone = !isLinked && order.loopWith === undefined && order.exclusiveGroup === undefined;
  if (isAlone && order.minAcceptance === 0) return;
  const least = to.scale.volume(order.minAcceptance);
  const isChild = order.linkedTo !== undefined;
  // Who shares a group may have any ratio from its least on. A child that shares one may have less than its parent has, and repay the parent's
  // loss with all of it: scaled down together, the loss alone would shrink.
  const scalable = row === undefined ? to.scale.one : isChild ? 0n : least;
  to.decision({ column, least, scalable, group: isLinked ? undefined : row, stops: [] });
}

const atMostOne = (to: Building, name: string, columns: readonly Column[]): Row =>
  to.row(
    name,
    undefined,
    to.scale.one,
    columns.map((column) => [column, to.scale.one] as const),
  )!;

function addFlexible(to: Building, order: FlexibleOrder & BookOrder): void {
  const { scale } = to;
  const mw = signOf(order) * scale.volume(order.power);
  const starts: Column[] = [];
  for (let start = order.earliest; start <= order.latest; start++) {
    const cells = profileOf(order, start).flatMap(({ period }) => to.cells(order, period));
    const column = to.column({
      name: columnName.start(order, start),
      cells: cells.map((cell) => [cell, mw] as const),
      cost: mw * scale.price(order.price) * BigInt(cells.length),
      least: 0n,
      most: scale.one,
    });
    starts.push(column);
  }
  for (const column of starts) to.decision({ column, least: scale.one, scalable: scale.one, stops: [] });
  if (starts.length > 1) atMostOne(to, rowName.starts(order), starts);
}

interface Step {
  readonly period: number;
  /** MW in any case while the order is on. */
  readonly least: bigint;
  readonly cost: bigint;
  readonly cells: readonly number[];
  readonly column: Column;
}

type Complex = ComplexOrder & BookOrder;

function addComplex(to: Building, order: Complex): void {
  const { scale } = to;
  const sign = signOf(order);
  const span = BigInt(spanOf(order, to.book));
  const isInWelfare = termsInWelfare(order);
  const variable = isInWelfare ? scale.price(order.variableTerm) : 0n;
  const steps = order.steps.map((step, k): Step => {
    const least = scale.share(step.minAcceptance ?? 0, step.power);
    const cost = (sign * scale.price(step.price) + variable) * span;
    const cells = to.cells(order, step.period);
    const column = to.column({
      name: columnName.step(order, k + 1),
      cells: cells.map((cell) => [cell, sign * scale.one] as const),
      cost: cost * scale.one,
      least: 0n,
      most: scale.volume(step.power) - least,
    });
    return { period: step.period, least, cost, cells, column };
  });
  if (!isSwitched(order)) {
    addGradient(to, order, steps, undefined);
    return;
  }
  const fixed = scale.price(order.fixedTerm) * BigInt(to.perHour) * scale.one;
  const on = to.column({
    name: columnName.ratio(order),
    cells: steps.flatMap(({ cells, least }) => cells.map((cell) => [cell, sign * least] as const)),
    cost: steps.reduce((sum, { cost, least }) => sum + cost * least, isInWelfare ? fixed : 0n),
    least: 0n,
    most: scale.one,
  });
  for (const [k, { column }] of steps.entries()) {
    if (column.most > 0n)
      to.row(rowName.step(order, k + 1), undefined, 0n, [
        [column, scale.one],
        [on, -column.most],
      ]);
  }
  for (const { period, power } of order.minPower ?? []) {
    const here = steps.filter((step) => step.period === period);
    const more = here.reduce((sum, { least }) => sum - least, scale.volume(power));
    const entries = here.map(({ column }) => [column, scale.one] as const);
    if (more > 0n) to.row(rowName.least(order, period), 0n, undefined, [...entries, [on, -more]]);
  }
  addGradient(to, order, steps, on);
  const isIncome = order.condition === 'minimum-income';
  const stops = isIncome ? addStops(to, order, on) : [];
  const income = isIncome ? incomeOf(to, order, steps, on, fixed) : undefined;
  to.decision({ column: on, least: scale.one, scalable: scale.one, stops, ...(income && { income }) });
}

/**
 * What the order gains at the least while it is on: what it is paid covers its terms, and what it gains is what it is paid less what its steps
 * ask.
 */
function incomeOf(to: Building, order: Complex, steps: readonly Step[], on: Column, fixed: bigint): Entries {
  const { one, price } = to.scale;
  const variable = price(order.variableTerm) * BigInt(spanOf(order, to.book));
  const held = steps.reduce((sum, { least }) => sum + least, 0n);
  return [
    [on, fixed + variable * held - on.cost],
    ...steps.map(({ column, cost }) => [column, (variable - cost) * one] as const),
  ];
}

/** Limits of an order that is on or off hold in proportion in between. */
function addGradient(to: Building, order: Complex, steps: readonly Step[], on: Column | undefined): void {
  if (order.loadGradient === undefined) return;
  const { one } = to.scale;
  const [up, down] = [order.loadGradient.up, order.loadGradient.down].map((each) => inHours(to, each)) as [
    bigint,
    bigint,
  ];
  const powerIn = (period: number, sign: bigint): { entries: [Column, bigint][]; held: bigint } => {
    const here = steps.filter((step) => step.period === period);
    return {
      entries: here.map(({ column }) => [column, sign * one]),
      held: here.reduce((sum, { least }) => sum + sign * least, 0n),
    };
  };
  const span = spanOf(order, to.book);
  for (let period = 2; period <= to.book.periods / span; period++) {
    const [now, before] = [powerIn(period, 1n), powerIn(period - 1, -1n)];
    const entries: Entries = [...now.entries, ...before.entries];
    const name = (falling: boolean) => rowName.gradient(order, (period - 1) * span + 1, falling);
    if (on === undefined) to.row(name(false), -down, up, entries);
    else if (entries.length > 0) {
      const held = now.held + before.held;
      to.row(name(false), undefined, 0n, [...entries, [on, held - up]]);
      to.row(name(true), 0n, undefined, [...entries, [on, held + down]]);
    }
  }
}

/** MW that a gradient of MW per hour allows from one MTU to the next. */
function inHours(to: Building, gradient: number): bigint {
  const { volumeDecimals } = to.scale;
  return (scaledTo(gradient, volumeDecimals) * tenTo(2)) / BigInt(100 * to.perHour);
}

/** While the order is off, the best priced step of each of its first periods may trade. */
function addStops(to: Building, order: Complex, on: Column): Column[] {
  const { scale } = to;
  const span = spanOf(order, to.book);
  const sign = signOf(order);
  return stopSteps(order, to.book).map(({ from, price, power }) => {
    const period = from / span + 1;
    const most = scale.volume(power);
    const column = to.column({
      name: columnName.stop(order, period),
      cells: to.cells(order, period).map((cell) => [cell, sign * scale.one] as const),
      cost: sign * scale.price(price) * BigInt(span) * scale.one,
      least: 0n,
      most,
    });
    to.row(rowName.stop(order, period), undefined, most, [
      [column, scale.one],
      [on, most],
    ]);
    return column;
  });
}
