/**
 * Are there prices within the limits that keep every rule at the published volumes? A small linear program over the prices of one part of
 * the market, and over what ramps and constraints that bind are worth.
 *
 * Rules that a program can't say (schedules with gradients, net position ramps, intuitive exchange) or that would make it large are
 * not asked: then nothing is known.
 */

import { capacityAt } from '../../market/network.ts';
import { mostOf } from '../numbers/simplex.ts';
import { dust, pivotDust } from '../numbers/tolerances.ts';
import { directionsOf } from './directions.ts';
import { blocksOf } from './families.ts';
import type { Ranged } from './shut.ts';
import {
  askedOf,
  type Complex,
  isAloneWithoutMinimum,
  isBlock,
  isComplex,
  isOn,
  isSwitched,
  stagesOf,
  type Unit,
} from './units.ts';
/** In the order in which they give way. */
export type Rule = 'long orders' | 'ramps' | 'exchange';
/** A zone in an MTU. */
export interface Cell {
  readonly z: number;
  readonly t: number;
}

type Terms = readonly (readonly [variable: number, factor: number])[];

/** Numbers in the program's table beyond which it is not asked. */
const mostCells = 4_000_000;

/**
 * Without limits prices are looked for as many times their range below and above: an order over all MTUs may ask of one price what all the
 * others are off its own. Not further, for all the digits of the program are needed.
 */
const farBeyond = ({ periods }: Ranged): number => 4 * (periods + 1);

/**
 * @param given  rules that give way
 * @param isLimited  false: as if prices had no limits
 * @param isDecided  false: of those that trade freely alone, as if nobody minded a loss that was decided to be accepted
 * @returns undefined where it can't be told
 */
export function supportingPrices(
  view: Ranged,
  cells: readonly Cell[],
  given: ReadonlySet<Rule>,
  isLimited = true,
  isDecided = true,
): boolean | undefined {
  if (!canBeSaid(view, cells, given)) return undefined;
  const program = new Program(view, cells, isLimited ? 0 : farBeyond(view));
  addOrders(view, program, given);
  addUnits(view, program, given, isDecided);
  addSteps(view, program);
  // Within a lot of its ends what carries may be there or not, before rounding: where the limits are asked about it is not.
  const near = { ...view, eq: isLimited ? dust(view.eq) : view.eq };
  addLines(near, program, isLimited);
  if (!given.has('ramps')) addRamps(near, program);
  if (!given.has('exchange')) addExchange(near, program);
  return program.isFeasible(
    isLimited ? pivotDust * (view.book.priceLimits.max - view.book.priceLimits.min) : 2 * view.ep,
  );
}

function canBeSaid({ book, units, links, regions }: Ranged, cells: readonly Cell[], given: ReadonlySet<Rule>): boolean {
  const zones = new Set(cells.map(({ z }) => z));
  const exchanges = !given.has('exchange') && cells.some(({ z, t }) => regions[t]!.zones.includes(z));
  if (exchanges && book.flowBased === 'intuitive') return false;
  if (!given.has('ramps') && (book.netPositionRamps ?? []).length > 0) return false;
  if (!given.has('ramps') && links.some(({ tied, line }) => tied && (line.loss > 0 || line.tariff > 0))) return false;
  return !units.some(
    (unit) =>
      zones.has(unit.zone) &&
      (isComplex(unit)
        ? isOn(unit) && !isPlain(unit, book)
        : unit.ratio > 0 && unit.ratio < 1 && !isAloneWithoutMinimum(unit, units) && !isLonely(unit)),
  );
}

/** A complex order that nothing is asked of but its steps, each in one MTU. */
const isPlain = (unit: Complex, book: Ranged['book']): boolean =>
  unit.span === 1 &&
  unit.order.loadGradient === undefined &&
  !isSwitched(unit.order) &&
  stagesOf(unit.order, book).every(({ least }) => least === 0);

const isLonely = ({ order }: Unit): boolean =>
  order.kind === 'block' &&
  order.linkedTo === undefined &&
  order.exclusiveGroup === undefined &&
  order.loopWith === undefined;

/** Prices count from the lowest, so that all variables start at nothing. */
class Program {
  readonly #min: number;
  readonly #isLimited: boolean;
  readonly #index = new Map<string, number>();
  readonly #rows: { terms: Terms; room: number }[] = [];
  #variables: number;

  constructor({ book }: Ranged, cells: readonly Cell[], beyond: number) {
    const { min, max } = book.priceLimits;
    const range = max - min;
    this.#isLimited = beyond === 0;
    this.#min = min - beyond * range;
    cells.forEach(({ z, t }, i) => {
      this.#index.set(`${z}/${t}`, i);
      this.#rows.push({ terms: [[i, 1]], room: range * (1 + 2 * beyond) });
    });
    this.#variables = cells.length;
  }

  has = (z: number, t: number): boolean => this.#index.has(`${z}/${t}`);

  /** One more that is not negative. */
  variable = (): number => this.#variables++;

  /** The sum of factors times prices, and of other variables, is at most `most` (currency/MWh). */
  atMost(prices: readonly (readonly [z: number, t: number, factor: number])[], most: number, others: Terms = []): void {
    const terms = prices.map(([z, t, factor]): [number, number] => [this.#index.get(`${z}/${t}`)!, factor]);
    const room = most - prices.reduce((sum, [, , factor]) => sum + factor * this.#min, 0);
    this.#rows.push({ terms: [...terms, ...others], room });
  }

  /** The same with any sign. */
  within(prices: Parameters<Program['atMost']>[0], low: number, high: number, others: Terms = []): void {
    if (high < Number.POSITIVE_INFINITY) this.atMost(prices, high, others);
    if (low > Number.NEGATIVE_INFINITY)
      this.atMost(
        prices.map(([z, t, factor]) => [z, t, -factor] as const),
        -low,
        others.map(([variable, factor]) => [variable, -factor] as const),
      );
  }

  /**
   * The rules without those that a price alone can keep, however far it has to go, since no other rule minds: an order over several MTUs that has a
   * MW in one of them, and a thousand in another, may need it very far.
   */
  #withoutFree(): { terms: Terms; room: number }[] {
    let rows = this.#rows;
    for (;;) {
      const signs = new Map<number, { less: boolean; more: boolean }>();
      for (const { terms } of rows) {
        if (terms.length < 2) continue;
        for (const [variable, factor] of terms) {
          const known = signs.get(variable) ?? { less: false, more: false };
          signs.set(variable, { less: known.less || factor < 0, more: known.more || factor > 0 });
        }
      }
      const isFree = ([variable, factor]: Terms[number]) =>
        variable < this.#index.size &&
        factor !== 0 &&
        signs.get(variable)?.less !== signs.get(variable)?.more &&
        !this.#isHeld(rows, variable, factor > 0);
      const left = rows.filter(({ terms }) => terms.length < 2 || !terms.some(isFree));
      if (left.length === rows.length) return rows;
      rows = left;
    }
  }

  /** Whether an order of the MTU itself holds a price that would have to fall, or rise. */
  #isHeld(rows: readonly { terms: Terms; room: number }[], variable: number, falls: boolean): boolean {
    return rows.some(
      ({ terms }, i) =>
        i >= this.#index.size && terms.length === 1 && terms[0]![0] === variable && terms[0]![1] > 0 !== falls,
    );
  }

  /** @param off  what every rule may be broken by; undefined for a program that is too large */
  isFeasible(off: number): boolean | undefined {
    const count = this.#variables + 1;
    const rows = this.#isLimited ? this.#rows : this.#withoutFree();
    if ((count + rows.length) * rows.length > mostCells) return undefined;
    // All rules are broken by what is left of `worst`; as much of it as can be is taken back.
    const worst = rows.reduce((most, { room }) => Math.max(most, -room), 0);
    if (worst <= off) return true;
    const last = count - 1;
    const gain = Array.from({ length: count }, (_, j) => (j === last ? 1 : 0));
    const entries = rows.map(({ terms, room }) => ({
      entries: [...terms, [last, 1] as const],
      room: room + worst,
    }));
    entries.push({ entries: [[last, 1] as const], room: worst });
    return mostOf(gain, entries) >= worst - off;
  }
}

function addOrders(view: Ranged, program: Program, given: ReadonlySet<Rule>): void {
  const { positions, ranges, book, periods, eq } = view;
  book.zones.forEach((_, z) => {
    for (let t = 0; t < periods; t++)
      if (program.has(z, t)) program.within([[z, t, 1]], ranges.floor[z]![t]!, ranges.ceiling[z]![t]!);
  });
  for (const { zone, from, span, offers, executed } of positions) {
    if (span === 1 || !program.has(zone, from)) continue;
    const mean = Array.from({ length: span }, (_, k) => [zone, from + k, 1 / span] as const);
    offers.forEach(({ side, first, last, power }, i) => {
      const done = executed[i]!;
      const at = first + ((last - first) * done) / power;
      const room = (eq * Math.abs(last - first)) / power;
      const [some, more] = [done > dust(power), done < power - dust(power) && !given.has('long orders')];
      const [floor, ceiling] = side === 'sell' ? [some, more] : [more, some];
      program.within(mean, floor ? at - room : -Infinity, ceiling ? at + room : Infinity);
    });
  }
}

/** Steps of complex orders that are offers of their MTU: at the money in part, else on its side of the price. */
function addSteps(view: Ranged, program: Program): void {
  const { units, book, eq } = view;
  for (const unit of units) {
    if (!isComplex(unit) || !isOn(unit) || !isPlain(unit, book)) continue;
    for (const { from, steps } of stagesOf(unit.order, book)) {
      if (!program.has(unit.zone, from)) continue;
      let left = unit.power[from]!;
      for (const { most, cost } of steps) {
        const done = Math.max(0, Math.min(left, most));
        left -= done;
        // What is accepted earns its cost; what is not would not.
        const [some, more] = [done > eq, done < most - eq];
        program.within([[unit.zone, from, unit.sign]], some ? cost : -Infinity, more ? cost : Infinity);
      }
    }
  }
}

/** What is accepted does not lose, and a block that is cut gains nothing. */
function addUnits(view: Ranged, program: Program, given: ReadonlySet<Rule>, isDecided: boolean): void {
  const { units, periods } = view;
  const blocks = blocksOf(view);
  /** Money of some units per MWh, as terms over prices. */
  const gainOf = (some: readonly { unit: Unit; asked: readonly number[]; limit: number }[]) => {
    let [energy, due] = [0, 0];
    const prices = some.flatMap(({ unit, asked, limit }) =>
      asked.flatMap((mw, t) => {
        if (mw === 0) return [];
        energy += mw;
        due += unit.sign * mw * limit;
        return [[unit.zone, t, unit.sign * mw] as const];
      }),
    );
    return { prices: prices.map(([z, t, mw]) => [z, t, mw / energy] as const), due: due / energy };
  };
  const partOf = (unit: Unit) => ({
    unit,
    asked: unit.power,
    limit: unit.order.kind === 'complex' ? 0 : unit.order.price,
  });
  for (const unit of units) {
    if (isComplex(unit) || !unit.power.some((_, t) => program.has(unit.zone, t))) continue;
    const isConvex = isAloneWithoutMinimum(unit, units);
    const least = isBlock(unit) && !isConvex ? unit.order.minAcceptance : 0;
    if (isConvex ? !isBlock(unit) : unit.ratio === 0 || !isDecided) continue;
    const asked = isBlock(unit) ? askedOf(unit, periods) : unit.power;
    const whole = gainOf([{ ...partOf(unit), asked }]);
    if (!whole.prices.every(([z, t]) => program.has(z, t))) continue;
    if (isConvex || (unit.order.kind === 'block' && isLonely(unit))) {
      // One that others hang on is repaid by them.
      const alone = isBlock(unit) && blocks.childrenOf(unit).every(({ ratio }) => ratio === 0);
      const givesWay = given.has('long orders') && asked.filter((mw) => mw > 0).length > 1;
      const isMore = unit.ratio < 1 && (unit.ratio > least || isConvex) && !givesWay;
      if (alone) program.within(whole.prices, unit.ratio > 0 ? whole.due : -Infinity, isMore ? whole.due : Infinity);
      else if (isBlock(unit)) addSubtree(unit);
    } else if (isBlock(unit)) addSubtree(unit);
    else program.within(whole.prices, whole.due, Infinity);
  }
  function addSubtree(unit: Unit): void {
    if (!isBlock(unit)) return;
    const partner = blocks.partnerOf(unit);
    const subtree = [unit];
    if (partner !== undefined) subtree.push(partner);
    for (const each of subtree) subtree.push(...blocks.childrenOf(each).filter(({ ratio }) => ratio > 0));
    const all = gainOf(subtree.map(partOf));
    if (all.prices.every(([z, t]) => program.has(z, t))) program.within(all.prices, all.due, Infinity);
  }
}

function addLines(view: Ranged, program: Program, isLimited: boolean): void {
  const { links, periods, isShut, eq } = view;
  for (const [i, link] of links.entries()) {
    if (link.tied) continue;
    const { loss, tariff } = link.line;
    for (let t = 0; t < periods; t++) {
      if (!program.has(link.from, t)) continue;
      for (const { back, a, b, sent, least, most, mayBeShut } of directionsOf(link, t)) {
        // As if prices had no limits, burning power may pay where it does not within them: there a direction would be shut.
        if (isShut(t, i, back) || (!isLimited && mayBeShut)) continue;
        const spread = [[b, t, 1 - loss] as const, [a, t, -1] as const];
        program.within(spread, sent > least + eq ? tariff : -Infinity, sent < most - eq ? tariff : Infinity);
      }
    }
  }
}

/** A spread is what the line's own limits and its ramps are worth: 3.2. */
function addRamps(view: Ranged, program: Program): void {
  const { book, links, periods, eq } = view;
  const tied = links.filter((link) => link.tied);
  const worth = new Map(tied.map(({ line, flow }) => [line.id, flow.map((): [number, number][] => [])]));
  for (const { from, line, flow, least, most } of tied) {
    if (!program.has(from, 0)) continue;
    flow.forEach((mw, t) => {
      if (mw >= most[t]! - eq) worth.get(line.id)![t]!.push([program.variable(), 1]);
      if (mw <= least[t]! + eq) worth.get(line.id)![t]!.push([program.variable(), -1]);
    });
  }
  const flowOf = new Map(links.map(({ line, flow }) => [line.id, flow]));
  const own = tied.flatMap(({ line }) =>
    line.ramp === null ? [] : [{ lines: [line.id], ramp: line.ramp, before: line.before }],
  );
  for (const { lines, ramp, before } of [...own, ...(book.rampSets ?? [])]) {
    const at = (t: number) => lines.reduce((sum, id) => sum + flowOf.get(id)![t]!, 0);
    for (let t = before == null ? 1 : 0; t < periods; t++) {
      const change = at(t) - (t > 0 ? at(t - 1) : before!);
      const slack = 2 * eq * lines.length;
      for (const sign of [1, -1]) {
        if (sign * change < capacityAt(ramp, t) - slack) continue;
        const dual = program.variable();
        for (const id of lines) {
          worth.get(id)![t]!.push([dual, sign]);
          if (t > 0) worth.get(id)![t - 1]!.push([dual, -sign]);
        }
      }
    }
  }
  for (const { from, to, line } of tied) {
    for (let t = 0; t < periods; t++) {
      if (!program.has(from, t)) continue;
      const duals = worth.get(line.id)![t]!.map(([variable, factor]) => [variable, -factor] as const);
      program.within(
        [
          [to, t, 1],
          [from, t, -1],
        ],
        0,
        0,
        duals,
      );
    }
  }
}

/** A zone's price is one of the region's, less what its constraints that bind are worth: 3.3. */
function addExchange(view: Ranged, program: Program): void {
  const { book, regions, pool, eq } = view;
  regions.forEach(({ zones, constraints }, t) => {
    if (zones.length === 0 || !program.has(zones[0]!, t)) return;
    const common = [[program.variable(), -1] as const, [program.variable(), 1] as const];
    const binding = constraints.flatMap(({ ptdf, ram }) => {
      const of = (z: number) => ptdf[book.zones[z]!] ?? 0;
      const used = zones.reduce((sum, z) => sum + of(z) * pool[z]![t]!, 0);
      const slack = zones.reduce((sum, z) => sum + Math.abs(of(z)) * eq, 0);
      return used >= ram - slack ? [{ dual: program.variable(), of }] : [];
    });
    for (const z of zones)
      program.within([[z, t, 1]], 0, 0, [...common, ...binding.map(({ dual, of }) => [dual, of(z)] as const)]);
  });
}
