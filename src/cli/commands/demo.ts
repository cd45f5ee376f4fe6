/** `merit demo`: a house with simulated participants, and what happens in it, as a story in the terminal. */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Serving, serve } from '../../server.ts';
import { priceChart } from '../demo/chart.ts';
import { demoIdentities, type Identities } from '../demo/identities.ts';
import { holdAuction, type Round } from '../demo/round.ts';
import { exitCodes, Failure } from '../failure.ts';
import { print } from '../output.ts';
import { untilStopped } from '../signals.ts';
import { blockTable, outcomeTable, priceTable, summaryOf } from '../summary.ts';

interface Options {
  port: number;
  data: string;
  once?: boolean;
  /** Seconds. */
  open: number;
  seed: number;
  rounds: number;
}

/** Time to look at what came out. */
const pauseMs = 5000;

export async function demo(options: Options): Promise<void> {
  const serving = await open(options);
  const stop = new AbortController();
  const stopped = once(stop.signal, 'abort');
  // Nobody reads on (`merit demo | head`): nobody needs more.
  process.stdout.once('error', () => stop.abort());
  const story = tell(serving, options, stop.signal).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  try {
    const cut = await untilStopped(options.once ? story : Promise.race([stopped, story.then(() => stopped)]));
    if (cut && options.once) process.exitCode = 130;
  } finally {
    stop.abort();
    await serving.close();
  }
}

async function open({ port, data }: Options): Promise<Serving> {
  try {
    return await serve({ port, data, issuer: 'built-in', log: quietLog });
  } catch (error) {
    const taken = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';
    if (!taken) throw error;
    throw new Failure(
      exitCodes.failed,
      `another program has port ${port}; stop it, or take another port: npm start -- --port 8081 (0 takes a free one)`,
      [],
      { cause: error },
    );
  }
}

async function tell(serving: Serving, options: Options, signal: AbortSignal): Promise<void> {
  const { url, ports, access } = serving;
  const zones = new Set([...ports.markets.values()].flatMap((market) => market.zones));
  const identities = await demoIdentities(access!, url, [...zones]);
  print(`Merit, an open energy auction house, listens on ${url}\n`);
  if (!options.once) introduce(url, identities);
  const rounds = options.once ? 1 : options.rounds;
  for (let round = 0; round < rounds; round++) {
    const held = await holdAuction(
      identities,
      { seed: options.seed + round, openMs: options.open * 1000, signal },
      (line) => print(`${new Date().toISOString().slice(11, 19)}  ${line}`),
    );
    publish(serving.url, held);
    if (round + 1 < rounds) await sleep(pauseMs, undefined, { signal });
  }
  if (!options.once) print('The simulated participants have gone home; the house stays open. Ctrl-C stops it.');
}

/** How the person before the terminal calls, in another one. */
function introduce(url: string, { yours: { name, token } }: Identities): void {
  print(`You may be participant ${name}. In another terminal, for a day:\n`);
  print(`export MERIT_TOKEN=${token}`);
  const order = '{"record_id": "mine", "side": "sell", "price": 5, "power": 10}';
  print(`curl -s ${url}/orders -H "authorization: Bearer $MERIT_TOKEN" --json '${order}'`);
  print(`curl -s ${url}/orders/mine -H "authorization: Bearer $MERIT_TOKEN"\n`);
}

function publish(url: string, { auction, result }: Round): void {
  const { prices, outcomes } = summaryOf(result);
  const first = new Date(auction.delivery.start).getUTCHours();
  const hours = Array.from({ length: auction.delivery.periods }, (_, index) => (first + index) % 24);
  const isPretty = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  print(`${new Date().toISOString().slice(11, 19)}  published: prices in EUR/MWh from ${auction.delivery.start}\n`);
  print(`${priceChart(result.prices, hours, isPretty)}\n`);
  print(`${priceTable(prices, 'EUR/MWh')}\n\n${outcomeTable(outcomes)}\n`);
  const blocks = blockTable(result.orders);
  if (blocks !== undefined) print(`${blocks}\n`);
  print(`  this auction   ${url}/auctions/${auction.id}  (/prices /flows /curves)`);
  print(`  all auctions   ${url}/auctions`);
  print(`  try the API    ${url}/docs\n`);
}

/** The house's log would run through the story: only what went wrong is shown, and not what is told as an auction's cause. */
const quietLog = (entry: Record<string, unknown>): void => {
  if ('error' in entry && entry.event !== 'task-failed') console.error(JSON.stringify(entry));
};
