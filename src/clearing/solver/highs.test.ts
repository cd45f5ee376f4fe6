import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import '../../../test/support/seeded.ts';
import type { Program } from './draft.ts';
import { loadSolver } from './highs.ts';

const solver = await loadSolver();
const inf = Number.POSITIVE_INFINITY;

/** One row over all columns. */
const oneRow = (row: { factors: number[]; low: number; high: number }, cost: number[], upper: number[]): Program => ({
  cost: Float64Array.from(cost),
  lower: new Float64Array(cost.length),
  upper: Float64Array.from(upper),
  rowLower: Float64Array.of(row.low),
  rowUpper: Float64Array.of(row.high),
  starts: Int32Array.from({ length: cost.length + 1 }, (_, i) => i),
  indices: new Int32Array(cost.length),
  values: Float64Array.from(row.factors),
});

test('Solver: the cheapest plants serve a demand, and its dual is the last one called', () => {
  const plant = fc.record({ price: fc.integer({ min: -20, max: 60 }), power: fc.integer({ min: 1, max: 50 }) });
  fc.assert(
    fc.property(
      fc.array(plant, { minLength: 1, maxLength: 8 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      (plants, share) => {
        const demand = share * plants.reduce((sum, { power }) => sum + power, 0);
        const { status, x, rowDual } = solver.solve(
          oneRow(
            { factors: plants.map(() => 1), low: demand, high: demand },
            plants.map(({ price }) => price),
            plants.map(({ power }) => power),
          ),
        );
        assert.equal(status, 'optimal');
        const merit = plants.map((each, i) => ({ ...each, called: x[i]! })).sort((a, b) => a.price - b.price);
        let left = demand;
        let due = 0;
        for (const { price, power } of merit) {
          due += price * Math.min(left, power);
          left -= Math.min(left, power);
        }
        const cost = merit.reduce((sum, { price, called }) => sum + price * called, 0);
        assert(Math.abs(cost - due) <= 1e-6, `${cost} instead of ${due}`);
        const dual = rowDual[0]!;
        for (const { price, power, called } of merit) {
          if (called > 1e-6) assert(price <= dual + 1e-7, `a plant at ${price} runs at ${dual}`);
          if (called < power - 1e-6) assert(price >= dual - 1e-7, `a plant at ${price} stands still at ${dual}`);
        }
      },
    ),
  );
});

test('Solver: says when no point fulfils the rows', () => {
  assert.equal(solver.solve(oneRow({ factors: [1], low: 10, high: 10 }, [1], [5])).status, 'infeasible');
});

test('Solver: says when cost falls for ever', () => {
  assert.equal(solver.solve(oneRow({ factors: [1, -1], low: 0, high: 0 }, [-1, 0], [inf, inf])).status, 'unbounded');
});

test('Solver: without columns the rows hold or they do not', () => {
  const answer = solver.solve(oneRow({ factors: [], low: -1, high: 0 }, [], []));
  assert.deepEqual(answer, { status: 'optimal', x: new Float64Array(0), rowDual: new Float64Array(1) });
  assert.equal(solver.solve(oneRow({ factors: [], low: 1, high: 2 }, [], [])).status, 'infeasible');
  assert.equal(solver.solve(oneRow({ factors: [], low: -2, high: -1 }, [], [])).status, 'infeasible');
});

test('Solver: a program that makes no sense is our fault, told in a line', () => {
  const wrong = { ...oneRow({ factors: [1], low: 0, high: 1 }, [1], [5]), indices: Int32Array.of(7) };
  assert.throws(() => solver.solve(wrong), { name: 'AssertionError', message: /^HiGHS failed .{0,400}$/ });
});
