/** What a network must be: names that exist, lengths that fit, and ranges that some flow keeps. */

import { type Fault, fault } from './fault.ts';
import { capacityAt, flowBasedRegion, type Line, type Network } from './network.ts';
import { firstOutOfReach } from './reach.ts';

/** A network over so many market time units, and the zones that it joins. */
interface Delivered extends Network {
  readonly zones: readonly string[];
  readonly periods: number;
}

export function networkFaults(network: Delivered): Fault[] {
  const zones = new Set(network.zones);
  return [
    ...duplicates('zones', 'zone', network.zones),
    ...lineFaults(network, zones),
    ...rampSetFaults(network),
    ...netPositionRampFaults(network, zones),
    ...constraintFaults(network, zones),
    ...regionFaults(network),
  ];
}

function lineFaults({ lines, periods }: Delivered, zones: ReadonlySet<string>): Fault[] {
  const faults = duplicates('lines', 'line', idsOf(lines));
  lines.forEach((line, i) => {
    for (const end of ['from', 'to'] as const) {
      if (!zones.has(line[end]))
        faults.push(fault(`lines.${i}.${end}`, 'unknown-zone', `line ${line.id}: no zone ${line[end]}`));
    }
    if (line.from === line.to)
      faults.push(fault(`lines.${i}.to`, 'same-zone', `line ${line.id} joins ${line.from} to itself`));
    const lengths = (['capacity', 'reverse', 'ramp'] as const).flatMap((field) =>
      wrongLength(`lines.${i}.${field}`, `line ${line.id}`, line[field], periods),
    );
    faults.push(...lengths);
    if (lengths.length === 0) faults.push(...rangeFaults(`lines.${i}`, line, periods));
  });
  return faults;
}

/** A flow between the two capacities, in each period and, with a ramp, from each period to the next. */
function rangeFaults(field: string, line: Line, periods: number): Fault[] {
  const [least, most] = [(t: number) => -capacityAt(line.reverse, t), (t: number) => capacityAt(line.capacity, t)];
  for (let t = 0; t < periods; t++) {
    if (least(t) <= most(t)) continue;
    const message = `line ${line.id}, period ${t + 1}: no flow is both at most ${most(t)} and at least ${least(t)}`;
    return [fault(field, 'empty-range', message)];
  }
  return outOfReach(`${field}.ramp`, `line ${line.id}`, line, [line], periods);
}

function rampSetFaults({ rampSets = [], lines, periods }: Delivered): Fault[] {
  const known = new Map(lines.map((line) => [line.id, line]));
  const faults = duplicates('rampSets', 'ramp set', idsOf(rampSets));
  rampSets.forEach((set, i) => {
    const what = `ramp set ${set.id}`;
    const wrong = wrongLength(`rampSets.${i}.ramp`, what, set.ramp, periods);
    set.lines.forEach((id, k) => {
      const field = `rampSets.${i}.lines.${k}`;
      if (!known.has(id)) wrong.push(fault(field, 'unknown-line', `${what}: no line ${id}`));
      if (set.lines.indexOf(id) < k) wrong.push(fault(field, 'duplicate', `${what}: line ${id} is there twice`));
    });
    faults.push(...wrong);
    const members = set.lines.map((id) => known.get(id)).filter((line) => line !== undefined);
    const whole = [...wrong, ...members.flatMap((line) => lengthFaults(line, periods))].length === 0;
    if (whole) faults.push(...outOfReach(`rampSets.${i}.ramp`, what, set, members, periods));
  });
  return faults;
}

const lengthFaults = (line: Line, periods: number): Fault[] =>
  [line.capacity, line.reverse].flatMap((each) => wrongLength('', line.id, each, periods));

/** Whether the summed flow of these lines can stay within their capacities at no more than the ramp. */
function outOfReach(
  field: string,
  what: string,
  { ramp, before }: Pick<Line, 'ramp' | 'before'>,
  lines: readonly Line[],
  periods: number,
): Fault[] {
  if (ramp === null) return [];
  const sum = (of: 'capacity' | 'reverse', t: number) => lines.reduce((mw, line) => mw + capacityAt(line[of], t), 0);
  const late = firstOutOfReach(
    periods,
    (t) => [-sum('reverse', t), sum('capacity', t)],
    (t) => ({ up: capacityAt(ramp, t), down: capacityAt(ramp, t) }),
    before ?? undefined,
  );
  if (late < 0) return [];
  const range = `${-sum('reverse', late)} to ${sum('capacity', late)} MW`;
  const message = `${what}, period ${late + 1}: a ramp of ${capacityAt(ramp, late)} MW does not reach its range of ${range}`;
  return [fault(field, 'ramp-below-range', message)];
}

function netPositionRampFaults({ netPositionRamps = [], periods }: Delivered, zones: ReadonlySet<string>): Fault[] {
  const faults = duplicates('netPositionRamps', 'net position ramp', idsOf(netPositionRamps));
  netPositionRamps.forEach(({ id, zone, ramp }, i) => {
    const what = `net position ramp ${id}`;
    if (!zones.has(zone)) faults.push(fault(`netPositionRamps.${i}.zone`, 'unknown-zone', `${what}: no zone ${zone}`));
    faults.push(...wrongLength(`netPositionRamps.${i}.ramp`, what, ramp, periods));
  });
  return faults;
}

/** A constraint has one row a period; the same element in several periods has the same id. */
function constraintFaults({ constraints, periods }: Delivered, zones: ReadonlySet<string>): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  constraints.forEach(({ id, period, ptdf }, i) => {
    const at = `constraints.${i}`;
    const what = `constraint ${id}, period ${period}`;
    if (seen.has(`${period}/${id}`)) faults.push(fault(`${at}.id`, 'duplicate', `${what} is there twice`));
    seen.add(`${period}/${id}`);
    if (period > periods)
      faults.push(fault(`${at}.period`, 'unknown-period', `${what}: the auction has ${periods} periods`));
    for (const zone of Object.keys(ptdf))
      if (!zones.has(zone)) faults.push(fault(`${at}.ptdf.${zone}`, 'unknown-zone', `${what}: no zone ${zone}`));
    if (Object.keys(ptdf).length === 0) faults.push(fault(`${at}.ptdf`, 'no-zones', `${what} names no zone`));
  });
  return faults;
}

/**
 * There is one flow-based region. Constraints that fall apart into several would be cleared as one, as if a cable of no limit joined
 * them; a region of one zone exchanges with nobody, and its constraints would have no effect.
 */
function regionFaults(network: Delivered): Fault[] {
  if (network.constraints.some(({ ptdf }) => Object.keys(ptdf).length === 0)) return [];
  const region = flowBasedRegion(network);
  const [only] = region;
  if (region.length === 1) {
    const message =
      `the constraints name ${only} alone, whose exchange goes over lines: they would have no effect; ` +
      'bound the capacities of its lines, or name the zones that it exchanges with by constraints';
    return [fault('constraints', 'region-of-one-zone', message)];
  }
  const parts: Set<string>[] = [];
  for (const named of new Set(network.constraints.map(({ ptdf }) => Object.keys(ptdf).sort().join(' ')))) {
    const zones = new Set(named.split(' '));
    for (let i = parts.length - 1; i >= 0; i--) {
      if (![...parts[i]!].some((zone) => zones.has(zone))) continue;
      for (const zone of parts.splice(i, 1)[0]!) zones.add(zone);
    }
    parts.push(zones);
  }
  if (parts.length < 2) return [];
  const [one, other] = parts.map((zones) => [...zones].sort().join(', '));
  const message =
    `the constraints of ${one} and those of ${other} name no zone in common: several flow-based regions are not taken; ` +
    'if they are one region, name a zone of the other with the factor 0';
  return [fault('constraints', 'several-regions', message)];
}

const idsOf = (all: readonly { readonly id: string }[]): string[] => all.map(({ id }) => id);

/** Names that are there twice, or differ in nothing but case: people mix them up, and so do some file systems. */
function duplicates(field: string, what: string, ids: readonly string[]): Fault[] {
  const seen = new Map<string, string>();
  return ids.flatMap((id, i) => {
    const before = seen.get(id.toLowerCase());
    seen.set(id.toLowerCase(), id);
    if (before === undefined) return [];
    const at = field === 'zones' ? `zones.${i}` : `${field}.${i}.id`;
    if (before === id) return [fault(at, 'duplicate', `${what} ${id} is there twice`)];
    return [fault(at, 'look-alike', `${what} ${id} and ${what} ${before} differ only in case`)];
  });
}

function wrongLength(field: string, what: string, each: number | readonly number[] | null, periods: number): Fault[] {
  if (each === null || typeof each === 'number' || each.length === periods) return [];
  return [fault(field, 'wrong-length', `${what} has ${each.length} values for ${periods} periods`)];
}
