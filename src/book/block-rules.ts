/** What a block and a flexible order must be on their own. How blocks may name each other: `relations.ts`. */

import { mostShifted } from '../market/bounds.ts';
import type { BlockOrder, FlexibleOrder } from '../market/order.ts';
import type { OrderTerms } from './terms.ts';

export function checkBlock(block: BlockOrder, at: OrderTerms): void {
  at.price(block.price, 'price');
  if (block.profile !== undefined) checkProfile(block.profile, at);
  checkRange(block, at);
  const { loopWith, linkedTo, exclusiveGroup } = block;
  if (loopWith === undefined) return;
  if (linkedTo !== undefined)
    at.fault('linkedTo', 'link-of-loop', 'a leg of a loop has no parent; leave out linkedTo or loopWith');
  if (exclusiveGroup !== undefined)
    at.fault('exclusiveGroup', 'group-of-loop', 'a leg of a loop is in no group; leave out exclusiveGroup or loopWith');
}

function checkProfile(profile: NonNullable<BlockOrder['profile']>, at: OrderTerms): void {
  const seen = new Set<number>();
  profile.forEach(({ period, power }, i) => {
    at.period(period, `profile.${i}.period`);
    at.power(power, `profile.${i}.power`);
    if (seen.has(period)) at.fault(`profile.${i}.period`, 'period-twice', `period ${period} is in the profile twice`);
    seen.add(period);
  });
}

/** `from`, `to` and `power` are there together, and only instead of a profile. */
function checkRange(block: BlockOrder, at: OrderTerms): void {
  const fields = ['from', 'to', 'power'] as const;
  const given = fields.filter((field) => block[field] !== undefined);
  const { from, to, power } = block;
  if (block.profile !== undefined) {
    for (const field of given)
      at.fault(field, 'two-profiles', `the block has a profile: ${field} says the same again; leave one of them out`);
  } else if (given.length === 0) {
    at.fault('profile', 'missing', 'which periods and powers? give a profile, or from, to and power');
  } else if (from === undefined || to === undefined || power === undefined) {
    for (const field of fields.filter((each) => !given.includes(each)))
      at.fault(field, 'missing', `a block without profile has from, to and power: ${field} is missing`);
  } else {
    at.period(to, 'to');
    at.power(power, 'power');
    if (from > to) at.fault('to', 'ends-before-start', `period ${to} comes before period ${from}, where it starts`);
  }
}

export function checkFlexible(order: FlexibleOrder, at: OrderTerms): void {
  const { price, power, duration, earliest, latest } = order;
  at.price(price, 'price');
  at.power(power, 'power');
  if (earliest > latest) {
    const message = `the latest start ${latest} comes before the earliest ${earliest}: there is no start`;
    at.fault('latest', 'empty-window', message);
  }
  const end = latest + duration - 1;
  if (at.periods !== undefined && end > at.periods) {
    const message = `started in ${latest}, ${duration} periods end in ${end}: the auction has ${at.periods}`;
    at.fault('latest', 'window-too-short', message);
  }
  const cells = (latest - earliest + 1) * duration;
  if (cells > mostShifted) {
    const message = `${latest - earliest + 1} starts of ${duration} periods are ${cells} in all, more than ${mostShifted}`;
    at.fault('latest', 'window-too-wide', message);
  }
}
