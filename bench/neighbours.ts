/**
 * What others feel while one large auction settles on a slow disk and many connections never read what they asked for: how long
 * `/healthz` and an order into another auction take, how late gates close, and how much memory the server has.
 *
 * Each sync of the disk is made slower by a library that is loaded first, where there is a C compiler; without it the disk is as it is,
 * and the table says so. (Not by strace: it holds up every system call.)
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const syncMs = 8;

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

const order = (i: number) => ({
  record_id: `o-${i}`,
  side: Math.floor(i / 24) % 2 ? 'buy' : 'sell',
  zone: market.zones[Math.floor(i / 48) % 3],
  period: 1 + (i % 24),
  price: ((i * 7919) % 9000) / 100,
  power: 1 + (i % 50) / 10,
});

export async function benchNeighbours(smoke: boolean): Promise<void> {
  const [orders, sockets] = smoke ? [2_000, 5] : [40_000, 60];
  const folder = await mkdtemp(join(tmpdir(), 'merit-bench-'));
  const slow = smoke ? undefined : await slowSync(folder);
  const server = await start(folder, slow);
  const unread: Socket[] = [];
  try {
    const { call } = server;
    await hold(call, 'small');
    await send(call, 'small', 2_000);
    await call('POST', '/auctions/small/close', {});
    await settled(call, 'small');
    for (const id of ['big', 'other']) await hold(call, id);
    await send(call, 'big', orders);
    for (let i = 0; i < sockets; i++) unread.push(neverReading(server.port, 'small', 500));
    const figures = await whileSettling(server, smoke);
    const disk = slow ? `each sync ${syncMs} ms slower` : 'the disk as it is';
    console.log(`while ${orders} orders settle and ${sockets} connections of 500 requests stand unread; ${disk}`);
    console.table(figures);
  } finally {
    for (const socket of unread) socket.destroy();
    server.child.kill('SIGTERM');
    await once(server.child, 'exit');
    await rm(folder, { recursive: true });
  }
}

type Call = (method: string, path: string, body?: object) => Promise<{ status: number; json: Record<string, unknown> }>;
interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly call: Call;
}

async function start(folder: string, preload: string | undefined): Promise<Server> {
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

/** A library whose `fsync` and `fdatasync` take longer. @returns undefined where it cannot be made */
async function slowSync(folder: string): Promise<string | undefined> {
  if (process.platform !== 'linux' || spawnSync('cc', ['--version']).status !== 0) return undefined;
  const source = join(folder, 'slow.c');
  const file = join(folder, 'slow.so');
  const calls = ['fsync', 'fdatasync'].map(
    (name) => `int ${name}(int fd) { usleep(${syncMs * 1000}); return (int)syscall(SYS_${name}, fd); }`,
  );
  const head = ['#define _GNU_SOURCE', '#include <unistd.h>', '#include <sys/syscall.h>'];
  await writeFile(source, [...head, ...calls, ''].join('\n'));
  const made = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', file, source], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
  return file;
}

async function hold(call: Call, id: string, inMs = 3_600_000): Promise<void> {
  const gateClosure = new Date(Date.now() + inMs).toISOString();
  const { status, json } = await call('POST', '/auctions', {
    id,
    start: '2031-01-01T00:00:00Z',
    periods: 24,
    gateClosure,
  });
  if (status !== 201) throw new Error(JSON.stringify(json));
}

async function send(call: Call, auction: string, count: number): Promise<void> {
  for (let first = 0; first < count; first += 1000) {
    const orders = Array.from({ length: 1000 }, (_, i) => order(first + i));
    const { status, json } = await call('POST', '/orders', { auction, orders });
    if (status !== 201) throw new Error(JSON.stringify(json));
  }
}

async function settled(call: Call, id: string): Promise<void> {
  for (;;) {
    const { json } = await call('GET', `/auctions/${id}`);
    if (json.state === 'settled') return;
    if (json.state === 'failed') throw new Error(String(json.cause));
    await sleep(20);
  }
}

function neverReading(port: number, id: string, requests: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET /auctions/${id}/result HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(requests));
  return socket;
}

async function whileSettling({ call, child }: Server, smoke: boolean) {
  const began = performance.now();
  let isOver = false;
  const health: number[] = [];
  const receipts: number[] = [];
  const late: number[] = [];
  let megabytes = 0;
  const repeat = async (into: number[], pauseMs: number, work: (i: number) => Promise<unknown>) => {
    for (let i = 0; !isOver; i++) {
      const since = performance.now();
      await work(i);
      into.push(performance.now() - since);
      await sleep(pauseMs);
    }
  };
  const neighbours = Promise.all([
    repeat(health, 10, () => call('GET', '/healthz')),
    repeat(receipts, 10, (i) => call('POST', '/orders', { auction: 'other', orders: [order(i)] })),
    repeat([], 200, async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      megabytes = Math.max(megabytes, Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024);
    }),
    repeat([], 0, async (i) => late.push(await gateLateness(call, `gate-${i}`))),
  ]);
  neighbours.catch(() => undefined); // told below
  await call('POST', '/auctions/big/close', {});
  await Promise.race([settled(call, 'big'), neighbours]);
  const seconds = (performance.now() - began) / 1000;
  if (!smoke) await sleep(2000); // notices go on after it
  isOver = true;
  await neighbours;
  const { json } = await call('GET', '/auctions/big');
  const row = (values: number[]) => ({
    calls: values.length,
    p50: at(values, 0.5),
    p99: at(values, 0.99),
    most: at(values, 1),
  });
  return {
    '/healthz, ms': row(health),
    'an order into another auction, ms': row(receipts),
    'gates closed late by, ms': row(late),
    'settled after, s': { most: Number(seconds.toFixed(1)) },
    'memory of the server, MB': { most: Math.round(megabytes) },
    checksum: { most: (json.result as { welfare: number }).welfare },
  };
}

/** How long after its time a gate is seen closed, in ms; looked at every 20 ms. */
async function gateLateness(call: Call, id: string): Promise<number> {
  const closure = Date.now() + 3000;
  try {
    await hold(call, id, 3000);
  } catch (error) {
    // The request was under way for longer than its gate would have been open.
    if (String(error).includes('gates-reversed')) return Date.now() - closure;
    throw error;
  }
  for (;;) {
    const { json } = await call('GET', `/auctions/${id}`);
    if (json.state !== 'open') return Date.now() - closure;
    await sleep(20);
  }
}

const at = (values: readonly number[], share: number): number =>
  Number([...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!.toFixed(1));
