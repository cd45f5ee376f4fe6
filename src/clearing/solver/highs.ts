/**
 * The seam to HiGHS: our model in, typed status, values and duals out.
 *
 * HiGHS is compiled to WebAssembly and single-threaded; the same model gives the same answer on every machine. Simplex
 * without presolve, because the models here are small and already reduced. Nothing outside this folder knows HiGHS.
 */

import assert from 'node:assert/strict';
import highsModule, { type Highs } from 'highs';
import { inSolver } from '../tolerances.ts';
import type { NewColumns, Program } from './draft.ts';
import { Kept } from './residual.ts';

export interface Solution {
  /** A solver that stops early says so; it does not throw. */
  readonly status: 'optimal' | 'infeasible' | 'unbounded' | 'stopped';
  readonly x: Float64Array;
  /** Change of the least cost per unit of a row's right-hand side. */
  readonly rowDual: Float64Array;
}

/** A program that stays in the solver: bounds change, columns come, and each solve begins where the last one ended. */
export interface Model {
  bound(columns: Int32Array, lower: Float64Array, upper: Float64Array): void;
  add(columns: NewColumns): void;
  solve(): Solution;
  dispose(): void;
}

export interface Solver {
  /** Programs that this solver answered so far by the first settings, the second, ...; at last those whose answers were all off. */
  readonly tally: readonly number[];
  /** @param whole  columns that take whole numbers alone; then there are no duals */
  solve(program: Program, whole?: readonly number[]): Solution;
  /** Dispose it when done: the solver's memory is not collected. The program has at least one column. */
  model(program: Program): Model;
  /** What the solver's memory has grown to; it never shrinks. */
  memoryBytes(): number;
}

// The package's types say CommonJS, its code is an ES module: its default export is the loader itself.
const loadHighs = highsModule as unknown as typeof highsModule.default;

let loading: Promise<Highs> | undefined;

/** The solver; the WebAssembly is loaded once a process. */
export async function loadSolver(): Promise<Solver> {
  loading ??= loadHighs();
  return solverOf(await loading);
}

export function solverOf(highs: Highs): Solver {
  const tally = new Array<number>(ladder.length + 1).fill(0);
  return {
    tally,
    solve: (program, whole) => solve(highs, tally, program, whole),
    model: (program) => new HighsModel(highs, tally, program),
    memoryBytes: () => highs.memoryBytes,
  };
}

function solve(highs: Highs, tally: number[], program: Program, whole: readonly number[] = []): Solution {
  // HiGHS does not solve what has no columns: nothing to choose, so the rows hold or they don't.
  if (program.cost.length === 0) {
    const holds = program.rowLower.every((low, r) => low <= 0 && program.rowUpper[r]! >= 0);
    const rowDual = new Float64Array(program.rowLower.length);
    return { status: holds ? 'optimal' : 'infeasible', x: new Float64Array(0), rowDual };
  }
  const model = new HighsModel(highs, tally, program, whole);
  try {
    return model.solve();
  } finally {
    model.dispose();
  }
}

class HighsModel implements Model {
  readonly #highs: Highs;
  readonly #model: ReturnType<Highs['createModel']>;
  readonly #rows: number;
  readonly #kept: Kept;
  readonly #isWhole: boolean;
  readonly #tally: number[];

  constructor(highs: Highs, tally: number[], program: Program, whole: readonly number[] = []) {
    this.#highs = highs;
    this.#tally = tally;
    this.#kept = new Kept(program);
    this.#isWhole = whole.length > 0;
    this.#rows = program.rowLower.length;
    this.#model = highs.createModel();
    this.#seam(() => {
      this.#model.options.set({ ...always, ...ladder[0] });
      this.#model.passModel({
        numCols: program.cost.length,
        numRows: this.#rows,
        colCost: program.cost,
        colLower: program.lower,
        colUpper: program.upper,
        rowLower: program.rowLower,
        rowUpper: program.rowUpper,
        matrix: matrixOf(program, this.#rows),
        ...(whole.length > 0 && { integrality: integrality(program.cost.length, whole) }),
      });
    });
  }

  bound(columns: Int32Array, lower: Float64Array, upper: Float64Array): void {
    if (columns.length === 0) return;
    this.#kept.bound(columns, lower, upper);
    this.#seam(() => this.#model.changeColsBounds({ kind: 'set', indices: columns }, lower, upper));
  }

  add(columns: NewColumns): void {
    const { cost, lower, upper } = columns;
    if (cost.length === 0) return;
    this.#kept.add(columns);
    this.#seam(() => this.#model.addCols({ cost, lower, upper, matrix: matrixOf(columns, this.#rows) }));
  }

  /**
   * A run that ends in an error, or without a word, or whose answer does not hold, is repeated with other settings: a solver's failure is no
   * auction's. Of answers that are all off the nearest counts, and it is counted as doubtful.
   */
  solve(): Solution {
    let nearest: { solution: Solution; off: number } | undefined;
    for (const [k, settings] of ladder.entries()) {
      if (k > 0)
        this.#seam(() => {
          this.#model.options.set(settings);
          this.#model.clearSolver();
        });
      const solution = this.#run(k === ladder.length - 1 && nearest === undefined);
      if (solution === undefined) continue;
      const off = this.#off(solution);
      if (nearest === undefined || off < nearest.off) nearest = { solution, off };
      if (off > inSolver.residual) continue;
      this.#count(k);
      return solution;
    }
    assert(nearest !== undefined, 'the last run throws or answers');
    this.#count(ladder.length);
    return nearest.solution;
  }

  /** @param rung  of the ladder; its length: none */
  #count(rung: number): void {
    this.#tally[rung]!++;
    if (rung > 0) this.#seam(() => this.#model.options.set(ladder[0]!));
  }

  #off({ status, x, rowDual }: Solution): number {
    return status === 'optimal' ? this.#kept.residual(x, this.#isWhole ? undefined : rowDual) : 0;
  }

  #run(isLast: boolean): Solution | undefined {
    const run = (): Solution => {
      const { modelStatus } = this.#model.run();
      const { colValue, rowDual } = this.#model.getSolution();
      return { status: statusOf(this.#highs, modelStatus), x: colValue, rowDual };
    };
    if (isLast) return this.#seam(run);
    try {
      const solution = run();
      return solution.status === 'stopped' ? undefined : solution;
    } catch {
      return undefined;
    }
  }

  dispose(): void {
    this.#model.dispose();
  }

  /** An uncaught error would print the whole minified module: keep its first line. */
  #seam<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
      assert.fail(`HiGHS failed on a program of ${this.#rows} rows: ${message?.slice(0, 300)}`);
    }
  }
}

const always = {
  output_flag: false,
  mip_rel_gap: 0,
  primal_feasibility_tolerance: inSolver.feasible,
  dual_feasibility_tolerance: inSolver.feasible,
} as const;

/** Settings of HiGHS in the order in which they are tried: its dual simplex method, the primal one, presolve, an interior point with crossover. */
const ladder = [
  { solver: 'simplex', presolve: 'off', simplex_strategy: 1 },
  { solver: 'simplex', presolve: 'off', simplex_strategy: 4 },
  { solver: 'simplex', presolve: 'on', simplex_strategy: 1 },
  { solver: 'ipm', presolve: 'on', run_crossover: 'on' },
] as const;

const integrality = (columns: number, whole: readonly number[]): Int32Array => {
  const kinds = new Int32Array(columns);
  for (const c of whole) kinds[c] = 1;
  return kinds;
};

const matrixOf = ({ cost, starts, indices, values }: NewColumns, numRows: number) =>
  ({ format: 'csc', numRows, numCols: cost.length, starts, indices, values }) as const;

function statusOf(highs: Highs, code: number): Solution['status'] {
  const { modelStatus } = highs.constants;
  if (code === modelStatus.optimal) return 'optimal';
  if (code === modelStatus.infeasible || code === modelStatus.unboundedOrInfeasible) return 'infeasible';
  return code === modelStatus.unbounded ? 'unbounded' : 'stopped';
}
