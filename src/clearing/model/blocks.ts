/**
 * Blocks, their families, groups and loops (market rules, sections 2.3 to 2.6).
 *
 *   x_d = 0 or MAR_d <= x_d <= 1        sum_t P q_t x_d its cost, +-q_t x_d MW into its cells
 *   x_child - x_parent <= 0             sum of a group's x_d <= 1
 *
 * A block's column is its ratio. A loop is one column for both legs: their ratios are the same, and only together may they not
 * lose.
 */

import type { BlockOrder, BookOrder } from '../../market/order.ts';
import { columnName, rowName } from '../../market/proof.ts';
import type { Columns, Row } from './columns.ts';

/** Where an order stands, and how its periods become cells. */
export interface Placement {
  readonly periods: number;
  /** Cells that a period (1-based, of the order's own resolution) of the order's zone covers. */
  cellsOf(order: BookOrder, period: number): readonly number[];
}

export interface Indexed<T> {
  readonly index: number;
  readonly order: T & BookOrder;
}

export function addBlocks(to: Columns, blocks: readonly Indexed<BlockOrder>[], place: Placement): void {
  const named = (order: BookOrder, record_id: string | undefined) =>
    record_id === undefined ? undefined : `${order.participant ?? ''}/${record_id}`;
  const byName = new Map(blocks.map((block) => [named(block.order, block.order.record_id)!, block]));
  const decisions = new Map<string, number>();
  const groups = new Map<string, { readonly name: string; readonly columns: number[] }>();
  const parents = new Set(blocks.map(({ order }) => named(order, order.linkedTo)));
  const isAlone = (order: BlockOrder & BookOrder) =>
    [order.linkedTo, order.loopWith, order.exclusiveGroup].every((id) => id === undefined) &&
    !parents.has(named(order, order.record_id));
  /** Parents first; the check of the book has seen that families end. */
  const add = (block: Indexed<BlockOrder>): number => {
    const { order } = block;
    const name = named(order, order.record_id)!;
    const known = decisions.get(name);
    if (known !== undefined) return known;
    const partner = byName.get(named(order, order.loopWith) ?? '');
    // A parent or partner that takes no part takes what hangs on it along.
    const parentName = named(order, order.linkedTo);
    const parentBlock = parentName === undefined ? undefined : byName.get(parentName);
    const orphan =
      (parentName !== undefined && parentBlock === undefined) || (order.loopWith !== undefined && !partner);
    const parent = parentBlock === undefined ? -1 : add(parentBlock);
    const legs = partner === undefined ? [block] : [block, partner].sort((a, b) => a.index - b.index);
    const cells = legs.flatMap((leg) => cellsOf(leg.order, place));
    const cost = legs.reduce((sum, leg) => sum + costOf(leg.order, place), 0);
    const first = legs[0]!.order;
    const column = to.column({
      name: columnName.ratio(first),
      cells,
      cost,
      least: 0,
      most: orphan ? 0 : 1,
      kind: 'ratio',
    });
    const decision = to.decision({
      orders: legs.map((leg) => leg.index),
      column,
      least: order.minAcceptance,
      steps: [],
      test: order.minAcceptance === 0 && isAlone(order) ? 'free' : 'surplus',
      fixed: 0,
      variable: 0,
      parent,
    });
    for (const leg of legs) decisions.set(named(leg.order, leg.order.record_id)!, decision);
    if (parent >= 0)
      to.row({
        kind: 'link',
        name: rowName.link(first),
        entries: [
          [column, 1],
          [to.decisions[parent]!.column, -1],
        ],
        low: -Infinity,
        high: 0,
      });
    const group = named(order, order.exclusiveGroup);
    if (group !== undefined) {
      const known = groups.get(group);
      const name = rowName.group(order.participant, order.exclusiveGroup!);
      groups.set(group, { name, columns: [...(known?.columns ?? []), column] });
    }
    return decision;
  };
  for (const block of blocks) add(block);
  for (const { name, columns } of groups.values()) {
    if (columns.length > 1) to.row(atMostOne('group', name, columns));
  }
}

/** Of an exclusive group no more than one whole is executed. */
export const atMostOne = (kind: 'group' | 'starts', name: string, columns: readonly number[]): Row => ({
  kind,
  name,
  entries: columns.map((column) => [column, 1]),
  low: -Infinity,
  high: 1,
});

/** A block's profile as its schema allows to write it: in full, or flat from a period to another. */
export function profileOf(order: BlockOrder): readonly { period: number; power: number }[] {
  if (order.profile !== undefined) return order.profile;
  const [from, to] = [order.from!, order.to!];
  return Array.from({ length: to - from + 1 }, (_, k) => ({ period: from + k, power: order.power! }));
}

function cellsOf(order: BlockOrder & BookOrder, place: Placement): [number, number][] {
  const sign = order.side === 'sell' ? 1 : -1;
  return profileOf(order).flatMap(({ period, power }) =>
    place.cellsOf(order, period).map((cell): [number, number] => [cell, sign * power]),
  );
}

/** Currency per hour of the whole block: a sell's costs, what a buy is worth as a negative cost. */
const costOf = (order: BlockOrder & BookOrder, place: Placement): number =>
  cellsOf(order, place).reduce((sum, [, mw]) => sum + order.price * mw, 0);
