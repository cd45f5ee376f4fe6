/** Races of orders that name each other (`test/support/races.ts`) on one machine. */

import type { Notice } from '../src/auction/ports.ts';
import { openTestHouse } from './support/house.ts';
import { byHand, raceCases, raceMarkets } from './support/races.ts';

raceCases('sqlite', async (t) => {
  const { ports, logged } = await openTestHouse(t, { markets: raceMarkets });
  return {
    ports: { ...ports, workflow: byHand },
    told: async () => logged.filter(({ event }) => event === 'notice') as unknown as Notice[],
  };
});
