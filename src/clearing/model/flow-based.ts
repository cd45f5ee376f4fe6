/**
 * Flow-based exchange (market rules, section 3.3).
 *
 *   sum_z e_z = 0,   sum_z PTDF_kz e_z <= RAM_k            for each constraint k of the MTU, e_z the export of zone z into the pool
 *
 * The zones of the flow-based region (`market/network.ts`) exchange through a pool: what each of them exports into it sums to zero, and
 * the constraints of the period bind these exports; a period without constraints limits nothing. In the intuitive mode the pool is made of
 * exchanges from zone to zone, which a constraint only ever burdens; so none runs from a dearer zone to a cheaper one.
 */

import type { Book } from '../../market/book.ts';
import { type Constraint, flowBasedRegion } from '../../market/network.ts';
import { columnName, rowName } from '../../market/proof.ts';
import type { Columns } from './columns.ts';

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
