/** What is due beside the reasons of blocks and complex orders (market rules, section 12). */

import type { Reason } from '../../market/result.ts';
import { halfCent, leastShare } from '../numbers/tolerances.ts';
import { type Block, type Blocks, fullEnergy, fullGain, moneySlack } from '../view/families.ts';
import { type Complex, stagesOf } from '../view/units.ts';
import type { View } from '../view/view.ts';
import { meanPrice } from './complex.ts';
import { type Numbers, noNumbers } from './numbers-told.ts';

export function numbersOfBlock(view: View, blocks: Blocks, block: Block, { code, binding }: Reason): Numbers {
  const gain = fullGain(view, block);
  const away = (each: Block) => -unitGain(view, blocks, each) / unitEnergy(view, blocks, each);
  switch (code) {
    case 'out_of_the_money':
      return { ...noNumbers, distance: [-gain / fullEnergy(view, block)] };
    case 'family_loss':
      return { ...rescuers(view, blocks, block), distance: [-gain / fullEnergy(view, block)] };
    case 'parent_rejected': {
      const parent = blocks.parentOf(block);
      return parent === undefined ? noNumbers : { distance: [away(parent)], missed: gain, named: [parent.id] };
    }
    case 'exclusive_sibling': {
      const others = blocks.groupOf(block).filter(({ ratio, key }) => ratio > 0 && key !== block.key);
      return { ...noNumbers, missed: gain, named: others.map(({ id }) => id) };
    }
    case 'loop_loss': {
      const partner = blocks.partnerOf(block);
      return { ...noNumbers, distance: [away(block)], named: partner === undefined ? [] : [partner.id] };
    }
    case 'paradoxically_rejected':
      return paradox(view, blocks, block, gain, binding);
    default:
      return noNumbers;
  }
}

function paradox(view: View, blocks: Blocks, block: Block, gain: number, binding: readonly string[]): Numbers {
  const partner = blocks.partnerOf(block);
  if (partner !== undefined)
    return { ...noNumbers, missed: unitGain(view, blocks, block) * (1 - block.ratio), named: [partner.id] };
  if (block.ratio > 0) return { ...noNumbers, missed: gain * (1 - block.ratio) };
  // Out of the money itself, its children would repay it. Within rounding of the money either may be told, and who is named says which.
  const energy = fullEnergy(view, block);
  const family = rescuers(view, blocks, block);
  const isRepaid = gain <= leastShare * energy && family.named.length > 0;
  return isRepaid || (gain <= moneySlack(view, energy) && binding.length > 0)
    ? { ...family, missed: bestFamily(view, blocks, block) }
    : { ...noNumbers, missed: gain };
}

/** Money that both legs of a loop, or a block alone, gain whole. */
function unitGain(view: View, blocks: Blocks, block: Block): number {
  const partner = blocks.partnerOf(block);
  return fullGain(view, block) + (partner === undefined ? 0 : fullGain(view, partner));
}

function unitEnergy(view: View, blocks: Blocks, block: Block): number {
  const partner = blocks.partnerOf(block);
  return fullEnergy(view, block) + (partner === undefined ? 0 : fullEnergy(view, partner));
}

/** Money of a block with those of its descendants that help it. */
function bestFamily(view: View, blocks: Blocks, block: Block): number {
  const helping = blocks.childrenOf(block).map((child) => Math.max(0, bestFamily(view, blocks, child)));
  return fullGain(view, block) + helping.reduce((sum, money) => sum + money, 0);
}

/** Children that would help a block; those that are at the money may be named or not. */
function rescuers(view: View, blocks: Blocks, block: Block): Numbers {
  const children = blocks.childrenOf(block).map((child) => {
    return { id: child.id, money: bestFamily(view, blocks, child), slack: moneySlack(view, fullEnergy(view, child)) };
  });
  return {
    ...noNumbers,
    named: children.filter(({ money, slack }) => money > slack).map(({ id }) => id),
    maybe: children.filter(({ money, slack }) => Math.abs(money) <= slack).map(({ id }) => id),
  };
}

/** What the order was told of its condition is checked as its surplus. */
export function numbersOfComplex(view: View, unit: Complex, { code }: Reason): Numbers {
  const { order, outcome, sign, power, span } = unit;
  const energy = order.steps.reduce((sum, step) => sum + step.power, 0) * span * view.hours;
  switch (code) {
    case 'mic_unmet':
    case 'sco_fixed_term_unmet':
      return { ...noNumbers, distance: [-outcome.surplus / energy], off: halfCent / energy };
    case 'paradoxically_rejected_complex':
      return { ...noNumbers, missed: outcome.surplus };
    case 'out_of_the_money':
    case 'gradient_limited': {
      let [nearest, held] = [Infinity, 0];
      for (const stage of stagesOf(order, view.book)) {
        const at = sign * meanPrice(view, unit, stage.from);
        let left = power[stage.from]! - stage.steps.reduce((sum, { least }) => sum + least, 0);
        for (const { least, most, cost } of stage.steps) {
          const done = Math.max(0, Math.min(left, most - least));
          left -= done;
          const open = most - least - done;
          if (open <= view.eq / 2) continue;
          nearest = Math.min(nearest, Math.max(0, cost - at));
          held += Math.max(0, at - cost) * open * span * view.hours;
        }
      }
      return code === 'gradient_limited' ? { ...noNumbers, missed: held } : { ...noNumbers, distance: [nearest] };
    }
    default:
      return noNumbers;
  }
}
