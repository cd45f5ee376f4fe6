/** The server as the unit starts it, over a market of three zones, for benchmarks that look at it from outside. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const market = {
  market: 'm',
  description: 'three zones, auctions on request',
  currency: 'EUR',
  timeZone: 'Europe/Paris',
  resolution: 'PT60M',
  zones: ['NORTH', 'CENTRE', 'SOUTH'],
  lines: [
    { id: 'NC', from: 'NORTH', to: 'CENTRE', capacity: 500, reverse: 500 },
    { id: 'CS', from: 'CENTRE', to: 'SOUTH', capacity: 500, reverse: 500 },
  ],
  priceLimits: { min: -500, max: 4000, tick: 0.01 },
  powerLimits: { lot: 0.1, max: 10_000 },
  orderKinds: ['limit'],
  schedule: { kind: 'manual' },
  clearing: { millisecondsPerCall: 60_000 },
  patience: { firstSeconds: 1, mostSeconds: 5, attempts: 20 },
};

export const order = (i: number) => ({
  record_id: `o-${i}`,
  side: Math.floor(i / 24) % 2 ? 'buy' : 'sell',
  zone: market.zones[Math.floor(i / 48) % 3],
  period: 1 + (i % 24),
  price: ((i * 7919) % 9000) / 100,
  power: 1 + (i % 50) / 10,
});

export type Call = (
  method: string,
  path: string,
  body?: object,
) => Promise<{ status: number; json: Record<string, unknown> }>;
export interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly call: Call;
}

export async function start(folder: string, preload: string | undefined): Promise<Server> {
  const file = join(folder, 'm.json');
  await writeFile(file, JSON.stringify(market));
  const command = ['src/cli/merit.ts', 'serve', '--port', '0', '--data', join(folder, 'data'), '--markets', folder];
  // As service/merit.service starts it.
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=8', ...command],
    {
      cwd: root,
      env: { ...process.env, ...(preload && { LD_PRELOAD: preload }) },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  let said = '';
  for await (const piece of child.stdout.setEncoding('utf8')) {
    said += piece as string;
    if (said.includes('/docs')) break;
  }
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(said)![1]);
  const call: Call = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  return { child, port, call };
}

export async function hold(call: Call, id: string, inMs = 3_600_000): Promise<void> {
  const gateClosure = new Date(Date.now() + inMs).toISOString();
  const { status, json } = await call('POST', '/auctions', {
    id,
    start: '2031-01-01T00:00:00Z',
    periods: 24,
    gateClosure,
  });
  if (status !== 201) throw new Error(JSON.stringify(json));
}

export async function send(call: Call, auction: string, count: number): Promise<void> {
  for (let first = 0; first < count; first += 1000) {
    const orders = Array.from({ length: 1000 }, (_, i) => order(first + i));
    const { status, json } = await call('POST', '/orders', { auction, orders });
    if (status !== 201) throw new Error(JSON.stringify(json));
  }
}

export async function settled(call: Call, id: string): Promise<void> {
  for (;;) {
    const { json } = await call('GET', `/auctions/${id}`);
    if (json.state === 'settled') return;
    if (json.state === 'failed') throw new Error(String(json.cause));
    await sleep(20);
  }
}

/** What the server has in memory now. */
export async function megabytesOf({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}

/** The value below which a share of them lies. */
export const at = (values: readonly number[], share: number): number =>
  Number([...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!.toFixed(1));
