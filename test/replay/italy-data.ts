/** Real days of the Italian market, for the replays. They lie outside the project and are not ours to publish. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { italianZones } from '../../src/adapters/gme/italy.ts';
import { readTable } from '../../src/adapters/gme/table.ts';
import type { Result } from '../../src/market/result.ts';

export const italyFolder = fileURLToPath(new URL('../../../shared/data/italy-2025-04', import.meta.url));

/** For `test(..., { skip })`: the reason, or false when the data is there. */
export const withoutItaly: string | false = existsSync(italyFolder)
  ? false
  : 'there is no ../shared/data/italy-2025-04';

export const italianDays = Array.from({ length: 15 }, (_, index) => `2025-04-${String(index + 1).padStart(2, '0')}`);

export interface Comparison {
  readonly compared: number;
  readonly exact: number;
  /** The first differences, for a message that helps. */
  readonly differences: readonly string[];
}

/** GME publishes to five decimals at most. */
const publishedTo = 0.5e-5;

/** Prices of the Italian zones against the published ones, zone-hour by zone-hour. */
export async function compareWithPublished(day: string, prices: Result['prices']): Promise<Comparison> {
  const source = { folder: italyFolder, day, periods: 24 };
  const { rows } = await readTable(source, 'published-prices', ['zone', 'price_eur_per_mwh']);
  const italian = rows.filter((row) => (italianZones as readonly string[]).includes(row.text('zone')));
  const differences = italian.flatMap((row) => {
    const [zone, period, published] = [row.text('zone'), row.period(), row.number('price_eur_per_mwh')];
    const price = prices[zone]?.[period - 1];
    const isExact = price !== undefined && Math.abs(price - published) < publishedTo;
    return isExact ? [] : [`${day} ${zone} hour ${period}: ${price}, published ${published}`];
  });
  const exact = italian.length - differences.length;
  return { compared: italian.length, exact, differences: differences.slice(0, 5) };
}
