/**
 * Flow-based exchange and ramps: rows over the flows (market rules, sections 3.2 and 3.3).
 *
 * The zones of the flow-based region (`market/network.ts`) exchange through a pool: what each of them exports into it sums to zero, and
 * the constraints of the period bind these exports; a period without constraints limits nothing. In the intuitive mode the pool is made of exchanges from zone to zone, which a constraint only
 * ever burdens; so none runs from a dearer zone to a cheaper one.
 */

import type { Book } from '../../market/book.ts';
import { type Constraint, capacityAt, flowBasedRegion } from '../../market/network.ts';
import { columnName, rowName } from '../../market/proof.ts';
import type { Columns } from '../columns.ts';
import type { Arc } from './arcs.ts';

/** Add the pool's columns and its constraints' rows. */
export function addFlowBased(to: Columns, book: Book, zoneIndex: ReadonlyMap<string, number>): void {
  const byPeriod = new Map<number, Constraint[]>();
  for (const constraint of book.constraints) {
    byPeriod.set(constraint.period, [...(byPeriod.get(constraint.period) ?? []), constraint]);
  }
  const region = flowBasedRegion(book);
  if (region.length === 0) return;
  for (let period = 1; period <= book.periods; period++) {
    const constraints = byPeriod.get(period) ?? [];
    const cell = (id: string) => zoneIndex.get(id)! * book.periods + period - 1;
    if (book.flowBased === 'intuitive') addExchanges(to, period, constraints, region, cell);
    else addPool(to, period, constraints, region, cell);
  }
}

function addPool(
  to: Columns,
  period: number,
  constraints: readonly Constraint[],
  region: readonly string[],
  cell: (id: string) => number,
) {
  const exports = region.map((id) =>
    to.column({
      name: columnName.export(id, period),
      cells: [[cell(id), -1]],
      cost: 0,
      least: -Infinity,
      most: Infinity,
      kind: 'exchange',
    }),
  );
  to.row({ kind: 'pool', name: rowName.pool(period), entries: exports.map((column) => [column, 1]), low: 0, high: 0 });
  for (const { id: name, ptdf, ram } of constraints) {
    const entries = region.flatMap((id, i) => (ptdf[id] ? [[exports[i]!, ptdf[id]] as const] : []));
    const row = {
      kind: 'constraint' as const,
      name: rowName.constraint(name, period),
      entries,
      low: -Infinity,
      high: ram,
    };
    to.row(row, `constraint ${name}, period ${period}`);
  }
}

function addExchanges(
  to: Columns,
  period: number,
  constraints: readonly Constraint[],
  region: readonly string[],
  cell: (id: string) => number,
) {
  const burdens = constraints.map((): [number, number][] => []);
  for (const from of region) {
    for (const into of region) {
      if (from === into) continue;
      const cells = [[cell(from), -1] as const, [cell(into), 1] as const];
      const column = to.column({
        name: columnName.exchange(from, into, period),
        cells,
        cost: 0,
        least: 0,
        most: Infinity,
        kind: 'exchange',
      });
      constraints.forEach(({ ptdf }, k) => {
        const burden = (ptdf[from] ?? 0) - (ptdf[into] ?? 0);
        if (burden > 0) burdens[k]!.push([column, burden]);
      });
    }
  }
  constraints.forEach(({ id, ram }, k) => {
    const row = {
      kind: 'constraint' as const,
      name: rowName.constraint(id, period),
      entries: burdens[k]!,
      low: -Infinity,
      high: ram,
    };
    to.row(row, `constraint ${id}, period ${period}`);
  });
}

type Entries = (readonly [column: number, factor: number])[];

/** Add the rows of every ramp: of lines, of sets of lines, of net positions. */
export function addRamps(to: Columns, book: Book, arcs: readonly Arc[], zoneIndex: ReadonlyMap<string, number>): void {
  const { periods } = book;
  const flowOf =
    (ids: readonly string[]) =>
    (t: number): Entries =>
      arcs.flatMap(({ line, sign }, a) =>
        ids.includes(book.lines[line]!.id) ? [[a * periods + t, sign] as const] : [],
      );
  for (const { id, ramp, before } of book.lines)
    if (ramp !== null)
      addRamp(to, periods, flowOf([id]), ramp, before, (t) => rowName.ramp(id, t + 1), `the ramp of line ${id}`);
  for (const { id, lines, ramp, before } of book.rampSets ?? [])
    addRamp(to, periods, flowOf(lines), ramp, before, (t) => rowName.rampSet(id, t + 1), `ramp set ${id}`);
  for (const { id, zone, ramp, before } of book.netPositionRamps ?? []) {
    const at = zoneIndex.get(zone)! * periods;
    const exported = (t: number): Entries =>
      to.columns.flatMap(({ kind, cells }, c) =>
        kind === 'flow' || kind === 'exchange'
          ? cells.flatMap(([cell, mw]) => (cell === at + t ? [[c, -mw] as const] : []))
          : [],
      );
    addRamp(to, periods, exported, ramp, before, (t) => rowName.positionRamp(id, t + 1), `net position ramp ${id}`);
  }
}

function addRamp(
  to: Columns,
  periods: number,
  entriesAt: (t: number) => Entries,
  ramp: number | readonly number[],
  before: number | null | undefined,
  nameAt: (t: number) => string,
  rule: string,
): void {
  let last: Entries | undefined;
  for (let t = 0; t < periods; t++) {
    const now = entriesAt(t);
    const most = capacityAt(ramp, t);
    if (last !== undefined) {
      const entries = [...now, ...last.map(([column, factor]) => [column, -factor] as const)];
      to.row({ kind: 'ramp', name: nameAt(t), entries, low: -most, high: most }, `${rule} into period ${t + 1}`);
    } else if (before !== null && before !== undefined) {
      const row = { kind: 'ramp' as const, name: nameAt(t), entries: now, low: before - most, high: before + most };
      to.row(row, `${rule} into period 1`);
    }
    last = now;
  }
}
