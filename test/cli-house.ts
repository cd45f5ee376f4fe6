/** For the tests of the command line: run `merit` as a user does, and a house to run it against. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Market, parseMarket } from '../src/market/market.ts';
import { type Serving, serve } from '../src/server.ts';

export const merit = fileURLToPath(new URL('../src/cli/merit.ts', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Run to the end, as its own process. */
export async function run(args: readonly string[], input = ''): Promise<Ran> {
  const child = spawnMerit(args);
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, out, err };
}

export const spawnMerit = (args: readonly string[]) =>
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', merit, ...args]);

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-cli-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** One zone, two hours, auctions on request. */
export const twoHours: Market = parseMarket(
  {
    market: 'two-hours',
    description: 'For tests of the command line.',
    currency: 'EUR',
    timeZone: 'UTC',
    resolution: 'PT60M',
    zones: ['A'],
    priceLimits: { min: -500, max: 4000, tick: 0.01 },
    powerLimits: { lot: 0.1, max: 1000 },
    orderKinds: ['limit', 'curve'],
    schedule: { kind: 'manual' },
    patience: { firstSeconds: 1, mostSeconds: 1, attempts: 3 },
  },
  'two-hours',
);

/** A house with one open auction `a1`. */
export async function openHouse(t: TestContext): Promise<Serving> {
  const data = await temporaryFolder(t);
  const serving = await serve({ markets: [twoHours], data, port: 0, log: () => {} });
  t.after(() => serving.close());
  const gateClosure = new Date(Date.now() + 3_600_000).toISOString();
  const body = JSON.stringify({ id: 'a1', gateClosure, periods: 2 });
  await fetch(`${serving.url}/auctions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return serving;
}
