/**
 * The oracle for more decisions than can be enumerated: one mixed-integer program in HiGHS for all of them, and cuts until prices support its
 * answer.
 *
 * A cut is Madani and Van Vyve's: where no prices support the best answer of the program so far, every supported one rejects one of what
 * this accepts (market rules, section 4). It holds for terms that belong to the welfare only, so a minimum income is not taken.
 */

import assert from 'node:assert/strict';
import highsModule from 'highs';
import type { Solver } from '../../src/clearing/solver/highs.ts';
import type { Book } from '../../src/market/book.ts';
import { boundsOf, programOf, supportingPrices } from './enumerate.ts';
import { type Column, type Row, wholeModel } from './whole-model.ts';

const loadHighs = highsModule as unknown as typeof highsModule.default;
const highs = await loadHighs();

export interface CutAnswer {
  /** Money. */
  readonly welfare: number;
  readonly on: readonly string[];
  readonly cuts: number;
}

/** @returns undefined when no decisions have supporting prices; `unproven` after too many cuts */
export function bestByCuts(book: Book, solver: Solver, mostCuts: number): CutAnswer | 'unproven' | undefined {
  assert(!book.orders.some((order) => order.kind === 'complex' && order.condition === 'minimum-income'));
  const whole = wholeModel(book);
  const { columns, rows, decisions, hours } = whole;
  const { min, max } = book.priceLimits;
  // A switch for each option of each decision; one option at most.
  const all: (Column & { entries: [number, number][] })[] = columns.map((column) => {
    const [lower, upper] = boundsOf(column, undefined);
    return { ...column, lower, upper, entries: column.entries.map(([row, factor]) => [row, factor]) };
  });
  const ties: Row[] = [...rows];
  const switches = decisions.map(({ options }) => {
    const once = ties.push({ low: 0, high: 1 }) - 1;
    return Array.from(
      { length: options - 1 },
      () => all.push({ worth: 0, lower: 0, upper: 1, entries: [[once, 1]] }) - 1,
    );
  });
  columns.forEach(({ lower, upper, when }, c) => {
    if (when === undefined) return;
    const own = switches[when.decision]![when.option - 1]!;
    // lower * switch <= column <= upper * switch
    for (const [bound, low, high] of [
      [lower, 0, Infinity],
      [upper, -Infinity, 0],
    ] as const) {
      const row = ties.push({ low, high }) - 1;
      all[c]!.entries.push([row, 1]);
      all[own]!.entries.push([row, -bound]);
    }
  });
  const program = programOf(all, ties, ({ lower, upper }) => [lower, upper]);
  const numRows = ties.length;
  const { starts, indices, values } = program;
  const model = highs.createModel();
  const fixed = solver.model(programOf(columns, rows, (column) => boundsOf(column, undefined)));
  try {
    model.options.set({ output_flag: false, mip_rel_gap: 0, mip_abs_gap: 1e-6, mip_feasibility_tolerance: 1e-9 });
    model.passModel({
      numCols: all.length,
      numRows,
      colCost: program.cost,
      colLower: program.lower,
      colUpper: program.upper,
      rowLower: program.rowLower,
      rowUpper: program.rowUpper,
      matrix: { format: 'csc', numRows, numCols: all.length, starts, indices, values },
      integrality: Int32Array.from(all, (_, c) => (c < columns.length ? 0 : 1)),
    });
    for (let cuts = 0; cuts <= mostCuts; cuts++) {
      const { modelStatus } = model.run();
      if (modelStatus !== highs.constants.modelStatus.optimal) return undefined;
      const { colValue } = model.getSolution();
      const state = switches.map((options) => 1 + options.findIndex((c) => colValue[c]! > 0.5));
      const answer = atDecisions(state);
      const prices = supportingPrices(whole, state, answer.x, answer.worth, [min, max], solver);
      if (prices !== undefined) {
        const on = decisions.flatMap(({ id, options }, d) =>
          state[d] === 0 ? [] : [options > 2 ? `${id}/${state[d]}` : id],
        );
        return { welfare: answer.worth * hours, on, cuts };
      }
      const accepted = switches.flatMap((options, d) => (state[d]! > 0 ? [options[state[d]! - 1]!] : []));
      // With nothing accepted there is nothing to reject.
      if (accepted.length === 0) return undefined;
      model.addRows({
        lower: Float64Array.of(-Infinity),
        upper: Float64Array.of(accepted.length - 1),
        matrix: {
          format: 'csr',
          numRows: 1,
          numCols: all.length,
          starts: Int32Array.of(0, accepted.length),
          indices: Int32Array.from(accepted.toSorted((a, b) => a - b)),
          values: new Float64Array(accepted.length).fill(1),
        },
      });
    }
    return 'unproven';
  } finally {
    model.dispose();
    fixed.dispose();
  }

  /** The exact answer with these decisions, without the crumbs of switches that are nearly off. */
  function atDecisions(state: readonly number[]): { x: Float64Array; worth: number } {
    const bounds = columns.map((column) => boundsOf(column, state));
    fixed.bound(
      Int32Array.from(columns.keys()),
      Float64Array.from(bounds, ([low]) => low),
      Float64Array.from(bounds, ([, high]) => high),
    );
    const { status, x } = fixed.solve();
    assert.equal(status, 'optimal');
    return { x, worth: columns.reduce((sum, column, c) => sum + column.worth * x[c]!, 0) };
  }
}
