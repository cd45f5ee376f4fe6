/** What the decisions leave of blocks and complex orders to choose: a ratio above its least, steps of a schedule (market rules, 2.3 to 2.8). */

import { type Block, blocksOf } from '../view/families.ts';
import type { Ranged } from '../view/shut.ts';
import {
  askedOf,
  type Complex,
  isAloneWithoutMinimum,
  isComplex,
  isOn,
  type Stage,
  stagesOf,
  stopSteps,
  termsInWelfare,
} from '../view/units.ts';
import type { Draft } from './program.ts';

type Entries = readonly (readonly [column: number, factor: number])[];

export function addUnits(view: Ranged, to: Draft): void {
  const { units, periods } = view;
  addRatios(view, to);
  for (const unit of units) {
    if (isComplex(unit)) addComplex(view, to, unit);
    const { order, zone, sign, power } = unit;
    if (order.kind === 'complex' || (order.kind === 'block' && order.minAcceptance < 1)) continue;
    power.forEach((mw, t) => {
      if (mw === 0) return;
      to.fixed[zone * periods + t]! += sign * mw;
      to.worth[zone * periods + t]! -= sign * mw * order.price;
    });
  }
}

/** A parent has no less than a child that is executed in full or not at all. */
const leastWith = (blocks: ReturnType<typeof blocksOf>, block: Block): number =>
  blocks.childrenOf(block).some((child) => child.ratio > 0 && leastWith(blocks, child) === 1)
    ? 1
    : block.order.minAcceptance;

/** Blocks that are on and may be cut; one that is off, or executes nothing of what it is on with, asks nothing of prices. */
function addRatios(view: Ranged, to: Draft): void {
  const { units, periods } = view;
  const blocks = blocksOf(view);
  const columnOf = new Map<Block, number>();
  for (const block of blocks.all) {
    const { minAcceptance } = block.order;
    if (minAcceptance === 1 || columnOf.has(block)) continue;
    if (block.ratio === 0 && !isAloneWithoutMinimum(block, units)) continue;
    const partner = blocks.partnerOf(block);
    const legs = partner === undefined ? [block] : [block, partner];
    // Legs that cancel out move nothing: whatever their ratio, it asks nothing of prices.
    const cells = new Map<number, number>();
    let cost = 0;
    for (const leg of legs)
      askedOf(leg, periods).forEach((mw, t) => {
        const cell = leg.zone * periods + t;
        if (mw === 0) return;
        cells.set(cell, (cells.get(cell) ?? 0) + leg.sign * mw);
        cost += leg.sign * mw * leg.order.price;
      });
    const moved = [...cells].filter(([, mw]) => mw !== 0);
    if (moved.length === 0) {
      to.worth[block.zone * periods]! -= cost * block.ratio;
      continue;
    }
    const c = to.column({
      cells: moved,
      cost,
      least: leastWith(blocks, block),
      most: 1,
      told: block.ratio,
      order: block.id,
    });
    for (const leg of legs) columnOf.set(leg, c);
  }
  for (const [block, c] of columnOf) {
    const parent = blocks.parentOf(block);
    const above = parent && columnOf.get(parent);
    if (above !== undefined)
      to.row(
        [
          [c, 1],
          [above, -1],
        ],
        -Infinity,
        0,
      );
  }
  const groups = new Set([...columnOf.keys()].map((block) => blocks.groupOf(block)).filter(({ length }) => length > 1));
  for (const members of groups) {
    const taken = members.reduce((sum, each) => sum + (columnOf.has(each) ? 0 : each.ratio), 0);
    const own = members.flatMap((each): Entries => (columnOf.has(each) ? [[columnOf.get(each)!, 1]] : []));
    to.row(own, -Infinity, 1 - taken);
  }
}

function addComplex(view: Ranged, to: Draft, unit: Complex): void {
  const { book, periods, hours } = view;
  const { order, zone, sign, span, power } = unit;
  const cellsAt = (from: number) => Array.from({ length: span }, (_, k) => [zone * periods + from + k, sign] as const);
  if (!isOn(unit)) {
    for (const { from, price, power: most } of stopSteps(order, book))
      to.column({
        cells: cellsAt(from),
        cost: sign * price * span,
        least: 0,
        most,
        told: power[from]!,
        order: unit.id,
      });
    return;
  }
  if (termsInWelfare(order)) to.worth[zone * periods]! -= order.fixedTerm / hours;
  const stages = stagesOf(order, book);
  const entriesOf: Entries[] = [];
  const held: number[] = [];
  for (const stage of stages) {
    const forced = stage.steps.reduce((sum, { least }) => sum + least, 0);
    for (const [cell, mw] of cellsAt(stage.from)) to.fixed[cell]! += mw * forced;
    to.worth[zone * periods]! -= stage.steps.reduce((sum, { least, cost }) => sum + least * cost * span, 0);
    const entries = addStage(stage, power[stage.from]! - forced);
    entriesOf.push(entries);
    held.push(forced);
    if (stage.least > forced) to.row(entries, stage.least - forced, Infinity);
  }
  if (order.loadGradient === undefined) return;
  const { up, down } = order.loadGradient;
  for (let k = 1; k < stages.length; k++) {
    const more = held[k]! - held[k - 1]!;
    const entries = [...entriesOf[k]!, ...entriesOf[k - 1]!.map(([c, f]) => [c, -f] as const)];
    to.row(entries, -down * hours - more, up * hours - more);
  }

  function addStage({ from, steps }: Stage, told: number): Entries {
    let left = told;
    return steps.map(({ least, most, cost }) => {
      const own = Math.max(0, Math.min(left, most - least));
      left -= own;
      return [
        to.column({ cells: cellsAt(from), cost: cost * span, least: 0, most: most - least, told: own, order: unit.id }),
        1,
      ] as const;
    });
  }
}
