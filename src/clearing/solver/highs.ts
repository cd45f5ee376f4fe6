/**
 * The seam to HiGHS: our model in, typed status, values and duals out.
 *
 * HiGHS is compiled to WebAssembly and single-threaded; the same model gives the same answer on every machine. Simplex
 * without presolve, because the models here are small and already reduced. Nothing outside this folder knows HiGHS.
 */

import assert from 'node:assert/strict';
import highsModule, { type Highs } from 'highs';

/** Minimise cost·x with rowLower <= A x <= rowUpper, lower <= x <= upper; A by columns (CSC). */
export interface Program {
  readonly cost: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly rowLower: Float64Array;
  readonly rowUpper: Float64Array;
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float64Array;
}

export interface Solution {
  /** A solver that stops early says so; it does not throw. */
  readonly status: 'optimal' | 'infeasible' | 'unbounded' | 'stopped';
  readonly x: Float64Array;
  /** Change of the least cost per unit of a row's right-hand side. */
  readonly rowDual: Float64Array;
}

export interface Solver {
  solve(program: Program): Solution;
}

// The package's types say CommonJS, its code is an ES module: its default export is the loader itself.
const loadHighs = highsModule as unknown as typeof highsModule.default;

let loading: Promise<Highs> | undefined;

/** The solver; the WebAssembly is loaded once a process. */
export async function loadSolver(): Promise<Solver> {
  loading ??= loadHighs();
  const highs = await loading;
  return { solve: (program) => solve(highs, program) };
}

function solve(highs: Highs, program: Program): Solution {
  const numCols = program.cost.length;
  const numRows = program.rowLower.length;
  // HiGHS does not solve what has no columns: nothing to choose, so the rows hold or they don't.
  if (numCols === 0) {
    const holds = program.rowLower.every((low, r) => low <= 0 && program.rowUpper[r]! >= 0);
    return { status: holds ? 'optimal' : 'infeasible', x: new Float64Array(0), rowDual: new Float64Array(numRows) };
  }
  const model = highs.createModel();
  try {
    model.options.set({ output_flag: false, presolve: 'off', solver: 'simplex', primal_feasibility_tolerance: 1e-9 });
    model.passModel({
      numCols,
      numRows,
      colCost: program.cost,
      colLower: program.lower,
      colUpper: program.upper,
      rowLower: program.rowLower,
      rowUpper: program.rowUpper,
      matrix: {
        format: 'csc',
        numRows,
        numCols,
        starts: program.starts,
        indices: program.indices,
        values: program.values,
      },
    });
    const { modelStatus } = model.run();
    const { colValue, rowDual } = model.getSolution();
    return { status: statusOf(highs, modelStatus), x: colValue, rowDual };
  } catch (error) {
    // An uncaught error would print the whole minified module: keep its first line.
    const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
    assert.fail(`HiGHS failed on ${numRows} rows x ${numCols} columns: ${message?.slice(0, 300)}`);
  } finally {
    model.dispose();
  }
}

function statusOf(highs: Highs, code: number): Solution['status'] {
  const { modelStatus } = highs.constants;
  if (code === modelStatus.optimal) return 'optimal';
  if (code === modelStatus.infeasible || code === modelStatus.unboundedOrInfeasible) return 'infeasible';
  return code === modelStatus.unbounded ? 'unbounded' : 'stopped';
}
