/**
 * The oracle's reading of a book: everything that clearing decides as one plain linear program, with switches.
 *
 * A column for every step of every order, every ratio, every flow; a row for every balance, link, minimum, gradient, ramp and
 * constraint. Nothing is merged, windowed or reduced, and nothing is shared with the engine. Step curves only.
 *
 * Units: power in MW, welfare in currency per hour of a market time unit, so that a balance's dual is a price.
 */

import assert from 'node:assert/strict';
import type { Book } from '../../src/market/book.ts';
import { capacityAt, type Line } from '../../src/market/network.ts';
import type { BlockOrder, BookOrder, ComplexOrder, CurveOrder } from '../../src/market/order.ts';
import { hoursOf, resolutionMinutes } from '../../src/market/time.ts';

export interface Column {
  /** Welfare of one unit. */
  readonly worth: number;
  readonly lower: number;
  readonly upper: number;
  /** Rows it enters; the first `zones * periods` rows are balances (sells - buys - exports = 0). */
  readonly entries: readonly (readonly [row: number, factor: number])[];
  /** There only if this decision takes this option. */
  readonly when?: { readonly decision: number; readonly option: number };
}

export interface Row {
  readonly low: number;
  readonly high: number;
}

/** What may not lose while an option is taken: columns that count together, and the fixed costs they have to earn. */
export interface Stake {
  readonly columns: readonly number[];
  readonly fixed: number;
  /** Of a minimum income: what a unit of each column has to earn instead of what it costs. */
  readonly income?: readonly number[];
  /** The decision it belongs to, and the decisions of all descendants: they count only as far as they are on. */
  readonly when: { readonly decision: number; readonly option: number };
}

export interface Decision {
  readonly id: string;
  /** Option 0 is off. */
  readonly options: number;
}

export interface WholeModel {
  readonly columns: Column[];
  readonly rows: Row[];
  readonly decisions: Decision[];
  readonly stakes: Stake[];
  /** Columns of which only one may carry at once: the directions of a line with losses or a tariff (INV-17). */
  readonly opposites: (readonly [column: number, column: number])[];
  readonly balances: number;
  readonly hours: number;
}

type Entry = readonly [row: number, factor: number];
type Block = BlockOrder & BookOrder;

export function wholeModel(book: Book): WholeModel {
  const { periods } = book;
  const hours = hoursOf(book.resolution);
  const balances = book.zones.length * periods;
  const columns: Column[] = [];
  const rows: { low: number; high: number }[] = Array.from({ length: balances }, () => ({ low: 0, high: 0 }));
  const later: { row: number; column: number; factor: number }[] = [];
  const decisions: Decision[] = [];
  const stakes: Stake[] = [];
  const opposites: [number, number][] = [];
  const zoneAt = new Map(book.zones.map((id, z) => [id, z * periods]));

  const column = (each: Column) => columns.push(each) - 1;
  const row = (low: number, high: number, entries: readonly (readonly [column: number, factor: number])[]) => {
    const at = rows.push({ low, high }) - 1;
    for (const [c, factor] of entries) later.push({ row: at, column: c, factor });
  };
  const spanOf = (order: BookOrder) =>
    resolutionMinutes[order.resolution ?? book.resolution] / resolutionMinutes[book.resolution];
  /** Balances of the MTUs that a period of the order covers. */
  const cellsOf = (order: BookOrder, period: number): number[] => {
    const span = spanOf(order);
    return Array.from({ length: span }, (_, k) => zoneAt.get(order.zone)! + (period - 1) * span + k);
  };
  const step = (order: BookOrder, side: 'buy' | 'sell', period: number, price: number, power: number, more = {}) => {
    const sign = side === 'sell' ? 1 : -1;
    const cells = cellsOf(order, period);
    const entries = cells.map((cell): Entry => [cell, sign]);
    return column({ worth: -sign * price * cells.length, lower: 0, upper: power, entries, ...more });
  };

  for (const order of book.orders) {
    if (order.kind === 'limit') step(order, order.side, order.period, order.price, order.power);
    if (order.kind === 'curve')
      for (const { side, price, power } of stepsOf(order, book.priceLimits))
        step(order, side, order.period, price, power);
    if (order.kind === 'flexible') {
      const sign = order.side === 'sell' ? 1 : -1;
      const starts = order.latest - order.earliest + 1;
      const decision = decisions.push({ id: order.record_id, options: starts + 1 }) - 1;
      for (let option = 1; option <= starts; option++) {
        const first = order.earliest + option - 1;
        const cells = Array.from({ length: order.duration }, (_, k) => cellsOf(order, first + k)).flat();
        const entries = cells.map((cell): Entry => [cell, sign * order.power]);
        const worth = -sign * order.price * order.power * cells.length;
        const when = { decision, option };
        const c = column({ worth, lower: 1, upper: 1, entries, when });
        stakes.push({ columns: [c], fixed: 0, when });
      }
    }
    if (order.kind === 'complex') addComplex(order);
  }
  addBlocks(book.orders.filter((order): order is Block => order.kind === 'block'));
  addNetwork();

  const entries = columns.map((each) => [...each.entries]);
  for (const each of later) entries[each.column]!.push([each.row, each.factor]);
  return {
    columns: columns.map((each, c) => ({ ...each, entries: entries[c]! })),
    rows,
    decisions,
    stakes,
    opposites,
    balances,
    hours,
  };

  function addBlocks(blocks: readonly Block[]): void {
    const nameOf = (order: Block, id: string) => `${order.participant ?? ''}/${id}`;
    const columnOf = new Map<string, number>();
    const decisionOf = new Map<string, number>();
    const groups = new Map<string, number[]>();
    const byName = new Map(blocks.map((block) => [nameOf(block, block.record_id), block]));
    for (const [name, block] of byName) {
      const partner = block.loopWith === undefined ? undefined : byName.get(nameOf(block, block.loopWith))!;
      if (partner !== undefined && partner.record_id < block.record_id) continue;
      const legs = partner === undefined ? [block] : [block, partner];
      // Market rules, section 2.3: without a minimum acceptance ratio a block that is alone is a convex order.
      const isConvex =
        block.minAcceptance === 0 &&
        [block.linkedTo, block.loopWith, block.exclusiveGroup].every((id) => id === undefined) &&
        !blocks.some((other) => other.linkedTo !== undefined && nameOf(other, other.linkedTo) === name);
      const decision = isConvex
        ? -1
        : decisions.push({ id: legs.map((leg) => leg.record_id).join('+'), options: 2 }) - 1;
      const entries: Entry[] = [];
      let worth = 0;
      for (const leg of legs) {
        const sign = leg.side === 'sell' ? 1 : -1;
        for (const { period, power } of profileOf(leg)) {
          for (const cell of cellsOf(leg, period)) {
            entries.push([cell, sign * power]);
            worth -= sign * leg.price * power;
          }
        }
      }
      const when = { decision, option: 1 };
      const ratio = { worth, lower: block.minAcceptance, upper: 1, entries: merged(entries) };
      const c = column(isConvex ? ratio : { ...ratio, when });
      for (const leg of legs) {
        columnOf.set(nameOf(leg, leg.record_id), c);
        decisionOf.set(nameOf(leg, leg.record_id), decision);
      }
      if (block.exclusiveGroup !== undefined) {
        const group = nameOf(block, block.exclusiveGroup);
        groups.set(group, [...(groups.get(group) ?? []), c]);
      }
      assert(name.length > 0);
    }
    for (const group of groups.values())
      row(
        -Infinity,
        1,
        group.map((c) => [c, 1]),
      );
    const children = Map.groupBy(
      [...byName].filter(([, block]) => block.linkedTo !== undefined),
      ([, block]) => nameOf(block, block.linkedTo!),
    );
    const subtree = (name: string): number[] => [
      columnOf.get(name)!,
      ...(children.get(name) ?? []).flatMap(([child]) => subtree(child)),
    ];
    for (const [name, block] of byName) {
      const c = columnOf.get(name)!;
      if (block.linkedTo !== undefined)
        row(-Infinity, 0, [
          [c, 1],
          [columnOf.get(nameOf(block, block.linkedTo))!, -1],
        ]);
      stakes.push({ columns: subtree(name), fixed: 0, when: { decision: decisionOf.get(name)!, option: 1 } });
    }
  }

  function addComplex(order: ComplexOrder & BookOrder): void {
    const { side, condition, fixedTerm, variableTerm } = order;
    const sign = side === 'sell' ? 1 : -1;
    const inside = condition === 'minimum-profit' || condition === 'maximum-payment';
    const minima = order.minPower ?? [];
    const switched =
      condition !== undefined || minima.length > 0 || order.steps.some((s) => (s.minAcceptance ?? 0) > 0);
    const decision = switched ? decisions.push({ id: order.record_id, options: 2 }) - 1 : -1;
    const on = switched ? { when: { decision, option: 1 } } : {};
    const steps = order.steps.map(({ period, price, power, minAcceptance = 0 }) => {
      const cost = inside ? price + sign * variableTerm : price;
      const c = step(order, side, period, cost, power, { lower: minAcceptance * power, ...on });
      return { c, period };
    });
    if (switched) {
      const own = steps.map(({ c }) => c);
      const isIncome = condition === 'minimum-income';
      const fixed = condition === undefined ? 0 : fixedTerm / hours;
      const income = { income: own.map((c) => variableTerm * columns[c]!.entries.length) };
      stakes.push({ columns: own, fixed, when: { decision, option: 1 }, ...(isIncome ? income : {}) });
      const u = column({ worth: inside ? -fixed : 0, lower: 1, upper: 1, entries: [], ...on });
      for (const { period, power } of minima) {
        const here = steps.filter((each) => each.period === period);
        row(0, Infinity, [...here.map(({ c }) => [c, 1] as const), [u, -power]]);
      }
    }
    if (order.loadGradient !== undefined) {
      const { up, down } = order.loadGradient;
      const span = spanOf(order);
      const at = (t: number) => steps.filter(({ period }) => Math.floor(t / span) === period - 1);
      for (let t = 1; t < periods; t++) {
        const change = new Map<number, number>();
        for (const { c } of at(t)) change.set(c, 1);
        for (const { c } of at(t - 1)) change.set(c, (change.get(c) ?? 0) - 1);
        row(
          -down * hours,
          up * hours,
          [...change].filter(([, factor]) => factor !== 0),
        );
      }
    }
    for (let period = 1; period <= (order.scheduledStop ?? 0); period++) {
      const here = order.steps.filter((each) => each.period === period);
      if (here.length === 0) continue;
      const best = here.reduce((a, b) => (sign * b.price < sign * a.price ? b : a));
      step(order, side, period, best.price, best.power, { when: { decision, option: 0 } });
    }
  }

  function addNetwork(): void {
    type Entries = [column: number, factor: number][];
    const flowOf = new Map<string, Entries[]>();
    const exportOf = book.zones.map(() => Array.from({ length: periods }, (): Entries => []));
    const carry = (from: number, to: number, t: number, line: Line, lower: number, upper: number) => {
      const entries: Entry[] = [
        [from * periods + t, -1],
        [to * periods + t, 1 - line.loss],
      ];
      const c = column({ worth: -line.tariff, lower, upper, entries });
      exportOf[from]![t]!.push([c, 1]);
      exportOf[to]![t]!.push([c, -(1 - line.loss)]);
      return c;
    };
    for (const line of book.lines) {
      const [from, to] = [book.zones.indexOf(line.from), book.zones.indexOf(line.to)];
      const flows = Array.from({ length: periods }, (_, t): Entries => {
        const [most, back] = [capacityAt(line.capacity, t), capacityAt(line.reverse, t)];
        if (line.loss === 0 && line.tariff === 0) return [[carry(from, to, t, line, -back, most), 1]];
        const there = carry(from, to, t, line, Math.max(0, -back), Math.max(0, most));
        const again = carry(to, from, t, line, Math.max(0, -most), Math.max(0, back));
        opposites.push([there, again]);
        return [
          [there, 1],
          [again, -1],
        ];
      });
      flowOf.set(line.id, flows);
    }
    for (let t = 0; t < periods; t++) {
      const here = book.constraints.filter(({ period }) => period === t + 1);
      const region = book.zones.filter(
        (id) =>
          book.constraints.some(({ ptdf }) => Object.hasOwn(ptdf, id)) ||
          (book.constraints.length > 0 && book.lines.every(({ from, to }) => ![from, to].includes(id))),
      );
      const exchange = (id: string, entries: readonly Entry[], lower: number) => {
        const c = column({ worth: 0, lower, upper: Infinity, entries });
        exportOf[book.zones.indexOf(id)]![t]!.push([c, 1]);
        return c;
      };
      if (book.flowBased === 'intuitive') {
        const pairs = region.flatMap((from) => region.filter((to) => to !== from).map((to) => ({ from, to })));
        const exchanges = pairs.map(({ from, to }) => {
          const c = exchange(
            from,
            [
              [zoneAt.get(from)! + t, -1],
              [zoneAt.get(to)! + t, 1],
            ],
            0,
          );
          exportOf[book.zones.indexOf(to)]![t]!.push([c, -1]);
          return c;
        });
        for (const { ptdf, ram } of here) {
          const burden = pairs.map(({ from, to }) => Math.max(0, (ptdf[from] ?? 0) - (ptdf[to] ?? 0)));
          row(
            -Infinity,
            ram,
            exchanges.map((c, i) => [c, burden[i]!]),
          );
        }
      } else if (region.length > 0) {
        const exports = region.map((id) => exchange(id, [[zoneAt.get(id)! + t, -1]], -Infinity));
        row(
          0,
          0,
          exports.map((c) => [c, 1]),
        );
        for (const { ptdf, ram } of here)
          row(
            -Infinity,
            ram,
            exports.map((c, i) => [c, ptdf[region[i]!] ?? 0]),
          );
      }
    }
    const ramp = (at: readonly Entries[], limit: number | readonly number[], before: number | null | undefined) => {
      at.forEach((now, t) => {
        const most = capacityAt(limit, t);
        if (t > 0) row(-most, most, [...now, ...at[t - 1]!.map(([c, factor]) => [c, -factor] as const)]);
        else if (before !== null && before !== undefined) row(before - most, before + most, now);
      });
    };
    for (const line of book.lines) if (line.ramp !== null) ramp(flowOf.get(line.id)!, line.ramp, line.before);
    for (const set of book.rampSets ?? []) {
      const members = set.lines.map((id) => flowOf.get(id)!);
      ramp(
        members[0]!.map((_, t) => members.flatMap((each) => each[t]!)),
        set.ramp,
        set.before,
      );
    }
    for (const each of book.netPositionRamps ?? [])
      ramp(exportOf[book.zones.indexOf(each.zone)]!, each.ramp, each.before);
  }
}

const profileOf = (block: BlockOrder): readonly { period: number; power: number }[] =>
  block.profile ??
  Array.from({ length: block.to! - block.from! + 1 }, (_, k) => ({ period: block.from! + k, power: block.power! }));

function merged(entries: readonly Entry[]): Entry[] {
  const sum = new Map<number, number>();
  for (const [row, factor] of entries) sum.set(row, (sum.get(row) ?? 0) + factor);
  return [...sum].filter(([, factor]) => factor !== 0);
}

/** The steps of a curve: what it buys below a price, and sells above it. */
function stepsOf({ points, shape }: CurveOrder, { min, max }: { min: number; max: number }) {
  assert.equal(shape, 'step', 'the oracle takes step curves only');
  const steps: { side: 'buy' | 'sell'; price: number; power: number }[] = [];
  let before = 0;
  const falls = points.map(({ price, power }, i) => ({ price: i === 0 ? min : price, power }));
  for (const { price, power } of [...falls, { price: max, power: 0 }]) {
    // From `before` MW down to `power` MW at this price: what is above zero was bought up to here, what is below is sold from here on.
    const bought = Math.max(before, 0) - Math.max(power, 0);
    const sold = Math.max(-power, 0) - Math.max(-before, 0);
    if (bought > 0) steps.push({ side: 'buy', price, power: bought });
    if (sold > 0) steps.push({ side: 'sell', price, power: sold });
    before = power;
  }
  return steps;
}
