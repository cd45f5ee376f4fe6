import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import '../../../../test/support/seeded.ts';
import { netSupplyAt, segments } from '../../../../test/support/random-segments.ts';
import { nearestStep, netCurve, pricesAt, sameMw, settledNet, supplyAt } from './net-curve.ts';

/** On the prices where segments begin and end, between them, and beyond them all. */
const anyPrice = fc.integer({ min: -100, max: 160 }).map((n) => n / 2);
const near = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b));

test('netCurve() supplies at every price what its segments do one by one', () => {
  fc.assert(
    fc.property(segments, anyPrice, (all, price) => {
      const [least, most] = supplyAt(netCurve(all), price);
      const [few, many] = netSupplyAt(all, price);
      assert(near(least, few) && near(most, many), `${least} to ${most} instead of ${few} to ${many}`);
    }),
  );
});

test('netCurve() is a staircase without holes: every piece begins where the one before it ended', () => {
  fc.assert(
    fc.property(segments, (all) => {
      const { low, high, start, power, least, most } = netCurve(all);
      let [net, price] = [least, Number.NEGATIVE_INFINITY];
      for (let i = 0; i < power.length; i++) {
        assert(near(start[i]!, net) && power[i]! > 0);
        assert(low[i]! >= price && high[i]! >= low[i]!);
        [net, price] = [start[i]! + power[i]!, high[i]!];
      }
      assert(near(net, most));
      assert.equal(least, -all.reduce((sum, s) => sum + (s.side === 'buy' ? s.power : 0), 0));
      assert(
        near(
          most - least,
          all.reduce((sum, s) => sum + s.power, 0),
        ),
      );
    }),
  );
});

test('pricesAt() is the inverse of supplyAt(): within its range the curve supplies so much, and nowhere else', () => {
  fc.assert(
    fc.property(segments, fc.double({ min: 0, max: 1, noNaN: true }), anyPrice, (all, share, price) => {
      const curve = netCurve(all);
      const net = curve.least + share * (curve.most - curve.least);
      const [low, high] = pricesAt(curve, net);
      assert(low <= high);
      const [least, most] = netSupplyAt(all, price);
      const slack = 1e-6;
      if (price > low + slack && price < high - slack) assert(Math.max(net - least, most - net) <= 2 * sameMw);
      if (price < low - slack)
        assert(most <= net + slack, `${most} MW at ${price} already, ${net} only from ${low} on`);
      if (price > high + slack)
        assert(least >= net - slack, `${least} MW at ${price} still, ${net} only until ${high}`);
    }),
  );
});

test('pricesAt() has no end where the curve has none', () => {
  const curve = netCurve([
    { order: 0, side: 'buy', first: 50, last: 50, power: 30 },
    { order: 1, side: 'sell', first: 20, last: 20, power: 40 },
  ]);
  assert.deepEqual(pricesAt(curve, -30), [Number.NEGATIVE_INFINITY, 20]);
  assert.deepEqual(pricesAt(curve, 0), [20, 20]);
  assert.deepEqual(pricesAt(curve, 10), [20, 50]);
  assert.deepEqual(pricesAt(curve, 40), [50, Number.POSITIVE_INFINITY]);
  assert.deepEqual(pricesAt(netCurve([]), 0), [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
});

test('nearestStep() finds the nearest step within reach and none beyond it', () => {
  fc.assert(
    fc.property(segments, anyPrice, fc.constantFrom(0, 0.5, 7), (all, price, slack) => {
      const found = nearestStep(netCurve(all), Number.POSITIVE_INFINITY, price, slack);
      const away = all.filter((s) => s.first === s.last).map((s) => Math.abs(s.first - price));
      const nearest = Math.min(...away);
      assert.equal(found === undefined ? Infinity : Math.abs(found - price), nearest <= slack ? nearest : Infinity);
    }),
  );
});

test('nearestStep() and settledNet() tell prices of a line apart that is as short as their slack', () => {
  const curve = netCurve([
    { order: 0, side: 'sell', first: 30, last: 30, power: 5 },
    { order: 1, side: 'sell', first: 30, last: 31, power: 100 },
  ]);
  assert.equal(nearestStep(curve, 5.01, 30.0001, 1), 30);
  assert.equal(nearestStep(curve, 55, 30.5, 1), undefined);
  assert.equal(settledNet(curve, 5.000001, 1), 5);
  assert.equal(settledNet(curve, 5.01, 1), 5.01);
  assert.equal(settledNet(curve, 55, 1), 55);
});
