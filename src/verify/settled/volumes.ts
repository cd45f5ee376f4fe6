/**
 * Volumes of most welfare beside those that are published: where a result is right, what lots were made of is one such optimum, and a price that
 * supports one supports all.
 *
 * Who is in or out of the money by more than a tick at the published prices is taken to be full or to have nothing, and rows with much room
 * are left out until they are broken; what is left is a small program. Whether that was right the prices say that follow (`prices.ts`).
 */

import { type ConvexProgram, type ConvexRow, type Least, leastCost } from '../numbers/convex.ts';
import { crumbs, dust, pivotDust } from '../numbers/tolerances.ts';
import type { Ranged } from '../view/shut.ts';
import { type Column, isHeld, type Program } from './program.ts';

/** Cells that columns and rows tie together. */
export interface Part {
  readonly cells: readonly number[];
  readonly columns: readonly number[];
  readonly rows: readonly number[];
}

export function partsOf({ columns, rows, fixed }: Program): Part[] {
  const label = fixed.map((_, cell) => cell);
  const find = (cell: number): number => {
    let at = cell;
    while (label[at] !== at) at = label[at]!;
    label[cell] = at;
    return at;
  };
  const join = (a: number, b: number) => {
    label[find(a)] = find(b);
  };
  for (const { cells: own } of columns) for (const [cell] of own) join(cell, own[0]![0]);
  for (const { entries } of rows)
    for (const [c] of entries) join(columns[c]!.cells[0]![0], columns[entries[0]![0]]!.cells[0]![0]);
  const byRoot = Map.groupBy(label.keys(), find);
  const columnsAt = Map.groupBy(columns.keys(), (c) => find(columns[c]!.cells[0]![0]));
  const rowsAt = Map.groupBy(rows.keys(), (r) => find(columns[rows[r]!.entries[0]![0]]!.cells[0]![0]));
  return [...byRoot].map(([root, own]) => ({
    cells: own,
    columns: columnsAt.get(root) ?? [],
    rows: rowsAt.get(root) ?? [],
  }));
}

/** Beyond so many ranges of the limits no price is looked for. */
const farthest = 100;
/** Lots by which what is published may be off what it was made of. */
const lotsOff = 4;

export interface Volumes {
  /** By column of the program. */
  readonly value: ReadonlyMap<number, number>;
  /** MW that sums of this size lose. */
  readonly lost: number;
  /** Columns that could do more or less without being worth less. */
  readonly open: readonly number[];
  /** The most that a sum over the open columns can be, of all volumes that are worth as much; undefined where there is no most. */
  readonly most: (factor: (c: number) => number) => number | undefined;
}

/** @returns undefined where nothing balances, or where the program is too large */
export function bestVolumes(view: Ranged, program: Program, part: Part): Volumes | undefined {
  const size = sizeOf(program, part);
  const rows = new Set(part.rows.filter((r) => isNear(view, program, r)));
  for (let looks = true; ; ) {
    const best = bestWith(view, program, part, { rows, size, looks });
    const broken = best && part.rows.filter((r) => !rows.has(r) && !holds(program, r, best.value, size));
    if (best !== undefined && broken!.length === 0) return { ...best, lost: dust(size) };
    if (best === undefined && !looks) return undefined;
    looks = best !== undefined;
    for (const r of broken ?? part.rows) rows.add(r);
  }
}

/** MW of the largest thing there is. */
function sizeOf({ columns, fixed }: Program, { cells, columns: own }: Part): number {
  let size = cells.reduce((most, cell) => Math.max(most, Math.abs(fixed[cell]!)), 0);
  for (const c of own) {
    const column = columns[c]!;
    const most = column.most === Infinity ? Math.abs(column.told) : column.most;
    size = Math.max(size, most * column.size);
  }
  return size || 1;
}

const sumAt = (entries: readonly (readonly [number, number])[], of: (c: number) => number): number =>
  entries.reduce((sum, [c, factor]) => sum + factor * of(c), 0);

function isNear({ eq }: Ranged, { columns, rows }: Program, r: number): boolean {
  const { entries, low, high } = rows[r]!;
  if (low === high || entries.some(([c]) => columns[c]!.most === Infinity)) return true;
  const at = sumAt(entries, (c) => columns[c]!.told);
  const off = entries.reduce((sum, [c, factor]) => sum + (Math.abs(factor) * lotsOff * eq) / columns[c]!.size, 0);
  return at >= high - off || at <= low + off;
}

function holds({ rows }: Program, r: number, value: ReadonlyMap<number, number>, size: number): boolean {
  const { entries, low, high } = rows[r]!;
  const at = sumAt(entries, (c) => value.get(c)!);
  const off = dust(size, at, ...entries.map(([c, factor]) => factor * value.get(c)!));
  return at <= high + off && at >= low - off;
}

/** What a column does that is clearly in or out of the money at the published prices; undefined where that has to be found. */
function clearly({ price, periods, ep }: Ranged, { cells, cost, bend, least, most }: Column): number | undefined {
  const paid = cells.reduce((sum, [cell, mw]) => sum + mw * price[Math.floor(cell / periods)]![cell % periods]!, 0);
  const off = cells.reduce((sum, [, mw]) => sum + 2 * ep * Math.abs(mw), 0);
  const best = (gain: number) => (bend > 0 ? Math.min(most, Math.max(least, gain / bend)) : gain > 0 ? most : least);
  const [some, more] = [best(paid - cost - off), best(paid - cost + off)];
  return some === more && Number.isFinite(some) ? some : undefined;
}

interface Choice {
  /** Rows that are looked at. */
  readonly rows: ReadonlySet<number>;
  /** MW */
  readonly size: number;
  /** Whether what is clearly in or out of the money is taken as that. */
  readonly looks: boolean;
}

function bestWith(view: Ranged, program: Program, part: Part, choice: Choice): Omit<Volumes, 'lost'> | undefined {
  const { columns } = program;
  const value = new Map<number, number>();
  const open: number[] = [];
  for (const c of part.columns) {
    const column = columns[c]!;
    const isLookedAt = choice.looks && !column.rows.some(([r]) => choice.rows.has(r));
    const sure = isHeld(column) ? column.least : isLookedAt ? clearly(view, column) : undefined;
    if (sure === undefined) open.push(c);
    else value.set(c, sure);
  }
  const scaled = scaledProgram(view, program, part, choice, open, value);
  if (scaled === undefined) return undefined;
  const { starts, scales, told, program: least, balances } = scaled;
  const found = leastCost(least);
  if (found === undefined) return undefined;
  // What had to be made up for is missing, and what nobody takes is too much.
  const isOff = (off: number) => off > crumbs * dust(1);
  for (let k = 0; k < balances; k++) {
    const { entries, least: due } = least.rows[k]!;
    if (isOff(found.x[open.length + k]!) || isOff(sumAt(entries, (j) => found.x[j]!) - due)) return undefined;
  }
  const hasNoGain = open.map((_, j) => Math.abs(found.slope[j]!) <= crumbs * dust(scaled.gains[j]!));
  const face = faceOf(hasNoGain, least, found, balances);
  const x = face.leastOf((j) => [-told[j]!, 1]) ?? found.x;
  open.forEach((c, j) => {
    value.set(c, starts[j]! + x[j]! * scales[j]!);
  });
  const most = (factor: (c: number) => number) => {
    const at = face.leastOf((j) => [(-factor(open[j]!) * scales[j]!) / choice.size, 0]);
    return at && open.reduce((sum, c, j) => sum + factor(c) * (starts[j]! + at[j]! * scales[j]!), 0);
  };
  return { value, open: open.filter((_, j) => hasNoGain[j]), most };
}

interface Scaled {
  /** By open column: where it is counted from, its unit, and in it what is published. */
  readonly starts: readonly number[];
  readonly scales: readonly number[];
  readonly told: readonly number[];
  /** What a unit of it gains by a range of the prices. */
  readonly gains: readonly number[];
  /** Variables: the open columns, then what each cell lacks. Rows: the balances, then the others. */
  readonly program: ConvexProgram;
  readonly balances: number;
}

/**
 * The open columns in units of their own: volumes of their range, money of the prices' range. All prices are `farthest` higher, so that none is below
 * nothing, and a cell may lack power at a price as far above.
 *
 * @param value  of the columns that are not open
 * @returns undefined where cells that nothing open touches do not balance
 */
function scaledProgram(
  { book }: Ranged,
  { columns, fixed, rows: all }: Program,
  { cells }: Part,
  { rows, size }: Choice,
  open: readonly number[],
  value: ReadonlyMap<number, number>,
): Scaled | undefined {
  const unit = book.priceLimits.max - book.priceLimits.min;
  const scales = open.map((c) => Math.min(size / columns[c]!.size, columns[c]!.most - columns[c]!.least));
  const starts = open.map((c) => (columns[c]!.least === -Infinity ? columns[c]!.told - size : columns[c]!.least));
  const missing = new Map(cells.map((cell) => [cell, -fixed[cell]!]));
  const take = ({ cells: own }: Column, x: number) => {
    for (const [cell, mw] of own) missing.set(cell, missing.get(cell)! - mw * x);
  };
  for (const [c, x] of value) take(columns[c]!, x);
  const entriesAt = new Map<number, [number, number][]>();
  open.forEach((c, j) => {
    take(columns[c]!, starts[j]!);
    for (const [cell, mw] of columns[c]!.cells) {
      const entries = entriesAt.get(cell) ?? [];
      entriesAt.set(cell, entries);
      entries.push([j, (mw * scales[j]!) / size]);
    }
  });
  if (cells.some((cell) => !entriesAt.has(cell) && Math.abs(missing.get(cell)!) > crumbs * dust(size)))
    return undefined;
  const balances = [...entriesAt].map(([cell, entries], k): ConvexRow => {
    return { entries: [...entries, [open.length + k, 1]], least: missing.get(cell)! / size };
  });
  const place = new Map(open.map((c, j) => [c, j]));
  const others = [...rows].flatMap((r): ConvexRow[] => {
    const { entries, low, high } = all[r]!;
    const done = sumAt(entries, (c) => value.get(c) ?? starts[place.get(c)!]!);
    const own = entries.flatMap(([c, factor]): [number, number][] => {
      const j = place.get(c);
      return j === undefined ? [] : [[j, (factor * scales[j]!) / size]];
    });
    if (own.length === 0) return [];
    return [
      ...(low === -Infinity ? [] : [{ entries: own, least: (low - done) / size }]),
      ...(high === Infinity ? [] : [{ entries: own.map(([j, f]) => [j, -f] as const), least: (done - high) / size }]),
    ];
  });
  const lacks = <T>(each: T): T[] => balances.map(() => each);
  const cost = open.map((c, j) => {
    const { cost: of, bend, cells: own } = columns[c]!;
    const shift = own.reduce((sum, [, mw]) => sum + mw * farthest, 0);
    return ((of + bend * starts[j]!) / unit + shift) * (scales[j]! / size);
  });
  const bend = open.map((c, j) => (columns[c]!.bend * scales[j]! ** 2) / (size * unit));
  const most = open.map((c, j) => (columns[c]!.most - starts[j]!) / scales[j]!);
  return {
    starts,
    scales,
    told: open.map((c, j) => (columns[c]!.told - starts[j]!) / scales[j]!),
    gains: open.map((c, j) => (columns[c]!.size * scales[j]!) / size),
    program: {
      cost: [...cost, ...lacks(2 * farthest)],
      bend: [...bend, ...lacks(0)],
      most: [...most, ...lacks(Infinity)],
      rows: [...balances, ...others],
    },
    balances: balances.length,
  };
}

/** All volumes that are worth as much. */
interface Face {
  /** Of them the one of least cost, linear and quadratic by variable; undefined where there is no least. */
  leastOf(cost: (j: number) => readonly [cost: number, bend: number]): Float64Array | undefined;
}

/**
 * Columns that would gain or lose, or whose price bends, stay where they are; rows with a price and the balances keep what they have.
 *
 * @param hasNoGain  by open column
 */
function faceOf(hasNoGain: readonly boolean[], program: ConvexProgram, { x, price }: Least, balances: number): Face {
  const free = hasNoGain.flatMap((isFree, j) => (isFree && program.bend[j] === 0 ? [j] : []));
  const place = new Map(free.map((j, at) => [j, at]));
  const rows = program.rows.flatMap(({ entries, least }, r): ConvexRow[] => {
    const own = entries.flatMap(([j, factor]) => (place.has(j) ? [[place.get(j)!, factor] as const] : []));
    if (own.length === 0) return [];
    const of = (isOwn: boolean) => entries.filter(([j]) => place.has(j) === isOwn && j < hasNoGain.length);
    const at = sumAt(of(true), (j) => x[j]!);
    if (r >= balances && price[r]! <= pivotDust)
      return [{ entries: own, least: least - sumAt(of(false), (j) => x[j]!) }];
    return [
      { entries: own, least: at },
      { entries: own.map(([j, factor]) => [j, -factor] as const), least: -at },
    ];
  });
  const most = free.map((j) => program.most[j]!);
  return {
    leastOf(costOf) {
      const whole = Float64Array.from(x);
      if (free.length === 0) return whole;
      const costs = free.map(costOf);
      const found = leastCost({ most, rows, cost: costs.map(([cost]) => cost), bend: costs.map(([, bend]) => bend) });
      if (found === undefined) return undefined;
      free.forEach((j, at) => {
        whole[j] = found.x[at]!;
      });
      return whole;
    },
  };
}
