/**
 * Flexible orders (market rules, section 2.5): an exclusive group of the same block at each start.
 *
 *   x_s in {0, 1} for each start s,     sum_s x_s <= 1
 */

import type { FlexibleOrder } from '../../market/order.ts';
import { columnName, rowName } from '../../market/proof.ts';
import { atMostOne, type Indexed, type Placement } from './blocks.ts';
import type { Columns } from './columns.ts';

export function addFlexible(to: Columns, { index, order }: Indexed<FlexibleOrder>, place: Placement): void {
  const sign = order.side === 'sell' ? 1 : -1;
  const columns: number[] = [];
  for (let start = order.earliest; start <= order.latest; start++) {
    const cells = Array.from({ length: order.duration }, (_, k) => place.cellsOf(order, start + k))
      .flat()
      .map((cell): [number, number] => [cell, sign * order.power]);
    const cost = cells.reduce((sum, [, mw]) => sum + order.price * mw, 0);
    const column = to.column({ name: columnName.start(order, start), cells, cost, least: 0, most: 1, kind: 'ratio' });
    columns.push(column);
    to.decision({
      orders: [index],
      column,
      least: 1,
      steps: [],
      test: 'surplus',
      fixed: 0,
      variable: 0,
      parent: -1,
      start,
    });
  }
  if (columns.length > 1) to.row(atMostOne('starts', rowName.starts(order), columns));
}
