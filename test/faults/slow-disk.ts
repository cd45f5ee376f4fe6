/** A disk whose every fsync takes 8 ms longer (by strace, which may not be there), while a large auction settles. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { pause } from '../crash/clients.ts';
import { FaultyHouse } from './support/house.ts';
import { openPlace } from './support/place.ts';

const orders = Number(process.env.ORDERS || 6000);

/** Resolves when it has hold of the process. */
async function slowDown(pid: number): Promise<ChildProcess> {
  const inject = ['-e', 'trace=fdatasync,fsync', '-e', 'inject=fdatasync,fsync:delay_enter=8000'];
  const tracer = spawn('strace', ['-f', ...inject, '-o', '/dev/null', '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  for await (const text of tracer.stderr!.setEncoding('utf8')) {
    said += text;
    if (/attached/.test(said)) return tracer;
  }
  return assert.fail(`strace ended: ${said}`);
}

test(`while ${orders} orders settle on a slow disk, others are served and gates close`, async (t) => {
  if (spawnSync('strace', ['-e', 'trace=none', 'true']).status !== 0) return t.skip('strace is not possible here');
  const place = openPlace(t);
  const house = await FaultyHouse.start(place);
  const tracer = await slowDown(house.server.pid);
  const ended = once(tracer, 'exit');
  place.undo(async () => {
    tracer.kill('SIGINT');
    await ended;
  });
  await house.hold('a', 600_000);
  await house.hold('b', 600_000);
  for (let sent = 0; sent < orders; sent += 1000) await house.send('a', 1000);
  await house.close('a');
  await house.reaches('a', 'final');
  house.healthMs = 0;
  const waits: number[] = [];
  const since = performance.now();
  for (let settledAt: number | undefined; ; await pause(5)) {
    const before = performance.now();
    assert.equal((await house.send('b', 1)).status, 201);
    waits.push(performance.now() - before);
    await house.health();
    if (settledAt === undefined && (await house.state('a')) === 'settled') settledAt = performance.now();
    if (settledAt !== undefined && performance.now() - settledAt > 3000) break; // the notices go on after it
  }
  waits.sort((a, b) => a - b);
  const at = (share: number) => Math.round(waits[Math.floor(share * (waits.length - 1))]!);
  t.diagnostic(
    `${waits.length} orders in ${Math.round(performance.now() - since)} ms: median ${at(0.5)} ms, p99 ${at(0.99)} ms; ` +
      `/livez within ${Math.round(house.healthMs)} ms`,
  );
  assert(at(1) < 3000, `somebody waited ${at(1)} ms`);
  await house.checkBook('a');
});
