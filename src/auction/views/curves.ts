/** The aggregated curves of a sealed book, as columns for a chart. */

import { netCurve, supplyAt } from '../../clearing/model/curves/net-curve.ts';
import { curveSegments, limitSegment, type Segment } from '../../clearing/model/curves/segments.ts';
import type { Book } from '../../market/book.ts';
import { leastPower } from '../../market/bounds.ts';
import { gridOf, nearestOn } from '../../market/decimal.ts';
import { resolutionMinutes } from '../../market/time.ts';

/**
 * At each price (rising, currency/MWh) at which anything changes: MW that buyers would take there, and MW that sellers would
 * give there. Between two prices nothing changes but along straight lines.
 */
export interface CurveColumns {
  readonly price: number[];
  readonly buy: number[];
  readonly sell: number[];
}

/** Per zone, one for each period. Orders of a longer resolution are in every period they cover. */
export function aggregatedCurves(book: Book): Record<string, CurveColumns[]> {
  const segments = new Map(book.zones.map((zone) => [zone, Array.from({ length: book.periods }, (): Segment[] => [])]));
  book.orders.forEach((order, index) => {
    if (order.kind !== 'limit' && order.kind !== 'curve') return;
    const units = resolutionMinutes[order.resolution ?? book.resolution] / resolutionMinutes[book.resolution];
    const own = order.kind === 'limit' ? [limitSegment(index, order)] : curveSegments(index, order, book.priceLimits);
    for (let unit = (order.period - 1) * units; unit < order.period * units; unit++) {
      segments.get(order.zone)![unit]!.push(...own);
    }
  });
  return Object.fromEntries([...segments].map(([zone, periods]) => [zone, periods.map(columnsOf)]));
}

function columnsOf(segments: readonly Segment[]): CurveColumns {
  const sells = netCurve(segments.filter((segment) => segment.side === 'sell'));
  const buys = netCurve(segments.filter((segment) => segment.side === 'buy'));
  const price = [...new Set(segments.flatMap(({ first, last }) => [first, last]))].sort((a, b) => a - b);
  return {
    price,
    // Standing at a price, an order is in: the most supply, and of the buys, which count as negative supply, the least.
    // (Adding zero turns -0 into 0.)
    buy: price.map((at) => toWatt(0 - supplyAt(buys, at)[0])),
    sell: price.map((at) => toWatt(0 + supplyAt(sells, at)[1])),
  };
}

const watts = gridOf(leastPower);
/** Sums of binary fractions are told to the watt. */
const toWatt = (mw: number): number => nearestOn(watts, mw);
