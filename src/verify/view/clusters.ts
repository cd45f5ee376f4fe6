/** Zones of one MTU that exchange freely: joined by lines without costs that have room in both directions. */

import type { Seen } from './seen.ts';

/** A label for each zone; zones with the same label exchange freely in MTU `t`. */
export function clustersAt({ links, price, eq }: Seen, t: number): number[] {
  // Rounding to lots adds up along a chain of zones: a line that was full may seem to have that much room.
  const room = eq * price.length;
  const label = price.map((_, z) => z);
  for (const { line, from, to, flow, least, most, tied } of links) {
    if (tied || line.loss > 0 || line.tariff > 0) continue;
    if (flow[t]! <= least[t]! + room || flow[t]! >= most[t]! - room) continue;
    const [one, other] = [label[from]!, label[to]!];
    for (let z = 0; z < label.length; z++) if (label[z] === other) label[z] = one;
  }
  return label;
}

/**
 * A label for each zone; zones with different labels have nothing to do with each other in MTU `t`: no exchange, and no line
 * that could carry more or less.
 */
export function reachAt({ links, price, regions }: Seen, t: number): number[] {
  const label = price.map((_, z) => z);
  const join = (from: number, to: number) => {
    const [one, other] = [label[from]!, label[to]!];
    for (let z = 0; z < label.length; z++) if (label[z] === other) label[z] = one;
  };
  for (const { from, to, least, most } of links) if (least[t]! < most[t]!) join(from, to);
  for (const z of regions[t]!.zones) join(z, regions[t]!.zones[0]!);
  return label;
}
