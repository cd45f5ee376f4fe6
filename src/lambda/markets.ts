/** The markets of the deployed house: their files lie beside the function, the environment says which and in what order. */

import { fileURLToPath } from 'node:url';
import type { Market } from '../market/market.ts';
import { readMarkets } from '../settings.ts';
import type { Environment } from './environment.ts';

/** @throws Error when a market of the environment has no file; AuctionError `invalid-market` */
export async function deployedMarkets({ MARKETS }: Pick<Environment, 'MARKETS'>): Promise<Market[]> {
  const markets = await readMarkets(fileURLToPath(new URL('markets', import.meta.url)));
  return MARKETS.split(',').map((id) => {
    const market = markets.find((each) => each.market === id);
    if (market === undefined) throw new Error(`the environment names market ${id}, which has no file`);
    return market;
  });
}
