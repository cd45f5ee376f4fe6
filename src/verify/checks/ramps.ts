/**
 * Ramps: they hold, and explain the prices across ramped lines (INV-19).
 *
 * A line with a ramp of its own is a schedule; where sets of lines or net positions tie several flows, they are looked at together. Both
 * count what rounded prices explain: a tick for each MW that changes.
 */

import { capacityAt, type Line } from '../../market/network.ts';
import { type Check, Findings } from '../check.ts';
import { Changes } from '../numbers/changes.ts';
import { lessRounding, mostGain } from '../numbers/schedule.ts';
import { halfCent } from '../numbers/tolerances.ts';
import { spreadOf } from '../view/directions.ts';
import type { Link, View } from '../view/view.ts';
import { addPool } from './flow-based.ts';

interface Ramp {
  readonly id: string;
  /** What it bounds, by MTU. */
  readonly at: (t: number) => number;
  readonly limit: (t: number) => number;
  readonly before: number | undefined;
  /** Flows that it bounds together: each may be a lot off. */
  readonly count: number;
}

export function checkRamps(view: View): Check {
  const { book, links, netPosition, periods } = view;
  const found = new Findings('INV-19', 'ramps hold, and explain the prices across ramped lines');
  const flowOf = new Map(links.map(({ line, flow }) => [line.id, flow]));
  const ramps: Ramp[] = [];
  const add = (id: string, at: Ramp['at'], { ramp, before }: Pick<Line, 'ramp' | 'before'>, count: number) =>
    ramps.push({ id, at, limit: (t) => capacityAt(ramp!, t), before: before ?? undefined, count });
  for (const { line, flow } of links) if (line.ramp !== null) add(line.id, (t) => flow[t]!, line, 1);
  for (const set of book.rampSets ?? [])
    add(set.id, (t) => set.lines.reduce((sum, each) => sum + flowOf.get(each)![t]!, 0), set, set.lines.length);
  for (const each of book.netPositionRamps ?? []) {
    const row = netPosition[book.zones.indexOf(each.zone)]!;
    add(each.id, (t) => row[t]!, each, 1);
  }
  for (const { id, at, limit, before, count } of ramps) {
    for (let t = before === undefined ? 1 : 0; t < periods; t++) {
      const change = at(t) - (t > 0 ? at(t - 1) : before!);
      const fits = Math.abs(change) <= limit(t) + 2 * view.eq * count;
      found.expect(fits, `${id}/${t + 1}`, () => `changes by ${change} MW, at most ${limit(t)}`);
    }
  }
  const shared = new Set((book.rampSets ?? []).flatMap(({ lines }) => lines));
  const ramped = new Set((book.netPositionRamps ?? []).map(({ zone }) => book.zones.indexOf(zone)));
  const isShared = ({ line, from, to }: Link) => shared.has(line.id) || ramped.has(from) || ramped.has(to);
  for (const link of links) {
    if (link.line.ramp === null || isShared(link)) continue;
    const more = moreRent(view, link);
    found.expect(more <= halfCent, link.line.id, () => `another flow would earn ${more} more at these prices`);
  }
  if (links.some(isShared) || ramped.size > 0) {
    const more = moreTogether(view, isShared, ramped);
    const ids = links.filter(isShared).map(({ line }) => line.id);
    found.expect(more <= halfCent, ids.join(' '), () => `other flows would earn ${more} more at these prices`);
  }
  return found.check;
}

/** Money that a line with a ramp of its own would earn more with other flows. */
function moreRent(view: View, link: Link): number {
  const { line, flow, least, most, from } = link;
  const { hours, ep } = view;
  let does = 0;
  const steps = flow.map((mw, t) => {
    const forward = spreadOf(view, link, t) * hours;
    const backward = -spreadOf(view, link, t, true) * hours;
    const rent = Math.max(mw, 0) * forward + Math.min(mw, 0) * backward;
    does += rent;
    if (view.mayGiveWay('ramps', from, t)) return { start: mw, value: rent, pieces: [] };
    // At negative prices both directions of a line with losses seem to pay; it may use one only. Where it carries nothing, that is either: the one
    // that would earn less has to hold.
    const burning = backward < forward;
    const isIdle = burning && mw === 0;
    const isShut = { forward: isIdle && forward > -backward, back: isIdle && forward <= -backward };
    const [low, high] = [
      isShut.back ? Math.max(0, least[t]!) : Math.min(least[t]!, mw),
      isShut.forward ? Math.min(0, most[t]!) : Math.max(most[t]!, mw),
    ];
    const zero = Math.min(Math.max(0, low), high);
    const pieces = [
      { width: zero - low, slope: burning && mw > 0 ? forward : backward },
      { width: high - zero, slope: burning && mw < 0 ? backward : forward },
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
  const lot = view.eq + beyond;
  return links.reduce(
    (sum, link) =>
      link.flow.reduce((money, _, t) => money + (Math.abs(spreadOf(view, link, t)) + view.ep) * lot * view.hours, sum),
    0,
  );
}

/** Money that all flows tied by shared ramps, and the pool where net positions are ramped, would earn more together. */
function moreTogether(view: View, isShared: (link: Link) => boolean, ramped: ReadonlySet<number>): number {
  const { book, links, periods, hours, price, ep, eq, netPosition } = view;
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
        const held = view.mayGiveWay('ramps', from, t);
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
      // Room of a lot at either end is what rounding left.
      const most = capacityAt(limit, t) - 2 * eq;
      changes.atMost(terms, Math.max(0, most - change));
      changes.atMost(
        terms.map(([c, f]) => [c, -f]),
        Math.max(0, most + change),
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
