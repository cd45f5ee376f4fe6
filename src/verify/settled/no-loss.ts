/** That nobody who is accepted loses, as rules over prices (market rules, 2.3 to 2.8). */

import { dust } from '../numbers/tolerances.ts';
import { type Block, blocksOf } from '../view/families.ts';
import type { Ranged } from '../view/shut.ts';
import { askedOf, isBlock, isComplex, isOn, isSwitched, type Unit, worthOf } from '../view/units.ts';

/** The sum of MW times prices, by zone and MTU, is at least `least` (currency per hour). */
export interface NoLoss {
  readonly terms: readonly { readonly z: number; readonly t: number; readonly mw: number }[];
  readonly least: number;
  /** Volumes at the money count in it, as they were before they were rounded: the rule is known to a lot of each only. */
  readonly vague: boolean;
}

export function noLossOf(view: Ranged): NoLoss[] {
  const blocks = blocksOf(view);
  const rules: NoLoss[] = [];
  for (const unit of view.units) {
    if (isComplex(unit)) {
      if (isOn(unit) && isSwitched(unit.order)) rules.push(ofComplex(view, unit));
    } else if (unit.ratio > 0) {
      const together: Unit[] = [unit];
      if (isBlock(unit)) {
        const partner = blocks.partnerOf(unit);
        if (partner !== undefined) together.push(partner);
        for (const each of together)
          together.push(...blocks.childrenOf(each as Block).filter(({ ratio }) => ratio > 0));
      }
      rules.push(ofUnits(view, together));
    }
  }
  return rules;
}

function ofUnits({ periods }: Ranged, units: readonly Unit[]): NoLoss {
  const byZone = new Map<number, number[]>();
  let least = 0;
  for (const unit of units) {
    const { zone, sign, order, ratio } = unit;
    // A ratio is published to more digits than what lots make of it.
    const power = isBlock(unit) && ratio < 1 ? askedOf(unit, periods).map((mw) => ratio * mw) : unit.power;
    const sum = byZone.get(zone) ?? new Array<number>(periods).fill(0);
    byZone.set(zone, sum);
    power.forEach((mw, t) => {
      sum[t]! += sign * mw;
      if (order.kind !== 'complex') least += sign * mw * order.price;
    });
  }
  // What differences of powers leave of nothing is nothing.
  const lost = dust(...units.flatMap(({ power }) => power));
  const terms = [...byZone].flatMap(([z, row]) => row.flatMap((mw, t) => (Math.abs(mw) <= lost ? [] : [{ z, t, mw }])));
  return { terms, least, vague: false };
}

function ofComplex({ book, hours }: Ranged, unit: Unit): NoLoss {
  const { order, zone: z, sign, power } = unit;
  const terms = power.flatMap((mw, t) => (mw === 0 ? [] : [{ z, t, mw: sign * mw }]));
  if (order.kind === 'complex' && order.condition === 'minimum-income') {
    const energy = power.reduce((sum, mw) => sum + mw, 0);
    return { terms, least: order.fixedTerm / hours + order.variableTerm * energy, vague: true };
  }
  return { terms, least: -worthOf(unit, book) / hours, vague: true };
}
