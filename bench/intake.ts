/**
 * Intake over HTTP with durable receipts, beside a bare loop that does the least one can (`bare-loop.ts`), in the same run: the
 * two take turns, so that a slow moment of the machine meets both. Servers are processes of their own.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Load {
  readonly batch: number;
  readonly clients: number;
  /** Orders a round. */
  readonly orders: number;
}

const seed = 42;
const rounds = 5;

export async function benchIntake(smoke: boolean): Promise<void> {
  const loads: Load[] = [
    { batch: 1, clients: 64, orders: smoke ? 128 : 6_400 },
    { batch: 10, clients: 16, orders: smoke ? 320 : 16_000 },
    { batch: 100, clients: 8, orders: smoke ? 1_600 : 80_000 },
  ];
  console.log(`intake with durable receipts, seed ${seed}, median of ${smoke ? 1 : rounds} rounds`);
  const table: Record<string, object> = {};
  for (const load of loads) {
    const house = await start('intake-house.ts');
    const bare = await start('bare-loop.ts');
    try {
      const ratios: number[] = [];
      const rates: [house: number, bare: number][] = [];
      // The first round warms both up.
      for (let round = 0; round <= (smoke ? 1 : rounds); round++) {
        const requests = requestsOf(load, round);
        const pair = [await rate(house.url, requests, load), await rate(bare.url, requests, load)] as const;
        if (round === 0) continue;
        rates.push([pair[0], pair[1]]);
        ratios.push(pair[0] / pair[1]);
      }
      const taken = (smoke ? 2 : rounds + 1) * load.orders;
      table[`${load.batch} a batch, ${load.clients} clients`] = {
        'merit (orders/s)': Math.round(median(rates.map(([one]) => one))),
        'bare (orders/s)': Math.round(median(rates.map(([, other]) => other))),
        ratio: Number(median(ratios).toFixed(2)),
        checksum: await checksum(house.url, taken),
      };
    } finally {
      await Promise.all([house.stop(), bare.stop()]);
    }
  }
  console.table(table);
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

async function start(file: string) {
  const folder = await mkdtemp(join(tmpdir(), 'merit-bench-'));
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [folder], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return {
    url,
    async stop() {
      child.disconnect();
      await once(child, 'exit');
      await rm(folder, { recursive: true });
    },
  };
}

/** The bodies of one round, from a small generator by the seed (mulberry32). */
function requestsOf({ batch, orders }: Load, round: number): string[] {
  let state = seed + round;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: orders / batch }, (_, r) =>
    JSON.stringify({
      auction: 'bench',
      orders: Array.from({ length: batch }, (_, k) => ({
        record_id: `r${round}-${r}-${k}`,
        zone: 'Z',
        side: random() < 0.5 ? 'buy' : 'sell',
        period: 1 + Math.floor(random() * 24),
        price: Math.round(random() * 20_000) / 100,
        power: Math.round(1 + random() * 1000) / 10,
      })),
    }),
  );
}

/** Orders a second that `clients` keep-alive connections get receipts for. */
async function rate(url: string, requests: readonly string[], { batch, clients }: Load): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let next = 0;
  const client = async () => {
    for (let body = requests[next++]; body !== undefined; body = requests[next++]) await post(url, body, agent);
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - began) / 1000;
  agent.destroy();
  return (requests.length * batch) / seconds;
}

function post(url: string, body: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => (response.statusCode === 201 ? resolve() : reject(new Error(`${response.statusCode}`))));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sequence of the last order: every order was taken once. */
async function checksum(url: string, expected: number): Promise<string> {
  const page = await fetch(`${url}?auction=bench&after=${expected - 1}`);
  const { orders } = (await page.json()) as { orders: { sequence: number }[] };
  const last = orders.at(-1)?.sequence;
  if (last !== expected || orders.length !== 1)
    throw new Error(`${expected} orders were sent, the last one is ${last}`);
  return `${last} orders`;
}
