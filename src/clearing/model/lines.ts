/**
 * Lines as arcs: one direction of flow each, with what it costs and what it may carry.
 *
 *   least_t <= f_t <= most_t:  -f_t MW into the zone it leaves, (1 - loss) f_t into the other, tariff * f_t its cost
 *
 * A line without loss and tariff is one arc that may run backwards; any other is two arcs. An arc from zone a to zone b takes
 * f MW from a and delivers (1 - loss) f MW to b. Its price rule is one for all (market rules, section 3.1), with
 * spread = (1 - loss) price_b - price_a - tariff:  spread > 0 => f = most,  spread < 0 => f = least,  else anything between.
 */

import type { Line } from '../../market/network.ts';
import { capacityAt } from '../../market/network.ts';

export interface Arc {
  readonly line: number;
  /** +1: the line's own direction, -1: the reverse. */
  readonly sign: 1 | -1;
  readonly from: number;
  readonly to: number;
  readonly loss: number;
  readonly tariff: number;
  /** MW per MTU. */
  readonly least: Float64Array;
  readonly most: Float64Array;
}

/** @param zoneIndex zone id -> index; every line's ends are in it */
export function arcsOf(lines: readonly Line[], zoneIndex: ReadonlyMap<string, number>, periods: number): Arc[] {
  const perMtu = (value: (t: number) => number) => Float64Array.from({ length: periods }, (_, t) => value(t));
  return lines.flatMap((line, index): Arc[] => {
    const from = zoneIndex.get(line.from)!;
    const to = zoneIndex.get(line.to)!;
    const forward = (t: number) => capacityAt(line.capacity, t);
    const backward = (t: number) => capacityAt(line.reverse, t);
    if (line.loss === 0 && line.tariff === 0) {
      const least = perMtu((t) => -backward(t));
      return [{ line: index, sign: 1, from, to, loss: 0, tariff: 0, least, most: perMtu(forward) }];
    }
    // A capacity below zero in one direction forces a flow in the other.
    const direction = (sign: 1 | -1, own: (t: number) => number, other: (t: number) => number): Arc => ({
      line: index,
      sign,
      from: sign === 1 ? from : to,
      to: sign === 1 ? to : from,
      loss: line.loss,
      tariff: line.tariff,
      least: perMtu((t) => Math.max(0, -other(t))),
      most: perMtu((t) => Math.max(0, own(t))),
    });
    return [direction(1, forward, backward), direction(-1, backward, forward)];
  });
}

/** What a MW more on the arc would gain (currency/MWh). */
export const spreadOf = (arc: Arc, priceFrom: number, priceTo: number): number =>
  (1 - arc.loss) * priceTo - priceFrom - arc.tariff;
