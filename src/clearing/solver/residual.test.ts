/** Our own look at the solver's answers: right ones pass, and each way of being off is seen. */

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import highsModule from 'highs';
import '../../../test/support/seeded.ts';
import { inSolver } from '../tolerances.ts';
import { Draft } from './draft.ts';
import { loadSolver, type Solution, solverOf } from './highs.ts';
import { Kept } from './residual.ts';

const solver = await loadSolver();

/** Plants with costs and powers that serve demands in two zones over a line, at a scale. */
const markets = fc.record({
  plants: fc.array(
    fc.record({
      zone: fc.integer({ min: 0, max: 1 }),
      price: fc.integer({ min: -50, max: 90 }),
      power: fc.integer({ min: 1, max: 99 }),
    }),
    { minLength: 2, maxLength: 8 },
  ),
  share: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
  scale: fc.constantFrom(1e-3, 1, 1e3),
});

function draftOf({
  plants,
  share,
  scale,
}: {
  plants: { zone: number; price: number; power: number }[];
  share: number;
  scale: number;
}) {
  const draft = new Draft();
  const due = [0, 1].map((zone) =>
    plants.reduce((sum, plant) => sum + (plant.zone === zone ? share * plant.power * scale : 0), 0),
  );
  for (const demand of due) draft.row(demand, demand);
  for (const { zone, price, power } of plants) draft.column(price, 0, power * scale, [[zone, 1]]);
  draft.column(0, -scale, scale, [
    [0, -1],
    [1, 1],
  ]);
  return draft;
}

test('residual: an optimal answer holds; one that is moved, or whose prices are, does not', () => {
  fc.assert(
    fc.property(markets, fc.nat(), (market, which) => {
      const { program } = draftOf(market);
      const { status, x, rowDual } = solver.solve(program);
      assert.equal(status, 'optimal');
      const kept = new Kept(program);
      assert(kept.residual(x, rowDual) <= inSolver.residual);
      const moved = x.slice();
      moved[which % x.length]! += 0.1 * market.scale;
      assert(kept.residual(moved, rowDual) > inSolver.residual, 'no balance closes with a volume that is moved');
      assert(kept.residual(moved, undefined) > inSolver.residual, 'nor without prices');
      assert.equal(
        kept.residual(
          x.map(() => Number.NaN),
          rowDual,
        ),
        Infinity,
      );
      const between = program.cost.findIndex(
        (_, j) => x[j]! > 0.01 * market.scale + program.lower[j]! && x[j]! < program.upper[j]! - 0.01 * market.scale,
      );
      if (between < 0) return;
      const dearer = rowDual.map((price, row) =>
        row === program.indices[program.starts[between]!] ? price + 1 : price,
      );
      assert(kept.residual(x, dearer) > inSolver.residual, 'who is executed in part is at the money');
    }),
  );
});

test('residual: a program that came in pieces is the same program', () => {
  fc.assert(
    fc.property(markets, (market) => {
      const draft = draftOf(market);
      const { x, rowDual } = solver.solve(draft.program);
      const { rowLower, rowUpper, ...columns } = draft.program;
      const none = new Draft().columns;
      const pieces = new Kept({ ...none, rowLower, rowUpper });
      pieces.add({ ...columns, lower: columns.lower.map(() => 0), upper: columns.upper.map(() => 0) });
      const all = Int32Array.from(columns.cost.keys());
      if (x.some((mw) => Math.abs(mw) > 0.01 * market.scale))
        assert(pieces.residual(x, rowDual) > inSolver.residual, 'bounds that are closed');
      pieces.bound(all, columns.lower, columns.upper);
      assert.equal(pieces.residual(x, rowDual), new Kept(draft.program).residual(x, rowDual));
    }),
  );
});

/** HiGHS itself, whose first answers to each program are made wrong. */
async function lying(lies: readonly ('throws' | 'stops' | 'moves' | 'reprices')[]) {
  const highs = await (highsModule as unknown as typeof highsModule.default)();
  const createModel = highs.createModel.bind(highs);
  highs.createModel = () => {
    const model = createModel();
    const [run, getSolution] = [model.run.bind(model), model.getSolution.bind(model)];
    let runs = 0;
    model.run = () => {
      const lie = lies[runs++];
      if (lie === 'throws') throw new Error('HiGHS: model status error');
      const answer = run();
      return lie === 'stops' ? { ...answer, modelStatus: highs.constants.modelStatus.timeLimit } : answer;
    };
    model.getSolution = () => {
      const solution = getSolution();
      const lie = lies[runs - 1];
      if (lie === 'moves') return { ...solution, colValue: solution.colValue.map((x, j) => (j === 0 ? x + 0.01 : x)) };
      return lie === 'reprices' ? { ...solution, rowDual: solution.rowDual.map((price) => price + 1) } : solution;
    };
    return model;
  };
  return solverOf(highs);
}

test('Solver: an answer that does not hold is asked for again, and which settings gave it is counted', async () => {
  const plants = [
    { zone: 0, price: 1, power: 1 },
    { zone: 1, price: 2, power: 1 },
  ];
  const { program } = draftOf({ plants, share: 0.4, scale: 1 });
  /** Of an answer, without the sign of nothing. */
  const figures = ({ status, x, rowDual }: Solution) => ({
    status,
    x: Array.from(x, (mw) => mw + 0),
    rowDual: Array.from(rowDual),
  });
  const right = figures(solver.solve(program));
  for (const lies of [[], ['throws'], ['stops'], ['moves'], ['reprices'], ['throws', 'moves', 'reprices']] as const) {
    const own = await lying(lies);
    assert.deepEqual(figures(own.solve(program)), right, `after ${lies.join(', ')}`);
    assert.deepEqual(
      own.tally,
      Array.from({ length: 5 }, (_, rung) => Number(rung === lies.length)),
    );
  }
  const never = await lying(['throws', 'moves', 'reprices', 'throws']);
  assert.equal(never.solve(program).status, 'optimal');
  assert.deepEqual(never.tally, [0, 0, 0, 0, 1]);
  const silent = await lying(['throws', 'throws', 'throws', 'throws']);
  assert.throws(() => silent.solve(program), /HiGHS failed on a program of 2 rows: HiGHS: model status error/);
});
