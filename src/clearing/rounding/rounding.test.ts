/** Whole lots on random books: every balance closes, and nobody is moved further than lots can move them. */

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { randomBook } from '../../../test/support/random-book.ts';
import '../../../test/support/seeded.ts';
import { smallBook } from '../../../test/support/small-book.ts';
import type { Book } from '../../market/book.ts';
import { clearWith } from '../clear.ts';
import { loadSolver } from '../solver/highs.ts';

const solver = await loadSolver();
const cleared = (book: Book) => clearWith(solver, book, `sha256:${'0'.repeat(64)}`).result;
const watt = 1e-6;

/** MW, exports positive, by zone and MTU: sells less buys. */
function soldIn(book: Book, orders: ReturnType<typeof cleared>['orders']): Record<string, number[]> {
  const sold = Object.fromEntries(book.zones.map((zone) => [zone, new Array<number>(book.periods).fill(0)]));
  book.orders.forEach((order, i) => {
    assert(order.kind === 'limit' || order.kind === 'curve');
    const power = orders[i]!.power as number;
    sold[order.zone]![order.period - 1]! += order.kind === 'limit' && order.side === 'sell' ? power : -power;
  });
  return sold;
}

test('clear() in whole lots: sells less buys are what the lines carry away, to the watt', () => {
  fc.assert(
    fc.property(randomBook({ straight: true }), fc.constantFrom(0.1, 1, 5), (book, lot) => {
      const { orders, netPositions, flows } = cleared({ ...book, lot });
      const sold = soldIn(book, orders);
      for (const zone of book.zones) {
        for (let t = 0; t < book.periods; t++) {
          let sent = 0;
          for (const { id, from, to } of book.lines)
            sent += flows[id]![t]! * (Number(from === zone) - Number(to === zone));
          const due = netPositions[zone]![t]!;
          assert(Math.abs(sold[zone]![t]! - due) <= watt, `${zone} sells ${sold[zone]![t]} MW net, not ${due}`);
          assert(Math.abs(sent - due) <= watt, `${zone} sends ${sent} MW net, not ${due}`);
          assert(
            Math.abs(due - Math.round(due / lot) * lot) <= watt,
            `${zone} exports ${due} MW, which is no whole lot`,
          );
        }
      }
    }),
  );
});

test('clear() in whole lots: no order is two lots away from what it would get without', () => {
  fc.assert(
    fc.property(randomBook(), fc.constantFrom(0.1, 1), (book, lot) => {
      const exact = cleared({ ...book, lot: undefined } as Book);
      const whole = cleared({ ...book, lot });
      whole.orders.forEach(({ record_id, power }, i) => {
        const ideal = exact.orders[i]!.power as number;
        assert(
          Math.abs((power as number) - ideal) < 2 * lot + watt,
          `${record_id} has ${power} instead of ${ideal} MW`,
        );
      });
    }),
  );
});

test('clear() in whole lots: the larger remainder gets the lot, then the smaller id', () => {
  const powers = (orders: string) => cleared(smallBook(orders, { lot: 1 })).orders.map(({ power }) => power);
  // 4.29, 2.86 and 2.86 of 10 MW.
  assert.deepEqual(powers('sell 15@30, sell 10@30, sell 10@30, buy 10@50'), [4, 3, 3, 10]);
  assert.deepEqual(powers('sell 15@30, sell 15@30, buy 15@50'), [8, 7, 15]);
  assert.deepEqual(powers('sell 7@30, sell 7@30, sell 7@30, buy 10@50'), [4, 3, 3, 10]);
});
