/**
 * INV-36 without a solver: a rejected block or flexible order that would fit in at the same prices shows that a result that calls itself
 * optimal is not.
 *
 * Where orders at the money are executed in part, somebody in the money can take their place: every price stays as it is, so everybody
 * still has what they want, and the welfare grows by what the newcomer gains. That all other choices are no better either takes a search:
 * the oracle tries them on small books (`test/clearing/oracle.test.ts`).
 */

import { type Check, Findings } from '../check.ts';
import { halfCent } from '../numbers/tolerances.ts';
import { type Block, blocksOf } from '../view/families.ts';
import { energyOf, gainOfProfile, isBlock, profileOf, spanOf } from '../view/units.ts';

import type { View } from '../view/view.ts';

/** MW at the money by zone and MTU that can make room: for a sell, for a buy. */
interface Room {
  readonly sell: number[][];
  readonly buy: number[][];
}

export function checkSpot(view: View): Check {
  const { result, units, price, hours, book, ep } = view;
  const found = new Findings('INV-36', 'nobody left out would fit in at the same prices');
  if (result.status !== 'optimal') return found.check;
  const room = roomOf(view);
  const blocks = blocksOf(view);
  for (const unit of units) {
    const { order, id, zone, sign, outcome } = unit;
    if (order.kind === 'complex' || outcome.status !== 'rejected') continue;
    if (isBlock(unit) && !isFree(unit, blocks)) continue;
    const starts =
      order.kind === 'block'
        ? [0]
        : Array.from({ length: order.latest - order.earliest + 1 }, (_, k) => order.earliest + k);
    const span = spanOf(order, book);
    const missed = starts.map((start) => {
      const profile = profileOf(order, start);
      const fits = profile.every(({ period, power }) =>
        Array.from({ length: span }, (_, k) => room[order.side][zone]![(period - 1) * span + k]!).every(
          (mw) => mw >= power,
        ),
      );
      const gain = gainOfProfile({ sign, span }, profile, order.price, price[zone]!, hours);
      return fits ? gain - 2 * ep * energyOf(profile, unit, hours) : 0;
    });
    const most = Math.max(...missed);
    found.expect(most <= 2 * halfCent, id, () => `fits in at these prices and gains ${most}`);
  }
  return found.check;
}

/** May it be on as far as others are concerned: its parent is wholly on, nobody of its group is, and no second leg has to be found room for. */
const isFree = (block: Block, { parentOf, groupOf, partnerOf }: ReturnType<typeof blocksOf>): boolean =>
  (parentOf(block)?.ratio ?? 1) === 1 &&
  partnerOf(block) === undefined &&
  groupOf(block).every(({ ratio }) => ratio === 0);

function roomOf({ price, periods, positions, eq }: View): Room {
  const none = () => price.map(() => new Array<number>(periods).fill(0));
  const room: Room = { sell: none(), buy: none() };
  for (const { zone, from, span, offers, executed } of positions) {
    offers.forEach(({ side, first, last, power }, i) => {
      const done = executed[i]!;
      // Executed in part on a step is at the money; a lot stays for rounding.
      if (span > 1 || first !== last || done <= eq || done >= power - eq) return;
      const [more, less] = [power - done - eq, done - eq];
      room.sell[zone]![from]! += side === 'sell' ? less : more;
      room.buy[zone]![from]! += side === 'sell' ? more : less;
    });
  }
  return room;
}
