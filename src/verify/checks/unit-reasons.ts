/** What blocks, flexible and complex orders are told: their surplus, and why they were not fully executed (market rules, section 12). */

import type { Reason } from '../../market/result.ts';
import { type Check, Findings } from '../check.ts';
import { halfCent, isSameMoney } from '../numbers/tolerances.ts';
import { type Block, type Blocks, blocksOf, fullEnergy, fullGain, moneySlack } from '../view/families.ts';
import {
  type Complex,
  energyOf,
  gainOfProfile,
  isAloneWithoutMinimum,
  isBlock,
  isComplex,
  isOn,
  profileOf,
  stagesOf,
  type Unit,
} from '../view/units.ts';
import { isExcusedBlock, type View } from '../view/view.ts';
import { bestMargin, meanPrice } from './complex.ts';
import { wrongNumbers } from './numbers-told.ts';
import { numbersOfBlock, numbersOfComplex } from './unit-numbers.ts';

/** What an order would gain, between two ends that rounding and ties leave open, and what of that rounded prices explain. */
interface Gain {
  readonly least: number;
  readonly most: number;
  readonly slack: number;
}

/** @returns INV-30; what is wrong with surpluses and reasons goes to the checks that all orders have */
export function checkUnitReasons(view: View, surpluses: Findings, reasons: Findings): Check[] {
  const found = new Findings('INV-30', 'orders are told to be paradoxically rejected exactly where they are');
  const blocks = blocksOf(view);
  for (const unit of view.units) {
    const { id, outcome } = unit;
    const gain = gainOf(view, unit);
    if (gain !== undefined) {
      const told = Math.min(Math.max(outcome.surplus, gain.least), gain.most);
      const fits = isSameMoney(outcome.surplus, told);
      surpluses.expect(fits, id, () => `${outcome.surplus} instead of ${gain.most}`);
    }
    const { reason } = outcome;
    if (reason === undefined) continue;
    const wrong = wrongIn(view, blocks, unit, reason, gain) ?? wrongNumbersOf(view, blocks, unit, reason, gain);
    reasons.expect(wrong === undefined, id, () => `${reason.code}: ${wrong}`);
    if (outcome.status === 'rejected' && gain !== undefined) checkParadox(found, view, blocks, unit, reason, gain);
  }
  return [found.check];
}

function gainOf(view: View, unit: Unit): Gain | undefined {
  const price = view.price[unit.zone]!;
  if (isComplex(unit)) {
    const margin = bestMargin(view, unit);
    const energy = unit.order.steps.reduce((sum, { power }) => sum + power * unit.span * view.hours, 0);
    return margin && { least: margin[0], most: margin[1], slack: moneySlack(view, energy) };
  }
  if (isBlock(unit)) {
    const gain = fullGain(view, unit);
    return { least: gain, most: gain, slack: moneySlack(view, fullEnergy(view, unit)) };
  }
  const { order, outcome } = unit;
  if (order.kind !== 'flexible') return undefined;
  const at = (start: number) => gainOfProfile(unit, profileOf(order, start), order.price, price, view.hours);
  const starts = Array.from({ length: order.latest - order.earliest + 1 }, (_, k) => order.earliest + k);
  const gain = outcome.start === undefined ? Math.max(...starts.map(at)) : at(outcome.start);
  return { least: gain, most: gain, slack: moneySlack(view, energyOf(profileOf(order, 1), unit, view.hours)) };
}

/** Rejected in the money, with nothing else to blame: then, and only then, paradoxically. Within rounding of the money either will do. */
function checkParadox(
  found: Findings,
  view: View,
  blocks: Blocks,
  unit: Unit,
  { code, missedSurplus }: Reason,
  gain: Gain,
): void {
  const told = code === 'paradoxically_rejected' || code === 'paradoxically_rejected_complex';
  let { least, most } = gain;
  let { slack } = gain;
  if (isBlock(unit)) {
    const parent = blocks.parentOf(unit);
    const partner = blocks.partnerOf(unit);
    const sibling = blocks.groupOf(unit).some(({ ratio }) => ratio > 0);
    if ((parent !== undefined && parent.ratio === 0 && least > 0) || (sibling && least > 0)) {
      const others = Math.abs(least) <= slack || !told;
      found.expect(others, unit.id, () => `${code}, but its parent or a sibling decided it`);
      return;
    }
    if (partner !== undefined) {
      const joint = least + fullGain(view, partner);
      [least, most, slack] = [joint, joint, 2 * slack + halfCent];
    } else if (least <= slack && blocks.childrenOf(unit).length > 0) {
      // Its children would have to repay it: what they could is not looked at here.
      return;
    }
  } else if (
    unit.order.kind === 'complex' &&
    (code === 'out_of_the_money' || code === 'partial_at_the_money' || code === 'gradient_limited')
  )
    return;
  found.expect(told ? most >= -slack : least <= slack, unit.id, () => `${code} with ${most} missed`);
  const missed = Math.max(0, most);
  const fits = missedSurplus >= Math.max(0, least) - slack - halfCent && missedSurplus <= missed + slack + halfCent;
  found.expect(!told || fits, unit.id, () => `missed surplus ${missedSurplus} instead of ${missed}`);
}

/** What is wrong with a reason; undefined when nothing is. */
function wrongIn(view: View, blocks: Blocks, unit: Unit, reason: Reason, gain: Gain | undefined): string | undefined {
  const { code } = reason;
  if (isComplex(unit)) return wrongInComplex(view, unit, reason, gain);
  if (isBlock(unit)) return wrongInBlock(view, blocks, unit, reason, gain!);
  if (code === 'paradoxically_rejected') return undefined;
  if (code !== 'out_of_the_money') return 'is no reason for a flexible order';
  return gain!.most <= gain!.slack ? undefined : `it would gain ${gain!.most}`;
}

function wrongNumbersOf(
  view: View,
  blocks: Blocks,
  unit: Unit,
  reason: Reason,
  gain: Gain | undefined,
): string | undefined {
  if (isComplex(unit)) return wrongNumbers(reason, numbersOfComplex(view, unit, reason));
  if (isBlock(unit)) return wrongNumbers(reason, numbersOfBlock(view, blocks, unit, reason));
  const { order } = unit;
  if (order.kind !== 'flexible') return undefined;
  const energy = energyOf(profileOf(order, 1), unit, view.hours);
  const isOut = reason.code === 'out_of_the_money';
  return wrongNumbers(reason, {
    distance: [isOut ? -gain!.most / energy : 0],
    missed: isOut ? 0 : gain!.most,
    named: [],
  });
}

function wrongInBlock(
  view: View,
  blocks: Blocks,
  block: Block,
  reason: Reason,
  { most: gain, slack }: Gain,
): string | undefined {
  const { code, distance, missedSurplus, binding } = reason;
  const [parent, partner] = [blocks.parentOf(block), blocks.partnerOf(block)];
  if (code === 'partial_at_the_money')
    return block.ratio > 0 && block.ratio < 1 ? undefined : `its ratio is ${block.ratio}`;
  if (code === 'paradoxically_rejected' && block.ratio > 0) {
    if (!isExcusedBlock(view, block)) return 'it was executed in part';
    const missed = (gain + (partner === undefined ? 0 : fullGain(view, partner))) * (1 - block.ratio);
    return Math.abs(missedSurplus - missed) <= slack + halfCent ? undefined : `missed ${missed}, not ${missedSurplus}`;
  }
  if (block.ratio > 0) return 'it was executed in part';
  switch (code) {
    case 'out_of_the_money': {
      if (gain > slack) return `it would gain ${gain}`;
      const away = Math.max(0, -gain / fullEnergy(view, block));
      return Math.abs(distance - away) <= 2 * view.ep ? undefined : `distance ${distance} instead of ${away}`;
    }
    case 'family_loss':
      return gain <= slack && blocks.childrenOf(block).length > 0
        ? undefined
        : 'it has no children that it would lose with';
    case 'parent_rejected':
      if (parent === undefined || parent.ratio > 0) return 'no parent of it was rejected';
      return binding.includes(parent.id) ? undefined : `does not name ${parent.id}`;
    case 'exclusive_sibling': {
      const others = blocks.groupOf(block).filter(({ ratio }) => ratio > 0);
      if (others.length === 0) return 'no other of its group was accepted';
      return others.some(({ id }) => binding.includes(id)) ? undefined : 'does not name who was';
    }
    case 'loop_loss': {
      if (partner === undefined) return 'it is no leg of a loop';
      const joint = gain + fullGain(view, partner);
      return joint <= 2 * slack ? undefined : `both legs would gain ${joint}`;
    }
    case 'paradoxically_rejected':
      return isAloneWithoutMinimum(block, view.units) && !isExcusedBlock(view, block)
        ? 'it has no minimum and is alone: nothing was decided about it'
        : undefined;
    default:
      return 'is no reason for a block';
  }
}

function wrongInComplex(view: View, unit: Complex, reason: Reason, gain: Gain | undefined): string | undefined {
  const { code, distance } = reason;
  const traded = unit.power.some((mw) => mw > 0);
  if (!isOn(unit)) {
    const isIncome = unit.order.condition === 'minimum-income';
    if (code === 'scheduled_stop') return traded ? undefined : 'nothing of it was executed';
    if (traded) return 'its stop steps were executed';
    if (code === 'paradoxically_rejected_complex') return undefined;
    if (code !== (isIncome ? 'mic_unmet' : 'sco_fixed_term_unmet')) return 'is no reason for an order that is off';
    return gain === undefined || gain.least <= gain.slack
      ? undefined
      : `its condition would hold, with ${gain.least} over`;
  }
  const open = stagesOf(unit.order, view.book).flatMap((stage) => {
    const at = unit.sign * meanPrice(view, unit, stage.from);
    let more = unit.power[stage.from]! - stage.steps.reduce((sum, { least }) => sum + least, 0);
    return stage.steps.flatMap(({ least, most, cost }) => {
      const done = Math.max(0, Math.min(more, most - least));
      more -= done;
      // What the stage trades is published as one sum, rounded to the lot: so much of it is lost on the way back.
      return most - least - done > view.eq / 2 ? [at - cost] : [];
    });
  });
  const best = Math.max(...open);
  switch (code) {
    case 'gradient_limited':
      if (unit.order.loadGradient === undefined) return 'it has no gradient';
      return best > -view.ep ? undefined : 'nothing in the money was held back';
    case 'partial_at_the_money':
      return Math.abs(best) <= 2 * view.ep ? undefined : `the nearest step is ${best} away`;
    case 'out_of_the_money':
      if (best > 2 * view.ep) return `a step would gain ${best}`;
      return Math.abs(distance - Math.max(0, -best)) <= 2 * view.ep
        ? undefined
        : `distance ${distance} instead of ${-best}`;
    default:
      return 'is no reason for an order that is on';
  }
}
