/**
 * Ramps and flow-based exchange: limits, and that the prices explain the flows (INV-19 to INV-21).
 *
 * A network whose limits tie MTUs or zones together explains its prices by duals (market rules, 3.2 and 3.3). Such duals exist exactly if
 * no other flows within the limits would earn more at these prices. A line with a ramp of its own is a schedule; where sets of
 * lines, net positions or constraints tie several flows, it is a linear program over the changes. Both count what rounded prices
 * explain: a tick for each MW that changes.
 */

import { capacityAt } from '../market/network.ts';
import { Findings } from './check.ts';
import { lessRounding, mostGain } from './schedule.ts';
import { mostOf } from './simplex.ts';
import type { Check } from './verify.ts';
import { type Link, spreadOf, type View } from './view.ts';

export function checkNetwork(view: View): Check[] {
  return [checkRamps(view), checkFlowBased(view), checkIntuitive(view)];
}

interface Ramp {
  readonly id: string;
  /** What it bounds, by MTU. */
  readonly at: (t: number) => number;
  readonly limit: (t: number) => number;
  readonly before: number | undefined;
}

function checkRamps(view: View): Check {
  const { book, links, netPosition, periods } = view;
  const found = new Findings('INV-19', 'ramps hold, and explain the prices across ramped lines');
  const flowOf = new Map(links.map(({ line, flow }) => [line.id, flow]));
  const ramps: Ramp[] = [];
  const add = (id: string, at: Ramp['at'], ramp: number | readonly number[], before: number | null | undefined) =>
    ramps.push({ id, at, limit: (t) => capacityAt(ramp, t), before: before ?? undefined });
  for (const { line, flow } of links) if (line.ramp !== null) add(line.id, (t) => flow[t]!, line.ramp, line.before);
  for (const { id, lines, ramp, before } of book.rampSets ?? [])
    add(id, (t) => lines.reduce((sum, each) => sum + flowOf.get(each)![t]!, 0), ramp, before);
  for (const { id, zone, ramp, before } of book.netPositionRamps ?? []) {
    const row = netPosition[book.zones.indexOf(zone)]!;
    add(id, (t) => row[t]!, ramp, before);
  }
  for (const { id, at, limit, before } of ramps) {
    for (let t = before === undefined ? 1 : 0; t < periods; t++) {
      const change = at(t) - (t > 0 ? at(t - 1) : before!);
      const fits = Math.abs(change) <= limit(t) + 2 * view.eq;
      found.expect(fits, `${id}/${t + 1}`, () => `changes by ${change} MW, at most ${limit(t)}`);
    }
  }
  const shared = new Set((book.rampSets ?? []).flatMap(({ lines }) => lines));
  const ramped = new Set((book.netPositionRamps ?? []).map(({ zone }) => book.zones.indexOf(zone)));
  const isShared = ({ line, from, to }: Link) => shared.has(line.id) || ramped.has(from) || ramped.has(to);
  for (const link of links) {
    if (link.line.ramp === null || isShared(link)) continue;
    const more = moreRent(view, link);
    found.expect(more <= 0.01, link.line.id, () => `another flow would earn ${more} more at these prices`);
  }
  if (links.some(isShared) || ramped.size > 0) {
    const more = moreTogether(view, isShared, ramped);
    const ids = links.filter(isShared).map(({ line }) => line.id);
    found.expect(more <= 0.01, ids.join(' '), () => `other flows would earn ${more} more at these prices`);
  }
  return found.check;
}

/** Where the price on either end stands at a limit, what it would have to be is not known. */
function atLimit({ price, book, ep }: View, zones: readonly number[], t: number): boolean {
  const { min, max } = book.priceLimits;
  return zones.some((z) => price[z]![t]! <= min + ep || price[z]![t]! >= max - ep);
}

/** Money that a line with a ramp of its own would earn more with other flows. */
function moreRent(view: View, link: Link): number {
  const { line, flow, least, most, from, to } = link;
  const { hours, ep } = view;
  const costly = line.loss > 0 || line.tariff > 0;
  let does = 0;
  const steps = flow.map((mw, t) => {
    const forward = spreadOf(view, link, t) * hours;
    const backward = costly ? -spreadOf(view, link, t, true) * hours : forward;
    const rent = Math.max(mw, 0) * forward + Math.min(mw, 0) * backward;
    does += rent;
    if (atLimit(view, [from, to], t)) return { start: mw, value: rent, pieces: [] };
    const [low, high] = [Math.min(least[t]!, mw), Math.max(most[t]!, mw)];
    const zero = Math.min(Math.max(0, low), high);
    // At negative prices both directions of a line with losses seem to pay; it may use one only.
    const burning = costly && backward < forward;
    const pieces = [
      { width: zero - low, slope: burning && mw > 0 ? forward : backward },
      { width: high - zero, slope: burning && mw <= 0 ? backward : forward },
    ];
    const value = Math.max(low, 0) * forward + Math.min(low, 0) * pieces[0]!.slope;
    return lessRounding({ start: low, value, pieces }, mw, ep * hours);
  });
  let beyond = 0;
  const reach = flow.map((mw, t) => {
    // Lots may leave a change a little beyond the ramp.
    const limit = capacityAt(line.ramp!, t);
    const change = t > 0 ? mw - flow[t - 1]! : line.before == null ? 0 : mw - line.before;
    beyond += Math.max(0, Math.abs(change) - limit);
    return { up: Math.max(limit, change), down: Math.max(limit, -change) };
  });
  return mostGain(steps, reach, line.before ?? undefined) - does - lotsOf(view, [link], beyond);
}

/** Money by which flows rounded to lots, or to a millionth, may earn less. */
function lotsOf(view: View, links: readonly Link[], beyond = 0): number {
  const lot = Math.max(2e-6, view.book.lot ?? 0) + beyond;
  return links.reduce(
    (sum, link) => link.flow.reduce((money, _, t) => money + Math.abs(spreadOf(view, link, t)) * lot * view.hours, sum),
    0,
  );
}

type Entries = [variable: number, factor: number][];

/** Changes that may go both ways: two variables each. */
class Changes {
  readonly gain: number[] = [];
  readonly rows: { entries: Entries; room: number }[] = [];
  #moves = 0;

  /** @param rounding  what a unit more or less may seem to gain because prices are rounded */
  add(gain: number, rounding: number): number {
    this.gain.push(gain - rounding, -gain - rounding);
    return this.#moves++;
  }

  /** The sum of factors times changes is at most `room`. */
  atMost(terms: readonly (readonly [change: number, factor: number])[], room: number): void {
    const entries = terms.flatMap(
      ([c, factor]): Entries => [
        [2 * c, factor],
        [2 * c + 1, -factor],
      ],
    );
    this.rows.push({ entries, room });
  }

  get most(): number {
    return mostOf(this.gain, this.rows);
  }
}

/** Money that all flows tied by shared ramps, and the pool where net positions are ramped, would earn more together. */
function moreTogether(view: View, isShared: (link: Link) => boolean, ramped: ReadonlySet<number>): number {
  const { book, links, periods, hours, price, ep, netPosition } = view;
  const changes = new Changes();
  const tied = links.filter(isShared);
  type Terms = [change: number, factor: number][];
  const flows = new Map<string, Terms[]>();
  const exported = price.map(() => Array.from({ length: periods }, (): Terms => []));
  for (const link of tied) {
    const { line, from, to, flow, least, most } = link;
    const costly = line.loss > 0 || line.tariff > 0;
    flows.set(
      line.id,
      flow.map((mw, t) => {
        // A direction of a line with costs that is not in use stays so: using both never pays but at negative prices.
        const back = costly && mw < 0;
        const c = changes.add(spreadOf(view, link, t, back) * (back ? -1 : 1) * hours, ep * hours);
        const held = atLimit(view, [from, to], t);
        changes.atMost([[c, 1]], held ? 0 : (costly && back ? Math.min(0, most[t]!) : most[t]!) - mw);
        changes.atMost([[c, -1]], held ? 0 : mw - (costly && !back ? Math.max(0, least[t]!) : least[t]!));
        const keep = 1 - line.loss;
        exported[from]![t]!.push([c, back ? keep : 1]);
        exported[to]![t]!.push([c, back ? -1 : -keep]);
        return [[c, 1]] satisfies Terms;
      }),
    );
  }
  for (let t = 0; t < periods && ramped.size > 0; t++) {
    const region = view.regions[t]!.zones;
    if (book.flowBased === 'intuitive' || !region.some((z) => ramped.has(z))) continue;
    addPool(view, changes, t).forEach((c, z) => {
      exported[z]![t]!.push([c, 1]);
    });
  }
  const ramp = (
    at: (t: number) => Terms,
    now: (t: number) => number,
    limit: number | readonly number[],
    before: number | null | undefined,
  ) => {
    for (let t = typeof before === 'number' ? 0 : 1; t < periods; t++) {
      const change = now(t) - (t > 0 ? now(t - 1) : before!);
      const terms: Terms = [...at(t), ...(t > 0 ? at(t - 1).map(([c, f]): [number, number] => [c, -f]) : [])];
      const most = capacityAt(limit, t);
      changes.atMost(terms, most - change);
      changes.atMost(
        terms.map(([c, f]) => [c, -f]),
        most + change,
      );
    }
  };
  const flowOf = new Map(tied.map(({ line, flow }) => [line.id, flow]));
  for (const { line, flow } of tied)
    if (line.ramp !== null)
      ramp(
        (t) => flows.get(line.id)![t]!,
        (t) => flow[t]!,
        line.ramp,
        line.before,
      );
  for (const { lines, ramp: limit, before } of book.rampSets ?? []) {
    const sum = (t: number) => lines.reduce((mw, id) => mw + flowOf.get(id)![t]!, 0);
    ramp((t) => lines.flatMap((id) => flows.get(id)![t]!), sum, limit, before);
  }
  for (const { zone, ramp: limit, before } of book.netPositionRamps ?? []) {
    const z = book.zones.indexOf(zone);
    ramp(
      (t) => exported[z]![t]!,
      (t) => netPosition[z]![t]!,
      limit,
      before,
    );
  }
  return changes.most - lotsOf(view, tied);
}

/** The pool's exports of one MTU as changes, by zone: they sum to zero and keep the constraints. */
function addPool(view: View, changes: Changes, t: number): Map<number, number> {
  const { book, price, hours, pool, ep } = view;
  // A constraint that rounding left a little room is full.
  const lot = Math.max(1e-5, book.lot ?? 0) * price.length;
  const { zones: region, constraints } = view.regions[t]!;
  const held = atLimit(view, region, t);
  const byZone = new Map(region.map((z) => [z, changes.add(held ? 0 : -price[z]![t]! * hours, (ep * hours) / 2)]));
  const all = [...byZone.values()];
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
    changes.atMost(terms, Math.max(0, ram - used - lot));
  }
  return byZone;
}

function checkFlowBased(view: View): Check {
  const { book, periods, pool, price, hours, eq } = view;
  const found = new Findings('INV-20', 'constraints hold, and explain the prices of their region');
  for (let t = 0; t < periods; t++) {
    const { zones: region, constraints: here } = view.regions[t]!;
    if (region.length === 0) continue;
    const intuitive = book.flowBased === 'intuitive';
    for (const { id, ptdf, ram } of here) {
      const used = region.reduce((sum, z) => sum + (ptdf[book.zones[z]!] ?? 0) * pool[z]![t]!, 0);
      found.expect(used <= ram + eq * region.length, `${id}/${t + 1}`, () => `${used} MW of ${ram}`);
    }
    if (rampedIn(view, region)) continue;
    if (atLimit(view, region, t)) continue;
    let more: number;
    if (intuitive) {
      const pairs = region.flatMap((from) => region.flatMap((to) => (from === to ? [] : [{ from, to }])));
      const earns = region.reduce((sum, z) => sum - pool[z]![t]! * price[z]![t]! * hours, 0);
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
    const lot = Math.max(2e-6, book.lot ?? 0);
    const spread = Math.max(...region.map((z) => price[z]![t]!)) - Math.min(...region.map((z) => price[z]![t]!));
    const slack = 0.01 + 4 * region.length * spread * lot * hours;
    found.expect(more <= slack, `MTU ${t + 1}`, () => `other exchanges would earn ${more} more at these prices`);
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
