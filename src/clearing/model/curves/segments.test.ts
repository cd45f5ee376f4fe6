import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import '../../../../test/support/seeded.ts';
import { netSupplyAt } from '../../../../test/support/random-segments.ts';
import type { CurveOrder } from '../../../market/order.ts';
import { curveSegments } from './segments.ts';

const limits = { min: -100, max: 200 };
const curve = (shape: 'step' | 'linear', ...points: readonly [power: number, price: number][]): CurveOrder => ({
  kind: 'curve',
  record_id: 'c',
  zone: 'A',
  period: 1,
  shape,
  points: points.map(([power, price]) => ({ power, price })),
});

const anyCurve: fc.Arbitrary<CurveOrder> = fc
  .record({
    shape: fc.constantFrom('step', 'linear'),
    prices: fc.uniqueArray(fc.integer({ min: -10, max: 20 }), { minLength: 1, maxLength: 6 }),
    powers: fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 6, maxLength: 6 }),
  })
  .map(({ shape, prices, powers }) => {
    const falling = [...powers].sort((a, b) => b - a);
    const rising = [...prices].sort((a, b) => a - b);
    return curve(shape, ...rising.map((p, i): [number, number] => [falling[i]!, p * 10]));
  });

/** MW bought (negative: sold) at a price that is none of the curve's own, read from its points (formats, `curve`). */
function powerAt({ points, shape }: CurveOrder, price: number): number {
  const next = points.findIndex((point) => point.price > price);
  if (next < 0) return points[points.length - 1]!.power;
  if (next === 0) return points[0]!.power;
  const [a, b] = [points[next - 1]!, points[next]!];
  if (shape === 'step') return a.power;
  return a.power + ((b.power - a.power) * (price - a.price)) / (b.price - a.price);
}

test('curveSegments() together buy and sell what the curve says', () => {
  fc.assert(
    fc.property(anyCurve, fc.integer({ min: -999, max: 1999 }), (order, n) => {
      const price = n / 10;
      if (order.points.some((point) => point.price === price)) return;
      const [least, most] = netSupplyAt(curveSegments(0, order, limits), price);
      const due = -powerAt(order, price);
      assert(Math.abs(least - due) <= 1e-9 && Math.abs(most - due) <= 1e-9, `${least} to ${most} instead of ${due}`);
    }),
  );
});

test('curveSegments() of one side are as many megawatts as the curve spans, and none is empty', () => {
  fc.assert(
    fc.property(anyCurve, (order) => {
      const segments = curveSegments(7, order, limits);
      const total = (side: string) => segments.reduce((sum, s) => sum + (s.side === side ? s.power : 0), 0);
      const [first, last] = [order.points[0]!.power, order.points[order.points.length - 1]!.power];
      assert(Math.abs(total('buy') - Math.max(first, 0)) <= 1e-9);
      assert(Math.abs(total('sell') - Math.max(-last, 0)) <= 1e-9);
      for (const { power, order: index, side, first: from, last: to } of segments) {
        assert(power > 0 && index === 7);
        assert(side === 'sell' ? from <= to : from >= to, 'prices fall along a buy and rise along a sell');
      }
    }),
  );
});

test('curveSegments(): what a curve still buys at its last point is price-taking', () => {
  assert.deepEqual(curveSegments(0, curve('step', [50, 30], [20, 60]), limits), [
    { order: 0, side: 'buy', first: 60, last: 60, power: 30 },
    { order: 0, side: 'buy', first: 200, last: 200, power: 20 },
  ]);
  assert.deepEqual(curveSegments(0, curve('step', [-10, 30]), limits), [
    { order: 0, side: 'sell', first: -100, last: -100, power: 10 },
  ]);
});

test('curveSegments(): a straight line through zero is a buy up to there and a sell from there on', () => {
  assert.deepEqual(curveSegments(0, curve('linear', [30, 10], [-60, 40]), limits), [
    { order: 0, side: 'buy', first: 20, last: 10, power: 30 },
    { order: 0, side: 'sell', first: 20, last: 40, power: 60 },
  ]);
});
