/**
 * Whole lots of complex orders (market rules, section 5.5).
 *
 * What counts is what an order trades in a period, not which of its steps does: that sum is rounded once, and the steps follow by merit.
 * Where nobody else at the money can close a balance, the sums give way by a lot.
 */

import type { Sharing } from '../indeterminacy/sharing.ts';
import type { Problem } from '../model/problem.ts';
import { inPower, inRatio } from '../tolerances.ts';

/** The steps of a complex order in one of its periods. */
export interface Stage {
  /** Columns, the best priced first, with the most MW of each. */
  readonly steps: readonly { readonly column: number; readonly most: number }[];
  /** Where it trades: MW into each cell per MW of a step. */
  readonly cells: readonly (readonly [cell: number, sign: number])[];
  /** MW that it trades in any case, in none of the columns. */
  readonly held: number;
  /** MW of the exact answer, `held` included. */
  readonly exact: number;
  /** Is one of the steps executed in part, so that a lot more or less changes no price? */
  readonly gives: boolean;
}

/** MW: nearer to its ends a step is at them. */
const crumb = inPower.empty;

/** Every stage of the orders that are on, and of those that no decision is about. */
export function stagesOf({ columns, decisions, freeSteps }: Problem, { free }: Sharing, value: Float64Array): Stage[] {
  const lists = [
    ...decisions.map(({ column, steps }) => ({ steps, on: value[column]! })),
    ...freeSteps.map((each) => ({ steps: each.columns, on: 1 })),
  ];
  return lists.flatMap(({ steps, on }) =>
    [...Map.groupBy(steps, (c) => columns[c]!.cells[0]![0]).values()].map((here) => {
      const byMerit = here.toSorted((a, b) => columns[a]!.cost - columns[b]!.cost);
      const list = byMerit.map((column) => ({ column, most: free.upper[column]! }));
      const held = here.reduce((sum, c) => sum + (columns[c]!.held ?? 0) * on, 0);
      const exact = here.reduce((sum, c) => sum + value[c]!, held);
      const gives = list.some(({ column, most }) => value[column]! > crumb && value[column]! < most - crumb);
      return { steps: list, cells: columns[here[0]!]!.cells, held, exact, gives };
    }),
  );
}

const mostOf = ({ held, steps }: Stage): number => steps.reduce((sum, { most }) => sum + most, held);

/** MW of a stage in whole lots, never less than it has to trade, nor more than it may (a gradient may leave it a part of a lot). */
export function stageInLots(stage: Stage, lot: number): number {
  const most = mostOf(stage);
  const least = Math.ceil(stage.held / lot - inRatio.lots);
  const room = Math.floor(most / lot + inRatio.lots);
  if (least > room) return most;
  // Where no step is executed in part, what has to be is in no whole lots: less would be taken from a step in the money.
  const noise = Math.max(inRatio.lots, inPower.balance / lot);
  const lots = stage.gives ? Math.round(stage.exact / lot) : Math.ceil(stage.exact / lot - noise);
  return Math.min(room, Math.max(least, lots)) * lot;
}

/** Let the steps of a stage trade so much (MW) together, by merit. */
export function fillStage({ steps, held }: Stage, mw: number, value: Float64Array): void {
  let left = Math.max(0, mw - held);
  for (const { column, most } of steps) {
    value[column] = left >= most - crumb ? most : left;
    left -= value[column]!;
    if (left < crumb) left = 0;
  }
}

/**
 * Close a balance by whole lots, those first that are moved least by it.
 *
 * @param told     MW of each stage; changed
 * @param missing  MW that have to be sold more, or if negative less
 */
export function giveWay(stages: readonly Stage[], told: Map<Stage, number>, missing: number, lot: number): void {
  // What of a lot can't be closed is sold too much rather than bought.
  const count = Math.abs(Math.ceil(missing / lot - inRatio.lots));
  for (let k = 0; k < count; k++) {
    const moves = stages.flatMap((stage) => {
      const [[, sign]] = stage.cells as [readonly [number, number]];
      const mw = told.get(stage)! + Math.sign(missing) * sign * lot;
      const fits = mw >= stage.held - crumb && mw <= mostOf(stage) + crumb;
      return fits ? [{ stage, mw, off: Math.abs(mw - stage.exact) }] : [];
    });
    const [best] = moves.sort((a, b) => a.off - b.off);
    if (best === undefined) return;
    told.set(best.stage, best.mw);
  }
}
