/** The real server with one open auction, as a process of its own. */

import { createAuction } from '../src/auction/auctions.ts';
import { keepTime } from '../src/auction/schedule/keep-time.ts';
import { parseMarket } from '../src/market/market.ts';
import { serve } from '../src/server.ts';

const [folder] = process.argv.slice(2);
const market = parseMarket(
  {
    market: 'bench',
    description: 'one zone, a day of hours, auctions on request',
    currency: 'EUR',
    timeZone: 'Europe/Brussels',
    resolution: 'PT60M',
    zones: ['Z'],
    priceLimits: { min: -500, max: 4000, tick: 0.01 },
    powerLimits: { lot: 0.1, max: 10_000 },
    orderKinds: ['limit', 'curve'],
    schedule: { kind: 'manual' },
    patience: { firstSeconds: 1, mostSeconds: 1, attempts: 1 },
  },
  'the market of the benchmark',
);
const serving = await serve({ data: folder!, markets: [market], port: 0 });
const hour = 3_600_000;
const wholeHour = Math.floor(Date.now() / hour) * hour;
const hours = (n: number) => new Date(wholeHour + n * hour).toISOString();
await createAuction(serving.ports, {
  id: 'bench',
  start: hours(3),
  periods: 24,
  gateOpening: hours(-1),
  gateClosure: hours(2),
});
await keepTime(serving.ports);
process.send!({ url: `${serving.url}/orders` });
process.on('disconnect', () => process.exit());
