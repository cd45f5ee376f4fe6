/** Transfer capacities as lines: a signed range of flow per hour becomes a capacity each way. */

import { AuctionError } from '../../market/errors.ts';
import type { Line } from '../../market/network.ts';
import { isItalian } from './italy.ts';
import { readTable, type Source } from './table.ts';

/**
 * The lines between Italian zones and, if wanted, those to the zones around them. Lines between two zones abroad are left
 * out: with both ends at a given price they decide nothing in Italy.
 *
 * A range that does not contain zero forces a flow; one of the two capacities is negative then.
 *
 * @throws AuctionError `invalid-book` when a line lacks an hour, or its range is empty
 */
export async function readLines(source: Source, withBorders: boolean): Promise<Line[]> {
  const name = 'transfer-capacities';
  const columns = ['id', 'from_zone', 'to_zone', 'min_flow_mwh', 'max_flow_mwh'] as const;
  const { rows } = await readTable(source, name, columns);
  const lines = new Map<string, { from: string; to: string; capacity: number[]; reverse: number[] }>();
  for (const row of rows) {
    const [id, from, to, at] = [row.text('id'), row.text('from_zone'), row.text('to_zone'), row.period() - 1];
    const ends = Number(isItalian(from)) + Number(isItalian(to));
    if (ends < (withBorders ? 1 : 2)) continue;
    const line = lines.get(id) ?? { from, to, capacity: [], reverse: [] };
    lines.set(id, line);
    const [least, most] = [row.number('min_flow_mwh'), row.number('max_flow_mwh')];
    if (least > most)
      throw new AuctionError(
        'invalid-book',
        `${source.folder}: ${name}: line ${id}, period ${at + 1}: ${least} exceeds ${most}`,
      );
    line.capacity[at] = most;
    line.reverse[at] = 0 - least;
  }
  const { folder, periods } = source;
  return [...lines].map(([id, { from, to, capacity, reverse }]) => {
    for (let at = 0; at < periods; at++)
      if (capacity[at] === undefined)
        throw new AuctionError('invalid-book', `${folder}: ${name}: line ${id} lacks period ${at + 1}`);
    return { id: id.replace('_', '-'), from, to, capacity, reverse, loss: 0, tariff: 0, ramp: null };
  });
}
