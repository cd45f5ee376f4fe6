/**
 * Volumes of most welfare beside those that are published: where a result is right, what lots were made of is one such optimum, and a price that
 * supports one supports all.
 *
 * Who is in or out of the money by more than a tick at the published prices is taken to be full or to have nothing, and rows with much room
 * are left out until they are broken; what is left is a small program. Whether that was right the prices say that follow (`prices.ts`).
 */

import { leastCost } from '../numbers/convex.ts';
import { dust } from '../numbers/tolerances.ts';
import type { Ranged } from '../view/shut.ts';
import { type Column, isHeld, type Program } from './program.ts';

/** Cells that columns and rows tie together. */
export interface Part {
  readonly cells: readonly number[];
  readonly columns: readonly number[];
  readonly rows: readonly number[];
}

export function partsOf({ columns, rows }: Program, cells: readonly number[]): Part[] {
  const label = new Map(cells.map((cell) => [cell, cell]));
  const find = (cell: number): number => {
    let at = cell;
    while (label.get(at) !== at) at = label.get(at)!;
    label.set(cell, at);
    return at;
  };
  const join = (a: number, b: number) => label.set(find(a), find(b));
  for (const { cells: own } of columns) for (const [cell] of own) join(cell, own[0]![0]);
  for (const { entries } of rows)
    for (const [c] of entries) join(columns[c]!.cells[0]![0], columns[entries[0]![0]]!.cells[0]![0]);
  const byRoot = Map.groupBy(cells, find);
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
/** What adding volumes of a part loses, many times over. */
export const crumbs = 1e4;
/** Lots by which what is published may be off what it was made of. */
const lotsOff = 4;

export interface Volumes {
  /** By column of the program. */
  readonly value: ReadonlyMap<number, number>;
  /** MW that sums of this size lose. */
  readonly lost: number;
}

/** @returns undefined where nothing balances, or where the program is too large */
export function bestVolumes(view: Ranged, program: Program, part: Part): Volumes | undefined {
  const size = sizeOf(program, part);
  const rows = new Set(part.rows.filter((r) => isNear(view, program, r)));
  let looks = true;
  for (;;) {
    const value = bestWith(view, program, part, rows, size, looks);
    if (value === undefined && looks) {
      looks = false;
      for (const r of part.rows) rows.add(r);
      continue;
    }
    if (value === undefined) return undefined;
    const broken = part.rows.filter((r) => !rows.has(r) && !holds(program, r, value, size));
    if (broken.length === 0) return { value, lost: dust(size) };
    for (const r of broken) rows.add(r);
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
function clearly({ price, periods, ep }: Ranged, column: Column): number | undefined {
  const { cells, cost, bend, least, most } = column;
  if (isHeld(column)) return least;
  const paid = cells.reduce((sum, [cell, mw]) => sum + mw * price[Math.floor(cell / periods)]![cell % periods]!, 0);
  const off = cells.reduce((sum, [, mw]) => sum + 2 * ep * Math.abs(mw), 0);
  const best = (gain: number) =>
    bend > 0 ? Math.min(most, Math.max(least, gain / bend)) : gain > 0 ? most : least;
  const [some, more] = [best(paid - cost - off), best(paid - cost + off)];
  return some === more && Number.isFinite(some) ? some : undefined;
}

function bestWith(
  view: Ranged,
  program: Program,
  part: Part,
  rows: ReadonlySet<number>,
  size: number,
  looks: boolean,
): Map<number, number> | undefined {
  const { columns, fixed, rows: all } = program;
  const { min, max } = view.book.priceLimits;
  const unit = max - min;
  const value = new Map<number, number>();
  const missing = new Map(part.cells.map((cell) => [cell, -fixed[cell]!]));
  const open: number[] = [];
  for (const c of part.columns) {
    const column = columns[c]!;
    const isTied = column.rows.some(([r]) => rows.has(r));
    const sure = (isTied || !looks) && !isHeld(column) ? undefined : clearly(view, column);
    if (sure === undefined) open.push(c);
    else {
      value.set(c, sure);
      for (const [cell, mw] of column.cells) missing.set(cell, missing.get(cell)! - mw * sure);
    }
  }
  // In units: volumes of the largest, prices of their range. All prices are `farthest` higher, so that none is below nothing.
  const scales = open.map((c) => size / columns[c]!.size);
  const starts = open.map((c) => {
    const { least, told } = columns[c]!;
    return least === -Infinity ? told - size : least;
  });
  const place = new Map(open.map((c, j) => [c, j]));
  const touched = [...new Set(open.flatMap((c) => columns[c]!.cells.map(([cell]) => cell)))];
  const closed = part.cells.filter((cell) => !touched.includes(cell));
  if (closed.some((cell) => Math.abs(missing.get(cell)!) > crumbs * dust(size))) return undefined;
  const count = open.length;
  const cost = open.map((c, j) => {
    const column = columns[c]!;
    const shift = column.cells.reduce((sum, [, mw]) => sum + mw * farthest, 0);
    return ((column.cost + column.bend * starts[j]!) / unit + shift) * (scales[j]! / size);
  });
  const entriesAt = new Map(touched.map((cell) => [cell, [] as [number, number][]]));
  open.forEach((c, j) => {
    for (const [cell, mw] of columns[c]!.cells) {
      entriesAt.get(cell)!.push([j, (mw * scales[j]!) / size]);
      missing.set(cell, missing.get(cell)! - mw * starts[j]!);
    }
  });
  const balances = touched.map((cell, k) => ({
    entries: [...entriesAt.get(cell)!, [count + k, 1] as const],
    least: missing.get(cell)! / size,
  }));
  const others = [...rows].flatMap((r) => {
    const { entries, low, high } = all[r]!;
    let done = 0;
    const own: [number, number][] = [];
    for (const [c, factor] of entries) {
      const j = place.get(c);
      if (j === undefined) done += factor * value.get(c)!;
      else {
        done += factor * starts[j]!;
        own.push([j, (factor * scales[j]!) / size]);
      }
    }
    if (own.length === 0) return [];
    const below = low === -Infinity ? [] : [{ entries: own, least: (low - done) / size }];
    const above =
      high === Infinity
        ? []
        : [{ entries: own.map(([j, f]) => [j, -f] as const), least: (done - high) / size }];
    return [...below, ...above];
  });
  const most = [
    ...open.map((c, j) => (columns[c]!.most - starts[j]!) / scales[j]!),
    ...touched.map(() => Infinity),
  ];
  const bend = [...open.map((c, j) => (columns[c]!.bend * scales[j]! ** 2) / (size * unit)), ...touched.map(() => 0)];
  const found = leastCost({ cost: [...cost, ...touched.map(() => 2 * farthest)], bend, most, rows: [...balances, ...others] });
  if (found === undefined) return undefined;
  // What had to be made up for is missing, and what nobody takes is too much.
  if (touched.some((_, k) => found.x[count + k]! > crumbs * dust(1))) return undefined;
  if (touched.some((_, k) => sumOf(balances[k]!.entries, found.x) - balances[k]!.least > crumbs * dust(1))) return undefined;
  // Of all that are worth as much those next to what is published.
  const told = open.map((c, j) => (columns[c]!.told - starts[j]!) / scales[j]!);
  const isPriced = (r: number) => found.price[r]! > same;
  const equal = (row: { entries: readonly (readonly [number, number])[] }, at: number) => [
    { entries: row.entries.filter(([j]) => j < count), least: at },
    { entries: row.entries.flatMap(([j, f]) => (j < count ? [[j, -f] as const] : [])), least: -at },
  ];
  const all2 = [...balances, ...others];
  const near = leastCost({
    cost: told.map((at, j) => -at + 0 * j),
    bend: told.map(() => 1),
    most: most.slice(0, count),
    rows: [
      ...all2.flatMap((row, r) => {
        const at = sumOf(row.entries.filter(([j]) => j < count), found.x);
        return r < balances.length || isPriced(r) ? equal(row, at) : [row];
      }),
      ...open.flatMap((_, j) =>
        bend[j]! > 0 || Math.abs(found.slope[j]!) > same ? equal({ entries: [[j, 1]] }, found.x[j]!) : [],
      ),
    ],
  });
  const x = near?.x ?? found.x;
  open.forEach((c, j) => {
    value.set(c, starts[j]! + x[j]! * scales[j]!);
  });
  return value;
}

const same = 1e-9;

const sumOf = (entries: readonly (readonly [number, number])[], x: ArrayLike<number>): number =>
  entries.reduce((sum, [j, factor]) => sum + factor * x[j]!, 0);
