/**
 * Market time units whose price no trade stands behind: nothing was executed in the zone, nor in any that its price comes from. The
 * price is then a middle of what the limits leave (market rules, section 5.2), and no part of a mean.
 */

import type { Book } from '../../market/book.ts';
import { capacityAt, flowBasedRegion } from '../../market/network.ts';
import type { Result } from '../../market/result.ts';
import type { Volumes } from './executed-volumes.ts';

/** MW below which a flow is none. */
const dust = 1e-6;

/** @returns by zone the units, 1-based; zones that trade in all of them are left out */
export function untradedPeriods(
  book: Book,
  result: Pick<Result, 'prices' | 'flows' | 'netPositions'>,
  volumes: Readonly<Record<string, Volumes>>,
): Record<string, number[]> {
  const untraded = new Map<string, number[]>();
  for (let unit = 0; unit < book.periods; unit++) {
    const isTrading = (zone: string) => volumes[zone]!.buy[unit]! > 0 || volumes[zone]!.sell[unit]! > 0;
    if (book.zones.every(isTrading)) continue;
    const clusters = clustersOf(book, result, unit);
    for (const zone of book.zones)
      if (!clusters.get(zone)!.some(isTrading)) untraded.set(zone, [...(untraded.get(zone) ?? []), unit + 1]);
  }
  return Object.fromEntries(untraded);
}

/** By zone those whose price it shares or that send it power: joined by a line, or by flow-based exchange. */
function clustersOf(
  book: Book,
  { prices, flows, netPositions }: Pick<Result, 'prices' | 'flows' | 'netPositions'>,
  unit: number,
): Map<string, string[]> {
  const clusters = new Map(book.zones.map((zone) => [zone, [zone]]));
  const join = (a: string, b: string) => {
    const [to, from] = [clusters.get(a)!, clusters.get(b)!];
    if (to === from) return;
    to.push(...from);
    for (const zone of from) clusters.set(zone, to);
  };
  const haveOnePrice = (a: string, b: string) => prices[a]![unit] === prices[b]![unit];
  for (const { id, from, to, capacity, reverse } of book.lines) {
    const hasRoom = capacityAt(capacity, unit) > 0 || capacityAt(reverse, unit) > 0;
    if (Math.abs(flows[id]![unit]!) > dust || (hasRoom && haveOnePrice(from, to))) join(from, to);
  }
  const region = flowBasedRegion(book);
  const exchanging = region.filter((zone) => Math.abs(netPositions[zone]![unit]!) > dust);
  for (const zones of [exchanging, ...Map.groupBy(region, (zone) => prices[zone]![unit]).values()])
    for (const zone of zones) join(zones[0]!, zone);
  return clusters;
}
