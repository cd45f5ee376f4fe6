/**
 * Where rules may give way (market rules, section 4).
 *
 * Prices have limits, so there may be none that keep every rule at the volumes that serve welfare best. Then, and only then, orders over several
 * MTUs are executed less than their average price asks; only if that is not enough, price tests of ramped lines give way; only if that is
 * not enough either, those of flow-based exchange. Orders of one MTU and plain lines never do.
 *
 * Whether prices exist is asked of each part of the market that orders, lines, ramps and exchange tie together (`supporting.ts`).
 */

import { blocksOf } from './families.ts';
import type { Ranged } from './shut.ts';
import { type Cell, type Rule, supportingPrices } from './supporting.ts';
import { askedOf, isAloneWithoutMinimum, isBlock } from './units.ts';

const before: Readonly<Record<Rule, readonly Rule[]>> = {
  'long orders': [],
  ramps: ['long orders'],
  exchange: ['long orders', 'ramps'],
};

/** Whether a rule may give way in a zone and MTU. */
export type MayGiveWay = (rule: Rule, zone: number, t: number) => boolean;

export function givingWay(view: Ranged): MayGiveWay {
  let parts: ReturnType<typeof partsOf> | undefined;
  const known = new Map<string, boolean>();
  return (rule, zone, t) => {
    parts ??= partsOf(view);
    const part = parts.of(zone, t);
    const name = `${part}/${rule}`;
    let may = known.get(name);
    if (may === undefined) {
      const cells = parts.cellsOf(part);
      const limited = supportingPrices(view, cells, new Set(before[rule]));
      // Only the limits may stand in the way: either prices beyond them would keep every rule, or a price at a limit shows it, elsewhere prices
      // could move on.
      const isLimits = () =>
        supportingPrices(view, cells, new Set(), false) === true || isAtLimit(view, cells) || isOfAnyDecision();
      // Where not even those that trade freely have prices within them, but beyond, it is not the accepted blocks that ask for too much.
      const isOfAnyDecision = () =>
        supportingPrices(view, cells, new Set(before[rule]), true, false) === false &&
        supportingPrices(view, cells, new Set(), false, false) === true;
      may = limited !== true && isLimits();
      known.set(name, may);
    }
    return may;
  };
}

function isAtLimit({ price, book, ep }: Pick<Ranged, 'price' | 'book' | 'ep'>, cells: readonly Cell[]): boolean {
  const { min, max } = book.priceLimits;
  return cells.some(({ z, t }) => price[z]![t]! <= min + ep || price[z]![t]! >= max - ep);
}

/** Cells that some rule ties together: by lines, exchange, ramps, and orders over several MTUs. */
function partsOf({ book, periods, positions, units, links, regions }: Ranged) {
  const label = Array.from({ length: book.zones.length * periods }, (_, cell) => cell);
  const find = (cell: number): number => {
    let at = cell;
    while (label[at] !== at) {
      label[at] = label[label[at]!]!;
      at = label[at]!;
    }
    return at;
  };
  const join = (z: number, t: number, other: number, u: number) => {
    label[find(z * periods + t)] = find(other * periods + u);
  };
  for (const { zone, from, span } of positions) for (let t = from + 1; t < from + span; t++) join(zone, t, zone, from);
  for (const unit of units) {
    const { zone, power, order, span } = unit;
    // Nothing is decided about a block that is alone without a minimum: it ties its MTUs also where nothing of it is executed.
    const isConvex = isBlock(unit) && isAloneWithoutMinimum(unit, units);
    const mws = isConvex ? askedOf(unit, periods) : power;
    const active = mws.flatMap((mw, t) => (mw > 0 || order.kind === 'complex' ? [t] : []));
    for (const t of active) join(zone, t, zone, active[0]!);
    for (let t = 0; t < periods; t++) if (span > 1) join(zone, t, zone, t - (t % span));
  }
  // What a loop or a family may not lose ties the MTUs of all its blocks.
  const { all, parentOf, partnerOf } = blocksOf({ units });
  for (const block of all)
    for (const other of [parentOf(block), partnerOf(block)]) {
      const [t, u] = [block, other].map((each) => (each?.ratio ? each.power.findIndex((mw) => mw > 0) : -1)) as [
        number,
        number,
      ];
      if (t >= 0 && u >= 0) join(block.zone, t, block.zone, u);
    }
  for (const { from, to, tied } of links)
    for (let t = 0; t < periods; t++) {
      join(from, t, to, t);
      if (tied && t > 0) join(from, t, from, t - 1);
    }
  regions.forEach(({ zones }, t) => {
    for (const z of zones) join(z, t, zones[0]!, t);
  });
  for (const { lines } of book.rampSets ?? []) {
    const zones = links.filter(({ line }) => lines.includes(line.id)).map(({ from }) => from);
    for (const z of zones) for (let t = 0; t < periods; t++) join(z, t, zones[0]!, t);
  }
  return {
    of: (z: number, t: number) => find(z * periods + t),
    cellsOf: (part: number): Cell[] =>
      label.flatMap((_, cell) => (find(cell) === part ? [{ z: Math.floor(cell / periods), t: cell % periods }] : [])),
  };
}
