/** MTUs in which rounding may hide that an order or a line was not full. */

import { leastPower } from '../../market/bounds.ts';
import { gridOf, isOn } from '../../market/decimal.ts';
import type { Seen } from './seen.ts';
import { isComplex } from './units.ts';

type Needed = Pick<Seen, 'book' | 'periods' | 'positions' | 'units' | 'links' | 'regions'>;

/**
 * Where volumes come in fractions of a lot (of a millionth of a MW without one) before they are rounded: only there can rounding fill
 * an order, or a line, that was not full. Whole lots that steps trade over lines without losses stay whole.
 */
export function unevenMtus({ book, periods, positions, units, links, regions }: Needed): boolean[] {
  const uneven = regions.map(({ constraints }) => constraints.length > 0);
  for (const { from, span, offers } of positions)
    if (span > 1 || offers.some(({ first, last }) => first !== last))
      for (let t = from; t < from + span; t++) uneven[t] = true;
  for (const unit of units)
    unit.power.forEach((mw, t) => {
      if (mw > 0 && (isComplex(unit) || unit.ratio < 1)) uneven[t] = true;
    });
  const grid = gridOf(book.lot ?? leastPower);
  for (const { line, flow, least, most } of links)
    for (let t = 0; t < periods; t++)
      if ((line.loss > 0 && flow[t] !== 0) || !isOn(grid, least[t]!) || !isOn(grid, most[t]!)) uneven[t] = true;
  return uneven;
}
