/**
 * Whole lots of complex orders (market rules, section 5.5).
 *
 * What counts is what an order trades in a period, not which of its steps does: that sum is rounded once, and the steps follow by merit.
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

/** Whole lots that a stage has to trade, and that it may: none fit where the first is larger, for a gradient may leave it a part of a lot. */
export const lotsOfStage = (stage: Stage, lot: number): readonly [least: number, most: number] => [
  Math.ceil(stage.held / lot - inRatio.lots),
  Math.floor(mostOf(stage) / lot + inRatio.lots),
];

/** MW of a stage in whole lots, or all that it may trade where none fit. */
export function stageInLots(stage: Stage, lot: number): number {
  const [least, most] = lotsOfStage(stage, lot);
  if (least > most) return mostOf(stage);
  // Where no step is executed in part, what has to be is in no whole lots: less would be taken from a step in the money.
  const noise = Math.max(inRatio.lots, inPower.balance / lot);
  const lots = stage.gives ? Math.round(stage.exact / lot) : Math.ceil(stage.exact / lot - noise);
  return Math.min(most, Math.max(least, lots)) * lot;
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
