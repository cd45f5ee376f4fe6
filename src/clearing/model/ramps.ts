/**
 * Ramps of lines, of sets of lines, and of net positions (market rules, section 3.2).
 *
 *   -R_t <= sum_c g_c (x_ct - x_c,t-1) <= R_t              for each MTU; into the first one from what was before, where that is given
 */

import type { Book } from '../../market/book.ts';
import { capacityAt } from '../../market/network.ts';
import { rowName } from '../../market/proof.ts';
import type { Columns } from './columns.ts';
import type { Arc } from './lines.ts';

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
