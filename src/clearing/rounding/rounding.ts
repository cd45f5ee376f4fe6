/**
 * Whole lots that still balance (market rules, section 5.5).
 *
 * Only what is executed in part gives way: orders at the money, orders on a straight line, blocks with a ratio, steps of complex orders. Orders are
 * rounded island by island (`closing.ts`): the missing lots go to the largest remainders, first between the sides of an island's zones, then
 * between the orders of one side (equal remainders: by id). Net positions follow from the orders and flows from the net positions. Where
 * a balance is open even so, lots and flows are chosen together (`lots-together.ts`).
 */

import { isTrade } from '../indeterminacy/balances.ts';
import type { Sharing } from '../indeterminacy/sharing.ts';
import type { Problem } from '../model/problem.ts';
import type { Solver } from '../solver/highs.ts';
import { inRatio } from '../tolerances.ts';
import { closeIslands } from './closing.ts';
import { executeOrders, type Giving, GivingStage } from './giving.ts';
import { carry, closedOutflow, withoutFullArcs } from './islands.ts';
import { lotsTogether } from './lots-together.ts';
import { fillStage, lotsOfStage, stageInLots, stagesOf } from './stages.ts';
import { clean, type Traded, toLots } from './traded.ts';

export type Lots = Traded;

export function roundToLots(problem: Problem, solver: Solver, sharing: Sharing): Lots {
  const { zones, periods, book, columns } = problem;
  const traded: Traded = {
    bought: new Float64Array(book.orders.length),
    sold: new Float64Array(book.orders.length),
    netPosition: new Float64Array(zones * periods),
    value: sharing.value.slice(),
  };
  const { netPosition, value } = traded;
  const sides = executeOrders(problem, sharing, traded);
  const isBlock = new Set(problem.decisions.flatMap(({ column, steps }) => (steps.length === 0 ? [column] : [])));
  wholeRatios(problem, value);
  const stages = executeStages(problem, sharing, traded);
  columns.forEach(({ kind, cells, legs }, c) => {
    if (kind !== 'ratio' && kind !== 'step') return;
    for (const [cell, mw] of legs ?? cells)
      netPosition[cell]! += isBlock.has(c) && value[c] !== 1 ? toLots(mw * value[c]!, problem.lot) : mw * value[c]!;
  });
  const islands = sharing.islands.flatMap((island) => withoutFullArcs(problem, sharing, island, value));
  closeIslands(problem, islands, sides, traded);
  const outflow = closedOutflow(problem, islands, value);
  for (const island of islands) carry(problem, sharing, island, outflow, traded);
  chooseTogether(problem, solver, sharing, [...sides, ...stages], isBlock, traded);
  return {
    ...traded,
    netPosition: netPosition.map(clean),
    value: value.map((each, c) => (isTrade(problem, c) ? each : clean(each))),
  };
}

/** A ratio to 14 digits: beyond, it says which way the solver came, and of a million MW they are no hundredth of a watt. */
const asRatio = (share: number): number => Math.round(share * 1e14) / 1e14;

/** Ratios to their digits, those at 1 but for an error of floating point 1; what is not half a lot anywhere is nothing. */
function wholeRatios({ columns, decisions, lot }: Problem, value: Float64Array): void {
  columns.forEach(({ kind }, c) => {
    if (kind === 'ratio') value[c] = value[c]! > 1 - inRatio.exact ? 1 : asRatio(value[c]!);
  });
  for (const { column, least, steps } of decisions) {
    const parts = columns[column]!.legs ?? columns[column]!.cells;
    if (steps.length === 0 && least === 0 && parts.every(([, mw]) => toLots(mw * value[column]!, lot) === 0))
      value[column] = 0;
  }
}

/** Have each stage of the complex orders trade whole lots; those that may trade a lot more or less. */
function executeStages(problem: Problem, sharing: Sharing, traded: Traded): Giving[] {
  const { lot } = problem;
  return stagesOf(problem, sharing, traded.value).flatMap((stage) => {
    const mw = stageInLots(stage, lot);
    fillStage(stage, mw, traded.value);
    const [least, most] = lotsOfStage(stage, lot);
    return stage.gives && least <= most ? [new GivingStage(stage, Math.round(mw / lot), problem, traded)] : [];
  });
}

/** Where a balance is still open, lots and flows are chosen together. */
function chooseTogether(
  problem: Problem,
  solver: Solver,
  sharing: Sharing,
  giving: readonly Giving[],
  isBlock: ReadonlySet<number>,
  traded: Traded,
): void {
  const { columns, decisions, lot } = problem;
  const { netPosition, value } = traded;
  const inPart = new Map(
    decisions.flatMap(({ column, least }) => {
      const exact = sharing.value[column]!;
      return isBlock.has(column) && exact > inRatio.exact && exact < 1 - inRatio.exact
        ? [[column, least] as const]
        : [];
    }),
  );
  for (const chosen of lotsTogether(problem, solver, sharing, { giving, blocks: inPart, netPosition, value })) {
    for (const [c, ratio] of chosen.value) {
      if (inPart.has(c))
        for (const [cell, mw] of columns[c]!.legs ?? columns[c]!.cells)
          netPosition[cell]! += toLots(mw * ratio, lot) - toLots(mw * value[c]!, lot);
      value[c] = inPart.has(c) ? asRatio(ratio) : ratio;
    }
    for (const [k, lots] of chosen.lots) giving[k]!.tell(lots);
  }
}
