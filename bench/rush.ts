/**
 * The last minute before the gate: a thousand participants, each with a connection of their own, send at a rate that does not wait for the
 * answers. Latency counts from when a request was due, so that a server that falls behind is not excused by clients that wait for it.
 *
 * Then one auction with a million orders: how long its gate takes to become a sealed book and a settled auction, and how much memory.
 */

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, hold, megabytesOf, order, type Server, settled, start } from './served.ts';

interface Load {
  readonly name: string;
  readonly participants: number;
  readonly batch: number;
  /** Orders a second, in all. */
  readonly rate: number;
  readonly seconds: number;
}

export async function benchRush(smoke: boolean): Promise<void> {
  const participants = smoke ? 20 : 1000;
  const seconds = smoke ? 1 : 20;
  const loads: Load[] = [
    { name: '20,000 a second in hundreds', participants, batch: 100, rate: smoke ? 2000 : 20_000, seconds },
    { name: '3,000 a second, single', participants, batch: 1, rate: smoke ? 100 : 3000, seconds },
  ];
  const table: Record<string, object> = {};
  for (const load of loads) table[load.name] = await served((server) => rush(server, load));
  console.log(`the last minute: ${participants} participants with a connection each, ${seconds} s`);
  console.table(table);
  console.table({ 'one auction': await served((server) => large(server, smoke ? 5000 : 1_000_000)) });
}

async function served<T>(work: (server: Server) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-bench-'));
  const server = await start(folder, undefined);
  try {
    return await work(server);
  } finally {
    server.child.kill('SIGTERM');
    await once(server.child, 'exit');
    await rm(folder, { recursive: true });
  }
}

/** The most memory that the server has had while it lives. */
function watchMemory({ child }: Server) {
  let most = 0;
  const timer = setInterval(() => {
    void megabytesOf(child).then(
      (now) => {
        most = Math.max(most, now);
      },
      () => undefined, // it has ended
    );
  }, 200);
  return () => {
    clearInterval(timer);
    return Math.round(most);
  };
}

async function rush(server: Server, { participants, batch, rate, seconds }: Load) {
  await hold(server.call, 'rush');
  const agents = Array.from({ length: participants }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const memory = watchMemory(server);
  const all = (rate * seconds) / batch;
  const latencies: number[] = [];
  const statuses = new Map<number, number>();
  const began = performance.now();
  const answered: Promise<void>[] = [];
  for (let k = 0; k < all; k++) {
    const due = began + (1000 * k * batch) / rate;
    const left = due - performance.now();
    if (left > 1) await sleep(left);
    const orders = Array.from({ length: batch }, (_, i) => order(k * batch + i));
    answered.push(
      post(server.port, agents[k % participants]!, JSON.stringify({ auction: 'rush', orders })).then((status) => {
        latencies.push(performance.now() - due);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }),
    );
  }
  await Promise.all(answered);
  for (const agent of agents) agent.destroy();
  const { 201: taken = 0, 429: refused = 0, ...other } = Object.fromEntries(statuses) as Record<number, number>;
  return {
    'orders taken': taken * batch,
    'p50 (ms)': at(latencies, 0.5),
    'p99 (ms)': at(latencies, 0.99),
    'longest (ms)': at(latencies, 1),
    429: refused,
    'other errors': Object.values(other).reduce((sum, count) => sum + count, 0),
    'memory (MB)': memory(),
  };
}

/** @returns the status; 0 where there was no answer */
function post(port: number, agent: Agent, body: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request({ port, host: '127.0.0.1', path: '/orders', method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode!));
    });
    sent.on('error', () => resolve(0));
    sent.end(body);
  });
}

async function large(server: Server, count: number) {
  const { call } = server;
  await hold(call, 'large');
  const memory = watchMemory(server);
  const batch = 1000;
  let next = 0;
  const since = performance.now();
  const client = async () => {
    for (let from = next; from < count; from = next) {
      next += batch;
      const orders = Array.from({ length: batch }, (_, i) => order(from + i));
      const { status, json } = await call('POST', '/orders', { auction: 'large', orders });
      if (status !== 201) throw new Error(JSON.stringify(json));
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  const taken = performance.now();
  await call('POST', '/auctions/large/close', {});
  const sealed = await until(server, ({ book }) => book !== undefined);
  const cleared = await until(server, ({ result }) => result !== undefined);
  await settled(call, 'large');
  const { json } = await call('GET', '/auctions/large');
  const secondsFrom = (from: number, to = performance.now()) => Number(((to - from) / 1000).toFixed(1));
  return {
    orders: count,
    'taken in (s)': secondsFrom(since, taken),
    'sealed after (s)': secondsFrom(taken, sealed),
    'cleared after (s)': secondsFrom(taken, cleared),
    'settled after (s)': secondsFrom(taken),
    'memory (MB)': memory(),
    checksum: (json.result as { welfare: number }).welfare,
  };
}

async function until({ call }: Server, isThere: (auction: Record<string, unknown>) => boolean): Promise<number> {
  for (;;) {
    const { json } = await call('GET', '/auctions/large');
    if (isThere(json)) return performance.now();
    if (json.state === 'failed') throw new Error(String(json.cause));
    await sleep(50);
  }
}
