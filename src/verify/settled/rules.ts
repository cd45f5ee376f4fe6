/** What volumes of most welfare ask of prices (market rules, 5.2): rules over the prices of cells, and of the rows that bind. */

import { crumbs, dust } from '../numbers/tolerances.ts';
import { isHeld, type Program, type Row } from './program.ts';
import type { Part, Volumes } from './volumes.ts';

/** low <= sum(factor * variable) <= high, currency/MWh. */
export interface PriceRule {
  readonly entries: readonly (readonly [variable: number, factor: number])[];
  readonly low: number;
  readonly high: number;
}

/** Prices of a part's cells, and of its rows that bind. */
export interface PriceRules {
  /** Cell of the book of each variable; undefined of a row's. */
  readonly cells: readonly (number | undefined)[];
  readonly low: number[];
  readonly high: number[];
  readonly rules: readonly PriceRule[];
}

/** Where a volume, or what a row adds up to, stands in its range. */
interface Standing {
  readonly isLeast: boolean;
  readonly isMost: boolean;
}

const standing = (at: number, low: number, high: number, off: number): Standing => ({
  isLeast: at <= low + off,
  isMost: at >= high - off,
});

export function priceRules(program: Program, part: Part, { value, lost }: Volumes): PriceRules {
  const { columns, rows, low: lows, high: highs } = program;
  const off = crumbs * lost;
  const cells: (number | undefined)[] = [...part.cells];
  const low = part.cells.map((cell) => lows[cell]!);
  const high = part.cells.map((cell) => highs[cell]!);
  const variableOf = new Map(part.cells.map((cell, v) => [cell, v]));
  const rowVariable = new Map<number, number>();
  for (const r of part.rows) {
    const { isLeast, isMost } = ofRow(rows[r]!);
    if (!isLeast && !isMost) continue;
    rowVariable.set(r, cells.push(undefined) - 1);
    low.push(isLeast ? -Infinity : 0);
    high.push(isMost ? Infinity : 0);
  }
  const rules: PriceRule[] = [];
  for (const c of part.columns) {
    const { cells: own, cost, bend, least, most, rows: of } = columns[c]!;
    if (isHeld(columns[c]!)) continue;
    const size = columns[c]!.size;
    const at = value.get(c)!;
    const { isLeast, isMost } = standing(at, least, most, off / size);
    const due = (cost + bend * (isLeast ? least : isMost ? most : at)) / size;
    const entries = new Map<number, number>();
    for (const [cell, mw] of own) entries.set(variableOf.get(cell)!, mw / size);
    for (const [r, factor] of of) {
      const v = rowVariable.get(r);
      if (v !== undefined) entries.set(v, (entries.get(v) ?? 0) - factor / size);
    }
    const rule = { entries: [...entries], low: isLeast ? -Infinity : due, high: isMost ? Infinity : due };
    if (entries.size > 1) rules.push(rule);
    else bound(rule);
  }
  return { cells, low, high, rules };

  function ofRow({ entries, low: least, high: most }: Row): Standing {
    const at = entries.reduce((sum, [c, factor]) => sum + factor * value.get(c)!, 0);
    const size = entries.reduce((sum, [c, factor]) => Math.max(sum, Math.abs(factor) / columns[c]!.size), 0);
    // A load gradient of a watt leaves that watt.
    const limits = [least, most].filter((limit) => limit !== 0).map((limit) => Math.abs(limit) / crumbs);
    return standing(at, least, most, Math.min(off * size, ...limits));
  }

  function bound({ entries, low: least, high: most }: PriceRule): void {
    const [v, factor] = entries[0]!;
    const ends = [least / factor, most / factor];
    // Where a volume says where on a line a price is, it says so to its own digits: bounds that meet do not pass each other.
    const [from, to] = [Math.max(low[v]!, Math.min(...ends)), Math.min(high[v]!, Math.max(...ends))];
    if (from <= to) [low[v], high[v]] = [from, to];
    else if (from - to <= crumbs * dust(from)) low[v] = high[v] = Math.min(Math.max(low[v]!, to), high[v]!);
    else [low[v], high[v]] = [from, to];
  }
}

/** Bounds that shrink by ever less end after so many rounds. */
const mostRounds = 10_000;
/** Currency/MWh beyond which a bound says nothing. */
const farthest = 1e9;

/** Narrow the ranges by what the other prices of each rule can contribute, until none moves. Of rows the cells learn, they themselves do not. */
export function narrowed({ cells, low: lows, high: highs, rules }: PriceRules): { low: number[]; high: number[] } {
  const [low, high] = [[...lows], [...highs]];
  const rulesAt = cells.map((): number[] => []);
  rules.forEach(({ entries }, r) => {
    for (const [v] of entries) rulesAt[v]!.push(r);
  });
  let waiting = new Set(rules.keys());
  for (let round = 0; waiting.size > 0 && round < mostRounds; round++) {
    const next = new Set<number>();
    for (const r of waiting)
      for (const v of narrow(rules[r]!, low, high)) for (const other of rulesAt[v]!) next.add(other);
    waiting = next;
  }
  cells.forEach((cell, v) => {
    if (cell === undefined) [low[v], high[v]] = [lows[v]!, highs[v]!];
  });
  return { low, high };
}

function narrow({ entries, low: least, high: most }: PriceRule, low: number[], high: number[]): number[] {
  const moved: number[] = [];
  for (const [v, factor] of entries) {
    let [below, above] = [0, 0];
    for (const [other, f] of entries) {
      if (other === v) continue;
      below += f * (f > 0 ? low[other]! : high[other]!);
      above += f * (f > 0 ? high[other]! : low[other]!);
    }
    const [a, b] = [(least - above) / factor, (most - below) / factor];
    const [from, to] = factor > 0 ? [a, b] : [b, a];
    let isMoved = false;
    if (isBeyond(from, low[v]!) && low[v]! < high[v]!) {
      low[v] = Math.min(from, high[v]!);
      isMoved = true;
    }
    if (isBeyond(-to, -high[v]!) && low[v]! < high[v]!) {
      high[v] = Math.max(to, low[v]!);
      isMoved = true;
    }
    if (isMoved) moved.push(v);
  }
  return moved;
}

const isBeyond = (to: number, bound: number): boolean =>
  Math.abs(to) < farthest && (bound === -Infinity || to > bound + dust(to, bound));
