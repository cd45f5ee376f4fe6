/** Random runs of megawatts on few prices, so that they meet, overlap and lie upon each other. */

import fc from 'fast-check';
import type { Segment } from '../../src/clearing/model/curves/segments.ts';

const price = fc.integer({ min: -4, max: 8 }).map((n) => n * 10);

export const segment: fc.Arbitrary<Segment> = fc
  .record({
    order: fc.nat(9),
    side: fc.constantFrom('buy', 'sell'),
    prices: fc.oneof(
      price.map((p) => [p, p] as const),
      fc.tuple(price, price),
    ),
    power: fc.integer({ min: 1, max: 20 }).map((n) => n * 5),
  })
  .map(({ prices: [a, b], side, ...rest }) => {
    const [low, high] = [Math.min(a, b), Math.max(a, b)];
    return side === 'sell' ? { ...rest, side, first: low, last: high } : { ...rest, side, first: high, last: low };
  });

export const segments = fc.array(segment, { maxLength: 8 });

/** MW that one segment takes at a price, at least and at most: the table of market rules 2.1, word for word. */
export function acceptedAt({ side, first, last, power }: Segment, at: number): [least: number, most: number] {
  if (first === last) {
    if (at === first) return [0, power];
    return (side === 'sell') === at > first ? [power, power] : [0, 0];
  }
  const share = Math.min(1, Math.max(0, (at - first) / (last - first)));
  return [share * power, share * power];
}

/** Net supply (MW) of all of them at a price, at least and at most. */
export function netSupplyAt(all: readonly Segment[], at: number): [least: number, most: number] {
  let [least, most] = [0, 0];
  for (const each of all) {
    const [few, many] = acceptedAt(each, at);
    least += each.side === 'sell' ? few : -many;
    most += each.side === 'sell' ? many : -few;
  }
  return [least, most];
}
