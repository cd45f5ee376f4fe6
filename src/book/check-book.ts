/** What a book has to be beyond its shape, before anybody clears it: names that exist, lengths that fit, orders within the terms. */

import type { Book } from '../market/book.ts';
import { AuctionError, type Problem } from '../market/errors.ts';
import { orderKinds } from '../market/order.ts';
import { type Resolution, resolutionMinutes } from '../market/time.ts';
import { type Fault, fault, orderChecker } from './admission.ts';

/** Books name no largest power; what a float can still tell apart from its neighbour by a watt is enough for any. */
const largestPower = 1e6;

/** @throws AuctionError `invalid-book`, with each field and order that is wrong */
export function checkBook(book: Book): void {
  const problems: Problem[] = [...networkFaults(book)];
  const check = orderChecker({
    delivery: book,
    zones: book.zones,
    priceLimits: { min: book.priceLimits.min, max: book.priceLimits.max },
    powerLimits: { ...(book.lot === undefined ? {} : { lot: book.lot }), max: largestPower },
    orderKinds,
    orderResolutions: (Object.keys(resolutionMinutes) as Resolution[]).filter(
      (resolution) => resolutionMinutes[resolution] > resolutionMinutes[book.resolution],
    ),
  });
  const seen = new Set<string>();
  book.orders.forEach((order, index) => {
    const found: Fault[] = [];
    check(order, found);
    const key = `${order.participant ?? ''}/${order.record_id}`;
    if (seen.has(key)) found.push(fault('record_id', 'duplicate', `record_id ${order.record_id} is there twice`));
    seen.add(key);
    for (const each of found) problems.push({ index, record_id: order.record_id, ...each });
  });
  if (problems.length === 0) return;
  const first = problems[0]!;
  const whose = first.record_id === undefined ? '' : `order ${first.record_id}: `;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  throw new AuctionError('invalid-book', `${whose}${first.field}: ${first.message}${more}`, problems);
}

function networkFaults({ zones, lines, constraints, periods }: Book): Fault[] {
  const faults: Fault[] = [];
  const known = new Set(zones);
  if (known.size < zones.length) faults.push(fault('zones', 'duplicate', 'a zone is there twice'));
  const ids = new Set<string>();
  lines.forEach((line, i) => {
    if (ids.has(line.id)) faults.push(fault(`lines.${i}.id`, 'duplicate', `line ${line.id} is there twice`));
    ids.add(line.id);
    for (const end of ['from', 'to'] as const) {
      if (!known.has(line[end]))
        faults.push(fault(`lines.${i}.${end}`, 'unknown-zone', `line ${line.id}: no zone ${line[end]}`));
    }
    if (line.from === line.to)
      faults.push(fault(`lines.${i}.to`, 'same-zone', `line ${line.id} joins ${line.from} to itself`));
    for (const direction of ['capacity', 'reverse'] as const) {
      const each = line[direction];
      if (typeof each !== 'number' && each.length !== periods) {
        const message = `line ${line.id} has ${each.length} values for ${periods} periods`;
        faults.push(fault(`lines.${i}.${direction}`, 'wrong-length', message));
      }
    }
    for (let t = 0; t < periods; t++) {
      const at = (each: number | readonly number[]) => (typeof each === 'number' ? each : (each[t] ?? 0));
      if (at(line.capacity) + at(line.reverse) >= 0) continue;
      const message = `line ${line.id}, period ${t + 1}: no flow is both at most ${at(line.capacity)} and at least ${-at(line.reverse)}`;
      faults.push(fault(`lines.${i}`, 'empty-range', message));
      break;
    }
    if (line.ramp !== null)
      faults.push(fault(`lines.${i}.ramp`, 'not-taken', `line ${line.id}: ramping is not taken yet`));
  });
  if (constraints.length > 0)
    faults.push(fault('constraints', 'not-taken', 'flow-based constraints are not taken yet'));
  return faults;
}
