/** Lines, flow-based exchange and ramps in a book's program (market rules, section 3). */

import { type Constraint, capacityAt, type Line } from '../../../src/market/network.ts';
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

/** Constraints bound what the zones of a region export to each other, besides their lines (3.3). */
function addExchange(model: Model, positions: Terms[], rampedZones: ReadonlySet<string>): void {
  const { constraints, flowBased = 'plain' } = model.book;
  const regions = regionsOf(model);
  for (let mtu = 0; mtu < model.periods; mtu++) {
    const exchange = (zones: readonly string[], column: Terms, lower?: Rational): number => {
      const isRamped = zones.some((zone) => rampedZones.has(zone));
      const variable = model.add({ lower, gain: zero, column }, { isExchange: true, isRamped });
      for (const [cell, factor] of column) positions[cell]!.push([variable, factor]);
      return variable;
    };
    const rows = constraints.filter(({ period }) => period === mtu + 1);
    for (const region of regions) {
      const cells = region.map((zone) => model.cell(zone, mtu));
      if (flowBased === 'plain') {
        const exports = region.map((zone, i) => exchange([zone], [[cells[i]!, one]]));
        model.addRow(
          exports.map((variable) => [variable, one]),
          zero,
        );
        for (const { ptdf, ram } of rows.filter((row) => isOf(row, region)))
          model.addLimit(
            region.map((zone, i) => [exports[i]!, rational(ptdf[zone] ?? 0)]),
            rational(ram),
          );
        continue;
      }
      // Intuitive: exchanges from zone to zone, none of which relieves a constraint.
      const pairs = region.flatMap((from, i) =>
        region.flatMap((to, k) => {
          if (i === k) return [];
          const column: Terms = [
            [cells[i]!, one],
            [cells[k]!, negated(one)],
          ];
          return [{ from, to, variable: exchange([from, to], column, zero) }];
        }),
      );
      for (const { ptdf, ram } of rows.filter((row) => isOf(row, region)))
        model.addLimit(
          pairs.map(({ from, to, variable }) => {
            const factor = minus(rational(ptdf[from] ?? 0), rational(ptdf[to] ?? 0));
            return [variable, most(zero, factor)];
          }),
          rational(ram),
        );
    }
  }
}

const isOf = ({ ptdf }: Constraint, region: readonly string[]): boolean => region.some((zone) => zone in ptdf);

/** Zones that constraints name together; where that is one region, zones without lines too, whose zeros are left out (market rules, What was decided). */
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
