/**
 * What others feel while one large auction settles on a slow disk and many connections never read what they asked for: how long
 * `/healthz` and an order into another auction take, how late gates close, and how much memory the server has.
 *
 * Each sync of the disk is made slower by a library that is loaded first, where there is a C compiler; without it the disk is as it is,
 * and the table says so. (Not by strace: it holds up every system call.)
 */

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, type Call, hold, megabytesOf, order, type Server, send, settled, start } from './served.ts';

const syncMs = 8;

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
      megabytes = Math.max(megabytes, await megabytesOf(child));
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
