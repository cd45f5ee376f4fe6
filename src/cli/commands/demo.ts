/** `merit demo`: a house with simulated participants, and what happens in it, as a story in the terminal. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Serving, serve } from '../../server.ts';
import { priceChart } from '../demo/chart.ts';
import { demoIdentities, type Identities } from '../demo/identities.ts';
import { endOf, gateOf, openGate, type Round } from '../demo/round.ts';
import { exitCodes, Failure } from '../failure.ts';
import { count, counted, print } from '../output.ts';
import { untilStopped } from '../signals.ts';
import { blockLines, blockTable, outcomeTable, priceTable, type Summary, summaryOf } from '../summary.ts';

interface Options {
  port: number;
  data: string;
  once?: boolean;
  /** Seconds. */
  open?: number;
  seed: number;
  rounds: number;
}

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
  if (!options.once) print('Merit has stopped.');
}

/**
 * A demo may run for a week. One of its auctions takes 1.02 MB of the database and 0.93 MB of the archive (the mean of 48), so
 * these take 195 MB, and those that come in the minute until the next look another 12 MB.
 */
const keepAuctions = 100;

async function open({ port, data }: Options): Promise<Serving> {
  try {
    // An order that names no auction goes to the one of the demo that is open.
    return await serve({ port, data, market: 'demo', issuer: 'built-in', keepAuctions, log: quietLog });
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

/** As soon as one gate closes the next one opens: there is always an auction to send an order to. */
async function tell(serving: Serving, options: Options, signal: AbortSignal): Promise<void> {
  const { url, ports, access } = serving;
  const zones = new Set([...ports.markets.values()].flatMap((market) => market.zones));
  let identities = await demoIdentities(access!, url, [...zones]);
  let renewAt = performance.now() + renewMs;
  print(`Merit, an open energy auction house, listens on ${url}\n`);
  const order = options.once ? undefined : introduce(url, identities, options.data);
  const rounds = options.once ? 1 : options.rounds;
  const openMs = (options.open ?? (options.once ? 3 : 10)) * 1000;
  const say = (line: string) => print(`${new Date().toISOString().slice(11, 19)}  ${line}`);
  /** One auction that goes wrong (a full disk, a machine that slept over its gate) is no reason to send everybody home. */
  const unlessFailed = async <T>(step: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await step();
    } catch (error) {
      if (options.once || signal.aborted || !(error instanceof Failure)) throw error;
      say(error.message);
      await sleep(restMs, undefined, { signal });
      return undefined;
    }
  };
  const open = async (round: number) => {
    if (performance.now() > renewAt) {
      identities = await demoIdentities(access!, url, [...zones]);
      renewAt = performance.now() + renewMs;
    }
    return openGate(identities, { seed: options.seed + round, openMs }, say);
  };
  let auction = await unlessFailed(() => open(0));
  for (let round = 0; round < rounds; round++) {
    const held = auction;
    if (held) await unlessFailed(() => gateOf(identities, held, signal, say));
    auction = round + 1 < rounds ? await unlessFailed(() => open(round + 1)) : undefined;
    if (held) await unlessFailed(async () => publish(url, await endOf(identities, held, signal, say), order));
  }
  if (!options.once) print('The simulated participants have gone home; the house is open. Ctrl-C stops it.');
}

/** Their tokens hold for a day. */
const renewMs = 12 * 3_600_000;
/** After an auction that went wrong. */
const restMs = 1000;

/** How the person before the terminal calls, in another one. @returns the command */
function introduce(url: string, { yours: { name, token } }: Identities, data: string): string {
  const file = join(data, 'token');
  writeFileSync(file, token, { mode: 0o600 });
  const order = '{"record_id": "mine", "zone": "NORTH", "period": 12, "side": "sell", "price": 5, "power": 10}';
  const bearer = `-H "authorization: Bearer $(cat ${file})"`;
  const send = `curl -s ${url}/orders ${bearer} --json '${order}'`;
  print(`You may be participant ${name}, for a day. In another terminal, in this folder:\n`);
  print(send);
  print(`curl -s ${url}/orders/mine ${bearer}\n`);
  return send;
}

function publish(url: string, { auction, result, untraded }: Round, order: string | undefined): void {
  const { prices, outcomes } = summaryOf(result, untraded);
  const first = new Date(auction.delivery.start).getUTCHours();
  const hours = Array.from({ length: auction.delivery.periods }, (_, index) => (first + index) % 24);
  const isPretty = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  print(`${new Date().toISOString().slice(11, 19)}  published: prices in EUR/MWh from ${auction.delivery.start}\n`);
  print(`${priceChart(result.prices, hours, isPretty)}\n`);
  if (isPretty) {
    publishShortly(url, auction.id, result, outcomes);
    return;
  }
  print(`${priceTable(prices, 'EUR/MWh')}\n\n${outcomeTable(outcomes)}\n`);
  const blocks = blockTable(result.orders);
  if (blocks !== undefined) print(`${blocks}\n`);
  print(`  this auction   ${url}/auctions/${auction.id}  (/prices /flows /curves)`);
  print(`  all auctions   ${url}/auctions`);
  print(`  try the API    ${url}/docs`);
  print(order === undefined ? '' : `  bid yourself   ${order}\n`);
}

/** In a terminal a round is one picture, of at most 24 lines and 80 columns. */
function publishShortly(url: string, id: string, { orders }: Round['result'], outcomes: Summary['outcomes']): void {
  const { accepted, partially_accepted: partially, rejected } = outcomes;
  print(
    `${counted(accepted, 'order')} accepted, ${count(partially)} partially, ${count(rejected)} rejected; of the blocks:`,
  );
  const blocks = blockLines(orders, 3);
  if (blocks !== undefined) print(`${blocks}\n`);
  print(`${url}/auctions/${id} and ${new URL('/docs', url).pathname}\n`);
}

/** The house's log would run through the story: only what went wrong is shown, and not what is told as an auction's cause. */
const quietLog = (entry: Record<string, unknown>): void => {
  if ('error' in entry && entry.event !== 'task-failed') console.error(JSON.stringify(entry));
};
