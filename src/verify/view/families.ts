/** Blocks, how they name each other, and what each gains at the published prices. */

import type { BlockOrder, BookOrder } from '../../market/order.ts';
import type { Seen } from './seen.ts';
import { energyOf, gainOfProfile, isBlock, profileOf, type Unit } from './units.ts';

export type Block = Unit & { readonly order: BlockOrder & BookOrder };

/** Blocks by name, and how they name each other. */
export interface Blocks {
  readonly all: readonly Block[];
  readonly parentOf: (block: Block) => Block | undefined;
  readonly partnerOf: (block: Block) => Block | undefined;
  readonly childrenOf: (block: Block) => readonly Block[];
  /** Members of its exclusive group, itself among them. */
  readonly groupOf: (block: Block) => readonly Block[];
}

export function blocksOf({ units }: Pick<Seen, 'units'>): Blocks {
  const all = units.filter(isBlock);
  const byKey = new Map(all.map((block) => [block.key, block]));
  const nameOf = ({ order }: Block, id: string) => `${order.participant ?? ''}/${id}`;
  const named = (block: Block, id: string | undefined) => (id === undefined ? undefined : byKey.get(nameOf(block, id)));
  const parentOf = (block: Block) => named(block, block.order.linkedTo);
  const children = Map.groupBy(all, (block) => parentOf(block)?.key);
  const groups = Map.groupBy(all, (block) => block.order.exclusiveGroup && nameOf(block, block.order.exclusiveGroup));
  return {
    all,
    parentOf,
    partnerOf: (block) => named(block, block.order.loopWith),
    childrenOf: (block) => children.get(block.key) ?? [],
    groupOf: (block) =>
      block.order.exclusiveGroup === undefined ? [] : groups.get(nameOf(block, block.order.exclusiveGroup))!,
  };
}

/** Money that a block gains at the published prices with ratio 1. */
export const fullGain = (view: Seen, block: Block): number =>
  gainOfProfile(block, profileOf(block.order), block.order.price, view.price[block.zone]!, view.hours);

export const fullEnergy = (view: Seen, block: Block): number => energyOf(profileOf(block.order), block, view.hours);

/** What rounded prices and volumes explain of a gain, in money. */
export const moneySlack = ({ ep }: Seen, energy: number): number => ep * energy;
