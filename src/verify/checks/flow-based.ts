/** Flow-based exchange: constraints hold and explain the prices of their region, and in the intuitive mode nothing flows downhill (INV-20, INV-21). */

import { type Check, Findings } from '../check.ts';
import { Changes, type Entries } from '../numbers/changes.ts';
import { mostOf } from '../numbers/simplex.ts';
import { dust } from '../numbers/tolerances.ts';

import type { View } from '../view/view.ts';

export const checkFlowBased = (view: View): Check[] => [checkConstraints(view), checkIntuitive(view)];

/** The pool's exports of one MTU as changes, by zone: they sum to zero and keep the constraints. */
export function addPool(view: View, changes: Changes, t: number): Map<number, number> {
  const { book, price, hours, pool, ep } = view;
  const { zones: region, constraints } = view.regions[t]!;
  const held = region.length > 0 && view.mayGiveWay('exchange', region[0]!, t);
  const byZone = new Map(region.map((z) => [z, changes.add(-price[z]![t]! * hours, (ep * hours) / 2)]));
  const all = [...byZone.values()];
  if (held) {
    for (const c of all) {
      changes.atMost([[c, 1]], 0);
      changes.atMost([[c, -1]], 0);
    }
    return byZone;
  }
  changes.atMost(
    all.map((c) => [c, 1]),
    0,
  );
  changes.atMost(
    all.map((c) => [c, -1]),
    0,
  );
  for (const { ptdf, ram } of constraints) {
    const terms = region.map((z): [number, number] => [byZone.get(z)!, ptdf[book.zones[z]!] ?? 0]);
    const used = region.reduce((sum, z, i) => sum + terms[i]![1] * pool[z]![t]!, 0);
    // A constraint that rounding left a little room is full.
    changes.atMost(terms, Math.max(0, ram - used - roundingOf(view, region, ptdf)));
  }
  return byZone;
}

/** MW by which a constraint's use may be off because net positions are rounded. */
const roundingOf = ({ book, eq }: View, region: readonly number[], ptdf: Readonly<Record<string, number>>): number =>
  region.reduce((sum, z) => sum + Math.abs(ptdf[book.zones[z]!] ?? 0) * eq, 0);

function checkConstraints(view: View): Check {
  const { book, periods, pool, price, hours, ep, eq } = view;
  const found = new Findings('INV-20', 'constraints hold, and explain the prices of their region');
  for (let t = 0; t < periods; t++) {
    const { zones: region, constraints: here } = view.regions[t]!;
    if (region.length === 0) continue;
    const intuitive = book.flowBased === 'intuitive';
    for (const { id, ptdf, ram } of here) {
      const used = region.reduce((sum, z) => sum + (ptdf[book.zones[z]!] ?? 0) * pool[z]![t]!, 0);
      found.expect(
        used <= ram + roundingOf(view, region, ptdf) + dust(ram),
        `${id}/${t + 1}`,
        () => `${used} MW of ${ram}`,
      );
    }
    if (rampedIn(view, region)) continue;
    if (view.mayGiveWay('exchange', region[0]!, t)) continue;
    let more: number;
    if (intuitive) {
      const pairs = region.flatMap((from) => region.flatMap((to) => (from === to ? [] : [{ from, to }])));
      // Lots may leave the exports a little out of balance: what they earn is told from the mean price.
      const mean = region.reduce((sum, z) => sum + price[z]![t]!, 0) / region.length;
      const earns = region.reduce((sum, z) => sum - pool[z]![t]! * (price[z]![t]! - mean) * hours, 0);
      const gain = pairs.map(({ from, to }) => (price[to]![t]! - price[from]![t]! - view.ep) * hours);
      // What the exchanges there are would earn, were prices a tick apart everywhere, counts as rounding too.
      const volume = region.reduce((sum, z) => sum + Math.abs(pool[z]![t]!), 0) / 2;
      const rooms = here.map(({ ptdf, ram }) => burdenRow(view, ptdf, ram, pairs));
      more = mostOf(gain, rooms) - earns - 2 * view.ep * volume * hours;
    } else {
      const changes = new Changes();
      addPool(view, changes, t);
      more = changes.most;
    }
    const spread = Math.max(...region.map((z) => price[z]![t]!)) - Math.min(...region.map((z) => price[z]![t]!));
    const slack = 4 * region.length * (spread + ep) * eq * hours;
    // Zones with the same factors in all constraints exchange freely: apart they would earn without end.
    found.expect(more <= slack, `MTU ${t + 1}`, () =>
      more === Number.POSITIVE_INFINITY
        ? 'zones that no constraint tells apart have different prices'
        : `other exchanges would earn ${more} more at these prices`,
    );
  }
  return found.check;
}

/** A ramped net position has a say in the prices too: INV-19 looks at both together. */
const rampedIn = ({ book }: View, region: readonly number[]): boolean =>
  (book.netPositionRamps ?? []).some(({ zone }) => region.includes(book.zones.indexOf(zone)));

function burdenRow(
  { book }: View,
  ptdf: Readonly<Record<string, number>>,
  ram: number,
  pairs: readonly { from: number; to: number }[],
) {
  const of = (z: number) => ptdf[book.zones[z]!] ?? 0;
  return { entries: pairs.map(({ from, to }, i): [number, number] => [i, Math.max(0, of(from) - of(to))]), room: ram };
}

/**
 * INV-21: what zones export and import can be exchanged from none to a cheaper one, within the constraints. Straight from exporters to
 * importers: a detour never burdens less.
 */
function checkIntuitive(view: View): Check {
  const { book, periods, pool, price, ep, eq } = view;
  const found = new Findings('INV-21', 'in the intuitive mode no power goes from a dearer zone to a cheaper one');
  for (let t = 0; t < periods && book.flowBased === 'intuitive'; t++) {
    const { zones: region, constraints } = view.regions[t]!;
    if (region.length === 0 || rampedIn(view, region)) continue;
    const out = region.filter((z) => pool[z]![t]! > 0);
    const into = region.filter((z) => pool[z]![t]! < 0);
    const pairs = out.flatMap((from) =>
      into.flatMap((to) => (price[from]![t]! > price[to]![t]! + ep ? [] : [{ from, to }])),
    );
    const side = (z: number, end: 'from' | 'to') => ({
      entries: pairs.flatMap((pair, i): Entries => (pair[end] === z ? [[i, 1]] : [])),
      room: Math.abs(pool[z]![t]!),
    });
    const slack = eq * region.length;
    const rows = [
      ...out.map((z) => side(z, 'from')),
      ...into.map((z) => side(z, 'to')),
      ...constraints.map(({ ptdf, ram }) => burdenRow(view, ptdf, ram + slack, pairs)),
    ];
    const exchanged = mostOf(
      pairs.map(() => 1),
      rows,
    );
    const due = out.reduce((sum, z) => sum + pool[z]![t]!, 0);
    found.expect(exchanged >= due - slack, `MTU ${t + 1}`, () => `only ${exchanged} of ${due} MW can be exchanged so`);
  }
  return found.check;
}
