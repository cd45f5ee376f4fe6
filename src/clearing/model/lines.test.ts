import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import '../../../test/support/seeded.ts';
import { line } from '../../market/network.ts';
import { arcsOf, spreadOf } from './lines.ts';

const zones = new Map([
  ['A', 0],
  ['B', 1],
]);
const anyLine = fc
  .record({
    capacity: fc.integer({ min: -50, max: 100 }),
    room: fc.integer({ min: 0, max: 150 }),
    loss: fc.constantFrom(0, 0, 0.05),
    tariff: fc.constantFrom(0, 0, 3),
  })
  .map(({ capacity, room, loss, tariff }) =>
    // A capacity below zero forces a flow backwards; there is one flow that fits both directions at least.
    line.parse({ id: 'A-B', from: 'A', to: 'B', capacity, reverse: room - capacity, loss, tariff }),
  );

test('arcsOf() lets through exactly the flows that the line allows', () => {
  fc.assert(
    fc.property(anyLine, fc.integer({ min: -200, max: 200 }), (each, flow) => {
      const arcs = arcsOf([each], zones, 1);
      const allowed = flow <= Number(each.capacity) && -flow <= Number(each.reverse);
      // A flow one way is nothing the other way, where the ways are apart.
      const carries = (mw: number, arc: (typeof arcs)[number]) => mw >= arc.least[0]! && mw <= arc.most[0]!;
      const parts = arcs.length === 1 ? [flow] : [Math.max(flow, 0), Math.max(-flow, 0)];
      assert.equal(
        arcs.every((arc, k) => carries(parts[k]!, arc)),
        allowed,
      );
    }),
  );
});

test('arcsOf() splits a line in two where power costs something on its way', () => {
  fc.assert(
    fc.property(anyLine, (each) => {
      const arcs = arcsOf([each], zones, 1);
      const ends = arcs.map(({ from, to, sign }) => [from, to, sign]);
      const costly = each.loss > 0 || each.tariff > 0;
      assert.deepEqual(
        ends,
        costly
          ? [
              [0, 1, 1],
              [1, 0, -1],
            ]
          : [[0, 1, 1]],
      );
    }),
  );
});

test('arcsOf() reads capacities of each MTU', () => {
  const each = line.parse({ id: 'A-B', from: 'A', to: 'B', capacity: [10, 20, -5], reverse: 7, tariff: 1 });
  const [there, back] = arcsOf([each], zones, 3);
  assert.deepEqual([...there!.most], [10, 20, 0]);
  assert.deepEqual([...there!.least], [0, 0, 0]);
  assert.deepEqual([...back!.most], [7, 7, 7]);
  assert.deepEqual([...back!.least], [0, 0, 5]);
});

test('spreadOf() is nothing where losses and tariff are just paid (E14)', () => {
  const [there, back] = arcsOf(
    [line.parse({ id: 'A-B', from: 'A', to: 'B', capacity: 9, reverse: 9, loss: 0.05, tariff: 5 })],
    zones,
    1,
  );
  assert(Math.abs(spreadOf(there!, 20, 25 / 0.95)) <= 1e-12);
  assert.equal(spreadOf(back!, 30, 20), 0.95 * 20 - 30 - 5);
});
