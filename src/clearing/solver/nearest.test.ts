import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import '../../../test/support/seeded.ts';
import { loadSolver } from './highs.ts';
import { type NearestProgram, nearestPoint } from './nearest.ts';

const solver = await loadSolver();
const tolerance = 1e-7;
const product = 1e-11;

/** Few rows of small whole factors, so that rows often follow from each other and bounds meet. */
const program: fc.Arbitrary<NearestProgram> = fc
  .record({ rows: fc.integer({ min: 0, max: 3 }), columns: fc.integer({ min: 1, max: 6 }) })
  .chain(({ rows, columns }) => {
    const each = <T>(value: fc.Arbitrary<T>, length = columns) =>
      fc.array(value, { minLength: length, maxLength: length });
    return fc.record({
      rows: fc.constant(rows),
      weight: each(fc.constantFrom(0, 1, 1, 0.02)),
      target: each(fc.integer({ min: -20, max: 20 })),
      lower: each(fc.integer({ min: -10, max: 10 })),
      width: each(fc.constantFrom(0, 1, 5, 20)),
      factors: each(each(fc.constantFrom(-1, 0, 0, 1, 0.9), rows)),
      rightSide: fc.oneof(
        { weight: 3, arbitrary: each(fc.double({ min: 0, max: 1, noNaN: true })).map((share) => ({ share })) },
        { weight: 1, arbitrary: each(fc.integer({ min: -30, max: 30 }), rows).map((due) => ({ due })) },
      ),
    });
  })
  .map(({ rows, weight, target, lower, width, factors, rightSide }) => {
    const upper = lower.map((low, i) => low + width[i]!);
    // Either what some point within the bounds comes to, or anything: then mostly no point does.
    const due =
      'due' in rightSide
        ? rightSide.due
        : Array.from({ length: rows }, (_, r) =>
            factors.reduce((sum, column, i) => sum + column[r]! * (lower[i]! + rightSide.share[i]! * width[i]!), 0),
          );
    const entries = factors.map((column) => column.flatMap((factor, r) => (factor === 0 ? [] : [{ r, factor }])));
    const starts = [0];
    for (const column of entries) starts.push(starts.at(-1)! + column.length);
    return {
      weight: Float64Array.from(weight),
      target: Float64Array.from(target),
      lower: Float64Array.from(lower),
      upper: Float64Array.from(upper),
      rightSide: Float64Array.from(due),
      starts: Int32Array.from(starts),
      indices: Int32Array.from(entries.flat(), ({ r }) => r),
      values: Float64Array.from(entries.flat(), ({ factor }) => factor),
    };
  });

/** The least of a linear cost over the same points. */
const linear = (p: NearestProgram, cost: Float64Array) =>
  solver.solve({ ...p, cost, rowLower: p.rightSide, rowUpper: p.rightSide });

test('nearestPoint() keeps bounds and rows, and no way from it leads nearer to the target', () => {
  fc.assert(
    fc.property(program, (p) => {
      const x = nearestPoint(p, tolerance, product);
      const { status } = linear(p, new Float64Array(p.weight.length));
      if (x === undefined) {
        assert.equal(status, 'infeasible');
        return;
      }
      if (status === 'infeasible') return; // by less than the tolerance: HiGHS and we may differ there
      const missing = p.rightSide.slice();
      x.forEach((value, i) => {
        assert(value >= p.lower[i]! && value <= p.upper[i]!);
        for (let k = p.starts[i]!; k < p.starts[i + 1]!; k++) missing[p.indices[k]!]! -= p.values[k]! * value;
      });
      for (const each of missing) assert(Math.abs(each) <= 2 * tolerance, `a row is open by ${each}`);
      // Convex: the point is the best one if no other is better along the slope of the objective there.
      const slope = x.map((value, i) => p.weight[i]! * (value - p.target[i]!));
      const best = linear(p, slope);
      const gain = slope.reduce((sum, s, i) => sum + s * (x[i]! - best.x[i]!), 0);
      assert(gain <= 1e-4, `moving to ${best.x} gains ${gain}`);
    }),
  );
});

test('nearestPoint() shares between equals, and stops at a bound', () => {
  const balance = (lower: number[], upper: number[]): NearestProgram => ({
    weight: Float64Array.of(1, 1, 0),
    target: Float64Array.of(0, 0, 0),
    lower: Float64Array.from(lower),
    upper: Float64Array.from(upper),
    rightSide: Float64Array.of(30),
    starts: Int32Array.of(0, 1, 2, 3),
    indices: Int32Array.of(0, 0, 0),
    values: Float64Array.of(1, 1, 1),
  });
  const near = (program: NearestProgram, due: number[]) =>
    nearestPoint(program, tolerance, product)!.forEach((value, i) => {
      assert(Math.abs(value - due[i]!) <= 1e-4, `${value} instead of ${due[i]}`);
    });
  near(balance([0, 0, 0], [100, 100, 0]), [15, 15, 0]);
  near(balance([0, 0, 0], [5, 100, 0]), [5, 25, 0]);
  // What has no weight takes all it can.
  near(balance([0, 0, 0], [100, 100, 20]), [5, 5, 20]);
  assert.equal(nearestPoint(balance([0, 0, 0], [5, 5, 5]), tolerance, product), undefined);
});
