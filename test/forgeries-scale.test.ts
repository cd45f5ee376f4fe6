/**
 * What is refused in a country of gigawatts is refused among households: the same forgeries with all powers and money a thousandth, and a
 * thousand times, of what they are.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import { bookHash } from '../src/book/seal.ts';
import type { Book } from '../src/market/book.ts';
import { verify } from '../src/verify/verify.ts';
import { type ExampleName, examples } from './support/examples.ts';
import { type Draft, forgeries } from './support/forged-limits.ts';

/** Of what is forged in words or cents the scale says nothing. */
const ofVolumesAndPrices = /^INV-(0[3-7]|1[78]|2[235-9]|34)$/;

const rounded = (value: number, scale: number) => Math.round(value * scale) / scale;
const mw = (value: number) => rounded(value, 1e6);
const money = (value: number) => rounded(value, 100);

/** All powers and money times `k`; prices stay. */
function scaled({ book, result }: Draft, k: number): Draft {
  const times = (value: number | readonly number[]) =>
    typeof value === 'number' ? mw(value * k) : value.map((each) => mw(each * k));
  const series = (rows: Record<string, number[]>) =>
    Object.fromEntries(Object.entries(rows).map(([id, row]) => [id, row.map((each) => mw(each * k))]));
  const sealed = {
    ...book,
    ...(book.lot !== undefined && { lot: mw(book.lot * k) }),
    lines: book.lines.map((line) => ({ ...line, capacity: times(line.capacity), reverse: times(line.reverse) })),
    orders: book.orders.map((order) => {
      if (order.kind === 'limit') return { ...order, power: mw(order.power * k) };
      assert(order.kind === 'curve');
      return { ...order, points: order.points.map((point) => ({ ...point, power: mw(point.power * k) })) };
    }),
  } as Book;
  return {
    book: sealed,
    result: {
      ...result,
      book: bookHash(sealed),
      welfare: money(result.welfare * k),
      bound: money(result.bound * k),
      gap: (money(result.bound * k) - money(result.welfare * k)) / Math.max(1, Math.abs(money(result.bound * k))),
      netPositions: series(result.netPositions),
      flows: series(result.flows),
      orders: result.orders.map((outcome) => ({
        ...outcome,
        power: times(outcome.power as number),
        surplus: money(outcome.surplus * k),
        ...(outcome.reason && {
          reason: { ...outcome.reason, missedSurplus: money(outcome.reason.missedSurplus * k) },
        }),
      })) as Draft['result']['orders'],
    },
  };
}

const brokenIn = ({ book, result }: Draft): string[] =>
  verify(book, bookHash(book), result)
    .checks.filter(({ violations }) => violations.length > 0)
    .map(({ invariant, violations }) => `${invariant} ${violations[0]!.where}: ${violations[0]!.message}`);

/** Its volumes are thirds: at another scale they would be published with other digits. */
const uneven: ExampleName = 'E17';

for (const [k, of] of [
  [1e-4, 'households'],
  [1e3, 'a continent'],
] as const) {
  test(`verify() passes the right results of ${of}`, () => {
    for (const [name, each] of Object.entries(examples)) {
      if (name === uneven) continue;
      assert.deepEqual(brokenIn(scaled(each, k)), [], name);
    }
  });

  test(`verify() refuses the forgeries of ${of}`, () => {
    const passed = forgeries
      .filter(({ of: name, breaks }) => ofVolumesAndPrices.test(breaks) && name !== uneven)
      .flatMap(({ of: name, breaks, what, forge }) => {
        const draft = structuredClone<Draft>(examples[name]);
        forge(draft);
        const broken = brokenIn(scaled(draft, k));
        return broken.some((text) => text.startsWith(breaks)) ? [] : [`${name}: ${what}: ${breaks} not in ${broken}`];
      });
    assert.deepEqual(passed, []);
  });
}
