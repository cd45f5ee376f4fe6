/** `merit auctions`: what is on, and what was. */

import type { Auction } from '../../auction/auction.ts';
import { HouseClient } from '../house-client.ts';
import { print, printJson, shortInstant, table } from '../output.ts';

export async function auctions(options: {
  url: string;
  token?: string;
  json?: boolean;
  market?: string;
  state?: string;
  limit: number;
}): Promise<void> {
  const { url, token, json, ...query } = options;
  const { auctions } = await new HouseClient(url, token).get<{ auctions: Auction[] }>('/auctions', query);
  if (json) return printJson(auctions);
  if (auctions.length === 0) return print('there are none');
  const rows = auctions.map(({ id, state, gateClosure, delivery, book, cause }) => [
    id,
    state,
    shortInstant(gateClosure),
    shortInstant(delivery.start),
    `${delivery.periods} x ${delivery.resolution.slice(2).toLowerCase()}`,
    book?.orders ?? '-',
    cause ?? '',
  ]);
  print(table(['auction', 'state', 'gate closes', 'delivery', 'periods', 'orders', 'cause'], rows));
}
