/**
 * Blocks and flexible orders: one ratio each, and nobody executed at a loss (INV-08 to INV-13).
 *
 * A block's gain is linear in its ratio. So what the rules of section 2.3 say of one block, and 2.4 and 2.5 of families and groups, is that
 * the ratios of what is accepted are the best at the published prices, and that no subtree, member or pair loses.
 */

import { type Check, Findings } from '../check.ts';
import { mostOf } from '../numbers/simplex.ts';
import { halfCent, leastShare, sameRatio } from '../numbers/tolerances.ts';
import { type Block, type Blocks, blocksOf, fullEnergy, fullGain, moneySlack } from '../view/families.ts';
import { energyOf, gainOfProfile, profileOf } from '../view/units.ts';

import { isExcusedBlock, type View } from '../view/view.ts';

export function checkBlocks(view: View): Check[] {
  const blocks = blocksOf(view);
  const accepted = blocks.all.filter(({ ratio }) => ratio > 0);
  return [
    checkRatios(view, blocks.all),
    checkUnlinked(view, blocks, accepted),
    checkBest(view, blocks, accepted),
    checkFamilies(view, blocks, accepted),
    checkGroups(view, blocks, accepted),
    checkLoops(view, blocks),
  ];
}

function checkRatios({ eq }: View, blocks: readonly Block[]): Check {
  const found = new Findings('INV-08', 'a block has one ratio, none or at least its minimum');
  for (const { id, order, outcome, ratio } of blocks) {
    const inside = ratio === 0 || (ratio >= order.minAcceptance - leastShare && ratio <= 1);
    found.expect(inside, id, () => `ratio ${ratio}, allowed 0 or ${order.minAcceptance} to 1`);
    const told = outcome.power as number[];
    profileOf(order).forEach(({ period, power }, i) => {
      const off = Math.abs(told[i]! - ratio * power);
      found.expect(off <= eq, `${id}/${period}`, () => `${told[i]} of ${power} MW with ratio ${ratio}`);
    });
  }
  return found.check;
}

/** On its own: no accepted child, no group, no loop. */
const isUnlinked = ({ childrenOf, groupOf, partnerOf }: Blocks, block: Block): boolean =>
  childrenOf(block).every(({ ratio }) => ratio === 0) && groupOf(block).length === 0 && partnerOf(block) === undefined;

/** A block over several MTUs that is told to be less than its prices say (section 4). */
const isGivingWay = (view: View, block: Block): boolean => isExcusedBlock(view, block);

function checkUnlinked(view: View, blocks: Blocks, accepted: readonly Block[]): Check {
  const found = new Findings('INV-09', 'no block or flexible order is accepted at a loss');
  for (const block of accepted) {
    if (!isUnlinked(blocks, block)) continue;
    const gain = block.ratio * fullGain(view, block);
    const slack = moneySlack(view, block.ratio * fullEnergy(view, block));
    found.expect(gain >= -slack, block.id, () => `loses ${-gain}`);
  }
  for (const unit of view.units) {
    const { id, order, outcome } = unit;
    if (order.kind !== 'flexible' || outcome.start === undefined) continue;
    const profile = profileOf(order, outcome.start);
    const gain = gainOfProfile(unit, profile, order.price, view.price[unit.zone]!, view.hours);
    found.expect(gain >= -moneySlack(view, energyOf(profile, unit, view.hours)), id, () => `loses ${-gain}`);
  }
  return found.check;
}

/**
 * INV-10: ratios between their ends are at the money. For blocks that are linked or share a group the same is said of all of them together:
 * no other ratios, within what their links and groups leave, gain more. A small linear program over the changes; what a change gains is counted
 * less what rounded prices explain of it.
 */
function checkBest(view: View, blocks: Blocks, accepted: readonly Block[]): Check {
  const found = new Findings('INV-10', 'ratios between their ends are at the money');
  for (const family of together(blocks, accepted)) {
    const at = new Map(family.map((block, i) => [block, i]));
    const gain: number[] = [];
    const rows: { entries: [number, number][]; room: number }[] = [];
    /** Two variables a block: its ratio more, and less. */
    const change = (block: Block, factor: number): [number, number][] => [
      [2 * at.get(block)!, factor],
      [2 * at.get(block)! + 1, -factor],
    ];
    for (const block of family) {
      const { ratio, order } = block;
      const [money, rounding] = [fullGain(view, block), moneySlack(view, fullEnergy(view, block))];
      gain.push(money - rounding, -money - rounding);
      rows.push(
        // Nobody asks for more of what gives way.
        { entries: change(block, 1), room: isGivingWay(view, block) ? 0 : 1 - ratio },
        { entries: change(block, -1), room: ratio - order.minAcceptance },
      );
      const parent = blocks.parentOf(block);
      if (parent !== undefined && at.has(parent))
        rows.push({ entries: [...change(block, 1), ...change(parent, -1)], room: parent.ratio - ratio });
      const group = blocks.groupOf(block).filter((member) => at.has(member));
      if (group[0] === block) {
        const room = 1 - group.reduce((sum, member) => sum + member.ratio, 0);
        rows.push({ entries: group.flatMap((member) => change(member, 1)), room });
      }
      // Both legs of a loop have one ratio.
      const partner = blocks.partnerOf(block);
      if (partner !== undefined && at.has(partner))
        rows.push({ entries: [...change(block, 1), ...change(partner, -1)], room: 0 });
    }
    const most = mostOf(gain, rows);
    const ids = family.map(({ id, ratio }) => `${id} ${ratio}`).join(', ');
    // Half a cent is what publishing money hides, and far above the dust of the program's pivots. Where several share what none is at the money
    // for, whole lots leave each a lot off its ratio.
    const lots = family.reduce(
      (sum, block) => sum + (family.length < 2 ? 0 : lotOf(view, block)) + lotsBeside(view, blocks, block),
      0,
    );
    found.expect(most <= halfCent + lots, family[0]!.id, () => `other ratios than ${ids} would gain ${most} more`);
  }
  return found.check;
}

/** Money that a lot more or less of a block that is cut comes to. */
function lotOf(view: View, block: Block): number {
  if (block.ratio === 1 || view.book.lot === undefined) return 0;
  return (Math.abs(fullGain(view, block)) * view.eq) / largestOf(block.order);
}

/** Money that a block gains by what of its group's unit is less than a lot of others, which have nothing then. */
function lotsBeside(view: View, blocks: Blocks, block: Block): number {
  if (view.book.lot === undefined) return 0;
  const idle = blocks.groupOf(block).filter(({ ratio, order }) => ratio === 0 && order.minAcceptance === 0);
  const share = idle.reduce((sum, { order }) => sum + view.eq / largestOf(order), 0);
  return Math.abs(fullGain(view, block)) * Math.min(share, 1 - block.ratio);
}

const largestOf = (order: Block['order']): number =>
  profileOf(order).reduce((most, { power }) => Math.max(most, power), 0);

/** Accepted blocks that a link, a group or a loop ties together. */
function together(blocks: Blocks, accepted: readonly Block[]): Block[][] {
  const seen = new Set<Block>();
  return accepted.flatMap((start) => {
    if (seen.has(start)) return [];
    const family = [start];
    seen.add(start);
    for (const block of family) {
      const others = [
        blocks.parentOf(block),
        blocks.partnerOf(block),
        ...blocks.childrenOf(block),
        ...blocks.groupOf(block),
      ];
      for (const other of others) {
        if (other === undefined || other.ratio === 0 || seen.has(other)) continue;
        seen.add(other);
        family.push(other);
      }
    }
    return [family];
  });
}

function checkFamilies(view: View, blocks: Blocks, accepted: readonly Block[]): Check {
  const found = new Findings('INV-11', 'no child without its parent, no subtree at a loss');
  for (const block of blocks.all) {
    const parent = blocks.parentOf(block);
    if (parent !== undefined)
      found.expect(
        block.ratio <= parent.ratio + sameRatio,
        block.id,
        () => `ratio ${block.ratio} above ${parent.ratio} of its parent ${parent.id}`,
      );
  }
  for (const block of accepted) {
    if (blocks.parentOf(block) === undefined && blocks.childrenOf(block).length === 0) continue;
    const subtree: Block[] = [block];
    for (const each of subtree) subtree.push(...blocks.childrenOf(each).filter(({ ratio }) => ratio > 0));
    const total = (of: (each: Block) => number) => subtree.reduce((sum, each) => sum + each.ratio * of(each), 0);
    const gain = total((each) => fullGain(view, each));
    // Where one repays the other, whole lots leave each a lot off its ratio.
    const lots = subtree.length < 2 ? 0 : subtree.reduce((sum, each) => sum + lotOf(view, each), 0);
    const rounding = moneySlack(
      view,
      total((each) => fullEnergy(view, each)),
    );
    found.expect(
      gain >= -rounding - lots,
      block.id,
      () => `loses ${-gain} with ${subtree.length - 1} accepted below it`,
    );
  }
  return found.check;
}

function checkGroups(view: View, blocks: Blocks, accepted: readonly Block[]): Check {
  const found = new Findings('INV-12', 'an exclusive group executes one unit at most, and no member loses');
  for (const block of accepted) {
    const group = blocks.groupOf(block);
    if (group.length === 0) continue;
    const used = group.reduce((sum, { ratio }) => sum + ratio, 0);
    found.expect(used <= 1 + sameRatio, block.id, () => `its group executes ${used}`);
    if (blocks.childrenOf(block).some(({ ratio }) => ratio > 0)) continue;
    const gain = block.ratio * fullGain(view, block);
    const slack = moneySlack(view, block.ratio * fullEnergy(view, block));
    found.expect(gain >= -slack, block.id, () => `loses ${-gain}`);
  }
  return found.check;
}

function checkLoops(view: View, blocks: Blocks): Check {
  const found = new Findings('INV-13', 'the legs of a loop have one ratio, and do not lose together');
  for (const block of blocks.all) {
    const partner = blocks.partnerOf(block);
    if (partner === undefined || partner.id < block.id) continue;
    const { ratio } = block;
    found.expect(ratio === partner.ratio, block.id, () => `ratio ${ratio}, that of ${partner.id} is ${partner.ratio}`);
    if (ratio === 0) continue;
    const gain = ratio * (fullGain(view, block) + fullGain(view, partner));
    const slack = moneySlack(view, ratio * (fullEnergy(view, block) + fullEnergy(view, partner)));
    found.expect(gain >= -slack, block.id, () => `loses ${-gain} with ${partner.id}`);
  }
  return found.check;
}
