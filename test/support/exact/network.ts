/** Lines, flow-based exchange and ramps in a book's program (market rules, section 3). */

import { capacityAt, type Line } from '../../../src/market/network.ts';
import type { Direction, Model } from './model.ts';
import { minus, most, negated, one, type Rational, rational, zero } from './rational.ts';

/** Directions of lines with losses that carry nothing: `keyOf` each. */
export type Shut = ReadonlySet<string>;

export const keyOf = ({ line, mtu, way }: Direction): string => `${line} ${mtu} ${way}`;

type Terms = (readonly [variable: number, factor: Rational])[];

export function addNetwork(model: Model, shut: Shut): void {
  const { lines, rampSets = [], netPositionRamps = [], zones } = model.book;
  const ramped = new Set([
    ...lines.filter(({ ramp }) => ramp !== null).map(({ id }) => id),
    ...rampSets.flatMap((set) => set.lines),
  ]);
  const rampedZones = new Set(netPositionRamps.map(({ zone }) => zone));
  /** Net flow from -> to of each line, by MTU. */
  const flows = new Map<string, Terms[]>();
  /** What leaves each cell over lines and in exchange, less what arrives. */
  const positions: Terms[] = Array.from({ length: model.cells }, () => []);
  for (const line of lines) {
    const isRamped = ramped.has(line.id) || rampedZones.has(line.from) || rampedZones.has(line.to);
    const ofLine: Terms[] = [];
    for (let mtu = 0; mtu < model.periods; mtu++) ofLine.push(addLine(model, line, mtu, { isRamped, shut, positions }));
    flows.set(line.id, ofLine);
  }
  addExchange(model, positions, rampedZones);
  for (const line of lines) if (line.ramp !== null) addRamp(model, flows.get(line.id)!, line.ramp, line.before);
  for (const set of rampSets) {
    const sums = Array.from({ length: model.periods }, (_, t) => set.lines.flatMap((id) => flows.get(id)![t]!));
    addRamp(model, sums, set.ramp, set.before);
  }
  for (const { zone, ramp, before } of netPositionRamps) {
    const at = zones.indexOf(zone) * model.periods;
    addRamp(model, positions.slice(at, at + model.periods), ramp, before);
  }
}

interface Surroundings {
  readonly isRamped: boolean;
  readonly shut: Shut;
  readonly positions: Terms[];
}

/** @returns the net flow */
function addLine(model: Model, line: Line, mtu: number, { isRamped, shut, positions }: Surroundings): Terms {
  const [from, to] = [model.cell(line.from, mtu), model.cell(line.to, mtu)];
  const [forward, backward] = [rational(capacityAt(line.capacity, mtu)), rational(capacityAt(line.reverse, mtu))];
  if (line.loss === 0 && line.tariff === 0) {
    const column = [
      [from, one],
      [to, negated(one)],
    ] as const;
    const flow = model.add({ lower: negated(backward), upper: forward, gain: zero, column }, { isRamped });
    positions[from]!.push([flow, one]);
    positions[to]!.push([flow, negated(one)]);
    return [[flow, one]];
  }
  const arriving = minus(one, rational(line.loss));
  const oneWay = (direction: Direction, capacity: Rational, opposite: Rational): number => {
    const isShut = shut.has(keyOf(direction));
    const column = [
      [direction.from, one],
      [direction.to, negated(arriving)],
    ] as const;
    const flow = model.add(
      {
        lower: most(zero, negated(opposite)),
        upper: isShut ? zero : most(zero, capacity),
        gain: negated(rational(line.tariff)),
        column,
      },
      { isRamped, ...(line.loss > 0 && { direction }) },
    );
    positions[direction.from]!.push([flow, one]);
    positions[direction.to]!.push([flow, negated(arriving)]);
    return flow;
  };
  const there = oneWay({ line: line.id, mtu, way: 'there', from, to }, forward, backward);
  const back = oneWay({ line: line.id, mtu, way: 'back', from: to, to: from }, backward, forward);
  return [
    [there, one],
    [back, negated(one)],
  ];
}

/** The exchange of each region sums to 0 in each MTU; constraints bound what its zones export that way, without their lines (3.3). */
function addExchange(model: Model, positions: Terms[], rampedZones: ReadonlySet<string>): void {
  const { constraints } = model.book;
  for (let mtu = 0; mtu < model.periods; mtu++) {
    const exports = new Map<string, number>();
    for (const region of regionsOf(model)) {
      for (const zone of region) {
        const cell = model.cell(zone, mtu);
        const role = { isExchange: true, isRamped: rampedZones.has(zone) };
        const variable = model.add({ gain: zero, column: [[cell, one]] }, role);
        positions[cell]!.push([variable, one]);
        exports.set(zone, variable);
      }
      model.addRow(
        region.map((zone) => [exports.get(zone)!, one]),
        zero,
      );
    }
    for (const { period, ptdf, ram } of constraints) {
      if (period !== mtu + 1) continue;
      const terms = Object.entries(ptdf).flatMap(([zone, factor]) =>
        factor === 0 ? [] : [[exports.get(zone)!, rational(factor)] as const],
      );
      model.addLimit(terms, rational(ram));
    }
  }
}

/** Zones that constraints name together; where that is one region, zones without lines too, whose zeros are left out (section 17). */
function regionsOf({ book: { constraints, lines, zones } }: Model): string[][] {
  let regions: Set<string>[] = [];
  for (const { ptdf } of constraints) {
    const named = Object.keys(ptdf);
    const joined = regions.filter((region) => named.some((zone) => region.has(zone)));
    const rest = regions.filter((region) => !joined.includes(region));
    regions = [...rest, new Set([...joined.flatMap((region) => [...region]), ...named])];
  }
  const [only] = regions;
  if (only !== undefined && regions.length === 1)
    for (const zone of zones) if (!lines.some(({ from, to }) => from === zone || to === zone)) only.add(zone);
  return regions.map((region) => zones.filter((zone) => region.has(zone)));
}

function addRamp(
  model: Model,
  sums: readonly Terms[],
  ramp: number | readonly number[],
  before: number | null | undefined,
): void {
  for (let mtu = 0; mtu < model.periods; mtu++) {
    if (mtu === 0 && (before === null || before === undefined)) continue;
    const [start, limit] = [mtu === 0 ? rational(before!) : zero, rational(capacityAt(ramp, mtu))];
    const opposite = (terms: Terms): Terms => terms.map(([variable, factor]) => [variable, negated(factor)]);
    const last = mtu === 0 ? [] : sums[mtu - 1]!;
    const rise = [...sums[mtu]!, ...opposite(last)];
    model.addLimit(rise, start.n === 0n ? limit : minus(limit, negated(start)));
    model.addLimit(opposite(rise), minus(limit, start));
  }
}
