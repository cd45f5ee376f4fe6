import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import '../../../test/support/seeded.ts';
import { segments } from '../../../test/support/random-segments.ts';
import { netCurve, pricesAt, sameMw, supplyAt } from '../model/curves/net-curve.ts';
import { meanPrice, refined, windowAround } from './window.ts';

const someSegments = segments.filter((all) => all.length > 0);
const anyPrice = fc.integer({ min: -100, max: 160 }).map((n) => n / 2);
const share = fc.double({ min: 0, max: 1, noNaN: true });

function assertCuts(cuts: readonly number[], least: number, most: number): void {
  assert(Math.abs(cuts[0]! - least) <= sameMw && Math.abs(cuts.at(-1)! - most) <= sameMw, 'a window spans its curve');
  for (let i = 1; i < cuts.length; i++) assert(cuts[i]! > cuts[i - 1]!, 'cuts rise');
}

test('windowAround() spans the curve and cuts it at what it supplies', () => {
  fc.assert(
    fc.property(someSegments, anyPrice, (all, price) => {
      const curve = netCurve(all);
      const cuts = windowAround(curve, price);
      assertCuts(cuts, curve.least, curve.most);
      for (const net of supplyAt(curve, price)) assert(cuts.some((cut) => Math.abs(cut - net) <= sameMw));
    }),
  );
});

test('windowAround() needs few columns for many steps', () => {
  const steps = Array.from({ length: 5000 }, (_, i) => {
    return { order: i, side: i % 2 ? 'buy' : 'sell', first: i / 7, last: i / 7, power: 1 + (i % 3) } as const;
  });
  assert(windowAround(netCurve(steps), 300).length <= 25);
});

test('meanPrice() times volume is what the megawatts between two cuts cost', () => {
  fc.assert(
    fc.property(someSegments, share, share, (all, a, b) => {
      const curve = netCurve(all);
      const at = (s: number) => curve.least + s * (curve.most - curve.least);
      const [from, to] = [at(Math.min(a, b)), at(Math.max(a, b))];
      if (to - from < 1e-3) return;
      // Many thin slices, each at the price in its middle.
      const slices = 500;
      let cost = 0;
      for (let k = 0; k < slices; k++) {
        const [low, high] = pricesAt(curve, from + ((k + 0.5) / slices) * (to - from));
        cost += (low + high) / 2 / slices;
      }
      const mean = meanPrice(curve, from, to);
      // A slice that straddles a step is wrong by up to the whole range of prices.
      assert(Math.abs(mean - cost) <= (120 * (all.length + 1)) / slices, `${mean} instead of ${cost}`);
    }),
  );
});

test('meanPrice() does not fall from one cut to the next, so that the program fills columns in their order', () => {
  fc.assert(
    fc.property(someSegments, anyPrice, share, anyPrice, (all, expected, s, price) => {
      const curve = netCurve(all);
      const net = curve.least + s * (curve.most - curve.least);
      const cuts = refined(curve, windowAround(curve, expected), net, price);
      const prices = cuts.slice(1).map((cut, i) => meanPrice(curve, cuts[i]!, cut));
      for (let i = 1; i < prices.length; i++) assert(prices[i]! >= prices[i - 1]! - 1e-6);
    }),
  );
});

test('refined() keeps every cut and adds those where the answer was', () => {
  fc.assert(
    fc.property(someSegments, anyPrice, share, anyPrice, (all, expected, s, price) => {
      const curve = netCurve(all);
      const before = windowAround(curve, expected);
      const net = curve.least + s * (curve.most - curve.least);
      const after = refined(curve, before, net, price);
      assertCuts(after, curve.least, curve.most);
      for (const cut of [...before, net, ...supplyAt(curve, price)])
        assert(
          after.some((other) => Math.abs(other - cut) <= sameMw),
          `${cut} is gone`,
        );
    }),
  );
});

test('refined() cuts a straight line between two answers, also where the rest of the curve is steps', () => {
  const step = { order: 0, side: 'sell', first: 10, last: 10, power: 8 } as const;
  const slope = { order: 1, side: 'sell', first: 20, last: 40, power: 160 } as const;
  const curve = netCurve([step, slope]);
  // The program sold 48 MW, and at its price of 36 the curve sells 136.
  const cuts = refined(curve, windowAround(curve, 25), 48, 36);
  for (let k = -3; k <= 10; k++) assert(cuts.includes(48 + 11 * k), `${48 + 11 * k} MW`);
  assert(!refined(netCurve([step]), [0, 8], 2, 36).some((cut) => cut > 2 && cut < 8));
});
