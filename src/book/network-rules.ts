/** What a book's network must be: names that exist, lengths that fit, and ranges that some flow keeps. */

import type { Book } from '../market/book.ts';
import { capacityAt, type Line } from '../market/network.ts';
import { type Fault, fault } from './fault.ts';
import { firstOutOfReach } from './reach.ts';

export function networkFaults(book: Book): Fault[] {
  const faults: Fault[] = [];
  const zones = new Set(book.zones);
  if (zones.size < book.zones.length) faults.push(fault('zones', 'duplicate', 'a zone is there twice'));
  return [
    ...faults,
    ...lineFaults(book, zones),
    ...rampSetFaults(book),
    ...netPositionRampFaults(book, zones),
    ...constraintFaults(book, zones),
  ];
}

function lineFaults({ lines, periods }: Book, zones: ReadonlySet<string>): Fault[] {
  const faults = duplicates('lines', 'line', lines);
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

function rampSetFaults({ rampSets = [], lines, periods }: Book): Fault[] {
  const known = new Map(lines.map((line) => [line.id, line]));
  const faults = duplicates('rampSets', 'ramp set', rampSets);
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

function netPositionRampFaults({ netPositionRamps = [], periods }: Book, zones: ReadonlySet<string>): Fault[] {
  const faults = duplicates('netPositionRamps', 'net position ramp', netPositionRamps);
  netPositionRamps.forEach(({ id, zone, ramp }, i) => {
    const what = `net position ramp ${id}`;
    if (!zones.has(zone)) faults.push(fault(`netPositionRamps.${i}.zone`, 'unknown-zone', `${what}: no zone ${zone}`));
    faults.push(...wrongLength(`netPositionRamps.${i}.ramp`, what, ramp, periods));
  });
  return faults;
}

/** A constraint has one row a period; the same element in several periods has the same id. */
function constraintFaults({ constraints, periods }: Book, zones: ReadonlySet<string>): Fault[] {
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

function duplicates(field: string, what: string, all: readonly { readonly id: string }[]): Fault[] {
  const seen = new Set<string>();
  return all.flatMap(({ id }, i) => {
    const twice = seen.has(id);
    seen.add(id);
    return twice ? [fault(`${field}.${i}.id`, 'duplicate', `${what} ${id} is there twice`)] : [];
  });
}

function wrongLength(field: string, what: string, each: number | readonly number[] | null, periods: number): Fault[] {
  if (each === null || typeof each === 'number' || each.length === periods) return [];
  return [fault(field, 'wrong-length', `${what} has ${each.length} values for ${periods} periods`)];
}
