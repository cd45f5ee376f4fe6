/** Random books for properties: small prices on purpose, so that ties, indeterminate prices and full lines are common. */

import fc from 'fast-check';
import { type Book, parseBook } from '../../src/market/book.ts';

export interface Flavour {
  /** Lines with losses and tariffs. */
  readonly costs?: boolean;
  /** Orders of 30 and 60 minutes among quarter hours. */
  readonly resolutions?: boolean;
  /** Curves with straight lines. */
  readonly straight?: boolean;
  /** Prices below zero. */
  readonly negative?: boolean;
}

const limits = { min: -100, max: 200 };

export function randomBook(flavour: Flavour = {}): fc.Arbitrary<Book> {
  const price = fc.integer({ min: flavour.negative ? -6 : 0, max: 12 }).map((n) => n * 10);
  const anyPrice = fc.oneof({ weight: 6, arbitrary: price }, fc.constantFrom(limits.min, limits.max));
  const power = fc.integer({ min: 1, max: 30 }).map((n) => n * 5);
  return fc
    .record({
      zones: fc.integer({ min: 1, max: 4 }),
      hours: fc.integer({ min: 1, max: 2 }),
      quarters: fc.boolean(),
      tick: fc.constantFrom(undefined, 0.01, 0.1),
      lot: fc.constantFrom(undefined, 0.1, 1),
    })
    .chain(({ zones, hours, quarters, tick, lot }) => {
      const short = quarters || flavour.resolutions === true;
      const periods = short ? hours * 4 : hours;
      const resolution = short ? 'PT15M' : 'PT60M';
      const zone = fc.integer({ min: 0, max: zones - 1 }).map((i) => `Z${i}`);
      const period = fc.integer({ min: 1, max: periods });
      const coarse = (fields: Record<string, unknown>) =>
        fc.constantFrom(1, 1, 2, 4).map((span) => {
          if (!flavour.resolutions || span === 1) return fields;
          return {
            ...fields,
            resolution: span === 2 ? 'PT30M' : 'PT60M',
            period: Math.ceil((fields.period as number) / span),
          };
        });
      const limit = fc
        .record({ zone, period, side: fc.constantFrom('buy', 'sell'), price: anyPrice, power })
        .chain((fields) => coarse({ kind: 'limit', ...fields }));
      const curve = fc
        .record({
          zone,
          period,
          shape: fc.constantFrom('step', ...(flavour.straight ? ['linear', 'linear'] : [])),
          prices: fc.uniqueArray(price, { minLength: 1, maxLength: 5 }),
          powers: fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 5, maxLength: 5 }),
        })
        .map(({ prices, powers, ...fields }) => {
          const sorted = [...prices].sort((a, b) => a - b);
          const falling = [...powers].sort((a, b) => b - a);
          return { kind: 'curve', ...fields, points: sorted.map((p, i) => ({ price: p, power: falling[i]! * 5 })) };
        })
        .chain(coarse);
      const capacity = fc.oneof(
        fc.integer({ min: 0, max: 30 }).map((n) => n * 5),
        fc.array(
          fc.integer({ min: 0, max: 20 }).map((n) => n * 5),
          { minLength: periods, maxLength: periods },
        ),
      );
      const line = fc.record({
        from: zone,
        to: zone,
        capacity,
        reverse: capacity,
        loss: fc.constantFrom(0, ...(flavour.costs ? [0, 0.02, 0.1] : [])),
        tariff: fc.constantFrom(0, ...(flavour.costs ? [0, 1, 5] : [])),
      });
      return fc
        .record({
          lines: fc.array(line, { maxLength: 6 }),
          orders: fc.array(fc.oneof({ weight: 4, arbitrary: limit }, curve), { maxLength: 10 * zones * hours }),
        })
        .map(({ lines, orders }) =>
          parseBook({
            merit: 'book/1',
            auction: 'random',
            currency: 'EUR',
            start: '2025-04-01T00:00:00+02:00',
            resolution,
            periods,
            priceLimits: { ...limits, ...(tick === undefined ? {} : { tick }) },
            ...(lot === undefined ? {} : { lot }),
            zones: Array.from({ length: zones }, (_, i) => `Z${i}`),
            lines: lines.filter((l) => l.from !== l.to).map((l, i) => ({ id: `L${i}`, ...l })),
            orders: orders.map((order, i) => ({ record_id: `o${i}`, ...order })),
          }),
        );
    });
}
